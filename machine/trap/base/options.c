/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EDMM_MACHINE: NAME=VALUE, separated by commas.
 *
 *	epc=SIZE	EPC in bytes, with K, M, G; 1M .. 1024G; default 1G
 *	quota=SIZE	how much of it may be in use, as misc.max's sgx_epc; max
 *	seed=N		keys of the machine derive from it; default 1
 *	sgx2=0		no SGX2: EDMM ioctls give ENODEV
 *	exinfo=0	MISCSELECT.EXINFO is not supported
 *	aexnotify=0	ATTRIBUTES.AEXNOTIFY is not supported
 *	kss=0		ATTRIBUTES.KSS is not supported
 *	edeccssa=0	leaf 9 is not supported
 *	empty-tcs=0	EACCEPT refuses a TCS with CSSA = NSSA = 0
 *	fault=FAULT	one to inject (machine/linux/inject.h); may be repeated
 *	trace=FILE	a record an event (machine/watch/trace.h)
 *	stats=text	the counters at the process's end; json
 *	stats-file=FILE	where to append them; default: standard error
 *	cost-table=FILE	with an estimate of the time on hardware; default: ours
 *	avx=0, avx512=0, amx=0	a processor without
 *	vendor=TEXT	12 characters, as CPUID tells them
 *	populate=1	a kernel whose MAP_POPULATE adds pages of enclaves
 *	stale=emodpe	translations with fewer rights outlive it: a spurious
 *			fault; emodpr: with more, as the kernel does no ETRACK
 *	why=1		says why ECREATE or EINIT refuse
 *	production=1	enclaves that are signed for production are not refused
 *	timer=TIME	interrupts a thread inside each TIME that it runs: 4ms
 *	raw=1		system calls without libc reach the machine, too; 0:
 *			never; default: if the program's own file makes any
 *	strict=1	host code that touches enclave memory is stopped
 *	step=FILE	interrupts enclaves as this script says (script.h)
 *	step-image=FILE	where the script's symbols come from
 *	fast=0		EENTER and system calls that are dispatched by a trap,
 *			always
 *
 * And what processor and kernel have (facility.c): NAME=0 does without, as
 * where it is missing, NAME=1 insists.
 *
 *	cpuid-fault, pkeys, fsgsbase, wrgsbase, uffd, sud, seccomp
 *	cpuid=patch, view=mprotect: older names of cpuid-fault=0 and uffd=0
 */
#include "machine/trap/base/options.h"

#include <string.h>

#include "machine/linux/drv.h"
#include "machine/model/model.h"

#define EPC_DEFAULT (1ull << 30)
#define EPC_MIN (1ull << 20)
#define EPC_MAX (1ull << 40)
#define TIMER_MIN 100000ull
#define TIMER_MAX 3600000000000ull

/* A value as it was given, and where it goes. */
struct value {
	const char *s;
	size_t n;
	struct machine_options *o;
	const char *want; /* of a value that says more than its setting */
	size_t column;
};

static bool parse_number(const char *s, size_t n, uint64_t *out)
{
	*out = 0;
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' ||
		    __builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(s[i] - '0'), out))
			return false;
	}
	return true;
}

static bool parse_bytes(const char *s, size_t n, uint64_t *out)
{
	unsigned shift = 0;

	if (n) {
		const char *unit = "KMG", *u = strchr(unit, s[n - 1]);

		if (u && *u) {
			shift = 10 * ((unsigned)(u - unit) + 1);
			n--;
		}
	}
	if (!parse_number(s, n, out) || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

static bool parse_size(const char *s, size_t n, uint64_t *out)
{
	return parse_bytes(s, n, out) && *out >= EPC_MIN && *out <= EPC_MAX &&
	       *out % SGX_PAGE_SIZE == 0;
}

/* Bytes in use at most; a part of a page is none, as for the cgroup. */
static bool parse_quota(const char *s, size_t n, uint64_t *out)
{
	if (n == 3 && !memcmp(s, "max", 3)) {
		*out = UINT64_MAX;
		return true;
	}
	return parse_bytes(s, n, out);
}

/* With its unit, as ns: from the kernel's own granularity to an hour. */
static bool parse_time(const char *s, size_t n, uint64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].unit);

		if (n <= len || memcmp(s + n - len, units[i].unit, len) != 0 ||
		    !parse_number(s, n - len, out))
			continue;
		return !__builtin_mul_overflow(*out, units[i].ns, out) &&
		       *out >= TIMER_MIN && *out <= TIMER_MAX;
	}
	return false;
}

static bool is(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(s, name, n);
}

/* 0 or 1; anything else is neither. */
static bool flag(const struct value *v, bool *on)
{
	*on = v->n == 1 && *v->s == '1';
	return *on || (v->n == 1 && *v->s == '0');
}

static bool set_feature(const struct value *v, uint32_t feature)
{
	uint32_t *all = &v->o->features;
	bool on;

	if (!flag(v, &on))
		return false;
	*all = on ? *all | feature : *all & ~feature;
	return true;
}

/* The environment is the program's to change. */
struct kept {
	char text[MACHINE_PATH];
};

static bool set_path(const struct value *v, struct kept *to, const char **out)
{
	if (!v->n || v->n >= MACHINE_PATH)
		return false;
	memcpy(to->text, v->s, v->n);
	to->text[v->n] = 0;
	*out = to->text;
	return true;
}

/* ---- the settings ------------------------------------------------------ */

static bool set_epc(struct value *v)
{
	return parse_size(v->s, v->n, &v->o->epc);
}

static bool set_quota(struct value *v)
{
	return parse_quota(v->s, v->n, &v->o->quota);
}

static bool set_timer(struct value *v)
{
	return parse_time(v->s, v->n, &v->o->timer);
}

static bool set_seed(struct value *v)
{
	return parse_number(v->s, v->n, &v->o->seed);
}

/* A fault's own words say where it is wrong. */
static bool set_fault(struct value *v)
{
	struct inject_error e;

	if (inject_parse(&v->o->inject, v->s, v->n, &e))
		return true;
	v->want = e.want;
	v->column = e.column;
	return false;
}

static bool set_stats(struct value *v)
{
	v->o->stats = is(v->s, v->n, "text")   ? MACHINE_STATS_TEXT
		      : is(v->s, v->n, "json") ? MACHINE_STATS_JSON
					       : MACHINE_STATS_NONE;
	return v->o->stats != MACHINE_STATS_NONE;
}

static bool set_raw(struct value *v)
{
	bool on, ok = flag(v, &on);

	v->o->raw = on ? MACHINE_RAW_ALWAYS : MACHINE_RAW_NEVER;
	return ok;
}

#define SET_FEATURE(name, feature)                \
	static bool set_##name(struct value *v)   \
	{                                         \
		return set_feature(v, (feature)); \
	}
SET_FEATURE(sgx2, MACH_F_SGX2)
SET_FEATURE(exinfo, MACH_F_EXINFO)
SET_FEATURE(aexnotify, MACH_F_AEXNOTIFY)
SET_FEATURE(kss, MACH_F_KSS)
SET_FEATURE(edeccssa, MACH_F_EDECCSSA)
SET_FEATURE(empty_tcs, MACH_F_EMPTY_TCS)

/* A processor without the components, and what needs them. */
static bool set_components(const struct value *v, uint64_t bits)
{
	uint64_t *off = &v->o->xfrm_off;
	bool on;

	if (!flag(v, &on))
		return false;
	*off = on ? *off & ~bits : *off | bits;
	return true;
}

#define SET_COMPONENTS(name, bits)                \
	static bool set_##name(struct value *v)   \
	{                                         \
		return set_components(v, (bits)); \
	}
SET_COMPONENTS(avx, 0xe4)
SET_COMPONENTS(avx512, 0xe0)
SET_COMPONENTS(amx, 0x60000)

static bool set_stale(struct value *v)
{
	bool pe = is(v->s, v->n, "emodpe");

	v->o->stale |= pe ? STALE_EMODPE : STALE_EMODPR;
	return pe || is(v->s, v->n, "emodpr");
}

static bool set_vendor(struct value *v)
{
	if (v->n != sizeof(v->o->vendor) - 1)
		return false;
	memcpy(v->o->vendor, v->s, v->n);
	return true;
}

#define SET_SWITCH(name, member)                \
	static bool set_##name(struct value *v) \
	{                                       \
		return flag(v, &v->o->member);  \
	}
SET_SWITCH(production, production)
SET_SWITCH(strict, strict)
SET_SWITCH(populate, populate)
SET_SWITCH(why, why)
SET_SWITCH(fast, vdso_fast)

#define SET_PATH(name)                                  \
	static bool set_##name(struct value *v)         \
	{                                               \
		static struct kept path;                \
                                                        \
		return set_path(v, &path, &v->o->name); \
	}
SET_PATH(stats_file)
SET_PATH(cost_table)
SET_PATH(trace)
SET_PATH(step)
SET_PATH(step_image)

#define WANT_FLAG "0 or 1"
#define WANT_PATH "a path"

static const struct setting {
	const char *name;
	const char *want;
	bool (*set)(struct value *v);
} settings[] = {
	{ "epc", "1M to 1024G, whole pages", set_epc },
	{ "quota", "bytes with K, M or G, or max", set_quota },
	{ "seed", "a number", set_seed },
	{ "timer", "100us to 3600s, with us, ms or s", set_timer },
	{ "fault", "a fault as edmm sim --faults lists them", set_fault },
	{ "stats", "text or json", set_stats },
	{ "stats-file", WANT_PATH, set_stats_file },
	{ "cost-table", WANT_PATH, set_cost_table },
	{ "trace", WANT_PATH, set_trace },
	{ "step", WANT_PATH, set_step },
	{ "step-image", WANT_PATH, set_step_image },
	{ "raw", WANT_FLAG, set_raw },
	{ "production", WANT_FLAG, set_production },
	{ "strict", WANT_FLAG, set_strict },
	{ "fast", WANT_FLAG, set_fast },
	{ "populate", WANT_FLAG, set_populate },
	{ "why", WANT_FLAG, set_why },
	{ "stale", "emodpe or emodpr", set_stale },
	{ "vendor", "12 characters: GenuineIntel", set_vendor },
	{ "avx", WANT_FLAG, set_avx },
	{ "avx512", WANT_FLAG, set_avx512 },
	{ "amx", WANT_FLAG, set_amx },
	{ "sgx2", WANT_FLAG, set_sgx2 },
	{ "exinfo", WANT_FLAG, set_exinfo },
	{ "aexnotify", WANT_FLAG, set_aexnotify },
	{ "kss", WANT_FLAG, set_kss },
	{ "edeccssa", WANT_FLAG, set_edeccssa },
	{ "empty-tcs", WANT_FLAG, set_empty_tcs },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* "cpuid-fault=0", or by one of the two older names for the choice. */
static const struct older {
	const char *name, *off, *on, *want;
	enum facility f;
} older[] = {
	{ "cpuid", "patch", "fault", "patch or fault", FACILITY_CPUID_FAULT },
	{ "view", "mprotect", "uffd", "mprotect or uffd", FACILITY_UFFD },
};

static bool set_older(const struct older *old, struct value *v)
{
	bool off = is(v->s, v->n, old->off);

	v->want = old->want;
	v->o->want[old->f] = off ? FACILITY_OFF : FACILITY_ON;
	return off || is(v->s, v->n, old->on);
}

static bool set_facility(size_t i, struct value *v)
{
	bool on, ok = flag(v, &on);

	v->want = WANT_FLAG;
	v->o->want[i] = on ? FACILITY_ON : FACILITY_OFF;
	return ok;
}

/* *known: there is such a setting. */
static bool set_named(const char *name, size_t len, struct value *v,
		      bool *known)
{
	*known = true;
	for (size_t i = 0; i < SETTINGS; i++)
		if (is(name, len, settings[i].name)) {
			v->want = settings[i].want;
			return settings[i].set(v);
		}
	for (size_t i = 0; i < sizeof(older) / sizeof(older[0]); i++)
		if (is(name, len, older[i].name))
			return set_older(&older[i], v);
	for (size_t i = 0; i < FACILITIES; i++)
		if (is(name, len, facility_rows[i].setting))
			return set_facility(i, v);
	*known = false;
	return false;
}

/* ---- what is wrong ----------------------------------------------------- */

static void put_n(char *to, const char *s, size_t n)
{
	size_t at = strlen(to);

	if (n > OPTION_TEXT - 1 - at)
		n = OPTION_TEXT - 1 - at;
	memcpy(to + at, s, n);
	to[at + n] = 0;
}

static void put(char *to, const char *s)
{
	put_n(to, s, strlen(s));
}

static void put_number(char *to, size_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	put_n(to, digits + at, sizeof(digits) - at);
}

static void put_names(char *to)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		put(to, i ? ", " : "");
		put(to, settings[i].name);
	}
	for (size_t i = 0; i < FACILITIES; i++) {
		put(to, ", ");
		put(to, facility_rows[i].setting);
	}
}

void options_tell(char text[OPTION_TEXT], const char *typed,
		  const struct option_error *e)
{
	*text = 0;
	if (typed) {
		put(text, typed);
	} else {
		put(text, "'");
		put_n(text, e->item, e->len < 80 ? e->len : 80);
		put(text, "'");
	}
	if (e->column) {
		put(text, ", column ");
		put_number(text, e->column);
	}
	put(text, ": wanted: ");
	if (e->want) {
		put(text, e->want);
	} else {
		put(text, "NAME=VALUE, and a name of ");
		put_names(text);
	}
}

static bool take(const char *item, size_t len, struct machine_options *o,
		 struct option_error *e)
{
	const char *eq = memchr(item, '=', len);
	size_t name = eq ? (size_t)(eq - item) : len;
	struct value v = { .o = o };
	bool known = false;

	if (eq) {
		v.s = eq + 1;
		v.n = len - name - 1;
		if (set_named(item, name, &v, &known))
			return true;
	}
	*e = (struct option_error){ .item = item,
				    .len = len,
				    .column = v.column,
				    .want = known ? v.want : NULL };
	return false;
}

bool options_parse(const char *text, struct machine_options *o,
		   struct option_error *e)
{
	*o = (struct machine_options){
		.epc = EPC_DEFAULT,
		.quota = UINT64_MAX,
		.features = MACH_F_ALL,
		.seed = 1,
		.vdso_fast = true,
		.stats_file = "",
		.cost_table = "",
		.trace = "",
		.step = "",
		.step_image = "",
	};
	while (text && *text) {
		const char *end = strchr(text, ',');
		size_t len = end ? (size_t)(end - text) : strlen(text);

		if (!take(text, len, o, e))
			return false;
		text += len + (end != NULL);
	}
	/* Each entry is the handler's to see. */
	if (*o->step)
		o->vdso_fast = false;
	if (!o->stats && (*o->stats_file || *o->cost_table))
		o->stats = MACHINE_STATS_TEXT;
	return true;
}

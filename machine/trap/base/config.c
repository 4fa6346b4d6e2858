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
 *	fault=FAULT	one to inject (machine/linux/inject.h); may be repeated
 *	trace=FILE	a record an event (machine/watch/trace.h)
 *	stats=text	the counters at the process's end; json
 *	stats-file=FILE	where to append them; default: standard error
 *	cost-table=FILE	with an estimate of the time on hardware; default: ours
 *	production=1	enclaves that are signed for production are not refused
 *	raw=1		system calls without libc reach the machine, too; 0:
 *			never; default: if the program's own file makes any
 *	strict=1	host code that touches enclave memory is stopped
 *	step=FILE	interrupts enclaves as this script says (script.h)
 *	step-image=FILE	where the script's symbols come from
 *	fast=0		EENTER from the vDSO by a trap, as from anywhere else
 *
 * And what processor and kernel have (facility.c): NAME=0 does without, as
 * where it is missing, NAME=1 insists.
 *
 *	cpuid-fault, pkeys, fsgsbase, uffd, sud, seccomp
 *	cpuid=patch, view=mprotect: older names of cpuid-fault=0 and uffd=0
 */
#include <string.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/start/start.h"

#define EPC_DEFAULT (1ull << 30)
#define EPC_MIN (1ull << 20)
#define EPC_MAX (1ull << 40)

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

static bool is(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(s, name, n);
}

static bool parse_flag(const char *s, size_t n, struct machine_options *o,
		       uint32_t flag)
{
	if (n != 1 || (*s != '0' && *s != '1'))
		return false;
	o->features = *s == '1' ? o->features | flag : o->features & ~flag;
	return true;
}

static size_t put(char *line, size_t at, const char *s, size_t n)
{
	memcpy(line + at, s, n);
	return at + n;
}

/* A fault's own line says where it is wrong. */
static _Noreturn void bad_fault(const char *s, size_t n,
				const struct inject_error *e)
{
	char line[80], digits[4] = { 0 };
	size_t column = e->column < 999 ? e->column : 999, at;

	digits[0] = (char)('0' + column / 100);
	digits[1] = (char)('0' + column / 10 % 10);
	digits[2] = (char)('0' + column % 10);
	at = put(line, 0, "fault '", 7);
	at = put(line, at, s, n < 40 ? n : 40);
	at = put(line, at, "', column ", 10);
	column = column < 10 ? 2 : column < 100;
	at = put(line, at, digits + column, 3 - column);
	put(line, at, ": wanted", 9);
	sys_die(2, line, e->want);
}

static bool parse_fault(const char *s, size_t n, struct machine_options *o)
{
	struct inject_error e;

	if (!inject_parse(&o->inject, s, n, &e))
		bad_fault(s, n, &e);
	return true;
}

static bool parse_stats(const char *s, size_t n, struct machine_options *o)
{
	if (is(s, n, "text"))
		o->stats = MACHINE_STATS_TEXT;
	else if (is(s, n, "json"))
		o->stats = MACHINE_STATS_JSON;
	else
		return false;
	return true;
}

/* The environment is the program's to change. */
static char stats_file[MACHINE_PATH], cost_table[MACHINE_PATH],
	trace[MACHINE_PATH], step[MACHINE_PATH], step_image[MACHINE_PATH];

static bool parse_path(const char *s, size_t n, char *to, const char **out)
{
	if (!n || n >= MACHINE_PATH)
		return false;
	memcpy(to, s, n);
	to[n] = 0;
	*out = to;
	return true;
}

static bool parse_raw(const char *s, size_t n, struct machine_options *o)
{
	if (n != 1 || (*s != '0' && *s != '1'))
		return false;
	o->raw = *s == '1' ? MACHINE_RAW_ALWAYS : MACHINE_RAW_NEVER;
	return true;
}

static bool parse_switch(const char *name, size_t len, const char *val,
			 size_t vlen, struct machine_options *o)
{
	const struct {
		const char *name;
		bool *to;
	} switches[] = {
		{ "production", &o->production },
		{ "strict", &o->strict },
		{ "fast", &o->vdso_fast },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (!is(name, len, switches[i].name))
			continue;
		*switches[i].to = *val == '1';
		return vlen == 1 && (*val == '0' || *val == '1');
	}
	return false;
}

/* "cpuid-fault=0", or by one of the two older names for the choice. */
static bool parse_facility(const char *name, size_t len, const char *val,
			   size_t vlen, struct machine_options *o)
{
	static const struct {
		const char *name, *off, *on;
		enum facility f;
	} older[] = {
		{ "cpuid", "patch", "fault", FACILITY_CPUID_FAULT },
		{ "view", "mprotect", "uffd", FACILITY_UFFD },
	};

	for (size_t i = 0; i < sizeof(older) / sizeof(older[0]); i++) {
		if (!is(name, len, older[i].name))
			continue;
		o->want[older[i].f] = is(val, vlen, older[i].off) ? FACILITY_OFF
								  : FACILITY_ON;
		return is(val, vlen, older[i].off) ||
		       is(val, vlen, older[i].on);
	}
	for (int i = 0; i < FACILITIES; i++) {
		if (!is(name, len, facility_rows[i].setting))
			continue;
		o->want[i] = *val == '1' ? FACILITY_ON : FACILITY_OFF;
		return vlen == 1 && (*val == '0' || *val == '1');
	}
	return false;
}

static bool parse_item(const char *name, size_t len, const char *val,
		       size_t vlen, struct machine_options *o)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{ "sgx2", MACH_F_SGX2 },	   { "exinfo", MACH_F_EXINFO },
		{ "aexnotify", MACH_F_AEXNOTIFY }, { "kss", MACH_F_KSS },
		{ "edeccssa", MACH_F_EDECCSSA },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (is(name, len, flags[i].name))
			return parse_flag(val, vlen, o, flags[i].flag);
	if (is(name, len, "epc"))
		return parse_size(val, vlen, &o->epc);
	if (is(name, len, "quota"))
		return parse_quota(val, vlen, &o->quota);
	if (is(name, len, "seed"))
		return parse_number(val, vlen, &o->seed);
	if (is(name, len, "fault"))
		return parse_fault(val, vlen, o);
	if (is(name, len, "stats"))
		return parse_stats(val, vlen, o);
	if (is(name, len, "stats-file"))
		return parse_path(val, vlen, stats_file, &o->stats_file);
	if (is(name, len, "cost-table"))
		return parse_path(val, vlen, cost_table, &o->cost_table);
	if (is(name, len, "trace"))
		return parse_path(val, vlen, trace, &o->trace);
	if (is(name, len, "step"))
		return parse_path(val, vlen, step, &o->step);
	if (is(name, len, "step-image"))
		return parse_path(val, vlen, step_image, &o->step_image);
	if (is(name, len, "raw"))
		return parse_raw(val, vlen, o);
	return parse_switch(name, len, val, vlen, o) ||
	       parse_facility(name, len, val, vlen, o);
}

static _Noreturn void bad(const char *item, size_t len)
{
	char text[80];

	if (len > sizeof(text) - 1)
		len = sizeof(text) - 1;
	memcpy(text, item, len);
	text[len] = 0;
	sys_die(2, "EDMM_MACHINE: not an option or not a value for it", text);
}

void config_parse(const char *text, struct machine_options *o)
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
		const char *eq = memchr(text, '=', len);

		if (!eq || !parse_item(text, (size_t)(eq - text), eq + 1,
				       len - (size_t)(eq + 1 - text), o))
			bad(text, len);
		text += len + (end != NULL);
	}
	/* Each entry is the handler's to see. */
	if (*o->step)
		o->vdso_fast = false;
	if (!o->stats && (*o->stats_file || *o->cost_table))
		o->stats = MACHINE_STATS_TEXT;
}

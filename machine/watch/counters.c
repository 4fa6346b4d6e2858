/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of counters, their print, and their sums over a trace.
 */
#include "machine/watch/counters.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const encls_names[EDMM_MACHINE_LEAVES] = {
	"ecreate", "eadd", "einit",  "eremove", "edbgrd", "edbgwr",
	"eextend", "eldb", "eldu",   "eblock",	"epa",	  "ewb",
	"etrack",  "eaug", "emodpr", "emodt",
};

static const char *const enclu_names[] = {
	"ereport", "egetkey", "eenter",	     "eresume", "eexit",
	"eaccept", "emodpe",  "eacceptcopy", NULL,	"edeccssa",
};

static const struct {
	const char *name;
	const char *old;
} ioctl_names[] = {
#define IOCTL(number, name, old) { #name, old },
	EDMM_MACHINE_IOCTL_LIST(IOCTL)
#undef IOCTL
};

static const char *const aex_names[TRACE_AEXS] = {
	"kernel", "exception", "signal", "track", "ended", "timer",
};

static const char *const fault_names[TRACE_FAULTS] = {
	"eaug", "eaug-outside", "eldu", "pte", "epcm", "vma", "sigbus", "other",
};

#define NAME(table, i) ((i) < COUNT(table) ? (table)[i] : NULL)

const char *watch_encls(unsigned leaf)
{
	return NAME(encls_names, leaf);
}

const char *watch_enclu(unsigned leaf)
{
	return NAME(enclu_names, leaf);
}

const char *watch_ioctl(unsigned nr)
{
	return nr < COUNT(ioctl_names) ? ioctl_names[nr].name : NULL;
}

const char *watch_ioctl_today(const char *name)
{
	for (unsigned i = 0; i < COUNT(ioctl_names); i++)
		if (!strcmp(name, ioctl_names[i].old))
			return ioctl_names[i].name;
	return name;
}

const char *watch_aex(unsigned why)
{
	return NAME(aex_names, why);
}

const char *watch_fault(unsigned what)
{
	return NAME(fault_names, what);
}

/* ---- printing ---------------------------------------------------------- */

static const struct one {
	const char *name;
	size_t at; /* in struct edmm_machine_stats */
	bool told;
} ones[] = {
#define ONE(name, where, told)                              \
	{ #name, offsetof(struct edmm_machine_stats, name), \
	  WATCH_IS_TOLD(WATCH_##told) },
	EDMM_MACHINE_COUNTERS(ONE, WATCH_NO_ARRAY)
#undef ONE
};

static const struct array {
	const char *prefix;
	const char *(*name)(unsigned i);
	size_t at;
	unsigned count;
} arrays[] = {
#define ARRAY(name, count, prefix, kind) \
	{ #prefix "_", watch_##prefix,   \
	  offsetof(struct edmm_machine_stats, name), (count) },
	EDMM_MACHINE_COUNTERS(WATCH_NO_ONE, ARRAY)
#undef ARRAY
};

static uint64_t value(const struct edmm_machine_stats *s, size_t at)
{
	return ((const uint64_t *)s)[at / sizeof(uint64_t)];
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

void watch_text(const struct watch_out *o, const char *text)
{
	o->write(o->ctx, text, length(text));
}

void watch_number(const struct watch_out *o, uint64_t n)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	o->write(o->ctx, text + at, sizeof(text) - at);
}

/* One row of text, or a member of JSON's object. */
static void row(const struct watch_out *o, const struct watch_print *p,
		const char *group, const char *name, uint64_t n)
{
	static const char blank[] = "                              ";
	size_t used = length(group) + length(name);

	watch_text(o, p->json ? ",\"" : "  ");
	watch_text(o, group);
	watch_text(o, name);
	if (p->json)
		watch_text(o, "\":");
	else
		o->write(o->ctx, blank, used < 22 ? 24 - used : 2);
	watch_number(o, n);
	if (!p->json)
		watch_text(o, "\n");
}

static void print_ones(const struct watch_out *o, const struct watch_print *p,
		       bool told)
{
	for (size_t i = 0; i < COUNT(ones); i++) {
		uint64_t n = value(p->stats, ones[i].at);

		if (ones[i].told == told && (p->json || n))
			row(o, p, "", ones[i].name, n);
	}
}

/* No row of what did not happen, in JSON either. */
static void print_array(const struct watch_out *o, const struct watch_print *p,
			const struct array *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		uint64_t n = value(p->stats, a->at + i * sizeof(uint64_t));

		if (n && a->name(i))
			row(o, p, a->prefix, a->name(i), n);
	}
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static void estimate(const struct watch_out *o, const struct watch_print *p)
{
	uint64_t cycles = 0, us;

	for (unsigned i = 0; watch_cost_name(i); i++)
		if (__builtin_add_overflow(cycles,
					   times(watch_cost_count(p->stats, i),
						 p->costs->cycles[i]),
					   &cycles))
			cycles = UINT64_MAX;
	us = cycles / (p->costs->hz / 1000000);
	row(o, p, "estimate_", "cycles", cycles);
	row(o, p, "estimate_", "us", us);
}

void watch_print(const struct watch_out *o, const struct watch_print *p)
{
	watch_text(o, p->json ? "{\"pid\":" : "edmm: machine counters of ");
	watch_number(o, p->pid);
	if (!p->json)
		watch_text(o, "\n");
	print_ones(o, p, true);
	if (p->levels)
		print_ones(o, p, false);
	for (size_t i = 0; i < COUNT(arrays); i++)
		print_array(o, p, &arrays[i]);
	if (p->costs)
		estimate(o, p);
	if (p->json)
		watch_text(o, "}\n");
}

/* ---- sums -------------------------------------------------------------- */

#define EEXTEND_LAST 0xf00u

static void count(struct edmm_machine_stats *s, unsigned event, uint64_t n)
{
	watch_count(s, event, n);
}

/* In the array of its kind, if it has one. */
static void add_number(struct edmm_machine_stats *s,
		       const struct trace_record *r)
{
#define ARRAY(name, count, prefix, KIND)                  \
	if (r->kind == TRACE_##KIND && r->what < (count)) \
		s->name[r->what]++;
	EDMM_MACHINE_COUNTERS(WATCH_NO_ONE, ARRAY)
#undef ARRAY
}

static void add_leaf(struct edmm_machine_stats *s, const struct trace_record *r)
{
	bool page = r->kind == TRACE_ENCLS && !r->result && r->addr;

	if (r->result < 0) {
		count(s, WATCH_EVENT(FAULTED, r->kind), 1);
		return;
	}
	add_number(s, r);
	if (r->kind == TRACE_ENCLU)
		count(s, WATCH_EVENT(LEAF, r->what), 1);
	else if (page &&
		 (r->what != SGX_EEXTEND || (r->addr & 0xfff) == EEXTEND_LAST))
		count(s, WATCH_EVENT(PAGE, r->what), 1);
}

static void add_aex(struct edmm_machine_stats *s, const struct trace_record *r)
{
	count(s, WATCH_EVENT(AEX, r->what), 1);
	if (r->what == TRACE_AEX_EXCEPTION && r->arg >> 16 != SGX_VEC_PF)
		count(s, WATCH_FAULT(OTHER), 1);
}

static void add_ioctl(struct edmm_machine_stats *s,
		      const struct trace_record *r)
{
	add_number(s, r);
	if (r->result)
		count(s, WATCH_FAILED(IOCTL), 1);
	count(s, WATCH_EVENT(DONE, r->what), r->arg);
}

void watch_add(struct edmm_machine_stats *s, const struct trace_record *r)
{
	switch (r->kind) {
	case TRACE_ENCLS:
	case TRACE_ENCLU:
		add_leaf(s, r);
		break;
	case TRACE_AEX:
		add_aex(s, r);
		break;
	case TRACE_FAULT:
		count(s, WATCH_EVENT(FAULT, r->what), 1);
		break;
	case TRACE_IOCTL:
		add_ioctl(s, r);
		break;
	default:
		break;
	}
	count(s, WATCH_EVENT(EACH, r->kind), 1);
}

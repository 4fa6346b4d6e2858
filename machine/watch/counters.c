/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of counters, their print, and their sums over a trace.
 */
#include "counters.h"

#include <sgx/arch.h>

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

static const char *const ioctl_names[EDMM_MACHINE_IOCTLS] = {
	"create", "add-pages", "init",	 "provision",
	"vepc",	  "restrict",  "modify", "remove",
};

static const char *const aex_names[TRACE_AEXS] = {
	"kernel", "exception", "signal", "track", "ended",
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
	return NAME(ioctl_names, nr);
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

#define FIELD(f)                                               \
	{                                                      \
#f, offsetof(struct edmm_machine_stats, f) / 8 \
	}

/* Every counter that is no array; levels of the EPC are the last. */
static const struct field {
	const char *name;
	size_t index;
} fields[] = {
	FIELD(eenter),	      FIELD(eexit),	     FIELD(aex),
	FIELD(eresume),	      FIELD(aex_kernel),     FIELD(aex_exception),
	FIELD(aex_signal),    FIELD(aex_track),	     FIELD(enclu_faults),
	FIELD(encls_faults),  FIELD(fault_eaug),     FIELD(fault_eaug_outside),
	FIELD(fault_eldu),    FIELD(fault_pte),	     FIELD(fault_epcm),
	FIELD(fault_vma),     FIELD(fault_sigbus),   FIELD(fault_other),
	FIELD(ioctl_errors),  FIELD(mmaps),	     FIELD(mprotects),
	FIELD(pages_added),   FIELD(pages_measured), FIELD(pages_augmented),
	FIELD(pages_removed), FIELD(pages_evicted),  FIELD(pages_loaded),
	FIELD(epc_pages),     FIELD(epc_used),	     FIELD(epc_peak),
	FIELD(quota_pages),   FIELD(quota_hits),
};

#define LEVELS 5u

static uint64_t value(const struct edmm_machine_stats *s, size_t i)
{
	return ((const uint64_t *)s)[fields[i].index];
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

static void rows(const struct watch_out *o, const struct watch_print *p,
		 const char *group, const char *(*name)(unsigned))
{
	const struct edmm_machine_stats *s = p->stats;
	bool ioctl = name == watch_ioctl;
	unsigned count = ioctl ? EDMM_MACHINE_IOCTLS : EDMM_MACHINE_LEAVES;
	const uint64_t *n = ioctl		  ? s->ioctls
			    : name == watch_encls ? s->encls
						  : s->enclu;

	for (unsigned i = 0; i < count; i++)
		if (n[i] && name(i))
			row(o, p, group, name(i), n[i]);
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
	size_t n = COUNT(fields) - (p->levels ? 0 : LEVELS);

	watch_text(o, p->json ? "{\"pid\":" : "edmm: machine counters of ");
	watch_number(o, p->pid);
	if (!p->json)
		watch_text(o, "\n");
	for (size_t i = 0; i < n; i++)
		if (p->json || value(p->stats, i))
			row(o, p, "", fields[i].name, value(p->stats, i));
	rows(o, p, "enclu_", watch_enclu);
	rows(o, p, "encls_", watch_encls);
	rows(o, p, "ioctl_", watch_ioctl);
	if (p->costs)
		estimate(o, p);
	if (p->json)
		watch_text(o, "}\n");
}

/* ---- sums -------------------------------------------------------------- */

#define EEXTEND_LAST 0xf00u

static void add_encls(struct edmm_machine_stats *s,
		      const struct trace_record *r)
{
	bool page = r->result == 0 && r->addr;

	if (r->result < 0) {
		s->encls_faults++;
		return;
	}
	if (r->what >= EDMM_MACHINE_LEAVES)
		return;
	s->encls[r->what]++;
	s->pages_added += page && r->what == SGX_EADD;
	s->pages_measured += page && r->what == SGX_EEXTEND &&
			     (r->addr & 0xfff) == EEXTEND_LAST;
	s->pages_augmented += page && r->what == SGX_EAUG;
	s->pages_evicted += page && r->what == SGX_EWB;
	s->pages_loaded += page && r->what == SGX_ELDU;
}

static void add_enclu(struct edmm_machine_stats *s,
		      const struct trace_record *r)
{
	if (r->result < 0)
		s->enclu_faults++;
	else if (r->what < EDMM_MACHINE_LEAVES)
		s->enclu[r->what]++;
	s->eenter = s->enclu[SGX_EENTER];
	s->eexit = s->enclu[SGX_EEXIT];
	s->eresume = s->enclu[SGX_ERESUME];
}

static void add_aex(struct edmm_machine_stats *s, const struct trace_record *r)
{
	s->aex++;
	s->aex_kernel += r->what == TRACE_AEX_KERNEL;
	s->aex_signal += r->what == TRACE_AEX_SIGNAL;
	s->aex_track += r->what == TRACE_AEX_TRACK;
	if (r->what != TRACE_AEX_EXCEPTION)
		return;
	s->aex_exception++;
	s->fault_other += r->arg >> 16 != SGX_VEC_PF;
}

static void add_fault(struct edmm_machine_stats *s,
		      const struct trace_record *r)
{
	s->fault_eaug += r->what == TRACE_FAULT_EAUG;
	s->fault_eaug_outside += r->what == TRACE_FAULT_EAUG_OUTSIDE;
	s->fault_eldu += r->what == TRACE_FAULT_ELDU;
	s->fault_pte += r->what == TRACE_FAULT_PTE;
	s->fault_epcm += r->what == TRACE_FAULT_EPCM;
	s->fault_vma += r->what == TRACE_FAULT_VMA;
	s->fault_sigbus += r->what == TRACE_FAULT_SIGBUS;
}

void watch_add(struct edmm_machine_stats *s, const struct trace_record *r)
{
	switch (r->kind) {
	case TRACE_ENCLS:
		add_encls(s, r);
		break;
	case TRACE_ENCLU:
		add_enclu(s, r);
		break;
	case TRACE_AEX:
		add_aex(s, r);
		break;
	case TRACE_FAULT:
		add_fault(s, r);
		break;
	case TRACE_IOCTL:
		if (r->what < EDMM_MACHINE_IOCTLS)
			s->ioctls[r->what]++;
		s->ioctl_errors += r->result != 0;
		s->pages_removed += r->what == 7 ? r->arg : 0;
		break;
	case TRACE_MMAP:
		s->mmaps++;
		break;
	case TRACE_MPROTECT:
		s->mprotects++;
		break;
	default:
		break;
	}
}

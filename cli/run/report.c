/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm run --report: what a run cost. The software machine's counters are the
 * honest ones; on hardware only what the host side sees is there, and the
 * enclave's own statistics are its claims.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run/run.h"
#include "edmm/policy.h"
#include "machine/watch/counters.h"

/* ---- text -------------------------------------------------------------- */

/* 1234567 as "1,234,567". */
static const char *grouped(uint64_t n, char text[32])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu",
				      (unsigned long long)n);
	size_t i, k = 0;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[k++] = ',';
		text[k++] = digits[i];
	}
	text[k] = 0;
	return text;
}

static const char *duration(uint64_t ns, char text[32])
{
	double s = (double)ns / 1e9;

	if (ns < 1000000)
		snprintf(text, 32, "%.0f us", s * 1e6);
	else if (ns < 1000000000)
		snprintf(text, 32, "%.1f ms", s * 1e3);
	else
		snprintf(text, 32, "%.2f s", s);
	return text;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* One row: a label of fixed width, then the text. */
__attribute__((format(printf, 3, 4))) static void row(FILE *out,
						      const char *label,
						      const char *format, ...)
{
	va_list ap;

	fprintf(out, "  %-20s ", label);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	fputc('\n', out);
}

static void print_start(const struct cli_figures *f,
			const struct cli_startup *s, FILE *out)
{
	char t[32], a[32], m[32], heap[32];

	if (!f->start_ns) {
		row(out, "start-up to main", "main was not reached");
		return;
	}
	row(out, "start-up to main", "%-10s %s pages added, %s measured",
	    duration(f->start_ns, t), grouped(f->counts.pages_added, a),
	    grouped(f->counts.pages_measured, m));
	if (!s->done) {
		if (*s->why_not)
			row(out, "  as a static image", "%s", s->why_not);
		return;
	}
	row(out, "  as a static image",
	    "%-10s %s pages added, %s measured (heap %s)",
	    duration(s->start_ns, t), grouped(s->pages_added, a),
	    grouped(s->pages_measured, m), cli_bytes(s->heap, heap));
	if (s->measured_heap < s->heap)
		row(out, "  of which measured", "a heap of %s; estimated above",
		    cli_bytes(s->measured_heap, heap));
	if (s->pages_evicted)
		row(out, "  which did not fit",
		    "the EPC: %s pages were evicted and made it slower",
		    grouped(s->pages_evicted, a));
	row(out, "  static / elastic", "%.1f times as long",
	    (double)s->start_ns / (double)f->start_ns);
}

static void print_memory(const struct cli_figures *f, FILE *out)
{
	const struct edmm_machine_stats *m = &f->machine;
	char a[32], b[32], c[32];

	row(out, "main to end", "%s", duration(f->run_ns, a));
	row(out, "pages at run time", "%s added, %s trimmed",
	    grouped(f->stats.accepted, a), grouped(f->stats.trimmed, b));
	row(out, "committed memory",
	    "peak %s, final %s (%.1f %% of peak), %s of it idle",
	    cli_bytes(f->stats.peak, a), cli_bytes(f->stats.committed, b),
	    percent(f->stats.committed, f->stats.peak),
	    cli_bytes(f->stats.idle, c));
	if (!f->has_machine)
		return;
	row(out, "EPC pages in use",
	    "peak %s, final %s (%.1f %% of peak); %s there are",
	    grouped(m->epc_peak, a), grouped(m->epc_used, b),
	    percent(m->epc_used, m->epc_peak), grouped(m->epc_pages, c));
	if (m->pages_evicted)
		row(out, "  out of the EPC", "%s evicted, %s loaded back",
		    grouped(m->pages_evicted, a), grouped(m->pages_loaded, b));
}

static void print_transitions(const struct cli_figures *f, FILE *out)
{
	const struct edmm_machine_stats *m = &f->machine;
	char t[32], a[32], b[32], c[32], d[32];

	if (!f->has_machine) {
		row(out, "transitions",
		    "EENTER %s, ERESUME %s asked for; the processor counts no "
		    "AEX",
		    grouped(f->counts.enters, a),
		    grouped(f->counts.resumes, b));
		row(out, "faults", "%s resolved inside, %s exceptions reported",
		    grouped(f->stats.faults, a),
		    grouped(f->counts.exceptions, b));
		return;
	}
	row(out, "transitions", "%s: EENTER %s, EEXIT %s, AEX %s, ERESUME %s",
	    grouped(m->eenter + m->eexit + m->aex + m->eresume, t),
	    grouped(m->eenter, a), grouped(m->eexit, b), grouped(m->aex, c),
	    grouped(m->eresume, d));
	row(out, "  AEX by cause",
	    "kernel's faults %s, exceptions %s, signals %s, tracking %s",
	    grouped(m->aex_kernel, a), grouped(m->aex_exception, b),
	    grouped(m->aex_signal, c), grouped(m->aex_track, d));
	row(out, "faults",
	    "%s resolved inside; EAUG from inside %s, from outside %s",
	    grouped(f->stats.faults, a), grouped(m->fault_eaug, b),
	    grouped(m->fault_eaug_outside, c));
	row(out, "  others", "page tables %s, EPCM %s, reloaded %s, refused %s",
	    grouped(m->fault_pte, a), grouped(m->fault_epcm, b),
	    grouped(m->fault_eldu, c),
	    grouped(m->fault_vma + m->fault_sigbus, d));
}

static void print_ioctls(const struct cli_figures *f, FILE *out)
{
	const struct edmm_machine_stats *m = &f->machine;
	uint64_t total = 0;
	char t[32], a[32];
	unsigned i;

	row(out, "host calls", "%s", grouped(f->counts.calls, a));
	if (!f->has_machine) {
		row(out, "ioctls", "%s", grouped(f->counts.ioctls, a));
		return;
	}
	for (i = 0; i < EDMM_MACHINE_IOCTLS; i++)
		total += m->ioctls[i];
	fprintf(out, "  %-20s %s:", "ioctls", grouped(total, t));
	for (i = 0; i < EDMM_MACHINE_IOCTLS; i++)
		if (m->ioctls[i])
			fprintf(out, " %s %s", watch_ioctl(i),
				grouped(m->ioctls[i], a));
	fprintf(out, "\n");
}

/* A host whose time is not what the time stamp counter says. */
static void print_clock(const struct cli_figures *f, FILE *out)
{
	char a[32], b[32];

	if (f->stats.clock_refused)
		row(out, "clock",
		    "%s corrections by the host refused, of %s together",
		    grouped(f->stats.clock_refused, a),
		    duration(f->stats.clock_refused_ns, b));
}

/* ---- JSON -------------------------------------------------------------- */

static void put(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_t *machine_json(const struct edmm_machine_stats *m)
{
	json_t *o = json_object(), *ioctls = json_object();
	unsigned i;

#define REPORT(name) put(o, #name, m->name);
#define STATS(name)
#define ONE(name, where, told) where(name)
	EDMM_MACHINE_COUNTERS(ONE, WATCH_NO_ARRAY)
#undef ONE
#undef STATS
#undef REPORT
	for (i = 0; i < EDMM_MACHINE_IOCTLS; i++)
		put(ioctls, watch_ioctl(i), m->ioctls[i]);
	json_object_set_new(o, "ioctls", ioctls);
	return o;
}

static json_t *startup_json(const struct cli_startup *s)
{
	json_t *o = json_object();

	if (!s->done) {
		json_object_set_new(o, "why_not", json_string(s->why_not));
		return o;
	}
	put(o, "start_ns", s->start_ns);
	put(o, "heap", s->heap);
	put(o, "heap_measured", s->measured_heap);
	put(o, "pages_added", s->pages_added);
	put(o, "pages_measured", s->pages_measured);
	put(o, "pages_evicted", s->pages_evicted);
	return o;
}

static void print_json(const struct cli_run *r, const struct cli_figures *f,
		       const struct cli_startup *s, FILE *out)
{
	json_t *o = json_object();
	char signals[EDMM_SIGNALS_TEXT];

	json_object_set_new(o, "program", json_string(r->o.program));
	json_object_set_new(o, "mode",
			    json_string(cli_mode_name(r->entry.policy.mode)));
	json_object_set_new(o, "machine",
			    json_string(r->soft ? "software" : "hardware"));
	put(o, "start_ns", f->start_ns);
	put(o, "load_ns", f->counts.load_ns);
	put(o, "run_ns", f->run_ns);
	put(o, "pages_added", f->counts.pages_added);
	put(o, "pages_measured", f->counts.pages_measured);
	put(o, "pages_accepted", f->stats.accepted);
	put(o, "pages_trimmed", f->stats.trimmed);
	put(o, "committed_peak", f->stats.peak);
	put(o, "committed_final", f->stats.committed);
	put(o, "idle_final", f->stats.idle);
	put(o, "faults_resolved", f->stats.faults);
	json_object_set_new(o, "signals_refused",
			    json_string(edmm_signals_text(
				    f->stats.signals_refused, signals)));
	put(o, "clock_refused", f->stats.clock_refused);
	put(o, "clock_refused_ns", f->stats.clock_refused_ns);
	put(o, "host_calls", f->counts.calls);
	put(o, "enters", f->counts.enters);
	put(o, "resumes", f->counts.resumes);
	put(o, "exceptions", f->counts.exceptions);
	if (r->entry.policy.mode == EDMM_MODE_ELASTIC)
		json_object_set_new(o, "static_image", startup_json(s));
	if (f->has_machine)
		json_object_set_new(o, "machine_counters",
				    machine_json(&f->machine));
	json_dumpf(o, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(o);
}

void cli_report_print(const struct cli_run *r, const struct cli_figures *f,
		      const struct cli_startup *s, FILE *out)
{
	if (r->o.report == CLI_REPORT_JSON) {
		print_json(r, f, s, out);
		return;
	}
	fprintf(out, "edmm: report of %s (%s, %s)\n", r->o.program,
		cli_mode_name(r->entry.policy.mode),
		r->soft ? "software machine" : "hardware");
	print_start(f, s, out);
	print_memory(f, out);
	print_transitions(f, out);
	print_ioctls(f, out);
	print_clock(f, out);
}

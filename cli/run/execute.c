/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The run itself: the enclave is loaded and entered, what it cannot have is
 * told, and what was asked for about it is written, whoever ends it.
 */
#include "cli/run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/machine/limits.h"
#include "edmm/policy.h"

static const char *symbol(const void *image, uint64_t off, uint64_t *delta)
{
	return edmm_image_symbol(image, off, delta);
}

int cli_load(struct cli_run *r)
{
	struct edmm_host_image img = {
		.name = r->o.program,
		.layout = &r->plan.layout,
		.runs = r->plan.runs,
		.run_count = r->plan.run_count,
		.sigstruct = &r->entry.sig,
		.symbol = symbol,
		.symbol_arg = r->image,
	};
	struct edmm_host_error e = { "" };
	char cause[2 * LIMIT_TEXT];
	uint64_t *cpuid;
	edmm_err err;

	cli_machine_stats(&r->before);
	if (edmm_host_open(&r->host, NULL, &e)) {
		cli_error("%s", e.text);
		return CLI_RUN_FAIL;
	}
	if (r->o.timeline)
		r->timeline = cli_timeline_start(r);
	cpuid = cli_machine_cpuid(r->o.program, &img.cpuid_count);
	img.cpuid = cpuid;
	err = edmm_host_load(r->host, &img, &e);
	free(cpuid);
	if (!err)
		return 0;
	if (err != -EDMM_EPERM) {
		cli_error("%s%s", e.text,
			  err == -EDMM_ENOMEM ? cli_limits_cause(cause) : "");
		return CLI_RUN_FAIL;
	}
	cli_identity_explain(r, e.text);
	return CLI_RUN_REFUSED;
}

struct observer {
	struct cli_run *run;
	struct cli_timeline *timeline;
	struct cli_pressure pressure;
};

static bool on_pressure(void *arg)
{
	struct observer *ob = arg;

	return cli_pressed(&ob->pressure);
}

static void on_output(void *arg, int fd, const void *bytes, size_t size)
{
	const struct observer *ob = arg;

	if (ob->timeline)
		cli_timeline_output(ob->timeline, fd, bytes, size);
}

static void tell_no_thread(const struct cli_run *r)
{
	struct wire_stats s;

	edmm_host_stats(r->host, &s);
	if (!s.threads_refused)
		cli_error("%s: no context can be made for one more thread: see "
			  "the machine's free EPC",
			  r->o.program);
	else
		cli_error("%s: a thread beside %llu did not fit the maximum: "
			  "%s",
			  r->o.program, (unsigned long long)s.threads_refused,
			  r->plan.layout.made_count ? "--threads-max"
						    : "--contexts");
}

/* What cannot be had is told once: what fails then has a reason. */
static void on_told(void *arg, const char *call, int why)
{
	const struct observer *ob = arg;

	if (ob->run->o.trace_calls)
		fprintf(stderr, "%s\n", call);
	else if (why == -EDMM_EAGAIN)
		tell_no_thread(ob->run);
	else if (why)
		cli_error("%s: %s() is not there in an enclave: ENOSYS (man "
			  "edmm-cc, SYSTEM CALLS)",
			  ob->run->o.program, call);
}

/* A probe ends at the first call after main() was entered. */
static bool on_call(void *arg)
{
	const struct observer *ob = arg;
	struct wire_stats stats;

	if (ob->run->o.probe_fd < 0)
		return true;
	edmm_host_stats(ob->run->host, &stats);
	return !stats.main_tsc;
}

/* The picture and the figures, while the enclave is there. */
static void conclude_figures(struct cli_run *r, struct cli_figures *figures)
{
	if (r->timeline) {
		cli_timeline_stop(r->timeline);
		cli_timeline_write(r->timeline, r->o.timeline);
		r->timeline = NULL;
	}
	cli_figures_take(r, figures);
	if (r->o.figures_fd >= 0 &&
	    write(r->o.figures_fd, figures, sizeof(*figures)) < 0)
		cli_error("--figures: %s", strerror(errno));
}

static _Noreturn void leave_by(int signo)
{
	edmm_host_leave(&(struct edmm_host_end){ .kind = EDMM_HOST_SIGNALLED,
						 .value = signo });
}

static void report_interrupted(const struct cli_run *r,
			       const struct cli_figures *figures, int signo)
{
	struct cli_startup startup = { 0 };

	snprintf(startup.why_not, sizeof(startup.why_not),
		 "not asked: %s ended the run", strsignal(signo));
	if (r->o.report != CLI_REPORT_NONE)
		cli_report_print(r, figures, &startup, stderr);
}

/*
 * A signal ends the run, or what follows it, which then has a moment to see
 * that by itself. The enclave may run meanwhile.
 */
static void on_interrupt(void *arg, int signo)
{
	struct cli_run *r = arg;
	struct cli_figures figures;

	if (!__atomic_exchange_n(&r->concluded, 1, __ATOMIC_SEQ_CST)) {
		conclude_figures(r, &figures);
		report_interrupted(r, &figures, signo);
	} else {
		sleep(2);
	}
	leave_by(signo);
}

static void conclude(struct cli_run *r)
{
	struct cli_startup startup = { 0 };
	struct cli_figures figures;
	int signo;

	while (__atomic_exchange_n(&r->concluded, 1, __ATOMIC_SEQ_CST))
		pause(); /* on_interrupt() ends the process */
	conclude_figures(r, &figures);
	edmm_host_close(r->host);
	r->host = NULL;
	signo = cli_interrupt_signal();
	if (signo) {
		report_interrupted(r, &figures, signo);
		leave_by(signo);
	}
	if (r->o.probe_fd >= 0 || r->o.report == CLI_REPORT_NONE)
		return;
	if (r->entry.policy.mode == EDMM_MODE_ELASTIC)
		cli_startup_measure(r, &figures, &startup);
	cli_report_print(r, &figures, &startup, stderr);
}

/* A program that dies of a malloc() that failed seldom says so. */
static void tell_shortage(const struct cli_run *r)
{
	char want[32], max[32];
	struct wire_stats s;

	edmm_host_stats(r->host, &s);
	if (s.heap_refused)
		cli_error("%s: an allocation of %s did not fit the heap's "
			  "maximum of %s: --heap-max",
			  r->o.program, cli_bytes(s.heap_refused, want),
			  cli_bytes(s.heap_max, max));
}

/* An option has to fit the address range; a file is of any range. */
static uint32_t threads_max(const struct cli_run *r)
{
	const uint64_t most = edmm_layout_contexts(&r->plan.layout);

	if (r->o.threads_max)
		return r->o.threads_max;
	return (uint32_t)(r->o.threads_file < most ? r->o.threads_file : most);
}

/* A signal that is dropped says nothing either. */
static void tell_signals(const struct cli_run *r)
{
	char text[EDMM_SIGNALS_TEXT];
	struct wire_stats s;

	edmm_host_stats(r->host, &s);
	if (s.signals_refused)
		cli_error("%s: signals came that the image does not take: %s; "
			  "enclave.signals of a file for --config, which is "
			  "part of its identity",
			  r->o.program,
			  edmm_signals_text(s.signals_refused, text));
}

/* Of the contexts that are kept the image's are the first. */
static uint32_t threads_pool(const struct cli_run *r)
{
	const uint64_t n = r->o.threads_pool, own = r->plan.layout.ctx_count;

	if (n == UINT64_MAX)
		return UINT32_MAX;
	if (n > EDMM_CONTEXTS_ALL)
		return EDMM_CONTEXTS_ALL;
	return (uint32_t)(n > own ? n - own : 0);
}

/* The enclave knows no other time than the TSC's. */
static uint64_t threads_idle(const struct cli_run *r)
{
	const uint64_t n = r->o.threads_idle;

	return cli_ticks(&r->begin,
			 n == UINT64_MAX ? CLI_IDLE_SECONDS : (uint32_t)n);
}

int cli_execute(struct cli_run *r, struct edmm_host_end *end)
{
	struct observer ob = { .run = r, .timeline = r->timeline };
	const struct edmm_host_watch watch = {
		.call = on_call,
		.output = on_output,
		.told = on_told,
		.pressed = r->o.pressure ? on_pressure : NULL,
		.arg = &ob,
	};
	char **env = cli_program_env();
	const struct edmm_host_start start = {
		.argv = r->o.argv,
		.envp = env,
		.heap_max = r->heap_max,
		.heap_free_max = r->o.heap_idle,
		.heap_free_percent = r->o.heap_idle_percent,
		.heap_window = r->o.heap_window,
		.threads_max = threads_max(r),
		.threads_pool = threads_pool(r),
		.threads_idle = threads_idle(r),
		.populate = r->o.populate != CLI_POPULATE_NO,
		.ahead = r->o.populate == CLI_POPULATE_AHEAD ||
			 (r->o.populate == CLI_POPULATE_AUTO && !r->soft),
		.tell = r->o.trace_calls,
		.watch = &watch,
	};
	struct edmm_host_error e = { "" };
	edmm_err err;

	if (!env) {
		cli_error("out of memory");
		return CLI_RUN_FAIL;
	}
	if (r->o.pressure && !cli_pressure_begin(&ob.pressure, r)) {
		free(env);
		return CLI_RUN_FAIL;
	}
	if (r->o.probe_fd >= 0)
		cli_startup_watch(r);
	else if (cli_machine_restarted())
		fputs(EDMM_MACHINE_BANNER, stderr);
	if (r->o.report != CLI_REPORT_NONE || r->timeline ||
	    r->o.figures_fd >= 0)
		cli_interrupt_watch(on_interrupt, r);
	err = edmm_host_run(r->host, &start, end, &e);
	free(env);
	if (err) {
		cli_error("%s", e.text);
		return CLI_RUN_FAIL;
	}
	if (end->kind == EDMM_HOST_CRASHED)
		edmm_host_report(r->host, end, STDERR_FILENO);
	if (end->kind == EDMM_HOST_CRASHED || end->kind == EDMM_HOST_SIGNALLED)
		tell_shortage(r);
	tell_signals(r);
	if (r->o.probe_fd >= 0)
		cli_startup_answer(r);
	conclude(r);
	return -1;
}

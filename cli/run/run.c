/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm run: from a program's file to its exit status.
 *
 * The software machine is a library under this process: where it is wanted
 * and not there, the process starts itself again with it, before anything is
 * opened. From there on both machines are the same to this code.
 */
#include "cli/run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/machine/limits.h"
#include "cli/machine/watch.h"

enum {
	OPT_MACHINE = CLI_OPT_VERB,
	OPT_MACHINE_OPTIONS,
	OPT_STEP,
	OPT_EDMM,
	OPT_REPORT,
	OPT_TIMELINE,
	OPT_MARK,
	OPT_KEY,
	OPT_SIG,
	OPT_UNSIGNED,
	OPT_PROBE,
	OPT_FIGURES,
	OPT_HEAP_IDLE,
	OPT_HEAP_IDLE_PERCENT,
	OPT_HEAP_WINDOW,
	OPT_POPULATE,
	OPT_PRESSURE,
	OPT_THREADS_MAX,
	OPT_THREADS_POOL,
	OPT_THREADS_IDLE,
	OPT_TRACE_CALLS,
	OPT_WITHOUT,
	OPT_VENDOR,
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "machine-options", required_argument, NULL, OPT_MACHINE_OPTIONS },
	{ "without", required_argument, NULL, OPT_WITHOUT },
	{ "vendor", required_argument, NULL, OPT_VENDOR },
	{ "step", required_argument, NULL, OPT_STEP },
	{ "edmm", required_argument, NULL, OPT_EDMM },
	{ "report", optional_argument, NULL, OPT_REPORT },
	{ "timeline", required_argument, NULL, OPT_TIMELINE },
	{ "mark", required_argument, NULL, OPT_MARK },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "sig", required_argument, NULL, OPT_SIG },
	{ "unsigned", no_argument, NULL, OPT_UNSIGNED },
	{ "probe", required_argument, NULL, OPT_PROBE },
	{ "figures", required_argument, NULL, OPT_FIGURES },
	{ "heap-idle", required_argument, NULL, OPT_HEAP_IDLE },
	{ "heap-idle-percent", required_argument, NULL, OPT_HEAP_IDLE_PERCENT },
	{ "heap-window", required_argument, NULL, OPT_HEAP_WINDOW },
	{ "populate", required_argument, NULL, OPT_POPULATE },
	{ "pressure", required_argument, NULL, OPT_PRESSURE },
	{ "threads-max", required_argument, NULL, OPT_THREADS_MAX },
	{ "threads-pool", required_argument, NULL, OPT_THREADS_POOL },
	{ "threads-idle", required_argument, NULL, OPT_THREADS_IDLE },
	{ "trace-calls", no_argument, NULL, OPT_TRACE_CALLS },
	{ 0 },
};

static const char help[] =
	"usage: edmm run [OPTION]... PROGRAM [ARGUMENT]...\n\n"
	"Runs a program of edmm-cc in an enclave. Its signature is\n"
	"PROGRAM.sig; without one it is signed for this run with a\n"
	"development key. The exit status is the program's; 125 means that\n"
	"no enclave could be started, 126 that PROGRAM or its signature is\n"
	"not good, 127 that PROGRAM is not there.\n\n"
	"  --machine M         auto, soft or hw: where (auto: hardware, or\n"
	"                      else the software machine)\n"
	"  --machine-options L settings of the software machine (man "
	"edmm-sim)\n"
	"  --without FEATURE   the software machine lacks it: avx, avx512, "
	"amx\n"
	"                      and others (man edmm-sim)\n"
	"  --vendor TEXT       the maker that its processor names\n"
	"  --step SCRIPT       step through it on the software machine (man 5\n"
	"                      edmm-step)\n"
	"  --edmm W            enable, disable or auto: elastic or static\n"
	"  --report[=json]     at the end, tell times, pages and transitions\n"
	"  --timeline FILE     draw committed memory over time (SVG)\n"
	"  --mark PREFIX       output lines that mark a phase (phase:)\n"
	"  --trace-calls       print system calls as strace does: those that\n"
	"                      leave the enclave; with --debug, all\n"
	"  --sig FILE          signature file\n"
	"  --key FILE          sign an unsigned image with this key\n"
	"  --unsigned          ignore the signature file\n"
	"  --heap-idle SIZE    freed heap to keep in the enclave at most\n"
	"  --heap-idle-percent N  the same, of what is in use; the lower "
	"counts\n"
	"  --heap-window SIZE  heap to commit ahead at a time, at most (4M)\n"
	"  --populate HOW      how pages come that are committed ahead: ahead\n"
	"                      (by a thread of the host's), calls, no; auto:\n"
	"                      ahead on hardware, or else calls\n"
	"  --pressure FILE     give freed memory back when FILE says that EPC\n"
	"                      runs short (misc.events, memory.pressure); or\n"
	"                      'machine': the software machine's quota\n"
	"  --threads-max N     threads at a time (what the address range has)\n"
	"  --threads-pool N    contexts that are made to keep for more (8)\n"
	"  --threads-idle S    for so many seconds; 0: for ever (10)\n"
	"Settings of an unsigned image; of a signed one they must be what\n"
	"it is signed with, but for an elastic heap's "
	"maximum:\n" CLI_SETTING_HELP
	"Options go before SCONE_ variables (man edmm-run), these before\n"
	"--config, and that before the signature's own.\n";

/* ---- options ----------------------------------------------------------- */

static bool take_wish(const char *text, enum cli_wish *wish)
{
	if (!strcmp(text, "auto"))
		*wish = CLI_WISH_AUTO;
	else if (!strcmp(text, "enable"))
		*wish = CLI_WISH_ENABLE;
	else if (!strcmp(text, "disable"))
		*wish = CLI_WISH_DISABLE;
	else {
		cli_error("--edmm: '%s' is not known; enable, disable or auto",
			  text);
		return false;
	}
	return true;
}

static bool take_populate(const char *text, enum cli_populate *how)
{
	static const char *const names[] = {
		[CLI_POPULATE_AUTO] = "auto",
		[CLI_POPULATE_AHEAD] = "ahead",
		[CLI_POPULATE_CALLS] = "calls",
		[CLI_POPULATE_NO] = "no",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(text, names[i])) {
			*how = (enum cli_populate)i;
			return true;
		}
	cli_error("--populate: '%s' is not known; auto, ahead, calls or "
		  "no",
		  text);
	return false;
}

static bool take_report(const char *text, enum cli_report *report)
{
	*report = text && !strcmp(text, "json") ? CLI_REPORT_JSON
						: CLI_REPORT_TEXT;
	if (!text || !strcmp(text, "json") || !strcmp(text, "text"))
		return true;
	cli_error("--report: '%s' is no form; text or json", text);
	return false;
}

/* One setting of the machine more, which an option of its own gives. */
static bool add_setting(struct cli_run_options *o, const char *option,
			const char *name, const char *value)
{
	char *had = o->machine_more, *all = NULL;

	if (strchr(optarg, ',')) {
		cli_error("--%s: '%s': a setting cannot hold a comma", option,
			  optarg);
		return false;
	}
	if (asprintf(&all, "%s%s%s=%s", had ? had : "", had ? "," : "", name,
		     value) < 0)
		return false;
	free(had);
	o->machine_more = all;
	return cli_machine_settings(all, option, optarg);
}

static bool take_option(struct cli_run_options *o, int c)
{
	uint64_t n;

	switch (c) {
	case OPT_MACHINE:
		o->machine_said = true;
		return cli_machine(optarg, &o->machine);
	case OPT_MACHINE_OPTIONS:
		o->machine_options = optarg;
		return true;
	case OPT_WITHOUT:
		return add_setting(o, "without", optarg, "0");
	case OPT_VENDOR:
		return add_setting(o, "vendor", "vendor", optarg);
	case OPT_STEP:
		o->step = optarg;
		return true;
	case OPT_EDMM:
		snprintf(o->edmm_by, sizeof(o->edmm_by), "--edmm %s", optarg);
		return take_wish(optarg, &o->edmm);
	case OPT_REPORT:
		return take_report(optarg, &o->report);
	case OPT_TIMELINE:
		o->timeline = optarg;
		return true;
	case OPT_MARK:
		o->mark = optarg;
		return true;
	case OPT_KEY:
		o->key = optarg;
		return true;
	case OPT_SIG:
		o->sig = optarg;
		return true;
	case OPT_UNSIGNED:
		o->unsigned_image = true;
		return true;
	case OPT_HEAP_IDLE:
		return cli_size("--heap-idle", optarg, &o->heap_idle);
	case OPT_HEAP_IDLE_PERCENT:
		return cli_number("--heap-idle-percent", optarg, 100,
				  &o->heap_idle_percent);
	case OPT_HEAP_WINDOW:
		return cli_size("--heap-window", optarg, &o->heap_window) &&
		       cli_window_ok("--heap-window", o->heap_window);
	case OPT_POPULATE:
		return take_populate(optarg, &o->populate);
	case OPT_PRESSURE:
		o->pressure = optarg;
		return true;
	case OPT_THREADS_MAX:
		if (!cli_number("--threads-max", optarg, EDMM_CONTEXTS_ALL, &n))
			return false;
		o->threads_max = (uint32_t)n;
		return true;
	case OPT_THREADS_POOL:
		return cli_number("--threads-pool", optarg, EDMM_CONTEXTS_ALL,
				  &o->threads_pool);
	case OPT_THREADS_IDLE:
		return cli_number("--threads-idle", optarg,
				  CLI_IDLE_SECONDS_MAX, &o->threads_idle);
	case OPT_TRACE_CALLS:
		o->trace_calls = true;
		return true;
	case OPT_FIGURES:
		if (!cli_number("--figures", optarg, 1023, &n))
			return false;
		o->figures_fd = (int)n;
		return true;
	case OPT_PROBE:
		if (!cli_number("--probe", optarg, 1023, &n))
			return false;
		o->probe_fd = (int)n;
		return true;
	}
	return cli_setting(&o->settings, c, optarg);
}

/* Return: -1 to go on, or an exit status. */
static int take_options(int argc, char **argv, struct cli_run_options *o)
{
	int c;

	while ((c = getopt_long_only(argc, argv, "+", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?' || !take_option(o, c))
			return CLI_RUN_FAIL;
	}
	if (optind >= argc) {
		cli_usage("run", "a PROGRAM is wanted");
		return CLI_RUN_FAIL;
	}
	if (o->sig && o->unsigned_image) {
		cli_usage("run", "--sig and --unsigned exclude each other");
		return CLI_RUN_FAIL;
	}
	if (o->timeline && !cli_can_write("--timeline", o->timeline))
		return CLI_RUN_FAIL;
	o->program = argv[optind];
	o->argv = argv + optind;
	return -1;
}

/* ---- machine ----------------------------------------------------------- */

/* The machine's settings, malloc()ed; *ok is false after a line. */
static char *settings(const struct cli_run *r, bool *ok)
{
	const char *given = r->o.machine_options, *more = r->o.machine_more;
	char *step = NULL, *all = NULL;

	*ok = cli_machine_settings(given, "machine-options", NULL);
	if (!*ok || (!given && !more && !r->o.step))
		return NULL;
	if (r->o.step)
		step = cli_step(r->o.step, r->o.program);
	if ((r->o.step && !step) ||
	    asprintf(&all, "%s%s%s%s%s", given ? given : "",
		     given && *given && (more || step) ? "," : "",
		     more ? more : "", more && step ? "," : "",
		     step ? step : "") < 0) {
		all = NULL;
		*ok = false;
	}
	free(step);
	return all;
}

/* argv[0] is "edmm run": the new process finds its verb as this one did. */
static int restart(const struct cli_run *r, int argc, char **argv)
{
	char **again = calloc((size_t)argc + 2, sizeof(*again));
	char *self = cli_self(), *list;
	bool ok;
	int i;

	list = settings(r, &ok);
	ok = ok && cli_limits_ok();
	if (!ok)
		goto out;
	if (!again || !self) {
		cli_error("out of memory");
		goto out;
	}
	again[0] = "edmm";
	again[1] = "run";
	for (i = 1; i < argc; i++)
		again[i + 1] = argv[i];
	cli_machine_exec(self, again, list, true);
out:
	free(list);
	free(again);
	free(self);
	return CLI_RUN_FAIL;
}

/* Return: -1 to go on here, or an exit status. */
static int find_machine(struct cli_run *r, int argc, char **argv)
{
	struct edmm_host_error e;
	int err;

	r->soft = cli_machine_here();
	if (r->soft && r->o.machine == CLI_MACHINE_HW) {
		cli_error("--machine hw: the software machine is preloaded "
			  "into this process (edmm sim?)");
		return CLI_RUN_FAIL;
	}
	if (r->o.step && r->soft && !cli_machine_restarted()) {
		cli_error("--step: the software machine runs already: give it "
			  "to edmm sim");
		return CLI_RUN_FAIL;
	}
	if (r->soft)
		return -1;
	if (r->o.step && r->o.machine == CLI_MACHINE_HW) {
		cli_error("--step: hardware does not step; --machine soft "
			  "does");
		return CLI_RUN_FAIL;
	}
	if (r->o.machine == CLI_MACHINE_SOFT || r->o.step)
		return restart(r, argc, argv);
	err = cli_device_check(&e);
	if (!err)
		return -1;
	/* A device that is for this user, and fails, is not put aside. */
	if (r->o.machine == CLI_MACHINE_AUTO && err != -EAGAIN && err != -EIO)
		return restart(r, argc, argv);
	cli_error("%s%s",
		  r->o.machine == CLI_MACHINE_HW ? "--machine hw: " : "",
		  e.text);
	return CLI_RUN_FAIL;
}

/* Return: -1 to go on here, or an exit status. */
static int prepare(struct cli_run *r, int argc, char **argv)
{
	int status = take_options(argc, argv, &r->o);

	if (status < 0)
		status = cli_scone(r);
	if (status < 0)
		status = cli_scone_hash(r);
	if (status < 0)
		status = find_machine(r, argc, argv);
	if (status >= 0)
		return status;
	/* Last, and once: it may be a pipe. */
	if (!cli_settings_load(&r->o.settings))
		return CLI_RUN_FAIL;
	return cli_config_run(r);
}

int verb_run(int argc, char **argv)
{
	struct cli_run r = { .o = { .mark = "phase:",
				    .heap_idle = UINT64_MAX,
				    .heap_idle_percent = UINT64_MAX,
				    .threads_pool = UINT64_MAX,
				    .threads_idle = UINT64_MAX,
				    .figures_fd = -1,
				    .probe_fd = -1 } };
	struct edmm_host_end end = { 0 };
	int status = prepare(&r, argc, argv);

	if (status >= 0)
		goto out;
	r.begin = cli_clock_now();
	status = cli_identity(&r);
	if (!status)
		cli_scone_version(&r);
	if (!status)
		status = cli_load(&r);
	if (!status)
		status = cli_execute(&r, &end);
out:
	cli_timeline_drop(r.timeline);
	edmm_host_close(r.host);
	cli_settings_drop(&r.o.settings);
	edmm_plan_free(&r.plan);
	edmm_image_free(r.image);
	if (status >= 0)
		return status;
	if (end.kind == EDMM_HOST_STOPPED)
		return 0;
	edmm_host_leave(&end);
}

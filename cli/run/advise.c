/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm advise: one run on the software machine, and the tightest settings that
 * it would have passed with. The run is a child, `edmm run` with ample
 * settings, which hands its figures over at its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/config/config.h"
#include "cli/run/run.h"
#include "policy/areas.h"

enum {
	OPT_TO = CLI_OPT_VERB,
	OPT_OUT,
	OPT_HEAD_ROOM,
	OPT_PREHEAT,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "to", required_argument, NULL, OPT_TO },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "head-room", required_argument, NULL, OPT_HEAD_ROOM },
	{ "preheat", no_argument, NULL, OPT_PREHEAT },
	{ 0 },
};

static const char help[] =
	"usage: edmm advise [OPTION]... -- IMAGE [ARGUMENT]...\n\n"
	"Runs an image once on the software machine, tells what it has used,\n"
	"and writes settings that this run would pass with, and head-room.\n"
	"Other inputs may need more.\n\n"
	"  --to FORMAT         edmm (default), occlum, gramine, scone,\n"
	"                      scone-conf, sgx-xml, open-enclave, ego,\n"
	"                      mystikos, edp\n"
	"  --out FILE          settings; else standard output, after the\n"
	"                      program's own\n"
	"  --head-room N       percent more than was seen (25)\n"
	"  --preheat           a first heap for the whole run: no growth, and "
	"a\n"
	"                      longer start\n";

/* Eight times the default of edmm sign. */
#define AMPLE_STACK "64M"
/* A static heap holds its own bit maps and the zone of the break, a 64th of
 * it (trusted/elastic/heap.c): less than a 32nd together. */
#define SHARE_OF_HEAP 32u

struct advise {
	enum edmm_format to;
	const char *out;
	uint64_t head_room;
	bool preheat;
	char **argv; /* of the image */
	struct cli_figures seen;
	struct {
		uint64_t heap_init, heap_max, stack_min, stack_max, threads;
	} say;
};

/* ---- the run ----------------------------------------------------------- */

static char **command(const struct advise *a, char fd[16])
{
	static const char *const words[] = {
		"edmm",	  "run",	"--machine", "soft",	  "--edmm",
		"enable", "--unsigned", "--stack",   AMPLE_STACK, "--figures",
	};
	const size_t fixed = sizeof(words) / sizeof(words[0]);
	size_t n = 0;
	char **v;

	while (a->argv[n])
		n++;
	v = calloc(fixed + n + 3, sizeof(*v));
	if (!v)
		return NULL;
	for (size_t i = 0; i < fixed; i++)
		v[i] = (char *)(uintptr_t)words[i];
	v[fixed] = fd;
	v[fixed + 1] = (char *)(uintptr_t) "--";
	memcpy(v + fixed + 2, a->argv, n * sizeof(*v));
	return v;
}

static pid_t start(const struct advise *a, int fd)
{
	char number[16], *self = cli_self(), **argv;
	pid_t pid = -1;

	snprintf(number, sizeof(number), "%d", fd);
	argv = command(a, number);
	if (!self || !argv ||
	    posix_spawn(&pid, self, NULL, NULL, argv, environ))
		cli_error("edmm run cannot be started");
	free(argv);
	free(self);
	return pid;
}

static volatile sig_atomic_t child;

static void on_signal(int signo)
{
	if (child > 0)
		kill(child, signo);
}

/* Ended from outside, as a server is, and no crash. */
static bool is_users(int status)
{
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	return signo == SIGINT || signo == SIGTERM || signo == SIGHUP ||
	       signo == SIGQUIT;
}

/* Return: true with the figures of a run that came to its end. */
static bool watch_run(struct advise *a)
{
	ssize_t got = 0;
	int fds[2], status = 0;
	pid_t pid;

	if (pipe2(fds, 0)) {
		cli_error("no pipe: %s", strerror(errno));
		return false;
	}
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	/* A terminal's signals are for the run; its figures come here. */
	signal(SIGINT, on_signal);
	signal(SIGQUIT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	pid = start(a, fds[1]);
	child = pid;
	close(fds[1]);
	if (pid > 0) {
		do
			got = read(fds[0], &a->seen, sizeof(a->seen));
		while (got < 0 && errno == EINTR);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	if (pid <= 0)
		return false;
	if (got == (ssize_t)sizeof(a->seen) && is_users(status)) {
		cli_error("%s was ended by a signal: what it needs to come to "
			  "its end may be more",
			  a->argv[0]);
		return true;
	}
	if (got != (ssize_t)sizeof(a->seen) || !a->seen.stats.stack_peak ||
	    WIFSIGNALED(status)) {
		cli_error("%s did not come to its end: nothing to advise",
			  a->argv[0]);
		return false;
	}
	if (WEXITSTATUS(status))
		cli_error("%s ended with status %d: what it needs to succeed "
			  "may be more",
			  a->argv[0], WEXITSTATUS(status));
	return true;
}

/* ---- the advice -------------------------------------------------------- */

static uint64_t up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint64_t more(const struct advise *a, uint64_t n, uint64_t unit)
{
	return up(n + n / 100 * a->head_room + n % 100 * a->head_room / 100,
		  unit);
}

/*
 * Malloc's side of the heap begins at its first page, so the first part of it
 * that the loader adds is what malloc takes first.
 */
static void decide(struct advise *a)
{
	const struct wire_stats *s = &a->seen.stats;
	uint64_t heap = s->heap_peak;
	uint64_t first = a->preheat ? s->heap_low : s->heap_low_main;

	heap += heap / SHARE_OF_HEAP + KIB(64);
	a->say.heap_max = more(a, heap, KIB(64));
	a->say.heap_init = more(a, first, KIB(64));
	if (!a->say.heap_init)
		a->say.heap_init = KIB(64);
	if (a->say.heap_init > a->say.heap_max)
		a->say.heap_init = a->say.heap_max;
	/* The end tells it; without one, the default. */
	a->say.stack_max = s->stack_peak ? more(a, s->stack_peak, KIB(64))
					 : EDMM_STACK_DEFAULT;
	a->say.stack_min = s->stack_peak ? up(s->stack_peak, SGX_PAGE_SIZE)
					 : EDMM_STACK_INIT_DEFAULT;
	a->say.threads = 1;
}

/* The advice in edmm.toml's words; every format is written from these. */
static struct edmm_policy *as_policy(const struct advise *a)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "[heap]\ninit = \"%lluKiB\"\nmax = \"%lluKiB\"\n"
			 "[stack]\nmin = \"%lluKiB\"\nmax = \"%lluKiB\"\n"
			 "[threads]\ninit = %llu\nmax = %llu\n",
			 (unsigned long long)a->say.heap_init >> 10,
			 (unsigned long long)a->say.heap_max >> 10,
			 (unsigned long long)a->say.stack_min >> 10,
			 (unsigned long long)a->say.stack_max >> 10,
			 (unsigned long long)a->say.threads,
			 (unsigned long long)a->say.threads);
	const struct edmm_source src = { text, (size_t)n, "advice" };

	if (edmm_policy_parse(&src, EDMM_FORMAT_EDMM, &p, &f))
		cli_findings(&f, EDMM_ERROR, stderr);
	edmm_findings_free(&f);
	return p;
}

/* ---- what it costs ----------------------------------------------------- */

static const char *took(uint64_t added, uint64_t measured, char text[32])
{
	const struct pol_layout l = { .added = added, .measured = measured };
	const struct pol_layout none = { 0 };

	snprintf(text, 32, "%.1f ms",
		 (double)(pol_startup_ns(&l) - pol_startup_ns(&none)) / 1e6);
	return text;
}

static void say_mode(const struct edmm_image *im, const struct edmm_policy *p,
		     enum edmm_mode mode)
{
	struct edmm_findings f = { 0 };
	struct edmm_image_policy policy;
	struct edmm_plan plan = { 0 };
	struct edmm_diag diag;
	char t[32];

	if (!edmm_policy_to_image(p, mode, &policy, &f) &&
	    !edmm_plan_make(im, &policy, &plan, &diag))
		fprintf(stderr,
			"  start-up, %-8s %llu pages added, %llu measured: "
			"%s on hardware\n",
			cli_mode_name(mode),
			(unsigned long long)plan.pages_added,
			(unsigned long long)plan.pages_measured,
			took(plan.pages_added, plan.pages_measured, t));
	edmm_plan_free(&plan);
	edmm_findings_free(&f);
}

static void say_setting(const char *name, uint64_t seen, uint64_t value,
			const char *cost)
{
	char a[32], b[32];

	fprintf(stderr, "  %-10s %10s seen, %10s advised; %s\n", name,
		cli_bytes(seen, a), cli_bytes(value, b), cost);
}

static void say_costs(const struct advise *a)
{
	const struct wire_stats *s = &a->seen.stats;
	uint64_t first = a->say.heap_init / SGX_PAGE_SIZE;
	uint64_t stack = a->say.stack_min / SGX_PAGE_SIZE;
	uint64_t whole = a->say.stack_max / SGX_PAGE_SIZE;
	char cost[160], t[32], u[32];

	fprintf(stderr,
		"edmm: advice for %s, from this run only: other inputs may "
		"need more (%llu %% head-room)\n",
		a->argv[0], (unsigned long long)a->head_room);
	snprintf(cost, sizeof(cost),
		 "nothing at start with EDMM, %s without (not measured)",
		 took(a->say.heap_max / SGX_PAGE_SIZE, 0, t));
	say_setting("heap.max", s->heap_peak, a->say.heap_max, cost);
	snprintf(cost, sizeof(cost), "%s at start; %s would avoid all growth",
		 took(first, first, t), cli_bytes(up(s->heap_low, KIB(64)), u));
	say_setting("heap.init", a->preheat ? s->heap_low : s->heap_low_main,
		    a->say.heap_init, cost);
	snprintf(cost, sizeof(cost), "%s at start without EDMM",
		 took(whole, whole, t));
	say_setting("stack.max", s->stack_peak, a->say.stack_max, cost);
	snprintf(cost, sizeof(cost), "%s at start with EDMM",
		 took(stack, stack, t));
	say_setting("stack.min", s->stack_peak, a->say.stack_min, cost);
	fprintf(stderr, "  threads    %10llu seen, %10llu advised\n",
		(unsigned long long)a->say.threads,
		(unsigned long long)a->say.threads);
	fprintf(stderr,
		"  growth     %llu pages added, %llu faults, in this run\n",
		(unsigned long long)s->accepted, (unsigned long long)s->faults);
}

static bool say_all(const struct advise *a, const struct edmm_policy *p)
{
	struct edmm_image *im = NULL;
	struct edmm_diag diag;

	if (edmm_image_read(a->argv[0], &im, &diag)) {
		cli_error("%s", diag.text);
		return false;
	}
	say_costs(a);
	say_mode(im, p, EDMM_MODE_ELASTIC);
	say_mode(im, p, EDMM_MODE_STATIC);
	edmm_image_free(im);
	return true;
}

static int write_out(const struct advise *a, const struct edmm_policy *p)
{
	/* edmm.toml holds what is advised as it is, for any platform. */
	const struct edmm_target t = { .platform = EDMM_PLATFORM_SGX2 };
	struct edmm_findings f = { 0 };
	struct edmm_text text;
	edmm_err err = edmm_policy_write(p, a->to, &t, &text, &f);
	int status = CLI_FAIL;

	cli_findings(&f, EDMM_NOTE, stderr);
	edmm_findings_free(&f);
	if (!err && cli_write_text(a->out ? a->out : "-", text.text, text.size))
		status = 0;
	free(text.text);
	return status;
}

static bool take_option(struct advise *a, int c)
{
	switch (c) {
	case OPT_TO:
		return cli_format("--to", optarg, &a->to);
	case OPT_OUT:
		a->out = optarg;
		return true;
	case OPT_HEAD_ROOM:
		return cli_number("--head-room", optarg, 1000, &a->head_room);
	case OPT_PREHEAT:
		a->preheat = true;
		return true;
	}
	return false;
}

int verb_advise(int argc, char **argv)
{
	struct advise a = { .head_room = 25 };
	struct edmm_policy *p = NULL;
	int c, status = CLI_FAIL;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (!take_option(&a, c))
			return CLI_USAGE;
	}
	if (optind >= argc)
		return cli_usage("advise", "an IMAGE is wanted");
	if (!a.to && a.out)
		a.to = edmm_format_of_file(a.out);
	if (!a.to)
		a.to = EDMM_FORMAT_EDMM;
	a.argv = argv + optind;
	if (a.out && strcmp(a.out, "-") && !cli_can_write("--out", a.out))
		return CLI_FAIL;
	if (!watch_run(&a))
		return CLI_FAIL;
	decide(&a);
	p = as_policy(&a);
	if (p && say_all(&a, p))
		status = write_out(&a, p);
	edmm_policy_free(p);
	return status;
}

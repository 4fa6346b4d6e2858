/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same program's start-up as a static image of the same maximum: loaded
 * and started for real, in a child, which stops where main() would have its
 * first effect. The child is this command with --probe, so that both starts
 * go through the same code. A large heap is not loaded whole: pages cost what
 * those cost by which this start was longer than the elastic one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run/run.h"

#define WAIT_MS 60000
#define QUIET_MS 2000 /* then a line tells what takes so long */
#define HEAP_MEASURED (512ull << 20)
#define HEAP_UNIT (64ull << 20)

struct answer {
	uint64_t start_ns;
	uint64_t pages_added;
	uint64_t pages_measured;
	uint64_t pages_evicted;
};

/*
 * The maximum that the elastic run had; where it had none but the address
 * range, what it has used, as a person would have rounded it.
 */
static uint64_t equal_heap(const struct cli_run *r, const struct cli_figures *f)
{
	uint64_t max = f->stats.heap_max;

	if (max && max < r->plan.layout.heap_bound)
		return max;
	return (f->stats.peak + HEAP_UNIT - 1) / HEAP_UNIT * HEAP_UNIT;
}

/* The child's command line: options first, then the program's own words. */
static char **command(const struct cli_run *r, const struct cli_startup *s,
		      int fd)
{
	static char text[4][32];
	size_t i, n = 0, words = 0;
	char **v;

	while (r->o.argv[words])
		words++;
	v = calloc(words + 24, sizeof(*v));
	if (!v)
		return NULL;
	snprintf(text[0], sizeof(text[0]), "%llu",
		 (unsigned long long)s->measured_heap);
	snprintf(text[1], sizeof(text[1]), "%d", fd);
	snprintf(text[2], sizeof(text[2]), "%llu",
		 (unsigned long long)r->entry.policy.stack_size);
	snprintf(text[3], sizeof(text[3]), "%u", r->entry.policy.ctx_count);
	v[n++] = "edmm";
	v[n++] = "run";
	v[n++] = "--machine";
	v[n++] = r->soft ? "soft" : "hw";
	v[n++] = "--edmm";
	v[n++] = "disable";
	v[n++] = "--unsigned";
	v[n++] = "--heap-max";
	v[n++] = text[0];
	v[n++] = "--probe";
	v[n++] = text[1];
	v[n++] = "--stack";
	v[n++] = text[2];
	v[n++] = "--contexts";
	v[n++] = text[3];
	if (r->entry.policy.flags & EDMM_POLICY_WX)
		v[n++] = "--wx";
	if (r->entry.policy.flags & EDMM_POLICY_DEBUG)
		v[n++] = "--debug";
	v[n++] = "--";
	for (i = 0; i < words; i++)
		v[n++] = r->o.argv[i];
	return v;
}

static pid_t start_child(char **argv)
{
	posix_spawn_file_actions_t fa;
	char *self = cli_self();
	pid_t pid = -1;
	int err;

	if (!self || posix_spawn_file_actions_init(&fa)) {
		free(self);
		return -1;
	}
	err = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY,
					       0);
	if (!err)
		err = posix_spawn_file_actions_addopen(&fa, 1, "/dev/null",
						       O_WRONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_addopen(&fa, 2, "/dev/null",
						       O_WRONLY, 0);
	if (!err)
		err = posix_spawn(&pid, self, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	free(self);
	return err ? -1 : pid;
}

static int wait_for(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n;
}

/* What the child has to say, or its end without a word. */
static bool listen_to(const struct cli_startup *s, int fd, struct answer *a)
{
	char heap[32];
	int n = wait_for(fd, QUIET_MS);

	if (!n) {
		fprintf(stderr,
			"edmm: report: starting a static image with a heap of "
			"%s beside it, for %u s at most\n",
			cli_bytes(s->measured_heap, heap), WAIT_MS / 1000);
		n = wait_for(fd, WAIT_MS - QUIET_MS);
	}
	return n > 0 && read(fd, a, sizeof(*a)) == (ssize_t)sizeof(*a);
}

static void why_not(struct cli_startup *s, int status)
{
	char heap[32];

	snprintf(s->why_not, sizeof(s->why_not),
		 "did not start with a heap of %s (status %d)",
		 cli_bytes(s->measured_heap, heap),
		 WIFEXITED(status) ? WEXITSTATUS(status)
				   : 128 + WTERMSIG(status));
}

static void ask_child(const struct cli_run *r, struct cli_startup *s,
		      const int pipe_fds[2])
{
	char **argv = command(r, s, pipe_fds[1]);
	pid_t pid = argv ? start_child(argv) : -1;
	struct answer a;
	int status = 0;

	close(pipe_fds[1]);
	free(argv);
	if (pid < 0) {
		strcpy(s->why_not, "the child cannot be started");
		return;
	}
	s->done = listen_to(s, pipe_fds[0], &a);
	if (!s->done)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!s->done) {
		why_not(s, status);
		return;
	}
	s->start_ns = a.start_ns;
	s->pages_added = a.pages_added;
	s->pages_measured = a.pages_measured;
	s->pages_evicted = a.pages_evicted;
}

/* The pages that were left out, at the price of those that were not. */
static void estimate(struct cli_startup *s, const struct cli_figures *f)
{
	uint64_t more = (s->heap - s->measured_heap) / SGX_PAGE_SIZE;
	double pages = (double)s->pages_added - (double)f->counts.pages_added;
	double ns = (double)s->start_ns - (double)f->start_ns;

	if (pages > 0 && ns > 0)
		s->start_ns += (uint64_t)(ns / pages * (double)more);
	s->pages_added += more;
}

void cli_startup_measure(const struct cli_run *r, const struct cli_figures *f,
			 struct cli_startup *s)
{
	int fds[2];

	memset(s, 0, sizeof(*s));
	s->heap = equal_heap(r, f);
	s->measured_heap = s->heap < HEAP_MEASURED ? s->heap : HEAP_MEASURED;
	if (pipe2(fds, 0)) {
		strcpy(s->why_not, "no pipe to a child");
		return;
	}
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	ask_child(r, s, fds);
	close(fds[0]);
	if (s->done && s->measured_heap < s->heap)
		estimate(s, f);
}

/* ---- in the child ------------------------------------------------------ */

void cli_startup_answer(const struct cli_run *r)
{
	struct cli_figures f;
	struct answer a;

	cli_figures_take(r, &f);
	a = (struct answer){ f.start_ns, f.counts.pages_added,
			     f.counts.pages_measured, f.machine.pages_evicted };
	if (f.start_ns && write(r->o.probe_fd, &a, sizeof(a)) < 0)
		cli_error("--probe: %s", strerror(errno));
}

/* A program that makes no call for long is stopped by the clock. */
static void *watch_clock(void *arg)
{
	const struct cli_run *r = arg;
	const struct timespec nap = { .tv_nsec = 20000000 };
	struct wire_stats stats;

	do {
		nanosleep(&nap, NULL);
		edmm_host_stats(r->host, &stats);
	} while (!stats.main_tsc);
	nanosleep(&nap, NULL);
	cli_startup_answer(r);
	_exit(0);
}

void cli_startup_watch(const struct cli_run *r)
{
	sigset_t all, old;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_create(&t, NULL, watch_clock, (void *)(uintptr_t)r))
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

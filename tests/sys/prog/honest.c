/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits that are lowered hold, priorities and the like are kept: what an
 * honest program asks of the kernel for itself. A native run prints the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *what, long r)
{
	printf("%s: %ld %d\n", what, r, r < 0 ? errno : 0);
}

static void descriptors(void)
{
	struct rlimit r;
	int fd, last = -1, p[2];

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = 20;
	say("lower NOFILE", setrlimit(RLIMIT_NOFILE, &r));
	getrlimit(RLIMIT_NOFILE, &r);
	printf("NOFILE %lu\n", (unsigned long)r.rlim_cur);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	say("one too many", fd);
	printf("last %d\n", last);
	say("dup", dup(0));
	say("dup2 30", dup2(0, 30));
	say("F_DUPFD 30", fcntl(0, F_DUPFD, 30));
	say("F_DUPFD 0", fcntl(0, F_DUPFD, 0));
	close(last);
	say("pipe", pipe(p));
	say("open", open("/dev/null", O_RDONLY));
	r.rlim_cur = 40;
	say("raise NOFILE", setrlimit(RLIMIT_NOFILE, &r));
	say("dup2 30", dup2(0, 30));
	r.rlim_max = 30;
	say("soft above hard", setrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = 30;
	say("lower hard", setrlimit(RLIMIT_NOFILE, &r));
	say("dup2 35", dup2(0, 35));
	r.rlim_max = 64;
	if (geteuid() == 0)
		return; /* a native root may */
	say("raise hard", setrlimit(RLIMIT_NOFILE, &r));
}

static sigjmp_buf out;
static char handler_stack[65536];

static void on_segv(int signo)
{
	siglongjmp(out, signo);
}

__attribute__((noinline)) static long deep(long n)
{
	volatile char page[4096];

	page[0] = (char)n;
	return n <= 0 ? page[0] : deep(n - 1) + page[0];
}

static void stack(void)
{
	const stack_t alt = { .ss_sp = handler_stack,
			      .ss_size = sizeof(handler_stack) };
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_ONSTACK };
	struct rlimit r;

	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	getrlimit(RLIMIT_STACK, &r);
	r.rlim_cur = 1 << 20;
	say("lower STACK", setrlimit(RLIMIT_STACK, &r));
	getrlimit(RLIMIT_STACK, &r);
	printf("STACK %lu\n", (unsigned long)r.rlim_cur);
	printf("half of it: %s\n", deep(128) ? "used" : "none");
	if (!sigsetjmp(out, 1))
		printf("too much: %ld\n", deep(400) % 2);
	else
		printf("too much: SIGSEGV\n");
	r.rlim_cur = 4 << 20;
	say("raise STACK", setrlimit(RLIMIT_STACK, &r));
	printf("now: %s\n", deep(400) ? "used" : "none");
}

static void memory(void)
{
	struct rlimit r;
	void *p, *q;

	getrlimit(RLIMIT_AS, &r);
	r.rlim_cur = 48 << 20;
	say("lower AS", setrlimit(RLIMIT_AS, &r));
	p = malloc(64 << 20);
	printf("64 MiB: %d\n", p ? 0 : errno);
	free(p);
	p = malloc(8 << 20);
	printf("8 MiB: %d\n", p ? 0 : errno);
	r.rlim_cur = 4 << 20;
	say("below what is used", setrlimit(RLIMIT_AS, &r));
	q = malloc(1 << 20);
	printf("1 MiB: %s\n", q ? "there" : "none");
	free(q);
	free(p);
	r.rlim_cur = r.rlim_max;
	say("raise AS", setrlimit(RLIMIT_AS, &r));
	p = malloc(32 << 20);
	printf("32 MiB: %d\n", p ? 0 : errno);
	free(p);
}

static void kept(void)
{
	char name[16] = "";
	int nice = getpriority(PRIO_PROCESS, 0);

	/* A native run has its caller's, which may be nice already. */
	printf("getpriority: %d\n", nice >= 0 && nice <= 15);
	say("setpriority", setpriority(PRIO_PROCESS, 0, 15));
	say("getpriority", getpriority(PRIO_PROCESS, 0));
	say("of nobody", getpriority(PRIO_PROCESS, 99999999));
	say("of nothing", getpriority(7, 0));
	say("too nice", setpriority(PRIO_PROCESS, 0, 100));
	say("getpriority", getpriority(PRIO_PROCESS, 0));
	say("FIFO max", sched_get_priority_max(SCHED_FIFO));
	say("FIFO min", sched_get_priority_min(SCHED_FIFO));
	say("OTHER max", sched_get_priority_max(SCHED_OTHER));
	say("bad policy", sched_get_priority_max(99));
	say("dumpable", prctl(PR_GET_DUMPABLE));
	say("set", prctl(PR_SET_DUMPABLE, 0));
	say("dumpable", prctl(PR_GET_DUMPABLE));
	say("set 7", prctl(PR_SET_DUMPABLE, 7));
	say("name", prctl(PR_SET_NAME, "a name that is too long for it"));
	say("name", prctl(PR_GET_NAME, name));
	puts(name);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	kept();
	stack();
	memory();
	descriptors();
	return 0;
}

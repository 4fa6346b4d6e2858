/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of the process: each is run alone, and its status is part of it. */
#include "tests/sys/posix/case.h"

#include <stdio.h>
#include <stdlib.h>

static pthread_t first;
static atomic_int here;

static void tell(const char *word)
{
	printf(" %s", word);
	fflush(stdout);
}

static void at_exit(void)
{
	tell("atexit");
}

static void *outlive(void *arg)
{
	must(pthread_join(first, NULL));
	tell("outlives");
	return arg;
}

/* Status 0, and as by exit(). */
static void last_thread_ends(void)
{
	must(atexit(at_exit));
	first = pthread_self();
	begin(outlive, NULL);
	pthread_exit(num(77));
}

static void *stay(void *arg)
{
	here++;
	for (;;)
		pause();
	return arg;
}

static void *exit_all(void *arg)
{
	until(&here, 2);
	exit((int)(intptr_t)arg);
}

static void exit_by_a_thread(void)
{
	must(atexit(at_exit));
	begin(stay, NULL);
	begin(stay, NULL);
	begin(exit_all, num(3));
	stay(NULL);
}

static void *leave_at_once(void *arg)
{
	until(&here, 1);
	_exit((int)(intptr_t)arg);
}

static void exit_without_handlers(void)
{
	must(atexit(at_exit));
	begin(leave_at_once, num(4));
	stay(NULL);
}

/* The default action is the process's, whichever thread it was meant for. */
static void kill_of_a_thread(void)
{
	pthread_t t = begin(stay, NULL);

	until(&here, 1);
	must(pthread_kill(t, SIGHUP));
	for (;;)
		pause();
}

static void kill_of_the_process(void)
{
	begin(stay, NULL);
	until(&here, 1);
	must(kill(getpid(), SIGKILL));
	for (;;)
		pause();
}

static void alarm_ends(void)
{
	begin(stay, NULL);
	alarm(1);
	stay(NULL);
}

static void *abort_all(void *arg)
{
	until(&here, 1);
	block(SIG_BLOCK, SIGABRT);
	abort();
	return arg;
}

static void abort_by_a_thread(void)
{
	signal(SIGABRT, SIG_IGN);
	begin(abort_all, NULL);
	stay(NULL);
}

static void *unblock(void *arg)
{
	tell("before");
	block(SIG_UNBLOCK, SIGUSR1);
	tell("after");
	return arg;
}

static void default_when_unblocked(void)
{
	block(SIG_BLOCK, SIGUSR1);
	must(kill(getpid(), SIGUSR1));
	end(begin(unblock, NULL));
}

static void realtime_default(void)
{
	must(raise(SIGRTMIN));
}

static void reset_then_default(void)
{
	handle(SIGUSR2, (int)SA_RESETHAND);
	must(raise(SIGUSR2));
	tell("once");
	must(raise(SIGUSR2));
}

const struct posix_case posix_ends[] = {
	OWN(last_thread_ends, "XSH pthread_exit, DESCRIPTION: last thread",
	    "outlives atexit status 0"),
	OWN(exit_by_a_thread, "XSH exit, DESCRIPTION", "atexit status 3"),
	OWN(exit_without_handlers, "XSH _exit, DESCRIPTION", "status 4"),
	OWN(kill_of_a_thread, "XSH pthread_kill, DESCRIPTION: process affected",
	    "SIGHUP"),
	OWN(kill_of_the_process, "XSH 2.4.3 signal actions: SIGKILL",
	    "SIGKILL"),
	OWN(alarm_ends, "XSH alarm, DESCRIPTION: SIGALRM", "SIGALRM"),
	OWN(abort_by_a_thread, "XSH abort, DESCRIPTION: blocked, ignored",
	    "SIGABRT"),
	OWN(default_when_unblocked, "XSH 2.4.3 signal actions: SIG_DFL",
	    "before SIGUSR1"),
	OWN(realtime_default, "XBD signal.h: real-time, default T", "SIGRTMIN"),
	OWN(reset_then_default, "XSH sigaction, DESCRIPTION: SA_RESETHAND, T",
	    "once SIGUSR2"),
	CASES_END
};

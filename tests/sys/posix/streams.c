/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks of streams, clocks of threads, and how they are scheduled. */
#include "tests/sys/posix/case.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *try_stream(void *arg)
{
	int r = ftrylockfile(arg);

	if (!r)
		funlockfile(arg);
	return num(r != 0);
}

static void stream_lock_counts(void)
{
	FILE *f = tmpfile();

	must(f ? 0 : -1);
	flockfile(f);
	flockfile(f);
	say_num(ftrylockfile(f));
	for (int i = 0; i < 3; i++) {
		say_num(end_num(begin(try_stream, f)));
		funlockfile(f);
	}
	say_num(end_num(begin(try_stream, f)));
	fclose(f);
}

#define LINES 200

static void *put_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		fprintf(arg, "%s %d %s\n", "one", i, "line");
	return NULL;
}

static void *put_pieces(void *arg)
{
	for (int i = 0; i < LINES; i++) {
		flockfile(arg);
		fputs("one ", arg);
		fprintf(arg, "%d ", i);
		for (const char *p = "line\n"; *p; p++)
			putc_unlocked(*p, (FILE *)arg);
		funlockfile(arg);
	}
	return NULL;
}

static void stream_is_atomic(void)
{
	FILE *f = tmpfile();
	pthread_t t[4];
	char line[64], word[8];
	int n = 0, whole = 0, i;

	must(f ? 0 : -1);
	for (i = 0; i < 4; i++)
		t[i] = begin(i % 2 ? put_lines : put_pieces, f);
	for (i = 0; i < 4; i++)
		end(t[i]);
	rewind(f);
	for (; fgets(line, sizeof(line), f); n++)
		whole += sscanf(line, "one %d %7s", &i, word) == 2 &&
			 strcmp(word, "line") == 0;
	say_num(n);
	say_num(whole);
	fclose(f);
}

static void *lock_stream_and_tell(void *arg)
{
	atomic_int *told = arg;

	flockfile(stderr);
	atomic_store(told, 1);
	funlockfile(stderr);
	return NULL;
}

static void stream_lock_waits(void)
{
	atomic_int told = 0;
	pthread_t t;

	flockfile(stderr);
	t = begin(lock_stream_and_tell, &told);
	nap(20);
	say_num(told);
	funlockfile(stderr);
	end(t);
	say_num(told);
}

static void priorities(void)
{
	say_yes(sched_get_priority_max(SCHED_FIFO) -
			sched_get_priority_min(SCHED_FIFO) >=
		31);
	say_yes(sched_get_priority_max(SCHED_RR) -
			sched_get_priority_min(SCHED_RR) >=
		31);
	say_err(sched_get_priority_max(77) < 0 ? errno : 0);
	say_err(sched_get_priority_min(77) < 0 ? errno : 0);
}

static void *set_own(void *arg)
{
	struct sched_param p = { .sched_priority = 0 };
	int policy = -1;

	say_err(pthread_setschedparam(pthread_self(), SCHED_OTHER, &p));
	must(pthread_getschedparam(pthread_self(), &policy, &p));
	say_yes(policy == SCHED_OTHER);
	say_num(p.sched_priority);
	say_num(sched_yield());
	return arg;
}

static void schedule_own(void)
{
	end(begin(set_own, NULL));
}

static int64_t cpu_now(clockid_t clock)
{
	struct timespec t = { 0 };

	must(clock_gettime(clock, &t));
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Goes on while the thread is at work. */
static void clock_of_thread(void)
{
	int64_t was = cpu_now(CLOCK_THREAD_CPUTIME_ID), now = was;

	while (now - was < 20000000)
		now = cpu_now(CLOCK_THREAD_CPUTIME_ID);
	say_yes(cpu_now(CLOCK_PROCESS_CPUTIME_ID) >= now - was);
}

const struct posix_case posix_streams[] = {
	CASE(stream_lock_counts, "XSH flockfile, DESCRIPTION: lock count",
	     "0 1 1 1 0"),
	CASE(stream_is_atomic, "XSH 2.5 standard I/O streams; flockfile",
	     "800 800"),
	CASE(stream_lock_waits, "XSH flockfile, DESCRIPTION: until zero",
	     "0 1"),
	CASE(priorities, "XSH sched_get_priority_max, ERRORS [EINVAL]",
	     "yes yes EINVAL EINVAL"),
	CASE(schedule_own, "XSH pthread_setschedparam, RETURN VALUE",
	     "0 yes 0 0"),
	CASE(clock_of_thread, "XSH clock_getres, DESCRIPTION: CPU-time clocks",
	     "yes"),
	CASES_END
};

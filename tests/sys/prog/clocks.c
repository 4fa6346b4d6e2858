/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks, natively and in an enclave: none goes back, on any thread; they
 * run as others do; no wait ends before its time.
 *
 *   clocks		says ok
 *   clocks read N	reads the clock N times, for who counts exits
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define NSEC 1000000000ll
#define THREADS 3
#define READS 100000
#define WAITS 40

#define CHECK(c)                            \
	do {                                \
		if (!(c))                   \
			fail(__LINE__, #c); \
	} while (0)

static void fail(int line, const char *what)
{
	fprintf(stderr, "clocks.c:%d: %s\n", line, what);
	exit(1);
}

static int64_t now(clockid_t clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < NSEC);
	return t.tv_sec * NSEC + t.tv_nsec;
}

static struct timespec at(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NSEC, .tv_nsec = ns % NSEC };
}

/* ---- no clock goes back -------------------------------------------------- */

static int64_t latest;

static void *reader(void *arg)
{
	int64_t was, t;

	for (int i = 0; i < READS; i++) {
		was = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		t = now(CLOCK_MONOTONIC);
		CHECK(t >= was);
		while (t > was && !__atomic_compare_exchange_n(
					  &latest, &was, t, 0, __ATOMIC_SEQ_CST,
					  __ATOMIC_SEQ_CST))
			;
	}
	return arg;
}

static void no_thread_sees_it_go_back(void)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, reader, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

static void none_goes_back(void)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
		CLOCK_BOOTTIME,	 CLOCK_REALTIME,      CLOCK_REALTIME_COARSE,
	};

	for (size_t c = 0; c < sizeof(clocks) / sizeof(*clocks); c++)
		for (int64_t i = 0, was = 0, t; i < READS; i++, was = t) {
			t = now(clocks[c]);
			CHECK(t >= was);
		}
}

static void they_agree(void)
{
	struct timeval v;
	int64_t t = now(CLOCK_REALTIME);

	CHECK(time(NULL) >= t / NSEC);
	CHECK(gettimeofday(&v, NULL) == 0);
	CHECK(v.tv_sec * NSEC + (v.tv_usec + 1) * 1000 > t);
	t = now(CLOCK_REALTIME);
	CHECK(v.tv_sec * NSEC + v.tv_usec * 1000 <= t);
	/* As far as it does on the host since it was begun. */
	CHECK(now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC) > -NSEC);
}

/* ---- no wait ends early -------------------------------------------------- */

static void sleeps_last(clockid_t clock, int64_t ns)
{
	struct timespec t = at(ns);
	int64_t end = now(clock) + ns;

	CHECK(clock_nanosleep(clock, 0, &t, NULL) == 0);
	CHECK(now(clock) >= end);
	t = at(end += ns);
	CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(now(clock) >= end);
}

static void waits_last(clockid_t clock, int64_t ns)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t a;
	pthread_cond_t c;
	int64_t end;
	struct timespec t;

	CHECK(pthread_condattr_init(&a) == 0);
	CHECK(pthread_condattr_setclock(&a, clock) == 0);
	CHECK(pthread_cond_init(&c, &a) == 0);
	CHECK(pthread_mutex_lock(&m) == 0);
	end = now(clock) + ns;
	t = at(end);
	while (pthread_cond_timedwait(&c, &m, &t) != ETIMEDOUT)
		;
	CHECK(now(clock) >= end);
	CHECK(pthread_mutex_unlock(&m) == 0);
}

static volatile int64_t rang;

static void ring(int signo)
{
	struct timespec t;

	(void)signo;
	clock_gettime(CLOCK_MONOTONIC, &t);
	rang = t.tv_sec * NSEC + t.tv_nsec;
}

static void timers_last(int64_t ns, int absolute)
{
	struct sigevent e;
	struct itimerspec i;
	sigset_t set, was;
	timer_t timer;
	int64_t end;

	memset(&e, 0, sizeof(e));
	memset(&i, 0, sizeof(i));
	e.sigev_notify = SIGEV_SIGNAL;
	e.sigev_signo = SIGALRM;
	CHECK(signal(SIGALRM, ring) != SIG_ERR);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK(sigprocmask(SIG_BLOCK, &set, &was) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &e, &timer) == 0);
	rang = 0;
	end = now(CLOCK_MONOTONIC) + ns;
	i.it_value = at(absolute ? end : ns);
	CHECK(timer_settime(timer, absolute ? TIMER_ABSTIME : 0, &i, NULL) ==
	      0);
	while (!rang)
		sigsuspend(&was);
	CHECK(rang >= end);
	CHECK(timer_delete(timer) == 0);
	CHECK(sigprocmask(SIG_SETMASK, &was, NULL) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "read")) {
		for (long i = 0; i < atol(argv[2]); i++)
			now(CLOCK_MONOTONIC);
		return 0;
	}
	none_goes_back();
	no_thread_sees_it_go_back();
	they_agree();
	for (int i = 0; i < WAITS; i++) {
		const int64_t ns = 1 + i * i * 3000;

		sleeps_last(CLOCK_MONOTONIC, ns);
		sleeps_last(CLOCK_REALTIME, ns);
		sleeps_last(CLOCK_BOOTTIME, ns);
		waits_last(CLOCK_MONOTONIC, ns);
		waits_last(CLOCK_REALTIME, ns);
		timers_last(ns, 0);
		timers_last(ns, 1);
	}
	puts("ok");
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals to threads that make no call: by pthread_kill(), of timers, from
 * another process; handlers that return, that jump, that ask what they have
 * interrupted; cancellation of what computes. What is interrupted goes on as
 * if nothing had been, with all of its registers.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define LANES 8
#define ROUNDS 400
#define BLOCKS 64

typedef uint32_t lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

static volatile sig_atomic_t came, started;
static volatile pthread_t who;
static sigjmp_buf away;

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "computing: %s\n", what);
	exit(1);
}

static void on_signal(int sig)
{
	(void)sig;
	who = pthread_self();
	came++;
}

static void jump(int sig)
{
	siglongjmp(away, sig);
}

static void handle(int sig, void (*f)(int))
{
	struct sigaction a = { .sa_handler = f };

	must(sigaction(sig, &a, NULL), "sigaction");
}

static void timer(long microseconds)
{
	const struct itimerval t = { { 0, microseconds }, { 0, microseconds } };

	must(setitimer(ITIMER_REAL, &t, NULL), "setitimer");
}

/* No call, no fault: nothing by which a kernel would come in. */
static void *compute(void *arg)
{
	volatile double x = 1;

	started = 1;
	while (came == 0)
		x = x * 1.0000001 + 1e-9;
	return arg;
}

static void *for_ever(void *arg)
{
	volatile uint64_t n = 0;

	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	started = 1;
	for (;;)
		n++;
}

static pthread_t begin(void *(*f)(void *))
{
	pthread_t t;

	came = started = 0;
	must(pthread_create(&t, NULL, f, NULL), "pthread_create");
	while (!started)
		;
	return t;
}

static void killed(void)
{
	pthread_t t = begin(compute);

	must(pthread_kill(t, SIGUSR1), "pthread_kill");
	pthread_join(t, NULL);
	printf("pthread_kill: %d, there: %d\n", came, pthread_equal(who, t));
}

static void cancelled(void)
{
	pthread_t t = begin(for_ever);
	void *r;

	must(pthread_cancel(t), "pthread_cancel");
	pthread_join(t, &r);
	printf("cancelled: %d\n", r == PTHREAD_CANCELED);
}

/* The one that blocks it is left alone. */
static void by_timer(void)
{
	came = 0;
	timer(5000);
	compute(NULL);
	timer(0);
	printf("timer: %d\n", pthread_equal(who, pthread_self()));
}

static volatile pid_t number;

static void *numbered(void *arg)
{
	number = (pid_t)syscall(SYS_gettid);
	return compute(arg);
}

/* A timer that is one thread's comes to that, and to nobody after its end. */
static void to_thread(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID,
			      .sigev_signo = SIGUSR1 };
	const struct itimerspec each = { { 0, 2000000 }, { 0, 2000000 } };
	pthread_t t = begin(numbered);
	int after;
	timer_t id;

	e.sigev_notify_thread_id = number;
	must(timer_create(CLOCK_MONOTONIC, &e, &id), "timer_create");
	must(timer_settime(id, 0, &each, NULL), "timer_settime");
	pthread_join(t, NULL);
	after = came;
	usleep(20000);
	printf("timer of a thread: %d, there: %d, after: %d\n", after > 0,
	       pthread_equal(who, t), came - after);
	e.sigev_notify_thread_id = 99999999;
	must(!timer_create(CLOCK_MONOTONIC, &e, &id), "a timer of nobody");
}

/* A mix of what can be interrupted: sums in vectors, memory, calls. */
static uint64_t mixed(void)
{
	static void *held[BLOCKS];
	lanes v = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ROUNDS * BLOCKS; i++) {
		const uint32_t at = i * 2654435761u % BLOCKS;
		const size_t size = 64 + i % 97 * 331;

		free(held[at]);
		held[at] = malloc(size);
		must(!held[at], "malloc");
		memset(held[at], (int)i, size);
		for (int k = 0; k < 50; k++)
			v = v * 1664525u + 1013904223u + i;
		if (i % 64 == 0)
			sum += (uint64_t)umask(022);
		sum += ((unsigned char *)held[at])[size / 2];
	}
	for (int i = 0; i < LANES; i++)
		sum = sum * 31 + v[i];
	for (int i = 0; i < BLOCKS; i++) {
		free(held[i]);
		held[i] = NULL;
	}
	return sum;
}

static void interrupted(void)
{
	const uint64_t want = mixed();

	came = 0;
	timer(500);
	for (int i = 0; i < 5 || came < 50; i++)
		must(mixed() != want, "a sum is wrong after a signal");
	timer(0);
	printf("interrupted: %d\n", came >= 50);
}

static void jumped(void)
{
	volatile int times = 0;

	handle(SIGALRM, jump);
	timer(2000);
	if (sigsetjmp(away, 1) == SIGALRM)
		times++;
	/* Nothing that a jump must not leave, as malloc(). */
	while (times < 20)
		;
	timer(0);
	handle(SIGALRM, on_signal);
	printf("jumped: %d\n", times);
}

static volatile uint64_t place;

/* RAX counts; the handler has it go on from where it is not. */
static void changes(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	place = (uint64_t)uc->uc_mcontext.gregs[REG_RAX];
	uc->uc_mcontext.gregs[REG_RAX] = -1000;
}

static void changed(void)
{
	struct sigaction a = { .sa_sigaction = changes,
			       .sa_flags = SA_SIGINFO };
	uint64_t n = 1;

	must(sigaction(SIGALRM, &a, NULL), "sigaction");
	timer(3000);
	__asm__ volatile("1: incq %0\n\tjnz 1b" : "+a"(n) : : "cc");
	timer(0);
	handle(SIGALRM, on_signal);
	printf("changed: %d\n", n == 0 && place > 1);
}

/* Blocked, it waits; and comes once when it is not any more. */
static void blocked(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	came = 0;
	pthread_sigmask(SIG_BLOCK, &set, &old);
	timer(1000);
	for (volatile int i = 0; i < 30000000; i++)
		;
	timer(0);
	printf("blocked: %d", came);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	printf(", then %d\n", came);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	handle(SIGUSR1, on_signal);
	handle(SIGALRM, on_signal);
	killed();
	cancelled();
	by_timer();
	to_thread();
	interrupted();
	jumped();
	changed();
	blocked();
	return 0;
}

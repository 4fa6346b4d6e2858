/* SPDX-License-Identifier: BSD-3-Clause */
/* Semaphores, with names and without. */
#include "tests/sys/posix/case.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

static sem_t s;

static int value_of(sem_t *sem)
{
	int value = -77;

	must(sem_getvalue(sem, &value));
	return value;
}

static void say_failed(int r)
{
	say_err(r ? errno : 0);
}

static void sem_counts(void)
{
	must(sem_init(&s, 0, 2));
	say_num(value_of(&s));
	say_failed(sem_wait(&s));
	say_failed(sem_trywait(&s));
	say_num(value_of(&s));
	say_failed(sem_trywait(&s));
	say_failed(sem_post(&s));
	say_num(value_of(&s));
	say_failed(sem_destroy(&s));
}

static void sem_too_large(void)
{
	say_failed(sem_init(&s, 0, (unsigned)INT_MAX + 1));
}

static void sem_post_overflows(void)
{
	must(sem_init(&s, 0, INT_MAX));
	say_failed(sem_post(&s));
	say_yes(value_of(&s) == INT_MAX);
	must(sem_destroy(&s));
}

static void sem_times_out(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 40);

	must(sem_init(&s, 0, 0));
	say_failed(sem_timedwait(&s, &t));
	say_yes(past(CLOCK_REALTIME, &t));
	t = in_ms(CLOCK_REALTIME, -1000);
	say_failed(sem_timedwait(&s, &t));
	say_num(value_of(&s));
	must(sem_destroy(&s));
}

static void sem_invalid_time(void)
{
	struct timespec t = { .tv_nsec = 1000000000 };

	must(sem_init(&s, 0, 0));
	say_failed(sem_timedwait(&s, &t));
	t.tv_nsec = -1;
	say_failed(sem_timedwait(&s, &t));
	must(sem_destroy(&s));
}

static void sem_at_once(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);

	must(sem_init(&s, 0, 1));
	say_failed(sem_timedwait(&s, &t));
	must(sem_destroy(&s));
}

static void *wait_on(void *arg)
{
	return num(sem_wait(arg) ? errno : 0);
}

static void sem_post_wakes(void)
{
	pthread_t t[4];
	long errs = 0;

	must(sem_init(&s, 0, 0));
	for (int i = 0; i < 4; i++)
		t[i] = begin(wait_on, &s);
	for (int i = 0; i < 4; i++)
		must(sem_post(&s));
	for (int i = 0; i < 4; i++)
		errs += end_num(t[i]);
	say_num(errs);
	say_num(value_of(&s));
	must(sem_destroy(&s));
}

static void post_in_handler(int sig)
{
	(void)sig;
	sem_post(&s);
}

static void sem_post_by_handler(void)
{
	struct sigaction sa = { .sa_handler = post_in_handler,
				.sa_flags = SA_RESTART };
	pthread_t t;

	must(sigaction(SIGUSR1, &sa, NULL));
	must(sem_init(&s, 0, 0));
	t = begin(wait_on, &s);
	nap(10);
	/* In the very thread that waits. */
	must(pthread_kill(t, SIGUSR1));
	say_err(end_num(t));
	say_num(value_of(&s));
	must(sem_destroy(&s));
}

static atomic_int done;

static void *wait_interrupted(void *arg)
{
	int r = sem_wait(arg), err = errno;

	done = 1;
	return num(r ? err : 0);
}

static void sem_eintr(void)
{
	pthread_t t;

	done = 0;
	handle(SIGUSR1, 0);
	must(sem_init(&s, 0, 0));
	t = begin(wait_interrupted, &s);
	nudge(t, SIGUSR1, &done);
	say_err(end_num(t));
	say_num(value_of(&s));
	must(sem_destroy(&s));
}

static void sem_restarts(void)
{
	pthread_t t;

	done = 0;
	handle(SIGUSR1, SA_RESTART);
	must(sem_init(&s, 0, 0));
	t = begin(wait_interrupted, &s);
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_num(done);
	must(sem_post(&s));
	say_err(end_num(t));
	must(sem_destroy(&s));
}

static void sem_shared(void)
{
	sem_t *sem = shared(sizeof(*sem));
	pthread_t t;

	must(sem_init(sem, 1, 0));
	t = begin(wait_on, sem);
	must(sem_post(sem));
	say_err(end_num(t));
	say_num(value_of(sem));
	say_failed(sem_destroy(sem));
}

static sem_t full, empty;
static int slots[4];

static void *consume(void *arg)
{
	long sum = 0;

	(void)arg;
	for (int i = 0; i < 1000; i++) {
		must(sem_wait(&full));
		sum += slots[i % 4];
		must(sem_post(&empty));
	}
	return num(sum);
}

static void sem_orders(void)
{
	pthread_t t;

	must(sem_init(&full, 0, 0));
	must(sem_init(&empty, 0, 4));
	t = begin(consume, NULL);
	for (int i = 0; i < 1000; i++) {
		must(sem_wait(&empty));
		slots[i % 4] = i;
		must(sem_post(&full));
	}
	say_num(end_num(t));
	must(sem_destroy(&full));
	must(sem_destroy(&empty));
}

static const char *name_of(const char *what)
{
	static char name[64];

	snprintf(name, sizeof(name), "/edmm-posix-%s-%ld", what,
		 (long)getpid());
	return name;
}

static sem_t *opened(sem_t *sem)
{
	if (sem != SEM_FAILED)
		return sem;
	must(-1);
	return &s;
}

static void named_is_one(void)
{
	const char *name = name_of("one");
	sem_t *a, *b;

	sem_unlink(name);
	a = opened(sem_open(name, O_CREAT | O_EXCL, 0600, 3));
	b = opened(sem_open(name, 0));
	say_yes(a == b);
	must(sem_wait(b));
	say_num(value_of(a));
	say_failed(sem_close(a));
	/* It was opened twice. */
	must(sem_post(b));
	say_num(value_of(b));
	say_failed(sem_close(b));
	say_failed(sem_unlink(name));
}

static void named_errors(void)
{
	const char *name = name_of("errors");
	sem_t *a;

	sem_unlink(name);
	say_failed(sem_open(name, 0) == SEM_FAILED);
	a = opened(sem_open(name, O_CREAT, 0600, 0));
	say_failed(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED);
	must(sem_unlink(name));
	say_failed(sem_unlink(name));
	say_failed(sem_open(name, 0) == SEM_FAILED);
	say_failed(sem_open(name, O_CREAT, 0600, (unsigned)INT_MAX + 1) ==
		   SEM_FAILED);
	must(sem_close(a));
}

static void named_lives_on(void)
{
	const char *name = name_of("on");
	sem_t *a, *b;

	sem_unlink(name);
	a = opened(sem_open(name, O_CREAT, 0600, 1));
	must(sem_unlink(name));
	say_failed(sem_trywait(a));
	b = opened(sem_open(name, O_CREAT | O_EXCL, 0600, 5));
	say_yes(a != b);
	say_num(value_of(a));
	say_num(value_of(b));
	must(sem_close(a));
	must(sem_close(b));
	must(sem_unlink(name));
}

const struct posix_case posix_semaphores[] = {
	CASE(sem_counts, "XSH sem_trywait, ERRORS [EAGAIN]",
	     "2 0 0 0 EAGAIN 0 1 0"),
	CASE(sem_too_large, "XSH sem_init, ERRORS [EINVAL]", "EINVAL"),
	CASE(sem_post_overflows, "XSH sem_post, ERRORS [EOVERFLOW]",
	     "EOVERFLOW yes"),
	CASE(sem_times_out, "XSH sem_timedwait, ERRORS [ETIMEDOUT]",
	     "ETIMEDOUT yes ETIMEDOUT 0"),
	CASE(sem_invalid_time, "XSH sem_timedwait, ERRORS [EINVAL]",
	     "EINVAL EINVAL"),
	CASE(sem_at_once, "XSH sem_timedwait, DESCRIPTION: immediately", "0"),
	CASE(sem_post_wakes, "XSH sem_post, DESCRIPTION", "0 0"),
	CASE(sem_post_by_handler,
	     "XSH sem_post, DESCRIPTION: async-signal-safe", "0 0"),
	CASE(sem_eintr, "XSH sem_wait, ERRORS [EINTR]", "EINTR 0"),
	CASE(sem_restarts, "XSH sigaction, DESCRIPTION: SA_RESTART, sem_wait",
	     "0 0"),
	CASE(sem_shared, "XSH sem_init, DESCRIPTION: pshared", "0 0 0"),
	CASE(sem_orders, "XSH sem_wait; XBD 4.12", "499500"),
	CASE(named_is_one, "XSH sem_open, DESCRIPTION: same address",
	     "yes 2 0 3 0 0"),
	CASE(named_errors, "XSH sem_open, ERRORS [EEXIST] [ENOENT] [EINVAL]",
	     "ENOENT EEXIST ENOENT ENOENT EINVAL"),
	CASE(named_lives_on, "XSH sem_unlink, DESCRIPTION", "0 yes 0 5"),
	CASES_END
};

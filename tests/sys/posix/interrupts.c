/* SPDX-License-Identifier: BSD-3-Clause */
/* Timed waits that a handler does not end, and some that it does. */
#include "tests/sys/posix/case.h"

#include <poll.h>
#include <sys/select.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static atomic_int here, done;
static int tickets;

/* Handlers run in @t, ten of them, and it waits on all the same. */
static void disturb(pthread_t t)
{
	handled = 0;
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_num(done);
}

static void *lock_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int err = pthread_mutex_timedlock(&m, &t);

	done = 1;
	if (!err)
		must(pthread_mutex_unlock(&m));
	(void)arg;
	return num(err);
}

static void timedlock_no_eintr(void)
{
	pthread_t t;

	done = 0;
	handle(SIGUSR1, 0);
	must(pthread_mutex_lock(&m));
	t = begin(lock_in_time, NULL);
	disturb(t);
	must(pthread_mutex_unlock(&m));
	say_err(end_num(t));
}

static void *ticket_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int err = 0;

	(void)arg;
	must(pthread_mutex_lock(&m));
	while (!tickets && !err)
		err = pthread_cond_timedwait(&c, &m, &t);
	done = 1;
	must(pthread_mutex_unlock(&m));
	return num(err);
}

static void timedwait_no_eintr(void)
{
	pthread_t t;

	done = tickets = 0;
	handle(SIGUSR1, 0);
	t = begin(ticket_in_time, NULL);
	disturb(t);
	must(pthread_mutex_lock(&m));
	tickets = 1;
	must(pthread_cond_signal(&c));
	must(pthread_mutex_unlock(&m));
	say_err(end_num(t));
}

static void *read_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int err = pthread_rwlock_timedrdlock(&rw, &t);

	(void)arg;
	done = 1;
	if (!err)
		must(pthread_rwlock_unlock(&rw));
	return num(err);
}

static void *write_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int err = pthread_rwlock_timedwrlock(&rw, &t);

	(void)arg;
	done = 1;
	if (!err)
		must(pthread_rwlock_unlock(&rw));
	return num(err);
}

static void disturb_at_rwlock(void *(*fn)(void *))
{
	pthread_t t;

	done = 0;
	handle(SIGUSR1, 0);
	must(pthread_rwlock_wrlock(&rw));
	t = begin(fn, NULL);
	disturb(t);
	must(pthread_rwlock_unlock(&rw));
	say_err(end_num(t));
}

static void timedrwlock_no_eintr(void)
{
	disturb_at_rwlock(read_in_time);
	disturb_at_rwlock(write_in_time);
}

static void *sem_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 600000);
	int r = sem_timedwait(&sem, &t), err = errno;

	(void)arg;
	done = 1;
	return num(r ? err : 0);
}

static void sem_timedwait_eintr(void)
{
	pthread_t t;

	done = 0;
	must(sem_init(&sem, 0, 0));
	handle(SIGUSR1, 0);
	t = begin(sem_in_time, NULL);
	nudge(t, SIGUSR1, &done);
	say_err(end_num(t));
	must(sem_destroy(&sem));
}

/* The mask is the call's own while it waits, and what is pending comes in. */
static void pselect_mask(void)
{
	struct timespec hour = { 3600, 0 };
	sigset_t none;

	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	must(raise(SIGUSR1));
	say_num(handled);
	sigemptyset(&none);
	say_num(pselect(0, NULL, NULL, NULL, &hour, &none));
	say_err(errno);
	say_num(handled);
	say_yes(is_blocked(SIGUSR1));
}

static void ppoll_mask(void)
{
	struct timespec hour = { 3600, 0 };
	sigset_t none;

	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	must(raise(SIGUSR1));
	sigemptyset(&none);
	say_num(ppoll(NULL, 0, &hour, &none));
	say_err(errno);
	say_num(handled);
	say_yes(is_blocked(SIGUSR1));
}

static void *pselect_once(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	here = 1;
	say_num(pselect(0, NULL, NULL, NULL, NULL, &none));
	say_err(errno);
	return arg;
}

/* One signal is enough, whenever it comes. */
static void pselect_misses_nothing(void)
{
	pthread_t t;

	here = 0;
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	t = begin(pselect_once, NULL);
	until(&here, 1);
	must(pthread_kill(t, SIGUSR1));
	end(t);
}

static int fds[2];

static void *write_all(void *arg)
{
	static char room[1 << 18];
	ssize_t n = write(fds[1], room, sizeof(room));

	(void)arg;
	done = 1;
	return num(n);
}

/* What a handler interrupts after a part of it tells the part. */
static void write_tells_part(void)
{
	pthread_t t;
	int n;

	done = 0;
	must(pipe(fds));
	handle(SIGUSR1, 0);
	t = begin(write_all, NULL);
	nudge(t, SIGUSR1, &done);
	n = end_num(t);
	say_yes(n > 0 && n < 1 << 18);
	close(fds[0]);
	close(fds[1]);
}

static void *wait_for_cond(void *arg)
{
	must(pthread_mutex_lock(&m));
	while (!tickets)
		must(pthread_cond_wait(&c, &m));
	done++;
	must(pthread_mutex_unlock(&m));
	return arg;
}

/* A handler with SA_RESTART in the same waits. */
static void cond_wait_restarts(void)
{
	pthread_t t;

	done = tickets = 0;
	handle(SIGUSR1, SA_RESTART);
	t = begin(wait_for_cond, NULL);
	disturb(t);
	must(pthread_mutex_lock(&m));
	tickets = 1;
	must(pthread_cond_broadcast(&c));
	must(pthread_mutex_unlock(&m));
	end(t);
	say_num(done);
}

static void *join_other(void *arg)
{
	must(pthread_join(*(pthread_t *)arg, NULL));
	done = 1;
	return NULL;
}

static void *wait_to_go(void *arg)
{
	until(&here, 1);
	return arg;
}

static void join_restarts(void)
{
	pthread_t target, t;

	done = here = 0;
	handle(SIGUSR1, SA_RESTART);
	target = begin(wait_to_go, NULL);
	t = begin(join_other, &target);
	disturb(t);
	here = 1;
	end(t);
	say_num(done);
}

const struct posix_case posix_interrupts[] = {
	CASE(timedlock_no_eintr,
	     "XSH pthread_mutex_timedlock, ERRORS: no [EINTR]", "0 0"),
	CASE(timedwait_no_eintr,
	     "XSH pthread_cond_timedwait, ERRORS: no [EINTR]", "0 0"),
	CASE(timedrwlock_no_eintr,
	     "XSH pthread_rwlock_timedrdlock, ERRORS: no [EINTR]", "0 0 0 0"),
	CASE(sem_timedwait_eintr, "XSH sem_timedwait, ERRORS [EINTR]", "EINTR"),
	CASE(pselect_mask, "XSH pselect, DESCRIPTION: sigmask",
	     "0 -1 EINTR 1 yes"),
	CASE(ppoll_mask, "2024 XSH ppoll, DESCRIPTION: sigmask",
	     "-1 EINTR 1 yes"),
	CASE(pselect_misses_nothing, "XSH pselect, DESCRIPTION: atomic",
	     "-1 EINTR"),
	CASE(write_tells_part, "XSH write, DESCRIPTION: some data", "yes"),
	CASE(cond_wait_restarts, "XSH pthread_cond_wait, DESCRIPTION: resumes",
	     "0 1"),
	CASE(join_restarts, "XSH pthread_join, ERRORS: no [EINTR], SA_RESTART",
	     "0 1"),
	CASES_END
};

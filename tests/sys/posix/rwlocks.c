/* SPDX-License-Identifier: BSD-3-Clause */
/* Read-write locks. */
#include "tests/sys/posix/case.h"

#include <string.h>

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *try_read(void *arg)
{
	int err = pthread_rwlock_tryrdlock(arg);

	if (!err)
		must(pthread_rwlock_unlock(arg));
	return num(err);
}

static void *try_write(void *arg)
{
	int err = pthread_rwlock_trywrlock(arg);

	if (!err)
		must(pthread_rwlock_unlock(arg));
	return num(err);
}

static void say_tries(void)
{
	say_err(end_num(begin(try_read, &rw)));
	say_err(end_num(begin(try_write, &rw)));
}

static void readers_share(void)
{
	must(pthread_rwlock_rdlock(&rw));
	say_tries();
	must(pthread_rwlock_unlock(&rw));
	say_tries();
}

static void writer_excludes(void)
{
	must(pthread_rwlock_wrlock(&rw));
	say_tries();
	must(pthread_rwlock_unlock(&rw));
	say_tries();
}

static void writer_tries_itself(void)
{
	must(pthread_rwlock_wrlock(&rw));
	say_err(pthread_rwlock_trywrlock(&rw));
	say_err(pthread_rwlock_tryrdlock(&rw));
	must(pthread_rwlock_unlock(&rw));
}

static void read_many_times(void)
{
	for (int i = 0; i < 3; i++)
		must(pthread_rwlock_rdlock(&rw));
	for (int i = 0; i < 3; i++) {
		say_err(end_num(begin(try_write, &rw)));
		must(pthread_rwlock_unlock(&rw));
	}
	say_err(end_num(begin(try_write, &rw)));
}

static atomic_int reading, got;

static void *read_and_wait(void *arg)
{
	must(pthread_rwlock_rdlock(&rw));
	reading++;
	until(arg, 1);
	must(pthread_rwlock_unlock(&rw));
	return NULL;
}

/* All of them at once inside. */
static void readers_at_once(void)
{
	atomic_int go = 0;
	pthread_t t[4];

	reading = 0;
	for (int i = 0; i < 4; i++)
		t[i] = begin(read_and_wait, &go);
	until(&reading, 4);
	say_num(reading);
	go = 1;
	for (int i = 0; i < 4; i++)
		end(t[i]);
	say_tries();
}

static void *write_it(void *arg)
{
	must(pthread_rwlock_wrlock(&rw));
	got++;
	must(pthread_rwlock_unlock(&rw));
	return arg;
}

static void *read_it(void *arg)
{
	must(pthread_rwlock_rdlock(&rw));
	got++;
	must(pthread_rwlock_unlock(&rw));
	return arg;
}

static void unlock_lets_go(void *(*fn)(void *), int reader)
{
	pthread_t t[3];

	got = 0;
	must(reader ? pthread_rwlock_rdlock(&rw) : pthread_rwlock_wrlock(&rw));
	for (int i = 0; i < 3; i++)
		t[i] = begin(fn, NULL);
	nap(20);
	say_num(got);
	must(pthread_rwlock_unlock(&rw));
	for (int i = 0; i < 3; i++)
		end(t[i]);
	say_num(got);
}

static void last_reader_lets_writers(void)
{
	unlock_lets_go(write_it, 1);
}

static void writer_lets_readers(void)
{
	unlock_lets_go(read_it, 0);
}

static void writer_lets_writers(void)
{
	unlock_lets_go(write_it, 0);
}

static void *read_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, (intptr_t)arg);

	say_err(pthread_rwlock_timedrdlock(&rw, &t));
	say_yes(past(CLOCK_REALTIME, &t));
	return NULL;
}

static void *write_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, (intptr_t)arg);

	say_err(pthread_rwlock_timedwrlock(&rw, &t));
	say_yes(past(CLOCK_REALTIME, &t));
	return NULL;
}

static void timedrdlock_times_out(void)
{
	must(pthread_rwlock_wrlock(&rw));
	end(begin(read_in_time, num(40)));
	end(begin(read_in_time, num(-1000)));
	must(pthread_rwlock_unlock(&rw));
}

static void timedwrlock_times_out(void)
{
	must(pthread_rwlock_rdlock(&rw));
	end(begin(write_in_time, num(40)));
	end(begin(write_in_time, num(-1000)));
	/* A writer that has given up keeps no reader out. */
	say_err(end_num(begin(try_read, &rw)));
	must(pthread_rwlock_unlock(&rw));
	say_tries();
}

static void *lock_wrongly(void *arg)
{
	struct timespec t = { .tv_nsec = 1000000000 };

	say_err(pthread_rwlock_timedrdlock(&rw, &t));
	say_err(pthread_rwlock_timedwrlock(&rw, &t));
	return arg;
}

static void timed_invalid(void)
{
	must(pthread_rwlock_wrlock(&rw));
	end(begin(lock_wrongly, NULL));
	must(pthread_rwlock_unlock(&rw));
}

static void timed_at_once(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, -1000);

	say_err(pthread_rwlock_timedrdlock(&rw, &t));
	must(pthread_rwlock_unlock(&rw));
	say_err(pthread_rwlock_timedwrlock(&rw, &t));
	must(pthread_rwlock_unlock(&rw));
}

static void rwlock_again(void)
{
	pthread_rwlock_t own;

	for (int i = 0; i < 2; i++) {
		memset(&own, 0xff, sizeof(own));
		must(pthread_rwlock_init(&own, NULL));
		must(pthread_rwlock_wrlock(&own));
		say_err(end_num(begin(try_read, &own)));
		must(pthread_rwlock_unlock(&own));
		say_err(pthread_rwlock_destroy(&own));
	}
}

static void rwlock_shared(void)
{
	pthread_rwlock_t *own = shared(sizeof(*own));
	pthread_rwlockattr_t a;

	must(pthread_rwlockattr_init(&a));
	must(pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	must(pthread_rwlock_init(own, &a));
	must(pthread_rwlock_wrlock(own));
	say_err(end_num(begin(try_read, own)));
	must(pthread_rwlock_unlock(own));
	say_err(end_num(begin(try_write, own)));
	say_err(pthread_rwlock_destroy(own));
}

#define ROUNDS 2000

static long pair[2];

static void *read_pairs(void *arg)
{
	long torn = 0;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		must(pthread_rwlock_rdlock(&rw));
		torn += pair[0] != pair[1];
		must(pthread_rwlock_unlock(&rw));
	}
	return num(torn);
}

static void *write_pairs(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		must(pthread_rwlock_wrlock(&rw));
		pair[0]++;
		pair[1]++;
		must(pthread_rwlock_unlock(&rw));
	}
	return NULL;
}

static void rwlock_orders(void)
{
	pthread_t t[4];
	long torn = 0;

	pair[0] = pair[1] = 0;
	for (int i = 0; i < 4; i++)
		t[i] = begin(i % 2 ? write_pairs : read_pairs, NULL);
	for (int i = 0; i < 4; i++)
		torn += end_num(t[i]);
	say_num(torn);
	say_num(pair[0]);
}

static void handle_while(void *(*fn)(void *), int reader)
{
	pthread_t t;

	got = handled = 0;
	must(reader ? pthread_rwlock_rdlock(&rw) : pthread_rwlock_wrlock(&rw));
	t = begin(fn, NULL);
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_num(got);
	must(pthread_rwlock_unlock(&rw));
	end(t);
	say_num(got);
}

static void handler_of_reader_and_writer(void)
{
	handle(SIGUSR1, 0);
	handle_while(read_it, 0);
	handle_while(write_it, 1);
}

const struct posix_case posix_rwlocks[] = {
	CASE(readers_share, "XSH pthread_rwlock_tryrdlock, ERRORS [EBUSY]",
	     "0 EBUSY 0 0"),
	CASE(writer_excludes, "XSH pthread_rwlock_trywrlock, ERRORS [EBUSY]",
	     "EBUSY EBUSY 0 0"),
	CASE(writer_tries_itself,
	     "XSH pthread_rwlock_trywrlock, DESCRIPTION: any thread",
	     "EBUSY EBUSY"),
	CASE(read_many_times,
	     "XSH pthread_rwlock_rdlock, DESCRIPTION: concurrent read locks",
	     "EBUSY EBUSY EBUSY 0"),
	CASE(readers_at_once, "XSH 2.9.6 thread read-write locks", "4 0 0"),
	CASE(last_reader_lets_writers,
	     "XSH pthread_rwlock_unlock, DESCRIPTION: last read lock", "0 3"),
	CASE(writer_lets_readers,
	     "XSH pthread_rwlock_unlock, DESCRIPTION: write lock", "0 3"),
	CASE(writer_lets_writers, "XSH pthread_rwlock_wrlock, DESCRIPTION",
	     "0 3"),
	CASE(timedrdlock_times_out,
	     "XSH pthread_rwlock_timedrdlock, ERRORS [ETIMEDOUT]",
	     "ETIMEDOUT yes ETIMEDOUT yes"),
	CASE(timedwrlock_times_out,
	     "XSH pthread_rwlock_timedwrlock, ERRORS [ETIMEDOUT]",
	     "ETIMEDOUT yes ETIMEDOUT yes 0 0 0"),
	CASE(timed_invalid, "XSH pthread_rwlock_timedrdlock, ERRORS [EINVAL]",
	     "EINVAL EINVAL"),
	CASE(timed_at_once,
	     "XSH pthread_rwlock_timedrdlock, DESCRIPTION: immediately", "0 0"),
	CASE(rwlock_again, "XSH pthread_rwlock_destroy, DESCRIPTION",
	     "EBUSY 0 EBUSY 0"),
	CASE(rwlock_shared, "XSH pthread_rwlockattr_setpshared, DESCRIPTION",
	     "EBUSY 0 0"),
	CASE(rwlock_orders, "XSH pthread_rwlock_wrlock; XBD 4.12", "0 4000"),
	CASE(handler_of_reader_and_writer,
	     "XSH pthread_rwlock_rdlock, DESCRIPTION: signal to a waiter",
	     "0 1 0 1"),
	CASES_END
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* Barriers and spin locks. */
#include "tests/sys/posix/case.h"

#include <string.h>

#define MEMBERS 4
#define ROUNDS 100

static pthread_barrier_t barrier;
static int steps[MEMBERS];
static atomic_int serials, others, wrong;

static void *meet(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 1; i <= ROUNDS; i++) {
		int r;

		steps[me] = i;
		r = pthread_barrier_wait(&barrier);
		serials += r == PTHREAD_BARRIER_SERIAL_THREAD;
		others += r == 0;
		for (int k = 0; k < MEMBERS; k++)
			wrong += steps[k] != i;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void one_serial_thread(void)
{
	pthread_t t[MEMBERS];

	serials = others = wrong = 0;
	must(pthread_barrier_init(&barrier, NULL, MEMBERS));
	for (int i = 0; i < MEMBERS; i++)
		t[i] = begin(meet, num(i));
	for (int i = 0; i < MEMBERS; i++)
		end(t[i]);
	say_num(serials);
	say_num(others);
	say_num(wrong);
	say_err(pthread_barrier_destroy(&barrier));
}

static void barrier_of_none(void)
{
	say_err(pthread_barrier_init(&barrier, NULL, 0));
}

static void *wait_once(void *arg)
{
	int r = pthread_barrier_wait(&barrier);

	if (r == PTHREAD_BARRIER_SERIAL_THREAD && arg) {
		must(pthread_barrier_destroy(&barrier));
		memset(&barrier, 0xff, sizeof(barrier));
	}
	return num(r == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void barrier_of_one(void)
{
	must(pthread_barrier_init(&barrier, NULL, 1));
	for (int i = 0; i < 3; i++)
		say_num((long)(intptr_t)wait_once(NULL));
	say_err(pthread_barrier_destroy(&barrier));
}

/* While others may be on their way out of the wait. */
static void destroyed_by_serial_thread(void)
{
	pthread_t t[MEMBERS];
	long sum = 0;

	for (int round = 0; round < 50; round++) {
		must(pthread_barrier_init(&barrier, NULL, MEMBERS));
		for (int i = 0; i < MEMBERS; i++)
			t[i] = begin(wait_once, num(1));
		for (int i = 0; i < MEMBERS; i++)
			sum += end_num(t[i]);
	}
	say_num(sum);
}

static void handler_at_barrier(void)
{
	pthread_t t;

	handle(SIGUSR1, 0);
	must(pthread_barrier_init(&barrier, NULL, 2));
	t = begin(wait_once, NULL);
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_num((wait_once(NULL) != NULL) + end_num(t));
	must(pthread_barrier_destroy(&barrier));
}

static void barrier_shared(void)
{
	pthread_barrier_t *b = shared(sizeof(*b));
	pthread_barrierattr_t a;

	must(pthread_barrierattr_init(&a));
	must(pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
	must(pthread_barrier_init(b, &a, 1));
	for (int i = 0; i < 2; i++) {
		int r = pthread_barrier_wait(b);

		say_yes(r == PTHREAD_BARRIER_SERIAL_THREAD);
	}
	say_err(pthread_barrier_destroy(b));
}

static pthread_spinlock_t spin;
static long counter;

static void *spin_and_count(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		must(pthread_spin_lock(&spin));
		counter++;
		must(pthread_spin_unlock(&spin));
	}
	return arg;
}

static void spin_excludes(void)
{
	pthread_t t[2];

	counter = 0;
	must(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	for (int i = 0; i < 2; i++)
		t[i] = begin(spin_and_count, NULL);
	for (int i = 0; i < 2; i++)
		end(t[i]);
	say_num(counter);
	say_err(pthread_spin_destroy(&spin));
}

static void *try_spin(void *arg)
{
	int err = pthread_spin_trylock(arg);

	if (!err)
		must(pthread_spin_unlock(arg));
	return num(err);
}

static void spin_trylock(void)
{
	must(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	say_err(pthread_spin_trylock(&spin));
	say_err(end_num(begin(try_spin, (void *)&spin)));
	must(pthread_spin_unlock(&spin));
	say_err(end_num(begin(try_spin, (void *)&spin)));
	must(pthread_spin_destroy(&spin));
}

static void spin_shared(void)
{
	pthread_spinlock_t *s = shared(sizeof(*s));

	say_err(pthread_spin_init(s, PTHREAD_PROCESS_SHARED));
	must(pthread_spin_lock(s));
	say_err(end_num(begin(try_spin, (void *)s)));
	must(pthread_spin_unlock(s));
	say_err(pthread_spin_destroy(s));
}

const struct posix_case posix_meet[] = {
	CASE(one_serial_thread, "XSH pthread_barrier_wait, RETURN VALUE",
	     "100 300 0 0"),
	CASE(barrier_of_none, "XSH pthread_barrier_init, ERRORS [EINVAL]",
	     "EINVAL"),
	CASE(barrier_of_one, "XSH pthread_barrier_wait, DESCRIPTION: reset",
	     "1 1 1 0"),
	CASE(destroyed_by_serial_thread,
	     "XSH pthread_barrier_destroy, DESCRIPTION", "50"),
	CASE(handler_at_barrier,
	     "XSH pthread_barrier_wait, DESCRIPTION: signal to a waiter", "1"),
	CASE(barrier_shared, "XSH pthread_barrierattr_setpshared, DESCRIPTION",
	     "yes yes 0"),
	CASE(spin_excludes, "XSH pthread_spin_lock, DESCRIPTION", "4000 0"),
	CASE(spin_trylock, "XSH pthread_spin_trylock, ERRORS [EBUSY]",
	     "0 EBUSY 0"),
	CASE(spin_shared, "XSH pthread_spin_init, DESCRIPTION: pshared",
	     "0 EBUSY 0"),
	CASES_END
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* <threads.h>, which POSIX has since 2024. */
#include "tests/sys/posix/case.h"

#include <threads.h>

static void say_thrd(int r)
{
	say(r == thrd_success	 ? "success"
	    : r == thrd_busy	 ? "busy"
	    : r == thrd_timedout ? "timedout"
	    : r == thrd_error	 ? "error"
				 : "other");
}

static void say_of(thrd_t t)
{
	int r = -77;

	must(thrd_join(t, &r) != thrd_success);
	say_thrd(r);
}

static thrd_t start(thrd_start_t fn, void *arg)
{
	thrd_t t = { 0 };

	must(thrd_create(&t, fn, arg) != thrd_success);
	return t;
}

static int end_with(void *arg)
{
	thrd_exit((int)(intptr_t)arg);
}

static int return_it(void *arg)
{
	return (int)(intptr_t)arg;
}

static void c11_create(void)
{
	int r = 0;

	must(thrd_join(start(return_it, num(7)), &r) != thrd_success);
	say_num(r);
	must(thrd_join(start(end_with, num(-9)), &r) != thrd_success);
	say_num(r);
	say_thrd(thrd_join(start(return_it, NULL), NULL));
}

static int tell_same(void *arg)
{
	return thrd_equal(*(thrd_t *)arg, thrd_current()) != 0;
}

static void c11_current(void)
{
	thrd_t me = thrd_current();
	int r = -1;

	say_yes(thrd_equal(me, me) != 0);
	must(thrd_join(start(tell_same, &me), &r) != thrd_success);
	say_num(r);
}

static atomic_int count;

static int count_one(void *arg)
{
	(void)arg;
	count++;
	return 0;
}

static void c11_detach(void)
{
	count = 0;
	say_thrd(thrd_detach(start(count_one, NULL)));
	until(&count, 1);
	say_num(count);
}

static mtx_t mutex;

static int try_mutex(void *arg)
{
	int r = mtx_trylock(arg);

	if (r == thrd_success)
		must(mtx_unlock(arg) != thrd_success);
	return r;
}

static void c11_mutex(void)
{
	say_thrd(mtx_init(&mutex, mtx_plain));
	say_thrd(mtx_lock(&mutex));
	say_of(start(try_mutex, &mutex));
	say_thrd(mtx_unlock(&mutex));
	say_of(start(try_mutex, &mutex));
	mtx_destroy(&mutex);
}

static void c11_recursive(void)
{
	say_thrd(mtx_init(&mutex, mtx_plain | mtx_recursive));
	say_thrd(mtx_lock(&mutex));
	say_thrd(mtx_trylock(&mutex));
	say_thrd(mtx_unlock(&mutex));
	say_of(start(try_mutex, &mutex));
	say_thrd(mtx_unlock(&mutex));
	say_of(start(try_mutex, &mutex));
	mtx_destroy(&mutex);
}

static int lock_in_time(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 40);
	int r = mtx_timedlock(arg, &t);

	say_yes(past(CLOCK_REALTIME, &t));
	return r;
}

static void c11_timed(void)
{
	must(mtx_init(&mutex, mtx_timed) != thrd_success);
	must(mtx_lock(&mutex) != thrd_success);
	say_of(start(lock_in_time, &mutex));
	must(mtx_unlock(&mutex) != thrd_success);
	mtx_destroy(&mutex);
}

static cnd_t cond;
static int waiting, tickets;

static int wait_for_ticket(void *arg)
{
	int r = thrd_success;

	(void)arg;
	must(mtx_lock(&mutex) != thrd_success);
	waiting++;
	while (!tickets && r == thrd_success)
		r = cnd_wait(&cond, &mutex);
	tickets--;
	must(mtx_unlock(&mutex) != thrd_success);
	return r;
}

static void give(int n, int (*fn)(cnd_t *))
{
	int are = 0;

	while (are < n) {
		must(mtx_lock(&mutex) != thrd_success);
		are = waiting;
		must(mtx_unlock(&mutex) != thrd_success);
		nap(1);
	}
	must(mtx_lock(&mutex) != thrd_success);
	tickets = n;
	waiting = 0;
	say_thrd(fn(&cond));
	must(mtx_unlock(&mutex) != thrd_success);
}

static void c11_condition(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);
	thrd_t many[3];
	int r = thrd_success;

	waiting = tickets = 0;
	must(mtx_init(&mutex, mtx_plain) != thrd_success);
	say_thrd(cnd_init(&cond));
	many[0] = start(wait_for_ticket, NULL);
	give(1, cnd_signal);
	say_of(many[0]);
	for (int i = 0; i < 3; i++)
		many[i] = start(wait_for_ticket, NULL);
	give(3, cnd_broadcast);
	for (int i = 0; i < 3; i++)
		say_of(many[i]);
	must(mtx_lock(&mutex) != thrd_success);
	while (r == thrd_success)
		r = cnd_timedwait(&cond, &mutex, &t);
	say_thrd(r);
	must(mtx_unlock(&mutex) != thrd_success);
	cnd_destroy(&cond);
	mtx_destroy(&mutex);
}

static once_flag once = ONCE_FLAG_INIT;

static void count_slowly(void)
{
	nap(10);
	count++;
}

static int once_only(void *arg)
{
	(void)arg;
	call_once(&once, count_slowly);
	return count;
}

static void c11_once(void)
{
	thrd_t t[3];
	int r = 0, sum = 0;

	count = 0;
	for (int i = 0; i < 3; i++)
		t[i] = start(once_only, NULL);
	for (int i = 0; i < 3; i++) {
		must(thrd_join(t[i], &r) != thrd_success);
		sum += r;
	}
	say_num(sum);
}

static tss_t key;

static void count_destroyed(void *value)
{
	count += (int)(intptr_t)value;
}

static int set_key(void *arg)
{
	if (tss_get(key))
		return thrd_error;
	return tss_set(key, arg);
}

static void c11_specific(void)
{
	count = 0;
	say_thrd(tss_create(&key, count_destroyed));
	say_of(start(set_key, num(5)));
	say_num(count);
	must(tss_set(key, num(1)) != thrd_success);
	tss_delete(key);
	say_num(count);
}

static atomic_int done;

static void *sleep_long(void *arg)
{
	struct timespec t = { 3600, 0 }, rest = { 0 };
	int r = thrd_sleep(&t, &rest);

	done = 1;
	say_num(r);
	say_yes(rest.tv_sec > 3000 && rest.tv_sec <= 3600);
	return arg;
}

static void c11_sleep(void)
{
	struct timespec t = { 0, 30000000 }, to = in_ms(CLOCK_MONOTONIC, 30);
	pthread_t other;

	say_num(thrd_sleep(&t, NULL));
	say_yes(past(CLOCK_MONOTONIC, &to));
	done = 0;
	handle(SIGUSR1, 0);
	other = begin(sleep_long, NULL);
	nudge(other, SIGUSR1, &done);
	end(other);
}

const struct posix_case posix_c11[] = {
	CASE(c11_create, "2024 XSH thrd_create, thrd_exit, thrd_join",
	     "7 -9 success"),
	CASE(c11_current, "2024 XSH thrd_current, thrd_equal", "yes 0"),
	CASE(c11_detach, "2024 XSH thrd_detach", "success 1"),
	CASE(c11_mutex, "2024 XSH mtx_trylock, RETURN VALUE",
	     "success success busy success success"),
	CASE(c11_recursive, "2024 XSH mtx_init, DESCRIPTION: mtx_recursive",
	     "success success success success busy success success"),
	CASE(c11_timed, "2024 XSH mtx_timedlock, RETURN VALUE", "yes timedout"),
	CASE(c11_condition, "2024 XSH cnd_signal, cnd_broadcast, cnd_timedwait",
	     "success success success success success success success "
	     "timedout"),
	CASE(c11_once, "2024 XSH call_once, DESCRIPTION", "3"),
	CASE(c11_specific, "2024 XSH tss_create, DESCRIPTION",
	     "success success 5 5"),
	CASE(c11_sleep, "2024 XSH thrd_sleep, RETURN VALUE", "0 yes -1 yes"),
	CASES_END
};

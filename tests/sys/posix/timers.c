/* SPDX-License-Identifier: BSD-3-Clause */
/* Alarms, timers, and sleeps on clocks. */
#include "tests/sys/posix/case.h"

#include <sys/time.h>

static atomic_int here, done;

static void alarm_comes(void)
{
	struct timespec to = in_ms(CLOCK_MONOTONIC, 1000);

	handle(SIGALRM, 0);
	say_num(alarm(1));
	until(&handled, 1);
	say_yes(past(CLOCK_MONOTONIC, &to));
	say_num(alarm(0));
	say_num(handled);
}

static void alarm_replaced(void)
{
	handle(SIGALRM, 0);
	say_num(alarm(1000));
	say_yes(alarm(2000) > 900);
	say_yes(alarm(0) > 1900);
	say_num(alarm(0));
	say_num(handled);
}

static void *take_alarm(void *arg)
{
	block(SIG_UNBLOCK, SIGALRM);
	here = 1;
	until(&handled, 1);
	say_yes(pthread_equal(handled_by, pthread_self()) != 0);
	return arg;
}

static void alarm_to_who_takes_it(void)
{
	pthread_t t;

	here = 0;
	handle(SIGALRM, 0);
	block(SIG_BLOCK, SIGALRM);
	t = begin(take_alarm, NULL);
	until(&here, 1);
	alarm(1);
	end(t);
}

static void interval_comes_again(void)
{
	struct itimerval is, v = { { 0, 10000 }, { 0, 10000 } }, none = { 0 };

	handle(SIGALRM, SA_RESTART);
	must(setitimer(ITIMER_REAL, &v, NULL));
	until(&handled, 3);
	must(setitimer(ITIMER_REAL, &none, &is));
	say_num(is.it_interval.tv_usec);
	must(getitimer(ITIMER_REAL, &is));
	say_num(is.it_value.tv_sec + is.it_value.tv_usec);
}

static siginfo_t info;

static void keep_info(int sig, siginfo_t *i, void *context)
{
	(void)sig;
	(void)context;
	info = *i;
	handled++;
}

static timer_t make(int how, int sig, int value)
{
	struct sigaction sa = { .sa_sigaction = keep_info,
				.sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent e = { .sigev_notify = how,
			      .sigev_signo = sig,
			      .sigev_value.sival_int = value };
	timer_t t = 0;

	must(sigaction(sig, &sa, NULL));
	must(timer_create(CLOCK_MONOTONIC, &e, &t));
	return t;
}

static void set(timer_t t, long ms, long again)
{
	struct itimerspec v = { .it_value.tv_nsec = ms * 1000000,
				.it_interval.tv_nsec = again * 1000000 };

	must(timer_settime(t, 0, &v, NULL));
}

static void timer_comes(void)
{
	struct timespec to = in_ms(CLOCK_MONOTONIC, 30);
	timer_t t = make(SIGEV_SIGNAL, SIGRTMIN, 42);
	struct itimerspec v;

	set(t, 30, 0);
	until(&handled, 1);
	say_yes(past(CLOCK_MONOTONIC, &to));
	say_yes(info.si_signo == SIGRTMIN && info.si_code == SI_TIMER);
	say_num(info.si_value.sival_int);
	must(timer_gettime(t, &v));
	say_num(v.it_value.tv_sec + v.it_value.tv_nsec);
	say_err(timer_delete(t));
	say_num(handled);
}

static void timer_comes_again(void)
{
	timer_t t = make(SIGEV_SIGNAL, SIGUSR1, 7);

	set(t, 5, 5);
	until(&handled, 5);
	set(t, 0, 0);
	/* One may be on its way. */
	nap(20);
	handled = 0;
	nap(50);
	say_num(handled);
	say_num(info.si_value.sival_int);
	must(timer_delete(t));
}

static void timer_without_signal(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_NONE };
	struct itimerspec v = { .it_value.tv_sec = 1000 };
	timer_t t = 0;

	must(timer_create(CLOCK_REALTIME, &e, &t));
	must(timer_settime(t, 0, &v, NULL));
	must(timer_gettime(t, &v));
	say_yes(v.it_value.tv_sec > 900);
	say_err(timer_delete(t));
}

static void timer_disarmed(void)
{
	timer_t t = make(SIGEV_SIGNAL, SIGUSR1, 1);
	struct itimerspec v = { { 7, 0 }, { 1000, 0 } }, none = { 0 }, was;

	must(timer_settime(t, 0, &v, NULL));
	must(timer_settime(t, 0, &none, &was));
	say_yes(was.it_value.tv_sec > 900 && was.it_value.tv_sec <= 1000);
	say_num(was.it_interval.tv_sec);
	must(timer_gettime(t, &v));
	say_num(v.it_value.tv_sec + v.it_value.tv_nsec);
	must(timer_delete(t));
}

static void timer_absolute(void)
{
	timer_t t = make(SIGEV_SIGNAL, SIGUSR1, 3);
	struct itimerspec v = { .it_value = in_ms(CLOCK_MONOTONIC, 30) };

	must(timer_settime(t, TIMER_ABSTIME, &v, NULL));
	until(&handled, 1);
	say_yes(past(CLOCK_MONOTONIC, &v.it_value));
	/* A time that has passed: at once. */
	must(timer_settime(t, TIMER_ABSTIME, &v, NULL));
	until(&handled, 2);
	say_num(handled);
	must(timer_delete(t));
}

static void timer_refuses(void)
{
	timer_t t = make(SIGEV_SIGNAL, SIGUSR1, 3);
	struct itimerspec v = { .it_value.tv_nsec = 1000000000 };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = 1000 };
	timer_t other;

	say_err(timer_settime(t, 0, &v, NULL) ? errno : 0);
	must(timer_delete(t));
	say_err(timer_create(77, NULL, &other) ? errno : 0);
	say_err(timer_create(CLOCK_REALTIME, &e, &other) ? errno : 0);
}

static void default_event(void)
{
	struct itimerspec v = { .it_value.tv_nsec = 5000000 };
	timer_t t;

	handle(SIGALRM, 0);
	must(timer_create(CLOCK_REALTIME, NULL, &t));
	must(timer_settime(t, 0, &v, NULL));
	until(&handled, 1);
	say_num(handled);
	must(timer_delete(t));
}

static void sleep_absolute(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };

	for (size_t i = 0; i < COUNT(clocks); i++) {
		struct timespec t = in_ms(clocks[i], 30);

		say_err(clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, NULL));
		say_yes(past(clocks[i], &t));
		/* It has passed: at once. */
		t.tv_sec -= 1000;
		say_err(clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, NULL));
	}
}

static void sleep_relative(void)
{
	struct timespec t = { 0, 30000000 }, to = in_ms(CLOCK_MONOTONIC, 30);

	say_err(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	say_yes(past(CLOCK_MONOTONIC, &to));
	to = in_ms(CLOCK_MONOTONIC, 30);
	say_err(nanosleep(&t, NULL) ? errno : 0);
	say_yes(past(CLOCK_MONOTONIC, &to));
}

static void sleep_refuses(void)
{
	struct timespec t = { 0, 1000000000 };

	say_err(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	say_err(nanosleep(&t, NULL) ? errno : 0);
	t.tv_nsec = 0;
	say_err(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	say_err(clock_nanosleep(77, 0, &t, NULL));
	t.tv_nsec = -1;
	say_err(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}

static void *sleep_long(void *arg)
{
	struct timespec t = { 3600, 0 }, rest = { 0 };
	int err = clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &rest);

	done = 1;
	say_err(err);
	say_yes(rest.tv_sec > 3000 && rest.tv_sec <= 3600);
	return arg;
}

static void *sleep_to(void *arg)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 3600000), rest = { 7, 7 };
	int err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &rest);

	done = 1;
	say_err(err);
	say_yes(rest.tv_sec == 7 && rest.tv_nsec == 7);
	return arg;
}

static void *sleep_nano(void *arg)
{
	struct timespec t = { 3600, 0 }, rest = { 0 };
	int err = nanosleep(&t, &rest) ? errno : 0;

	done = 1;
	say_err(err);
	say_yes(rest.tv_sec > 3000 && rest.tv_sec <= 3600);
	return arg;
}

static void *sleep_seconds(void *arg)
{
	unsigned rest = sleep(3600);

	done = 1;
	say_yes(rest > 3000 && rest <= 3600);
	return arg;
}

static void wake(void *(*fn)(void *))
{
	pthread_t t;

	done = 0;
	/* SA_RESTART has no part in it. */
	handle(SIGUSR1, SA_RESTART);
	t = begin(fn, NULL);
	nudge(t, SIGUSR1, &done);
	end(t);
}

static void sleep_interrupted(void)
{
	wake(sleep_long);
}

static void sleep_absolute_interrupted(void)
{
	wake(sleep_to);
}

static void nanosleep_interrupted(void)
{
	wake(sleep_nano);
}

static void sleep_unslept(void)
{
	wake(sleep_seconds);
}

static void monotonic_stays(void)
{
	struct timespec t = { 0 }, res = { 0 };

	say_err(clock_settime(CLOCK_MONOTONIC, &t) ? errno : 0);
	say_err(clock_gettime(77, &t) ? errno : 0);
	say_err(clock_getres(CLOCK_MONOTONIC, &res) ? errno : 0);
	say_yes(res.tv_sec == 0 && res.tv_nsec > 0);
}

const struct posix_case posix_timers[] = {
	CASE(alarm_comes, "XSH alarm, DESCRIPTION", "0 yes 0 1"),
	CASE(alarm_replaced, "XSH alarm, RETURN VALUE", "0 yes yes 0 0"),
	CASE(alarm_to_who_takes_it,
	     "XSH 2.4.1 signal generation: alarm, to the process", "yes"),
	CASE(interval_comes_again, "XSH setitimer, DESCRIPTION", "10000 0"),
	CASE(timer_comes, "XSH timer_create, DESCRIPTION: SIGEV_SIGNAL",
	     "yes yes 42 0 0 1"),
	CASE(timer_comes_again, "XSH timer_settime, DESCRIPTION: reload",
	     "0 7"),
	CASE(timer_without_signal, "XSH timer_create, DESCRIPTION: SIGEV_NONE",
	     "yes 0"),
	CASE(timer_disarmed, "XSH timer_settime, DESCRIPTION: ovalue, disarmed",
	     "yes 7 0"),
	CASE(timer_absolute, "XSH timer_settime, DESCRIPTION: TIMER_ABSTIME",
	     "yes 2"),
	CASE(timer_refuses, "XSH timer_settime, timer_create, ERRORS [EINVAL]",
	     "EINVAL EINVAL EINVAL"),
	CASE(default_event, "XSH timer_create, DESCRIPTION: evp is NULL", "1"),
	CASE(sleep_absolute, "XSH clock_nanosleep, DESCRIPTION: TIMER_ABSTIME",
	     "0 yes 0 0 yes 0"),
	CASE(sleep_relative, "XSH nanosleep, DESCRIPTION", "0 yes 0 yes"),
	CASE(sleep_refuses, "XSH clock_nanosleep, ERRORS [EINVAL]",
	     "EINVAL EINVAL EINVAL EINVAL EINVAL"),
	CASE(sleep_interrupted, "XSH clock_nanosleep, RETURN VALUE: rmtp",
	     "EINTR yes"),
	CASE(sleep_absolute_interrupted,
	     "XSH clock_nanosleep, RETURN VALUE: absolute", "EINTR yes"),
	CASE(nanosleep_interrupted, "XSH nanosleep, RETURN VALUE: rmtp",
	     "EINTR yes"),
	CASE(sleep_unslept, "XSH sleep, RETURN VALUE", "yes"),
	CASE(monotonic_stays, "XSH clock_settime, ERRORS [EINVAL]",
	     "EINVAL EINVAL 0 yes"),
	CASES_END
};

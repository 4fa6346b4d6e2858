/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a thread: create, join, detach, exit, once. */
#include "tests/sys/posix/case.h"

#include <fenv.h>
#include <stdlib.h>

#define ROUNDS 200

static void *tell_self(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return NULL;
}

static void create_stores_id(void)
{
	pthread_t self = pthread_self(), t = begin(tell_self, &self);

	end(t);
	say_yes(pthread_equal(self, t) != 0);
}

static void *add_one(void *arg)
{
	return (char *)arg + 1;
}

static void create_passes_argument(void)
{
	long wrong = 0;

	for (long i = 0; i < ROUNDS; i++)
		wrong += end_num(begin(add_one, num(i))) != i + 1;
	say_num(wrong);
}

static void *tell_blocked(void *arg)
{
	(void)arg;
	say_yes(is_blocked(SIGUSR1));
	say_yes(is_blocked(SIGUSR2));
	return NULL;
}

static void create_inherits_mask(void)
{
	block(SIG_BLOCK, SIGUSR1);
	end(begin(tell_blocked, NULL));
}

static void *tell_pending(void *arg)
{
	(void)arg;
	say_yes(is_pending(SIGUSR1));
	return NULL;
}

static void create_nothing_pending(void)
{
	block(SIG_BLOCK, SIGUSR1);
	must(pthread_kill(pthread_self(), SIGUSR1));
	end(begin(tell_pending, NULL));
	say_yes(is_pending(SIGUSR1));
}

static void *tell_stack(void *arg)
{
	stack_t ss;

	(void)arg;
	must(sigaltstack(NULL, &ss));
	say_yes(ss.ss_flags == SS_DISABLE);
	return NULL;
}

static void create_no_alternate_stack(void)
{
	static char room[65536];
	stack_t ss = { .ss_sp = room, .ss_size = sizeof(room) };

	must(sigaltstack(&ss, NULL));
	end(begin(tell_stack, NULL));
	ss.ss_flags = SS_DISABLE;
	must(sigaltstack(&ss, NULL));
}

static void *tell_rounding(void *arg)
{
	(void)arg;
	say_yes(fegetround() == FE_UPWARD);
	return NULL;
}

static void create_inherits_environment(void)
{
	fesetround(FE_UPWARD);
	end(begin(tell_rounding, NULL));
	fesetround(FE_TONEAREST);
}

static void *set_rounding(void *arg)
{
	fesetround(FE_DOWNWARD);
	return arg;
}

static void create_own_environment(void)
{
	end(begin(set_rounding, NULL));
	say_yes(fegetround() == FE_TONEAREST);
}

static void *set_errno(void *arg)
{
	for (int i = 0; i < 100; i++) {
		errno = (int)(intptr_t)arg;
		sched_yield();
		if (errno != (int)(intptr_t)arg)
			return num(1);
	}
	return NULL;
}

static void errno_own(void)
{
	pthread_t t[3];
	long wrong = 0;

	errno = EDOM;
	for (int i = 0; i < 3; i++)
		t[i] = begin(set_errno, num(ERANGE + i));
	for (int i = 0; i < 3; i++)
		wrong += end_num(t[i]);
	say_num(wrong);
	say_yes(errno == EDOM);
}

static void *leave_deep(void *arg)
{
	void *(*volatile deeper)(void *) = leave_deep;

	if ((intptr_t)arg > 0)
		return deeper((char *)arg - 1);
	pthread_exit(num(42));
}

static void exit_gives_value(void)
{
	say_num(end_num(begin(leave_deep, num(20))));
}

static void clean(void *arg)
{
	say(arg);
}

static void *exit_below_handlers(void *arg)
{
	pthread_setspecific(*(pthread_key_t *)arg, "key");
	pthread_cleanup_push(clean, "first");
	pthread_cleanup_push(clean, "second");
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void exit_order(void)
{
	pthread_key_t key;

	must(pthread_key_create(&key, clean));
	end(begin(exit_below_handlers, &key));
	must(pthread_key_delete(key));
}

static int fds[2];
static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;

static void *leave_things(void *arg)
{
	(void)arg;
	must(pipe(fds));
	must(pthread_mutex_lock(&left));
	return malloc(1);
}

static void exit_keeps_resources(void)
{
	char *room = end(begin(leave_things, NULL)), b = 'x';

	say_num(write(fds[1], &b, 1));
	say_num(read(fds[0], room, 1));
	say_yes(*room == 'x');
	say_err(pthread_mutex_trylock(&left));
	free(room);
	close(fds[0]);
	close(fds[1]);
}

static atomic_int at_exits;

static void count_exit(void)
{
	at_exits++;
}

static void *just_exit(void *arg)
{
	pthread_exit(arg);
}

static void exit_calls_no_atexit(void)
{
	must(atexit(count_exit));
	end(begin(just_exit, NULL));
	say_num(at_exits);
}

static atomic_int go, ended;

static void *wait_to_go(void *arg)
{
	until(&go, 1);
	return arg;
}

static void *join_it(void *arg)
{
	void *value = NULL;
	int err = pthread_join(*(pthread_t *)arg, &value);

	ended = 1;
	say_err(err);
	say_num((long)(intptr_t)value);
	return NULL;
}

static void join_no_eintr(void)
{
	pthread_t t, joiner;

	go = ended = 0;
	handle(SIGUSR1, 0);
	t = begin(wait_to_go, num(7));
	joiner = begin(join_it, &t);
	while (handled < 20) {
		pthread_kill(joiner, SIGUSR1);
		nap(1);
	}
	say_yes(!ended);
	go = 1;
	end(joiner);
}

static void *count_up(void *arg)
{
	for (int i = 0; i < 10000; i++)
		++*(long *)arg;
	ended = 1;
	return NULL;
}

static void join_ended(void)
{
	long n = 0;
	pthread_t t;

	ended = 0;
	t = begin(count_up, &n);
	until(&ended, 1);
	say_err(pthread_join(t, NULL));
	say_num(n);
}

static void *count_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
	return NULL;
}

/* EAGAIN while those that have ended are on their way out. */
static pthread_t begin_again(const pthread_attr_t *attr, void *arg)
{
	pthread_t t = { 0 };
	int err;

	while ((err = pthread_create(&t, attr, count_one, arg)) == EAGAIN)
		nap(1);
	must(err);
	return t;
}

static void detach_frees(void)
{
	atomic_int n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		must(pthread_detach(begin_again(NULL, &n)));
		until(&n, i + 1);
	}
	say_num(n);
}

static void detach_ended(void)
{
	pthread_t t;

	ended = 0;
	t = begin(count_one, &ended);
	until(&ended, 1);
	nap(5);
	say_err(pthread_detach(t));
}

static void *detach_self(void *arg)
{
	int err = pthread_detach(pthread_self());

	say_err(err);
	atomic_store((atomic_int *)arg, 1);
	return NULL;
}

static void detach_by_itself(void)
{
	static atomic_int done;

	done = 0;
	begin(detach_self, &done);
	until(&done, 1);
}

static void created_detached(void)
{
	atomic_int n = 0;
	pthread_attr_t attr;

	must(pthread_attr_init(&attr));
	must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	for (int i = 0; i < ROUNDS; i++) {
		begin_again(&attr, &n);
		until(&n, i + 1);
	}
	say_num(n);
	must(pthread_attr_destroy(&attr));
}

static void equal_or_not(void)
{
	pthread_t a, b;

	go = 0;
	a = begin(wait_to_go, NULL);
	b = begin(wait_to_go, NULL);
	say_yes(pthread_equal(a, a) != 0);
	say_yes(pthread_equal(a, b) != 0);
	say_yes(pthread_equal(pthread_self(), a) != 0);
	go = 1;
	end(a);
	end(b);
}

static pthread_once_t once;
static int inits;

static void init_slowly(void)
{
	nap(20);
	inits++;
}

static void *once_and_look(void *arg)
{
	(void)arg;
	return num(pthread_once(&once, init_slowly) ? -1 : inits);
}

static void once_for_all(void)
{
	pthread_t t[5];
	long sum = 0;

	for (int round = 0; round < 10; round++) {
		once = (pthread_once_t)PTHREAD_ONCE_INIT;
		inits = 0;
		for (int i = 0; i < 5; i++)
			t[i] = begin(once_and_look, NULL);
		for (int i = 0; i < 5; i++)
			sum += end_num(t[i]);
	}
	say_num(sum);
}

static void init_canceled(void)
{
	inits++;
	if (inits == 1) {
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
}

static void *once_canceled(void *arg)
{
	(void)arg;
	return num(pthread_once(&once, init_canceled));
}

static void once_after_cancel(void)
{
	once = (pthread_once_t)PTHREAD_ONCE_INIT;
	inits = 0;
	say_yes(end(begin(once_canceled, NULL)) == PTHREAD_CANCELED);
	say_num(end_num(begin(once_canceled, NULL)));
	say_num(inits);
}

static void say_prepare_1(void)
{
	say("prepare-1");
}

static void say_prepare_2(void)
{
	say("prepare-2");
}

static void say_parent_1(void)
{
	say("parent-1");
}

static void say_parent_2(void)
{
	say("parent-2");
}

/* Also where fork() itself fails: as every one inside. */
static void atfork_order(void)
{
	pid_t child;

	must(pthread_atfork(say_prepare_1, say_parent_1, NULL));
	must(pthread_atfork(say_prepare_2, say_parent_2, NULL));
	child = fork();
	if (!child)
		_exit(0);
}

const struct posix_case posix_life[] = {
	CASE(create_stores_id, "XSH pthread_create, DESCRIPTION: ID", "yes"),
	CASE(create_passes_argument,
	     "XSH pthread_create, DESCRIPTION: arg, implicit exit", "0"),
	CASE(create_inherits_mask,
	     "XSH pthread_create, DESCRIPTION: signal mask", "yes no"),
	CASE(create_nothing_pending,
	     "XSH pthread_create, DESCRIPTION: pending signals", "no yes"),
	CASE(create_no_alternate_stack,
	     "XSH pthread_create, DESCRIPTION: alternate stack", "yes"),
	CASE(create_inherits_environment,
	     "XSH pthread_create, DESCRIPTION: floating-point environment",
	     "yes"),
	CASE(create_own_environment, "XSH fesetround, DESCRIPTION", "yes"),
	CASE(errno_own, "XSH 2.3 error numbers: a thread's own", "0 yes"),
	CASE(exit_gives_value, "XSH pthread_exit, DESCRIPTION: value_ptr",
	     "42"),
	CASE(exit_order, "XSH pthread_exit, DESCRIPTION: reverse order",
	     "second first key"),
	CASE(exit_keeps_resources, "XSH pthread_exit, DESCRIPTION: resources",
	     "1 1 yes EBUSY"),
	CASE(exit_calls_no_atexit, "XSH pthread_exit, DESCRIPTION: atexit",
	     "0"),
	CASE(join_no_eintr, "XSH pthread_join, ERRORS: no [EINTR]", "yes 0 7"),
	CASE(join_ended, "XSH pthread_join, DESCRIPTION; XBD 4.12", "0 10000"),
	CASE(detach_frees, "XSH pthread_detach, DESCRIPTION: storage", "200"),
	CASE(detach_ended, "XSH pthread_detach, RETURN VALUE", "0"),
	CASE(detach_by_itself, "XSH pthread_detach, RETURN VALUE", "0"),
	CASE(created_detached, "XSH pthread_attr_setdetachstate, DESCRIPTION",
	     "200"),
	CASE(equal_or_not, "XSH pthread_equal, RETURN VALUE", "yes no no"),
	CASE(once_for_all, "XSH pthread_once, DESCRIPTION", "50"),
	CASE(once_after_cancel, "XSH pthread_once, DESCRIPTION: canceled",
	     "yes 0 2"),
	CASE(atfork_order, "XSH pthread_atfork, DESCRIPTION: order",
	     "prepare-2 prepare-1 parent-1 parent-2"),
	CASES_END
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* Attributes of threads, mutexes, conditions and the others. */
#include "tests/sys/posix/case.h"

#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <string.h>

static void detach_state(void)
{
	pthread_attr_t a;
	int state = -1;

	must(pthread_attr_init(&a));
	must(pthread_attr_getdetachstate(&a, &state));
	say_yes(state == PTHREAD_CREATE_JOINABLE);
	say_err(pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED));
	must(pthread_attr_getdetachstate(&a, &state));
	say_yes(state == PTHREAD_CREATE_DETACHED);
	say_err(pthread_attr_setdetachstate(&a, 77));
	must(pthread_attr_destroy(&a));
}

static void *nothing(void *arg)
{
	return arg;
}

static void attributes_are_copied(void)
{
	pthread_attr_t a;
	pthread_t t;

	must(pthread_attr_init(&a));
	must(pthread_create(&t, &a, nothing, num(5)));
	must(pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED));
	must(pthread_attr_destroy(&a));
	memset(&a, 0xff, sizeof(a));
	say_num(end_num(t));
	say_err(pthread_attr_init(&a));
	must(pthread_attr_destroy(&a));
}

#define DEEP ((size_t)3 << 20)

static void *use_stack(void *arg)
{
	char room[DEEP - 65536];
	volatile char *p = room;
	long sum = 0;

	(void)arg;
	for (size_t i = 0; i < sizeof(room); i += 1024)
		p[i] = 1;
	for (size_t i = 0; i < sizeof(room); i += 1024)
		sum += p[i];
	return num(sum);
}

static void stack_size(void)
{
	size_t size = 0;
	pthread_attr_t a;
	pthread_t t;

	must(pthread_attr_init(&a));
	say_err(pthread_attr_setstacksize(&a, (size_t)PTHREAD_STACK_MIN - 1));
	say_err(pthread_attr_setstacksize(&a, DEEP));
	must(pthread_attr_getstacksize(&a, &size));
	say_yes(size == DEEP);
	must(pthread_create(&t, &a, use_stack, NULL));
	say_num(end_num(t));
	must(pthread_attr_destroy(&a));
}

static _Alignas(4096) char own_stack[256 << 10];

static void *where(void *arg)
{
	volatile char here = 0;

	(void)arg;
	return num(&here >= own_stack && &here < own_stack + sizeof(own_stack));
}

static void own_stack_used(void)
{
	pthread_attr_t a;
	pthread_t t;
	size_t size = 0;
	void *at = NULL;

	must(pthread_attr_init(&a));
	say_err(pthread_attr_setstack(&a, own_stack,
				      (size_t)PTHREAD_STACK_MIN - 1));
	say_err(pthread_attr_setstack(&a, own_stack, sizeof(own_stack)));
	must(pthread_attr_getstack(&a, &at, &size));
	say_yes(at == own_stack && size == sizeof(own_stack));
	for (int i = 0; i < 3; i++) {
		must(pthread_create(&t, &a, where, NULL));
		say_num(end_num(t));
	}
	must(pthread_attr_destroy(&a));
}

static void guard_size(void)
{
	pthread_attr_t a;
	size_t size = 0;

	must(pthread_attr_init(&a));
	must(pthread_attr_getguardsize(&a, &size));
	say_yes(size > 0);
	/* Not rounded: as it was specified. */
	must(pthread_attr_setguardsize(&a, 5000));
	must(pthread_attr_getguardsize(&a, &size));
	say_num((long)size);
	must(pthread_attr_destroy(&a));
}

static __thread sigjmp_buf out;

static void on_overflow(int sig)
{
	siglongjmp(out, sig);
}

static int deeper(int n)
{
	volatile char frame[2048];
	int (*volatile next)(int) = deeper;

	frame[0] = frame[2047] = (char)n;
	return next(n + 1) + frame[0];
}

static void *overflow(void *arg)
{
	static char room[65536];
	stack_t ss = { .ss_sp = room, .ss_size = sizeof(room) };
	int sig;

	must(sigaltstack(&ss, NULL));
	sig = sigsetjmp(out, 1);
	if (!sig)
		deeper(0);
	say_yes(sig == SIGSEGV);
	ss.ss_flags = SS_DISABLE;
	must(sigaltstack(&ss, NULL));
	return arg;
}

/* Twice: the next thread's guard is there as well. */
static void guard_holds(void)
{
	struct sigaction sa = { .sa_handler = on_overflow,
				.sa_flags = SA_ONSTACK };
	pthread_attr_t a;
	pthread_t t;

	must(sigaction(SIGSEGV, &sa, NULL));
	must(pthread_attr_init(&a));
	must(pthread_attr_setstacksize(&a, 128 << 10));
	for (int i = 0; i < 2; i++) {
		must(pthread_create(&t, &a, overflow, NULL));
		end(t);
	}
	must(pthread_attr_destroy(&a));
}

static void scheduling(void)
{
	struct sched_param p = { .sched_priority = 10 };
	int policy = -1, inherit = -1;
	pthread_attr_t a;

	must(pthread_attr_init(&a));
	say_err(pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED));
	must(pthread_attr_getinheritsched(&a, &inherit));
	say_yes(inherit == PTHREAD_EXPLICIT_SCHED);
	say_err(pthread_attr_setinheritsched(&a, 77));
	say_err(pthread_attr_setschedpolicy(&a, SCHED_RR));
	must(pthread_attr_getschedpolicy(&a, &policy));
	say_yes(policy == SCHED_RR);
	say_err(pthread_attr_setschedparam(&a, &p));
	p.sched_priority = 0;
	must(pthread_attr_getschedparam(&a, &p));
	say_num(p.sched_priority);
	must(pthread_attr_destroy(&a));
}

static void scope(void)
{
	pthread_attr_t a;
	int is = -1;

	must(pthread_attr_init(&a));
	say_err(pthread_attr_setscope(&a, PTHREAD_SCOPE_SYSTEM));
	must(pthread_attr_getscope(&a, &is));
	say_yes(is == PTHREAD_SCOPE_SYSTEM);
	say_err(pthread_attr_setscope(&a, PTHREAD_SCOPE_PROCESS));
	must(pthread_attr_destroy(&a));
}

static void explicit_other(void)
{
	struct sched_param p = { .sched_priority = 0 };
	pthread_attr_t a;
	pthread_t t;
	int policy = -1;

	must(pthread_attr_init(&a));
	must(pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED));
	must(pthread_attr_setschedpolicy(&a, SCHED_OTHER));
	must(pthread_attr_setschedparam(&a, &p));
	say_err(pthread_create(&t, &a, nothing, num(3)));
	say_num(end_num(t));
	p.sched_priority = 77;
	say_err(pthread_getschedparam(pthread_self(), &policy, &p));
	say_yes(policy == SCHED_OTHER);
	say_num(p.sched_priority);
	must(pthread_attr_destroy(&a));
}

static void mutex_type(void)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL,
				     PTHREAD_MUTEX_ERRORCHECK,
				     PTHREAD_MUTEX_RECURSIVE };
	pthread_mutexattr_t a;
	int type = -1;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_gettype(&a, &type));
	say_yes(type == PTHREAD_MUTEX_DEFAULT);
	for (size_t i = 0; i < COUNT(types); i++) {
		must(pthread_mutexattr_settype(&a, types[i]));
		must(pthread_mutexattr_gettype(&a, &type));
		say_yes(type == types[i]);
	}
	say_err(pthread_mutexattr_settype(&a, 77));
	must(pthread_mutexattr_destroy(&a));
}

static void mutex_robust(void)
{
	pthread_mutexattr_t a;
	int robust = -1;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_getrobust(&a, &robust));
	say_yes(robust == PTHREAD_MUTEX_STALLED);
	say_err(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	must(pthread_mutexattr_getrobust(&a, &robust));
	say_yes(robust == PTHREAD_MUTEX_ROBUST);
	say_err(pthread_mutexattr_setrobust(&a, 77));
	must(pthread_mutexattr_destroy(&a));
}

static void mutex_protocol(void)
{
	pthread_mutexattr_t a;
	int is = -1;

	must(pthread_mutexattr_init(&a));
	must(pthread_mutexattr_getprotocol(&a, &is));
	say_yes(is == PTHREAD_PRIO_NONE);
	say_err(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_NONE));
	say_err(pthread_mutexattr_setprotocol(&a, 77));
	must(pthread_mutexattr_destroy(&a));
}

static void condition_clock(void)
{
	pthread_condattr_t a;
	clockid_t clock = 77;

	must(pthread_condattr_init(&a));
	must(pthread_condattr_getclock(&a, &clock));
	say_yes(clock == CLOCK_REALTIME);
	say_err(pthread_condattr_setclock(&a, CLOCK_MONOTONIC));
	must(pthread_condattr_getclock(&a, &clock));
	say_yes(clock == CLOCK_MONOTONIC);
	say_err(pthread_condattr_setclock(&a, CLOCK_PROCESS_CPUTIME_ID));
	must(pthread_condattr_destroy(&a));
}

/* Default, shared, neither: of each kind of object. */
#define PSHARED(kind)                                             \
	static void kind##_pshared(void)                          \
	{                                                         \
		pthread_##kind##attr_t a;                         \
		int is = -1;                                      \
                                                                  \
		must(pthread_##kind##attr_init(&a));              \
		must(pthread_##kind##attr_getpshared(&a, &is));   \
		say_yes(is == PTHREAD_PROCESS_PRIVATE);           \
		say_err(pthread_##kind##attr_setpshared(          \
			&a, PTHREAD_PROCESS_SHARED));             \
		must(pthread_##kind##attr_getpshared(&a, &is));   \
		say_yes(is == PTHREAD_PROCESS_SHARED);            \
		say_err(pthread_##kind##attr_setpshared(&a, 77)); \
		must(pthread_##kind##attr_destroy(&a));           \
	}

PSHARED(mutex)
PSHARED(cond)
PSHARED(rwlock)
PSHARED(barrier)

#define SHARED_WORDS "yes 0 yes EINVAL"

const struct posix_case posix_attrs[] = {
	CASE(detach_state,
	     "XSH pthread_attr_setdetachstate, DESCRIPTION, ERRORS [EINVAL]",
	     "yes 0 yes EINVAL"),
	CASE(attributes_are_copied, "XSH pthread_attr_destroy, DESCRIPTION",
	     "5 0"),
	CASE(stack_size,
	     "XSH pthread_attr_setstacksize, DESCRIPTION, ERRORS [EINVAL]",
	     "EINVAL 0 yes 3008"),
	CASE(own_stack_used,
	     "XSH pthread_attr_setstack, ERRORS [EINVAL]; XSH 2.9.8",
	     "EINVAL 0 yes 1 1 1"),
	CASE(guard_size, "XSH pthread_attr_getguardsize, DESCRIPTION",
	     "yes 5000"),
	CASE(guard_holds,
	     "XSH pthread_attr_setguardsize, DESCRIPTION: overflow", "yes yes"),
	CASE(scheduling,
	     "XSH pthread_attr_setinheritsched, pthread_attr_setschedpolicy, "
	     "pthread_attr_setschedparam",
	     "0 yes EINVAL 0 yes 0 10"),
	CASE(scope, "XSH pthread_attr_setscope, ERRORS [ENOTSUP]",
	     "0 yes ENOTSUP"),
	CASE(explicit_other,
	     "XSH pthread_attr_setinheritsched, pthread_getschedparam",
	     "0 3 0 yes 0"),
	CASE(mutex_type, "XSH pthread_mutexattr_settype, ERRORS [EINVAL]",
	     "yes yes yes yes EINVAL"),
	CASE(mutex_robust, "XSH pthread_mutexattr_setrobust, ERRORS [EINVAL]",
	     "yes 0 yes EINVAL"),
	CASE(mutex_protocol, "XSH pthread_mutexattr_setprotocol, ERRORS",
	     "yes 0 EINVAL"),
	CASE(condition_clock, "XSH pthread_condattr_setclock, ERRORS [EINVAL]",
	     "yes 0 yes EINVAL"),
	CASE(mutex_pshared, "XSH pthread_mutexattr_setpshared, ERRORS [EINVAL]",
	     SHARED_WORDS),
	CASE(cond_pshared, "XSH pthread_condattr_setpshared, ERRORS [EINVAL]",
	     SHARED_WORDS),
	CASE(rwlock_pshared,
	     "XSH pthread_rwlockattr_setpshared, ERRORS [EINVAL]",
	     SHARED_WORDS),
	CASE(barrier_pshared,
	     "XSH pthread_barrierattr_setpshared, ERRORS [EINVAL]",
	     SHARED_WORDS),
	CASES_END
};

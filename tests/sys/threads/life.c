/* SPDX-License-Identifier: BSD-3-Clause */
/* pthread_create() to pthread_exit(): XSH 2.9.2. */
#include "tests/sys/threads/cases.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 200

static void *add_one(void *arg)
{
	return (char *)arg + 1;
}

/* pthread_join: the value that the thread returned. */
static void create_and_join(void)
{
	for (intptr_t i = 0; i < ROUNDS; i++)
		EXPECT((intptr_t)end(begin(add_one, (void *)i)) == i + 1);
	printf("ok");
}

static void *leave_deep(void *arg)
{
	void *(*volatile deeper)(void *) = leave_deep;

	if ((intptr_t)arg > 0)
		return deeper((void *)((intptr_t)arg - 1));
	pthread_exit((void *)42);
}

static void exit_from_within(void)
{
	printf("%d", (int)(intptr_t)end(begin(leave_deep, (void *)20)));
}

static __thread int local = 7;

static void *change_local(void *arg)
{
	int was = local;

	local = (int)(intptr_t)arg;
	errno = local;
	sched_yield();
	EXPECT(local == (int)(intptr_t)arg && errno == local);
	return (void *)(intptr_t)was;
}

/* Each thread has its own errno and thread-local storage. */
static void own_storage(void)
{
	pthread_t t[4];

	errno = 0;
	for (intptr_t i = 0; i < 4; i++)
		t[i] = begin(change_local, (void *)(i + 10));
	for (int i = 0; i < 4; i++)
		EXPECT((intptr_t)end(t[i]) == 7);
	printf("%d %d", local, errno);
}

static int destroyed;

static void destroy(void *value)
{
	__atomic_fetch_add(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static pthread_key_t key;

static void *set_key(void *arg)
{
	EXPECT(pthread_getspecific(key) == NULL);
	pthread_setspecific(key, arg);
	return NULL;
}

/* pthread_key_create: destructors at a thread's exit. */
static void keys(void)
{
	EXPECT(pthread_key_create(&key, destroy) == 0);
	end(begin(set_key, (void *)3));
	end(begin(set_key, (void *)4));
	EXPECT(pthread_key_delete(key) == 0);
	printf("%d", destroyed);
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int detached_done;

static void *detached(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&m);
	detached_done++;
	pthread_cond_signal(&c);
	pthread_mutex_unlock(&m);
	return NULL;
}

/* pthread_detach: nobody joins, and the storage comes back. */
static void detach(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < ROUNDS; i++) {
		while (pthread_create(&t, &attr, detached, NULL) == EAGAIN)
			usleep(1000);
		pthread_mutex_lock(&m);
		while (detached_done <= i)
			pthread_cond_wait(&c, &m);
		pthread_mutex_unlock(&m);
	}
	printf("%d", detached_done);
}

static void *tell_round(void *arg)
{
	*(int *)arg = fegetround();
	return NULL;
}

/* The floating-point environment is its creator's. */
static void inherits_rounding(void)
{
	int mode = 0;

	fesetround(FE_UPWARD);
	end(begin(tell_round, &mode));
	fesetround(FE_TONEAREST);
	printf("%d", mode == FE_UPWARD);
}

static void *name_self(void *arg)
{
	char name[16];

	prctl(PR_SET_NAME, arg);
	sched_yield();
	prctl(PR_GET_NAME, name);
	EXPECT(strcmp(name, arg) == 0);
	return (void *)(intptr_t)syscall(SYS_gettid);
}

static void names_and_numbers(void)
{
	char was[16], is[16];
	pthread_t a, b;

	prctl(PR_GET_NAME, was);
	a = begin(name_self, "one");
	b = begin(name_self, "two");
	EXPECT(end(a) != (void *)syscall(SYS_gettid));
	end(b);
	prctl(PR_GET_NAME, is);
	printf("%d", strcmp(was, is));
}

static void *small_stack(void *arg)
{
	volatile char room[40000];

	memset((char *)room, 1, sizeof(room));
	return (void *)(intptr_t)(room[0] + (int)(intptr_t)arg);
}

/* pthread_attr_setstack: one of the caller's; and sizes. */
static void stacks(void)
{
	static _Alignas(4096) char own[128 << 10];
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	EXPECT(pthread_attr_setstack(&attr, own, sizeof(own)) == 0);
	EXPECT(pthread_create(&t, &attr, small_stack, (void *)1) == 0);
	printf("%d ", (int)(intptr_t)end(t));
	pthread_attr_init(&attr);
	EXPECT(pthread_attr_setstacksize(&attr, 16 << 20) == 0);
	EXPECT(pthread_create(&t, &attr, small_stack, (void *)2) == 0);
	printf("%d", (int)(intptr_t)end(t));
}

static int once_count;

static void count_once(void)
{
	once_count++;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *do_once(void *arg)
{
	(void)arg;
	pthread_once(&once, count_once);
	return NULL;
}

static void once_only(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = begin(do_once, NULL);
	for (int i = 0; i < 4; i++)
		end(t[i]);
	printf("%d", once_count);
}

static void clean(void *arg)
{
	(*(int *)arg)++;
}

static void *wait_for_cancel(void *arg)
{
	pthread_cleanup_push(clean, arg);
	pause();
	pthread_cleanup_pop(0);
	return NULL;
}

/* pthread_cancel: at a cancellation point, with its handlers. */
static void cancel(void)
{
	int cleaned = 0;
	pthread_t t = begin(wait_for_cancel, &cleaned);

	usleep(20000);
	EXPECT(pthread_cancel(t) == 0);
	EXPECT(end(t) == PTHREAD_CANCELED);
	printf("%d", cleaned);
}

static int ends[2], full[2];
static sem_t none;

static void in_read(void)
{
	char b;

	EXPECT(read(ends[0], &b, 1) == -2);
}

static void in_write(void)
{
	EXPECT(write(full[1], "x", 1) == -2);
}

static void in_poll(void)
{
	EXPECT(poll(&(struct pollfd){ ends[0], POLLIN, 0 }, 1, -1) == -2);
}

static void in_sem(void)
{
	EXPECT(sem_wait(&none) == -2);
}

static void in_sleep(void)
{
	EXPECT(nanosleep(&(struct timespec){ 100, 0 }, NULL) == -2);
}

static void *wait_in(void *arg)
{
	void (**fn)(void) = arg;
	int cleaned = 0;

	pthread_cleanup_push(clean, &cleaned);
	(*fn)();
	pthread_cleanup_pop(0);
	return NULL;
}

static void fill(void)
{
	static const char zeros[4096];

	EXPECT(pipe(full) == 0 && fcntl(full[1], F_SETFL, O_NONBLOCK) == 0);
	while (write(full[1], zeros, sizeof(zeros)) > 0)
		;
	EXPECT(fcntl(full[1], F_SETFL, 0) == 0);
}

/* Also where the call would begin anew after a handler. */
static void cancel_in_calls(void)
{
	static void (*const fns[])(void) = { in_read, in_write, in_poll, in_sem,
					     in_sleep };

	EXPECT(pipe(ends) == 0);
	fill();
	sem_init(&none, 0, 0);
	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++)
		for (int late = 0; late < 2; late++) {
			pthread_t t = begin(wait_in, (void *)&fns[i]);

			if (late)
				usleep(20000);
			EXPECT(pthread_cancel(t) == 0);
			EXPECT(end(t) == PTHREAD_CANCELED);
		}
	printf("ok");
}

static int calling = 1;

static void *call_on(void *arg)
{
	while (__atomic_load_n(&calling, __ATOMIC_RELAXED)) {
		EXPECT(getppid() >= 0);
		EXPECT(dup(-1) < 0);
	}
	return arg;
}

/* The signal comes while the thread waits for its turn, and is not lost. */
static void cancel_among_calls(void)
{
	static void (*const fn)(void) = in_read;
	pthread_t other[4], t;

	for (int i = 0; i < 4; i++)
		other[i] = begin(call_on, NULL);
	for (int i = 0; i < ROUNDS / 4; i++) {
		t = begin(wait_in, (void *)&fn);
		for (int n = i % 8; n; n--)
			sched_yield();
		EXPECT(pthread_cancel(t) == 0);
		EXPECT(end(t) == PTHREAD_CANCELED);
	}
	__atomic_store_n(&calling, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		end(other[i]);
	printf("ok");
}

static void *read_uncancelled(void *arg)
{
	char b = 0;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	EXPECT(read(ends[0], &b, 1) == 1 && b == 'x');
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return arg;
}

/* PTHREAD_CANCEL_DISABLE: the call goes on, and it is left pending. */
static void cancel_later(void)
{
	pthread_t t = begin(read_uncancelled, NULL);

	usleep(20000);
	EXPECT(pthread_cancel(t) == 0);
	usleep(20000);
	EXPECT(write(ends[1], "x", 1) == 1);
	EXPECT(end(t) == PTHREAD_CANCELED);
	printf("ok");
}

static uintptr_t off_by;

static void look_at_stack(void *arg)
{
	(void)arg;
	off_by = (uintptr_t)__builtin_frame_address(0) % 16;
}

static void *yields_for_ever(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(look_at_stack, arg);
	for (;;)
		sched_yield();
	pthread_cleanup_pop(1);
	return NULL;
}

/* Wherever it is, its clean-up has a stack as a function has. */
static void cancel_anywhere(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t t = begin(yields_for_ever, NULL);

		usleep(1000);
		EXPECT(pthread_cancel(t) == 0);
		EXPECT(end(t) == PTHREAD_CANCELED);
		EXPECT(off_by == 0);
	}
	printf("ok");
}

const struct threads_case threads_life[] = {
	{ "create_and_join", create_and_join },
	{ "exit_from_within", exit_from_within },
	{ "own_storage", own_storage },
	{ "keys", keys },
	{ "detach", detach },
	{ "inherits_rounding", inherits_rounding },
	{ "names_and_numbers", names_and_numbers },
	{ "stacks", stacks },
	{ "once_only", once_only },
	{ "cancel", cancel },
	{ "cancel_in_calls", cancel_in_calls },
	{ "cancel_among_calls", cancel_among_calls },
	{ "cancel_later", cancel_later },
	{ "cancel_anywhere", cancel_anywhere },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context's slot says what its thread does. One that has ended waits for the
 * context to be used again, so that a program which makes threads and joins
 * them does not make them here.
 *
 * Locks: one mutex, over the slots, held over no call that can block.
 */
#include "host/threads.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/signals.h"

#define NSEC 1000000000ull
/* An ended thread is kept so long for the next. */
#define KEPT_SECONDS 2

enum slot_state {
	SLOT_NONE,   /* it has no thread */
	SLOT_RUNS,   /* its thread is in the enclave, or about to be */
	SLOT_WAITS,  /* it has one that has ended */
	SLOT_WANTED, /* the same, and another is to begin */
};

/* Of a word to sleep on. */
enum park_word {
	PARK_NOTHING,
	PARK_TOKEN, /* it has been unparked */
	PARK_SLEEPS,
};

/* @all: NULL before its first thread: most are never used. */
struct host_slot {
	enum slot_state state;
	uint32_t park;
	struct host_signals_self *self; /* of its thread; NULL: none */
	pthread_cond_t wanted;
	struct host_threads *all;
};

/* @used: slots from here on have never had a thread. */
struct host_threads {
	pthread_mutex_t lock;
	pthread_cond_t left;
	uint32_t count;
	uint32_t used;
	uint32_t own; /* the first thread's, until it has left it */
	bool own_left;
	bool bound; /* some thread has been, to processors */
	const struct host_threads_ops *ops;
	void *arg;
	struct host_slot slot[];
};

static long futex(uint32_t *word, int op, uint32_t val,
		  const struct timespec *t)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, val, t, NULL,
		       0);
}

struct host_threads *host_threads_new(uint32_t count, uint32_t own,
				      const struct host_threads_ops *ops,
				      void *arg)
{
	struct host_threads *ts =
		calloc(1, sizeof(*ts) + count * sizeof(ts->slot[0]));

	if (!ts)
		return NULL;
	pthread_mutex_init(&ts->lock, NULL);
	pthread_cond_init(&ts->left, NULL);
	ts->count = count;
	ts->used = own + 1;
	ts->own = own;
	ts->ops = ops;
	ts->arg = arg;
	ts->slot[own].state = SLOT_RUNS;
	ts->slot[own].self = host_signals_self();
	return ts;
}

/* Are there threads beside the first one, also if they are only kept? */
static bool others(struct host_threads *ts, bool kept)
{
	uint32_t n = 0;

	/* The caller may have been in here when a signal ended the program. */
	if (pthread_mutex_trylock(&ts->lock))
		return true;
	for (uint32_t i = 0; i < ts->used; i++) {
		enum slot_state s = ts->slot[i].state;

		if (i != ts->own || ts->own_left)
			n += s == SLOT_RUNS || s == SLOT_WANTED ||
			     (kept && s == SLOT_WAITS);
	}
	pthread_mutex_unlock(&ts->lock);
	return n > 0;
}

bool host_threads_run(struct host_threads *ts)
{
	return others(ts, false);
}

bool host_threads_free(struct host_threads *ts)
{
	if (others(ts, true))
		return false;
	free(ts);
	return true;
}

/* With the lock held. False: nobody has wanted it for a while. */
static bool wait_for_next(struct host_slot *s)
{
	struct timespec until;
	int err = 0;

	if (s->state != SLOT_WANTED)
		s->state = SLOT_WAITS;
	pthread_cond_broadcast(&s->all->left);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += KEPT_SECONDS;
	while (s->state == SLOT_WAITS && !err)
		err = pthread_cond_timedwait(&s->wanted, &s->all->lock, &until);
	if (s->state == SLOT_WAITS)
		s->state = SLOT_NONE;
	return s->state == SLOT_WANTED;
}

static void *slot_main(void *arg)
{
	struct host_slot *s = arg;
	struct host_threads *ts = s->all;
	void *kept = NULL;
	bool next = true;

	pthread_mutex_lock(&ts->lock);
	s->self = host_signals_self();
	while (next) {
		s->state = SLOT_RUNS;
		pthread_mutex_unlock(&ts->lock);
		ts->ops->run(ts->arg, (uint32_t)(s - ts->slot), &kept);
		pthread_mutex_lock(&ts->lock);
		next = wait_for_next(s);
	}
	s->self = NULL;
	pthread_mutex_unlock(&ts->lock);
	if (kept)
		ts->ops->drop(ts->arg, kept);
	host_signals_self_end();
	return NULL;
}

static void first_use(struct host_threads *ts, struct host_slot *s)
{
	const uint32_t index = (uint32_t)(s - ts->slot);

	if (s->all)
		return;
	pthread_cond_init(&s->wanted, NULL);
	s->all = ts;
	if (index >= ts->used)
		ts->used = index + 1;
}

/* Signals of the program's come to the thread that runs it (signals.c). */
static int make(struct host_threads *ts, struct host_slot *s)
{
	pthread_attr_t attr;
	pthread_t id;
	int err;

	first_use(ts, s);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = host_signals_thread(&id, &attr, slot_main, s);
	pthread_attr_destroy(&attr);
	return -err;
}

/* As a new thread has it: where its maker may run. */
static void bind_as_caller(const struct host_slot *s)
{
	cpu_set_t set;

	if (s->all->bound && s->self &&
	    !sched_getaffinity(0, sizeof(set), &set))
		(void)sched_setaffinity(host_signals_tid(s->self), sizeof(set),
					&set);
}

int host_threads_start(struct host_threads *ts, uint64_t context)
{
	struct host_slot *s;
	int err = 0;

	if (!ts || context >= ts->count)
		return -EINVAL;
	s = &ts->slot[context];
	pthread_mutex_lock(&ts->lock);
	switch (s->state) {
	case SLOT_NONE:
		s->state = SLOT_RUNS;
		err = make(ts, s);
		if (err)
			s->state = SLOT_NONE;
		break;
	case SLOT_RUNS: /* on its way out; it looks before it waits */
	case SLOT_WAITS:
		bind_as_caller(s);
		s->state = SLOT_WANTED;
		pthread_cond_signal(&s->wanted);
		break;
	case SLOT_WANTED:
		err = -EBUSY;
	}
	pthread_mutex_unlock(&ts->lock);
	return err;
}

int host_threads_park(struct host_threads *ts, uint32_t from,
		      uint64_t nanoseconds)
{
	const struct timespec t = { .tv_sec = (time_t)(nanoseconds / NSEC),
				    .tv_nsec = (long)(nanoseconds % NSEC) };
	uint32_t *word, was = PARK_NOTHING;
	int err = 0;

	if (!ts)
		return -ENOSYS;
	word = &ts->slot[from].park;
	if (__atomic_compare_exchange_n(word, &was, PARK_SLEEPS, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	    futex(word, FUTEX_WAIT, PARK_SLEEPS,
		  nanoseconds == UINT64_MAX ? NULL : &t) < 0)
		err = errno == EAGAIN ? 0 : -errno;
	was = __atomic_exchange_n(word, PARK_NOTHING, __ATOMIC_ACQ_REL);
	return was == PARK_TOKEN ? 0 : err;
}

int host_threads_unpark(struct host_threads *ts, uint64_t context)
{
	uint32_t *word;

	if (!ts || context >= ts->count)
		return -EINVAL;
	word = &ts->slot[context].park;
	if (__atomic_exchange_n(word, PARK_TOKEN, __ATOMIC_ACQ_REL) ==
	    PARK_SLEEPS)
		futex(word, FUTEX_WAKE, 1, NULL);
	return 0;
}

int host_threads_kick(struct host_threads *ts, uint64_t context)
{
	if (!ts || context >= ts->count)
		return -EINVAL;
	pthread_mutex_lock(&ts->lock);
	if (ts->slot[context].self)
		host_signals_kick(ts->slot[context].self);
	pthread_mutex_unlock(&ts->lock);
	/* It may be about to sleep. */
	return host_threads_unpark(ts, context);
}

pid_t host_threads_tid(struct host_threads *ts, uint64_t context, bool bind)
{
	pid_t tid = 0;

	if (!ts || context >= ts->count)
		return 0;
	pthread_mutex_lock(&ts->lock);
	ts->bound |= bind;
	if (ts->slot[context].self)
		tid = host_signals_tid(ts->slot[context].self);
	pthread_mutex_unlock(&ts->lock);
	return tid;
}

void host_threads_kick_all(struct host_threads *ts)
{
	for (uint32_t i = 0; i < ts->used; i++)
		host_threads_kick(ts, i);
}

void host_threads_wait_left(struct host_threads *ts, uint64_t context)
{
	if (!ts || context >= ts->count)
		return;
	pthread_mutex_lock(&ts->lock);
	while (ts->slot[context].state == SLOT_RUNS)
		pthread_cond_wait(&ts->left, &ts->lock);
	pthread_mutex_unlock(&ts->lock);
}

void host_threads_leave(struct host_threads *ts, uint32_t context)
{
	struct host_slot *s = &ts->slot[context];

	pthread_mutex_lock(&ts->lock);
	ts->own_left = true;
	s->self = NULL;
	if (s->state != SLOT_WANTED || make(ts, s))
		s->state = SLOT_NONE;
	else
		s->state = SLOT_RUNS;
	pthread_mutex_unlock(&ts->lock);
	/* Signals of the program's still come here: the others look. */
	for (;;) {
		pause();
		host_threads_kick_all(ts);
	}
}

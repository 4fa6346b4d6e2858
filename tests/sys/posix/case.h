/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * POSIX threads and signals, a case a sentence. A case says words; what POSIX
 * answers stands beside it in its table. Cases wait without bounds of their
 * own: conform.py tells one that hangs by its name.
 */
#ifndef TESTS_SYS_POSIX_CASE_H
#define TESTS_SYS_POSIX_CASE_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/*
 * A table ends with a case that has no name. Of POSIX.1-2017; XSH is its volume
 * of functions, XBD that of definitions.
 */
struct posix_case {
	const char *name;
	const char *clause;
	const char *words; /* what POSIX answers */
	void (*fn)(void);
	int own; /* ends the process: runs alone, and its status counts */
};

#define CASE(fn, clause, words)             \
	{                                   \
#fn, clause, words, (fn), 0 \
	}
#define OWN(fn, clause, words)              \
	{                                   \
#fn, clause, words, (fn), 1 \
	}
#define CASES_END                         \
	{                                 \
		NULL, NULL, NULL, NULL, 0 \
	}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A word of the answer; in handlers and all threads. */
void say(const char *word);
void say_num(long n);
/* "0" or the error's name. */
void say_err(int err);
void say_yes(int yes);
/* Nothing where 0: for what only makes ready. */
void must_at(int err, int line);
#define must(err) must_at(err, __LINE__)

pthread_t begin(void *(*fn)(void *), void *arg);
void *end(pthread_t t);
/* Returns when @n is at least @least, which others raise. */
void until(atomic_int *n, int least);
struct timespec in_ms(clockid_t clock, long ms);
/* Has @clock come to @t? */
int past(clockid_t clock, const struct timespec *t);
void nap(long ms);
/* Memory that could be another process's, too: zeros. */
void *shared(size_t size);

/* What a thread returns, an error or any number. */
static inline void *num(long n)
{
	return (void *)(intptr_t)n;
}

static inline int end_num(pthread_t t)
{
	return (int)(intptr_t)end(t);
}

/* on_handled() counts in handled, and whose thread it ran in. */
extern atomic_int handled;
extern pthread_t handled_by;
void on_handled(int sig);
void handle(int sig, int flags);
void handle_by(int sig, void (*fn)(int));
void block(int how, int sig);
int is_pending(int sig);
int is_blocked(int sig);
/*
 * Signals @t, when it has had time to wait, until @done: some of it is found
 * in its call.
 */
void nudge(pthread_t t, int sig, atomic_int *done);

#endif

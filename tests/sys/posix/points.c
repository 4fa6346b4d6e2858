/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cancellation points, a case each: with a request that waits the function is
 * not gone past, and where it blocks, one that comes later ends it.
 */
#include "tests/sys/posix/case.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/wait.h>

struct point {
	void (*fn)(void);
	int blocks;
	int pending;
	atomic_int here;
	atomic_int beyond;
};

static int fds[2];
static sem_t sem;
static pthread_t target;
static atomic_int go;

static void clean(void *arg)
{
	(void)arg;
	say("cleaned");
}

static void *go_there(void *arg)
{
	struct point *p = arg;

	pthread_cleanup_push(clean, NULL);
	if (p->pending)
		must(pthread_cancel(pthread_self()));
	p->here = 1;
	p->fn();
	p->beyond = 1;
	pthread_cleanup_pop(0);
	return NULL;
}

static void go_as(void (*fn)(void), int pending)
{
	struct point p = { .fn = fn, .pending = pending };
	pthread_t t = begin(go_there, &p);

	until(&p.here, 1);
	if (!pending) {
		/* It should be found within its call. */
		nap(20);
		must(pthread_cancel(t));
	}
	say_yes(end(t) == PTHREAD_CANCELED && !p.beyond);
}

/* What it may take is there when the request waits, and not when it blocks. */
static void at_point(void (*fn)(void), int blocks)
{
	must(pipe(fds));
	must(sem_init(&sem, 0, 1));
	go_as(fn, 1);
	must(sem_trywait(&sem));
	if (blocks)
		go_as(fn, 0);
	must(sem_destroy(&sem));
	close(fds[0]);
	close(fds[1]);
}

#define CALLS(name, blocks, ...)             \
	static void name##_fn(void)          \
	{                                    \
		__VA_ARGS__;                 \
	}                                    \
	static void at_##name(void)          \
	{                                    \
		at_point(name##_fn, blocks); \
	}
#define AT_ONCE(name, ...) CALLS(name, 0, __VA_ARGS__)
#define BLOCKS(name, ...) CALLS(name, 1, __VA_ARGS__)

static const struct timespec hour = { 3600, 0 };
static char byte = 'x';
static ssize_t ignored;

static sigset_t usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
}

BLOCKS(read, ignored = read(fds[0], &byte, 1))
BLOCKS(readv, struct iovec v = { &byte, 1 }; ignored = readv(fds[0], &v, 1))
BLOCKS(pause, pause())
BLOCKS(sleep, sleep(3600))
BLOCKS(nanosleep, nanosleep(&hour, NULL))
BLOCKS(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL))
BLOCKS(poll, struct pollfd p = { fds[0], POLLIN, 0 }; poll(&p, 1, -1))
BLOCKS(select, fd_set set; FD_ZERO(&set); FD_SET(fds[0], &set);
       select(fds[0] + 1, &set, NULL, NULL, NULL))
BLOCKS(pselect, fd_set set; FD_ZERO(&set); FD_SET(fds[0], &set);
       pselect(fds[0] + 1, &set, NULL, NULL, NULL, NULL))
BLOCKS(sem_wait, sem_wait(&sem))
BLOCKS(sem_timedwait, struct timespec t = in_ms(CLOCK_REALTIME, 3600000);
       sem_timedwait(&sem, &t))
BLOCKS(sigsuspend, sigset_t set; sigemptyset(&set); sigsuspend(&set))
BLOCKS(sigwait, sigset_t set = usr1(); int sig; sigwait(&set, &sig))
BLOCKS(sigwaitinfo, sigset_t set = usr1(); sigwaitinfo(&set, NULL))
BLOCKS(sigtimedwait, sigset_t set = usr1(); sigtimedwait(&set, NULL, &hour))
AT_ONCE(write, ignored = write(fds[1], &byte, 1))
AT_ONCE(writev, struct iovec v = { &byte, 1 }; ignored = writev(fds[1], &v, 1))
AT_ONCE(open, ignored = open("/dev/null", O_RDONLY))
AT_ONCE(openat, ignored = openat(AT_FDCWD, "/dev/null", O_RDONLY))
AT_ONCE(creat, ignored = creat("/dev/null", 0600))
AT_ONCE(close, ignored = close(-1))
AT_ONCE(fsync, ignored = fsync(-1))
AT_ONCE(pread, ignored = pread(fds[0], &byte, 1, 0))
AT_ONCE(testcancel, pthread_testcancel())

static void *wait_to_go(void *arg)
{
	until(&go, 1);
	return arg;
}

static void join_fn(void)
{
	pthread_join(target, NULL);
}

static void at_join(void)
{
	go = 0;
	target = begin(wait_to_go, NULL);
	at_point(join_fn, 1);
	go = 1;
	end(target);
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void unlock(void *arg)
{
	must(pthread_mutex_unlock(arg));
}

static void cond_wait_fn(void)
{
	must(pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	for (;;)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(1);
}

static void cond_timedwait_fn(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 3600000);

	must(pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	while (pthread_cond_timedwait(&c, &m, &t) != ETIMEDOUT)
		;
	pthread_cleanup_pop(1);
}

static void at_cond_wait(void)
{
	at_point(cond_wait_fn, 1);
}

static void at_cond_timedwait(void)
{
	at_point(cond_timedwait_fn, 1);
}

/* A full pipe. */
static void write_full_fn(void)
{
	static char room[1 << 16];

	for (;;)
		ignored = write(fds[1], room, sizeof(room));
}

static void at_write_full(void)
{
	at_point(write_full_fn, 1);
}

#define ONCE "cleaned yes"
#define BOTH "cleaned yes cleaned yes"
#define POINT(name, what, words) \
	CASE(at_##name, "XSH 2.9.5.2 cancellation points: " what, words)

const struct posix_case posix_points[] = {
	POINT(testcancel, "pthread_testcancel", ONCE),
	POINT(read, "read", BOTH),
	POINT(readv, "readv", BOTH),
	POINT(pread, "pread", ONCE),
	POINT(write, "write", ONCE),
	POINT(write_full, "write to a full pipe", BOTH),
	POINT(writev, "writev", ONCE),
	POINT(open, "open", ONCE),
	POINT(openat, "openat", ONCE),
	POINT(creat, "creat", ONCE),
	POINT(close, "close", ONCE),
	POINT(fsync, "fsync", ONCE),
	POINT(poll, "poll", BOTH),
	POINT(select, "select", BOTH),
	POINT(pselect, "pselect", BOTH),
	POINT(pause, "pause", BOTH),
	POINT(sleep, "sleep", BOTH),
	POINT(nanosleep, "nanosleep", BOTH),
	POINT(clock_nanosleep, "clock_nanosleep", BOTH),
	POINT(join, "pthread_join", BOTH),
	POINT(cond_wait, "pthread_cond_wait", BOTH),
	POINT(cond_timedwait, "pthread_cond_timedwait", BOTH),
	POINT(sem_wait, "sem_wait", BOTH),
	POINT(sem_timedwait, "sem_timedwait", BOTH),
	POINT(sigsuspend, "sigsuspend", BOTH),
	POINT(sigwait, "sigwait", BOTH),
	POINT(sigwaitinfo, "sigwaitinfo", BOTH),
	POINT(sigtimedwait, "sigtimedwait", BOTH),
	CASES_END
};

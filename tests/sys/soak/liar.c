/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that wakes whom nobody has waked, late, or twice: in the process of
 * `edmm run`, before the machine's library (LD_PRELOAD). populate comes late,
 * or not at all, and is called done, by call and by the thread that goes ahead;
 * that thread oversleeps, and dies. It says at the end how often, for soak.py
 * to see.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

/* Of wake-ups, of populate, of the thread that goes ahead. */
static unsigned int lies[3];

static void lie(int of)
{
	__atomic_fetch_add(&lies[of], 1, __ATOMIC_RELAXED);
}

__attribute__((destructor)) static void confess(void)
{
	fprintf(stderr, "liar: %u wake-ups, %u populates, %u ahead\n", lies[0],
		lies[1], lies[2]);
}

static uint64_t drawn(void)
{
	static uint64_t count;
	uint64_t r = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) *
		     0x9e3779b97f4a7c15u;

	r ^= r >> 29;
	return (r * 0xbf58476d1ce4e5b9u) >> 40;
}

static void late(void)
{
	const struct timespec t = { 0, (long)(drawn() % 1000000) };

	nanosleep(&t, NULL);
}

/* False: it sleeps as it should. */
static bool forged(long *r)
{
	static const int errors[] = { 0, EINTR, EAGAIN };
	const uint64_t how = drawn() % 12;

	if (how >= 3)
		return false;
	errno = errors[how];
	*r = errno ? -1 : 0;
	lie(0);
	return true;
}

/* No prototype of a header's: libc's is variadic, too. */
long syscall(long nr, ...)
{
	static long (*real)(long nr, ...);
	long a[6], r;
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (nr == SYS_futex && a[1] == FUTEX_WAIT_PRIVATE && forged(&r))
		return r;
	if (nr == SYS_futex && a[1] == FUTEX_WAKE_PRIVATE && drawn() % 6 == 0)
		late();
	r = real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (nr == SYS_futex && a[1] == FUTEX_WAKE_PRIVATE && drawn() % 6 == 0)
		(void)real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return r;
}

/* The host's handler for pages that it cannot have for the enclave. */
int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	static int (*real)(int, const struct sigaction *, struct sigaction *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sigaction");
	if (sig == SIGBUS && act && act->sa_flags & SA_NODEFER) {
		lie(1);
		if (drawn() % 2 == 0)
			return -1;
		late();
	}
	return real(sig, act, old);
}

/* Only the thread that looks for hints sleeps for so long (host/toucher.c). */
#define LOOK_NS 20000

int nanosleep(const struct timespec *t, struct timespec *rest)
{
	static int (*real)(const struct timespec *, struct timespec *);
	const struct timespec forever = { .tv_sec = 1000000 };
	struct timespec more = *t;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "nanosleep");
	if (t->tv_sec || t->tv_nsec != LOOK_NS)
		return real(t, rest);
	if (drawn() % 64 == 0) {
		lie(2);
		more.tv_nsec = (long)(drawn() % 4000000);
	}
	/* What it has been told is never done. */
	if (drawn() % 4000 == 0)
		real(&forever, NULL);
	return real(&more, rest);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals of workers to one another; each that was queued comes once. */
#include "tests/sys/soak/soak.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define KINDS 3

/* Of the signals that queue. */
static struct {
	uint64_t sent, sum, got, got_sum;
} queued[KINDS];

static void note(int sig, const siginfo_t *si)
{
	const int k = sig - SIGRTMIN;

	__atomic_fetch_add(&queued[k].got_sum,
			   (uint64_t)(uintptr_t)si->si_value.sival_ptr,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&queued[k].got, 1, __ATOMIC_RELEASE);
}

static void on_queued(int sig, siginfo_t *si, void *context)
{
	const int error = errno;

	(void)context;
	if (si->si_code != SI_QUEUE || si->si_pid != getpid())
		FAIL("signal %d: code %d of %d", sig, si->si_code,
		     (int)si->si_pid);
	note(sig, si);
	errno = error;
}

static void on_user(int sig)
{
	(void)sig;
	if (soak_self)
		soak_count(&soak_self->interrupted);
}

void signal_begin(void)
{
	struct sigaction sa = { .sa_sigaction = on_queued,
				.sa_flags = SA_SIGINFO };

	for (int k = 0; k < KINDS; k++)
		HOLDS(sigaction(SIGRTMIN + k, &sa, NULL) == 0);
	sa = (struct sigaction){ .sa_handler = on_user };
	HOLDS(sigaction(SIGUSR1, &sa, NULL) == 0);
	sa.sa_flags = SA_RESTART;
	HOLDS(sigaction(SIGUSR2, &sa, NULL) == 0);
}

static void to_another(struct worker *w)
{
	const uint64_t n = soak_draw(&w->seed, WORKERS);
	const int sig = soak_draw(&w->seed, 2) ? SIGUSR1 : SIGUSR2;
	const pthread_t t =
		__atomic_load_n(&soak_workers[n].thread, __ATOMIC_ACQUIRE);

	if (t)
		HOLDS(pthread_kill(t, sig) == 0);
}

/* It has come when that returns. */
static void to_self(struct worker *w)
{
	const uint64_t was = __atomic_load_n(&w->interrupted, __ATOMIC_RELAXED);

	HOLDS(pthread_kill(pthread_self(), SIGUSR1) == 0);
	HOLDS(__atomic_load_n(&w->interrupted, __ATOMIC_RELAXED) > was);
}

static void queue(struct worker *w)
{
	const int k = (int)soak_draw(&w->seed, KINDS);
	const uint64_t value = soak_next(&w->seed);
	union sigval v = { .sival_ptr = (void *)(uintptr_t)value };

	if (sigqueue(getpid(), SIGRTMIN + k, v)) {
		HOLDS(errno == EAGAIN);
		soak_count(&soak_counts.refused_signals);
		return;
	}
	__atomic_fetch_add(&queued[k].sum, value, __ATOMIC_RELAXED);
	__atomic_fetch_add(&queued[k].sent, 1, __ATOMIC_RELAXED);
	soak_count(&soak_counts.signals);
}

/* Blocked for a while, and taken without a handler. */
static void take(struct worker *w)
{
	const struct timespec soon = { 0, (long)soak_draw(&w->seed, 500000) };
	siginfo_t si;
	sigset_t set, was;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + (int)soak_draw(&w->seed, KINDS));
	HOLDS(pthread_sigmask(SIG_BLOCK, &set, &was) == 0);
	sig = sigtimedwait(&set, &si, &soon);
	if (sig > 0)
		note(sig, &si);
	else
		HOLDS(errno == EAGAIN || errno == EINTR);
	HOLDS(pthread_sigmask(SIG_SETMASK, &was, NULL) == 0);
}

static bool all_came(void)
{
	for (int k = 0; k < KINDS; k++)
		if (__atomic_load_n(&queued[k].got, __ATOMIC_ACQUIRE) !=
		    queued[k].sent)
			return false;
	return true;
}

void signal_end(void)
{
	const struct timespec ms = { 0, 1000000 };

	for (int tries = 0; tries < 5000 && !all_came(); tries++)
		nanosleep(&ms, NULL);
	for (int k = 0; k < KINDS; k++)
		if (queued[k].got != queued[k].sent ||
		    queued[k].got_sum != queued[k].sum)
			FAIL("of %llu signals %d came %llu",
			     (unsigned long long)queued[k].sent, SIGRTMIN + k,
			     (unsigned long long)queued[k].got);
}

const struct action signal_actions[] = {
	{ "pthread_kill", to_another, 20 },
	{ "pthread_kill of itself", to_self, 5 },
	{ "sigqueue", queue, 20 },
	{ "sigtimedwait", take, 5 },
	{ 0 },
};

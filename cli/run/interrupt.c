/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A signal that ends the run: what was to be told at its end is told first. A
 * handler can do little, so it wakes a thread, which tells, and ends the
 * process by the same signal. A signal that is ignored stays so.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include "cli/run/run.h"

static struct {
	sem_t woken;
	volatile sig_atomic_t signo;
	void (*then)(void *arg, int signo);
	void *arg;
} interrupt;

static void on_signal(int signo)
{
	interrupt.signo = signo;
	sem_post(&interrupt.woken);
}

int cli_interrupt_signal(void)
{
	return interrupt.signo;
}

static void *wait_for_it(void *unused)
{
	(void)unused;
	while (sem_wait(&interrupt.woken))
		;
	interrupt.then(interrupt.arg, interrupt.signo);
	return NULL;
}

static bool start_thread(void)
{
	sigset_t all, old;
	pthread_t t;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = !pthread_create(&t, NULL, wait_for_it, NULL);
	if (ok)
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

void cli_interrupt_watch(void (*then)(void *arg, int signo), void *arg)
{
	static const int list[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,
				    SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU };
	const struct sigaction ours = { .sa_handler = on_signal,
					.sa_flags = SA_RESTART };
	struct sigaction was;
	size_t i;

	interrupt.then = then;
	interrupt.arg = arg;
	if (sem_init(&interrupt.woken, 0, 0) || !start_thread())
		return;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!sigaction(list[i], NULL, &was) &&
		    was.sa_handler == SIG_DFL)
			sigaction(list[i], &ours, NULL);
}

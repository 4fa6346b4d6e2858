/* SPDX-License-Identifier: BSD-3-Clause */
/* Says which signals come from outside, and of whom, until USR1 comes. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define REAL_TIME 41

static const int caught[] = { SIGQUIT, SIGALRM, REAL_TIME, SIGUSR1 };
static volatile sig_atomic_t came;

static void on_signal(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	came = signo;
	printf("%d code %d of %d\n", signo, si->si_code, (int)si->si_pid);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO };
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		sigaction(caught[i], &sa, NULL);
	printf("ready\n");
	fflush(stdout);
	while (came != SIGUSR1)
		sigsuspend(&none);
	return 0;
}

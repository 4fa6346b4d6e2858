/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals to threads: XSH 2.4, pthread_kill(), sigwait(). */
#include "tests/sys/threads/cases.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_t got_by;
static volatile sig_atomic_t got;
static sem_t ready;

static void on_signal(int sig)
{
	got_by = pthread_self();
	got = got + sig;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static void *wait_in_read(void *arg)
{
	char b;
	ssize_t n;

	sem_post(&ready);
	n = read(*(int *)arg, &b, 1);
	return (void *)(intptr_t)(n < 0 ? errno : (int)n);
}

/* pthread_kill: the handler runs in that thread, and its call ends. */
static void kill_in_call(void)
{
	int fds[2];
	pthread_t t;

	sem_init(&ready, 0, 0);
	handle(SIGUSR1, 0);
	EXPECT(pipe(fds) == 0);
	t = begin(wait_in_read, fds);
	sem_wait(&ready);
	usleep(20000);
	EXPECT(pthread_kill(t, SIGUSR1) == 0);
	printf("%d ", (int)(intptr_t)end(t) == EINTR);
	printf("%d %d", got == SIGUSR1, pthread_equal(got_by, t) != 0);
	/* With SA_RESTART it goes on. */
	handle(SIGUSR1, SA_RESTART);
	t = begin(wait_in_read, fds);
	sem_wait(&ready);
	usleep(20000);
	pthread_kill(t, SIGUSR1);
	usleep(20000);
	EXPECT(write(fds[1], "x", 1) == 1);
	printf(" %d", (int)(intptr_t)end(t));
	close(fds[0]);
	close(fds[1]);
	got = 0;
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_mutex(void *arg)
{
	(void)arg;
	sem_post(&ready);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return (void *)(intptr_t)got;
}

/* A handler runs in a thread that waits for a mutex, which waits on. */
static void kill_in_lock(void)
{
	pthread_t t;

	handle(SIGUSR2, 0);
	pthread_mutex_lock(&m);
	t = begin(wait_for_mutex, NULL);
	sem_wait(&ready);
	usleep(20000);
	pthread_kill(t, SIGUSR2);
	while (!got)
		usleep(1000);
	printf("%d ", pthread_equal(got_by, t) != 0);
	pthread_mutex_unlock(&m);
	printf("%d", (int)(intptr_t)end(t) == SIGUSR2);
	got = 0;
}

static void *wait_for_signals(void *arg)
{
	int sig = 0, sum = 0;

	while (sum < 3 * SIGTERM) {
		EXPECT(sigwait(arg, &sig) == 0);
		sum += sig;
		sem_post(&ready);
	}
	return (void *)(intptr_t)sum;
}

/* kill() to a process whose threads block it: who waits gets it. */
static void sigwait_thread(void)
{
	sigset_t set, was;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &was);
	t = begin(wait_for_signals, &set);
	for (int i = 0; i < 3; i++) {
		usleep(10000);
		EXPECT(kill(getpid(), SIGTERM) == 0);
		sem_wait(&ready);
	}
	printf("%d", (int)(intptr_t)end(t) == 3 * SIGTERM);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

static void *mask_of_child(void *arg)
{
	sigset_t set;

	(void)arg;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	return (void *)(intptr_t)sigismember(&set, SIGUSR1);
}

/* The mask is inherited, pending signals are not; each has its own. */
static void masks(void)
{
	sigset_t set, was, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &was);
	raise(SIGUSR1);
	printf("%d ", (int)(intptr_t)end(begin(mask_of_child, NULL)));
	sigpending(&pending);
	printf("%d ", sigismember(&pending, SIGUSR1));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	printf("%d", got == SIGUSR1);
	got = 0;
}

static char *volatile bad;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = got + sig;
	got_by = pthread_self();
	EXPECT(info->si_addr == bad);
	mprotect(bad, 4096, PROT_READ | PROT_WRITE);
}

static void *touch(void *arg)
{
	*bad = 1;
	return arg;
}

/* A fault is its thread's own, on the stack that it has chosen. */
static void faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };
	pthread_t t;

	sigaction(SIGSEGV, &sa, NULL);
	bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t = begin(touch, NULL);
	end(t);
	printf("%d %d", got == SIGSEGV, pthread_equal(got_by, t) != 0);
	signal(SIGSEGV, SIG_DFL);
	got = 0;
}

static void *tell_stack(void *arg)
{
	stack_t ss;

	sigaltstack(NULL, &ss);
	*(int *)arg = ss.ss_flags;
	return NULL;
}

static void alternate_stacks(void)
{
	static char room[65536];
	stack_t ss = { .ss_sp = room, .ss_size = sizeof(room) };
	int flags = 0;

	sigaltstack(&ss, NULL);
	end(begin(tell_stack, &flags));
	printf("%d", flags == SS_DISABLE);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
}

static void *nothing(void *arg)
{
	return arg;
}

static void no_such_thread(void)
{
	long tid = 4000000;

	end(begin(nothing, NULL));
	printf("%ld ", syscall(SYS_tgkill, getpid(), tid, 0));
	printf("%d", errno == ESRCH);
}

const struct threads_case threads_signals[] = {
	{ "kill_in_call", kill_in_call },
	{ "kill_in_lock", kill_in_lock },
	{ "sigwait_thread", sigwait_thread },
	{ "masks", masks },
	{ "faults", faults },
	{ "alternate_stacks", alternate_stacks },
	{ "no_such_thread", no_such_thread },
	{ NULL, NULL },
};

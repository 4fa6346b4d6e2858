/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals that come from elsewhere: timers, pipes without a reader, other
 * processes. Natively and in an enclave the same words (async.sh).
 *
 *	async all		everything that a program can do to itself
 *	async await		waits for USR1, then HUP, and tells of each
 *	async end WHAT		ends by SIGPIPE, SIGALRM, or when it is told to
 *	async inherited		what it began with
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAL_TIME 41 /* neither C library's own */

static volatile sig_atomic_t came, code, from_me, overrun;
static void *volatile value;
static int ends[2];

static void on_signal(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	came = sig;
	code = si->si_code;
	from_me = si->si_pid == getpid();
	value = si->si_value.sival_ptr;
	overrun = si->si_code == SI_TIMER ? si->si_overrun : 0;
}

static void catch (int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | flags };

	came = 0;
	sigaction(sig, &sa, NULL);
}

static void tell(const char *what, long result)
{
	int error = errno;

	printf("%-24s %ld%s%s; came %d code %d\n", what, result,
	       result < 0 ? " " : "", result < 0 ? strerror(error) : "",
	       (int)came, (int)code);
	fflush(stdout);
	came = code = 0;
}

static void in_ms(int ms, int every)
{
	const struct itimerval it = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
		.it_interval = { 0, every * 1000 },
	};

	setitimer(ITIMER_REAL, &it, NULL);
}

static void pipes(void)
{
	char c = 'x';
	int broken[2];

	if (pipe(broken))
		return;
	close(broken[0]);
	signal(SIGPIPE, SIG_IGN);
	errno = 0;
	tell("write, ignored", write(broken[1], &c, 1));
	catch (SIGPIPE, 0);
	tell("write, caught", write(broken[1], &c, 1));
	printf("from me %d\n", (int)from_me);
	signal(SIGPIPE, SIG_DFL);
	close(broken[1]);
}

static void alarms(void)
{
	struct timespec t = { 5, 0 }, left = { 0, 0 };
	struct itimerval it;
	char c;

	tell("alarm, none", alarm(100));
	tell("alarm, another", alarm(0) > 90);
	catch (SIGALRM, 0);
	in_ms(50, 0);
	tell("pause", pause());
	in_ms(50, 0);
	tell("nanosleep", nanosleep(&t, &left));
	printf("left %d\n", left.tv_sec >= 4);
	in_ms(50, 0);
	tell("read, no restart", read(ends[0], &c, 1));
	in_ms(50, 0);
	tell("poll", poll(&(struct pollfd){ ends[0], POLLIN, 0 }, 1, 5000));
	alarm(1);
	tell("sleep", sleep(3) > 0);
	signal(SIGALRM, SIG_IGN);
	in_ms(50, 0);
	t = (struct timespec){ 0, 200000000 };
	tell("nanosleep, ignored", nanosleep(&t, &left));
	memset(&it, 0, sizeof(it));
	in_ms(10000, 5);
	tell("getitimer", getitimer(ITIMER_REAL, &it));
	printf("%d %d\n", it.it_value.tv_sec >= 9, (int)it.it_interval.tv_usec);
	in_ms(0, 0);
}

static void on_alarm_write(int sig)
{
	came = sig;
	if (write(ends[1], "y", 1) != 1)
		_exit(9);
}

static void restarts(void)
{
	struct sigaction sa = { .sa_handler = on_alarm_write,
				.sa_flags = SA_RESTART };
	char c = 0;
	long r;

	sigaction(SIGALRM, &sa, NULL);
	in_ms(50, 0);
	r = read(ends[0], &c, 1);
	printf("%c ", c);
	tell("read, restarted", r);
}

/* The signal comes while nothing calls: at the next one it is there. */
static void computing(void)
{
	struct timespec a, b;

	catch (SIGALRM, 0);
	in_ms(20, 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	do
		clock_gettime(CLOCK_MONOTONIC, &b);
	while (!came && b.tv_sec - a.tv_sec < 5);
	tell("while computing", 0);
}

static void timers(void)
{
	const struct itimerspec once = { .it_value = { 0, 30000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = REAL_TIME };
	struct itimerspec left;
	timer_t t;

	e.sigev_value.sival_ptr = &ends;
	catch (REAL_TIME, 0);
	tell("timer_create", timer_create(CLOCK_MONOTONIC, &e, &t));
	tell("timer_settime", timer_settime(t, 0, &once, NULL));
	tell("pause", pause());
	printf("value %d overrun %d\n", value == &ends, (int)overrun);
	tell("timer_gettime", timer_gettime(t, &left));
	printf("left %d\n", left.it_value.tv_sec == 0);
	tell("timer_getoverrun", timer_getoverrun(t));
	tell("timer_delete", timer_delete(t));
	/* musl gives the number of the error as it is. */
	tell("timer_delete again", timer_delete(t) == 0);
	catch (SIGALRM, 0);
	tell("timer_create, plain", timer_create(CLOCK_REALTIME, NULL, &t));
	tell("timer_settime", timer_settime(t, 0, &once, NULL));
	tell("pause", pause());
	tell("timer_delete", timer_delete(t));
	e.sigev_signo = 99;
	tell("timer_create, no signal", timer_create(CLOCK_REALTIME, &e, &t));
	e.sigev_notify = SIGEV_NONE;
	tell("timer_create, quiet", timer_create(CLOCK_REALTIME, &e, &t));
	tell("timer_delete", timer_delete(t));
}

static void waits(void)
{
	const struct timespec soon = { 0, 30000000 };
	siginfo_t si;
	sigset_t set, none;
	int sig = 0;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	catch (SIGALRM, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	in_ms(30, 0);
	tell("sigwait", sigwait(&set, &sig));
	printf("%d\n", sig == SIGALRM);
	tell("sigtimedwait, none", sigtimedwait(&set, NULL, &soon));
	in_ms(30, 0);
	memset(&si, 0, sizeof(si));
	tell("sigwaitinfo", sigwaitinfo(&set, &si));
	printf("%d %d\n", si.si_signo, si.si_code);
	in_ms(30, 0);
	tell("sigsuspend", sigsuspend(&none));
	tell("sigqueue",
	     sigqueue(getpid(), SIGALRM, (union sigval){ .sival_int = 7 }));
	tell("sigpending", sigpending(&none));
	printf("%d\n", sigismember(&none, SIGALRM));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	tell("unblocked", 0);
	signal(SIGALRM, SIG_DFL);
}

static int await(void)
{
	catch (SIGUSR1, 0);
	catch (SIGHUP, 0);
	signal(SIGTERM, SIG_IGN);
	printf("ready\n");
	fflush(stdout);
	while (came != SIGUSR1)
		pause();
	tell("USR1", 0);
	printf("ready\n");
	fflush(stdout);
	while (came != SIGHUP)
		poll(NULL, 0, 10000);
	tell("HUP", 0);
	return 0;
}

static int end(const char *what)
{
	char c = 'x';

	if (!strcmp(what, "pipe")) {
		close(ends[0]);
		return write(ends[1], &c, 1) != 0;
	}
	printf("ready\n");
	fflush(stdout);
	if (!strcmp(what, "alarm"))
		in_ms(30, 0);
	if (!strcmp(what, "spin"))
		for (;;)
			__asm__ volatile("pause");
	for (;;)
		pause();
}

static volatile sig_atomic_t ticks[2];

static void tick(int sig)
{
	ticks[sig == SIGALRM]++;
}

/* Timers that run on when it ends are nobody's. */
static int left(void)
{
	const struct itimerspec each = { { 0, 500000 }, { 0, 500000 } };
	const struct itimerval every = { { 0, 500 }, { 0, 500 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1 };
	timer_t t;

	signal(SIGALRM, tick);
	signal(SIGUSR1, tick);
	if (timer_create(CLOCK_MONOTONIC, &e, &t) ||
	    timer_settime(t, 0, &each, NULL) ||
	    setitimer(ITIMER_REAL, &every, NULL))
		return 1;
	while (ticks[0] < 5 || ticks[1] < 5)
		poll(NULL, 0, 1);
	return 5;
}

static void inherited(int sig)
{
	struct sigaction sa;
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	sigaction(sig, NULL, &sa);
	printf("%d ignored %d blocked %d\n", sig, sa.sa_handler == SIG_IGN,
	       sigismember(&set, sig));
}

int main(int argc, char **argv)
{
	if (argc < 2 || pipe(ends))
		return 2;
	if (!strcmp(argv[1], "await"))
		return await();
	if (!strcmp(argv[1], "end") && argc > 2)
		return end(argv[2]);
	if (!strcmp(argv[1], "left"))
		return left();
	if (!strcmp(argv[1], "inherited")) {
		inherited(SIGHUP);
		inherited(SIGUSR2);
		inherited(SIGPIPE);
		return 0;
	}
	pipes();
	alarms();
	restarts();
	computing();
	timers();
	waits();
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program that asks its system for this and that, and prints what it gets:
 * the same natively and under edmm sim, however it is linked.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define THREADS 20
#define SAY(...) (printf(__VA_ARGS__), fflush(stdout))

static int status_of(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* ---- what it is told --------------------------------------------------- */

static void tell_start(int argc, char **argv)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	uint64_t pair[2], phdr = 0;
	int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < argc; i++)
		SAY("argument %s\n", argv[i]);
	SAY("execfn %s\n", (const char *)getauxval(AT_EXECFN));
	exe[n > 0 ? n : 0] = 0;
	SAY("exe %s\n", exe);
	SAY("page %lu, id %lu\n", getauxval(AT_PAGESZ), getauxval(AT_EUID));
	while (read(fd, pair, sizeof(pair)) == sizeof(pair) && pair[0])
		if (pair[0] == AT_PHDR)
			phdr = pair[1];
	SAY("headers %d\n", phdr == getauxval(AT_PHDR));
	close(fd);
	SAY("launch variable %d\n", getenv("EDMM_LAUNCH") != NULL);
}

/* ---- memory and threads ------------------------------------------------ */

static void use_break(void)
{
	char *now = sbrk(0), *more = sbrk(1 << 20);

	SAY("break %d\n", more == now);
	memset(more, 1, 1 << 20);
	SAY("back %d\n", sbrk(-(1 << 20)) == now + (1 << 20));
}

static __thread int own;
static pthread_barrier_t barrier;

static void *thread(void *arg)
{
	struct timespec ts = { .tv_nsec = 1000000 };

	own = *(int *)arg;
	pthread_barrier_wait(&barrier);
	nanosleep(&ts, NULL);
	return own == *(int *)arg ? arg : NULL;
}

static void use_threads(void)
{
	pthread_t t[THREADS];
	int n[THREADS], sum = 0;
	void *r;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		n[i] = i + 1;
		pthread_create(&t[i], NULL, thread, &n[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &r);
		sum += r ? *(int *)r : 0;
	}
	SAY("threads %d\n", sum);
}

static void *wait_for_ever(void *arg)
{
	pause();
	return arg;
}

static void use_cancel(void)
{
	pthread_t t;
	void *r = NULL;

	pthread_create(&t, NULL, wait_for_ever, NULL);
	pthread_cancel(t);
	pthread_join(t, &r);
	SAY("cancelled %d\n", r == PTHREAD_CANCELED);
}

/* ---- signals ----------------------------------------------------------- */

static volatile int seen;
static volatile uint64_t seen_rip;
static char stack[65536];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char here;

	seen = sig + (info->si_signo == sig ? 1000 : 0) +
	       (&here - stack < (long)sizeof(stack) ? 10000 : 0);
	seen_rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	seen = info->si_code == SEGV_MAPERR && (uint64_t)info->si_addr == 64;
	/* Past "movb $0, (%rax)". */
	uc->uc_mcontext.gregs[REG_RIP] += 3;
	uc->uc_mcontext.gregs[REG_RDX] = 77;
}

static void use_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	uint64_t d = 0, a = 64;

	sigaction(SIGSEGV, &sa, NULL);
	__asm__ volatile("movb $0, (%%rax)" : "+d"(d) : "a"(a) : "memory");
	SAY("fault %d %lu\n", seen, d);
	signal(SIGSEGV, SIG_DFL);
}

static void use_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct itimerval it = { .it_value.tv_usec = 10000 };
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t set;
	int ends[2];
	char c = 0;
	ssize_t n;

	sigaltstack(&ss, NULL);
	sigaction(SIGALRM, &sa, NULL);
	raise(SIGALRM);
	SAY("raised %d\n", seen);
	seen = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	n = pause();
	SAY("pause %zd %d %d\n", n, errno, seen);
	if (pipe(ends))
		return;
	setitimer(ITIMER_REAL, &it, NULL);
	n = read(ends[0], &c, 1);
	SAY("read %zd %d\n", n, errno);
	/* A call that is begun again waits on. */
	sa.sa_flags |= SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	seen = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	if (!fork()) {
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	n = read(ends[0], &c, 1);
	SAY("restarted %zd %c %d\n", n, c, seen);
	wait(NULL);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGALRM);
	seen = 0;
	sigdelset(&set, SIGALRM);
	n = sigsuspend(&set);
	SAY("suspended %zd %d\n", n, seen);
	sigprocmask(SIG_SETMASK, NULL, &set);
	SAY("still blocked %d %d\n", sigismember(&set, SIGALRM),
	    sigismember(&set, SIGSEGV));
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* ---- processes --------------------------------------------------------- */

extern char **environ;

static void use_processes(const char *self)
{
	char *args[] = { (char *)(uintptr_t)self, (char *)"again", NULL };
	char *none[] = { NULL };
	pid_t pid = fork();
	int r, status;

	if (!pid)
		_exit(7);
	SAY("fork %#x\n", status_of(pid));
	pid = fork();
	if (!pid) {
		execve("/proc/self/exe", args, none);
		_exit(1);
	}
	SAY("exec %#x\n", status_of(pid));
	pid = vfork(); /* NOLINT: it is what is tested */
	if (!pid) {
		execv(self, args);
		_exit(1);
	}
	SAY("vfork %#x\n", status_of(pid));
	r = posix_spawn(&pid, self, NULL, NULL, args, environ);
	status = status_of(pid);
	SAY("spawn %d %#x\n", r, status);
	SAY("none %d\n", posix_spawn(&pid, "/none", NULL, NULL, args, none));
	SAY("exec of nothing %d", execv("/none", args));
	SAY(" %d\n", errno);
	SAY("system %#x\n", system("exit 3"));
}

static void use_errors(void)
{
	long bad = 1;

	errno = 0;
	SAY("bad path %ld", syscall(SYS_open, bad, 0));
	SAY(" %d\n", errno);
	SAY("no call %ld", syscall(99999));
	SAY(" %d\n", errno);
	SAY("bad mask %ld", syscall(SYS_rt_sigprocmask, 9, &bad, NULL, 8L));
	SAY(" %d\n", errno);
}

int main(int argc, char **argv)
{
	struct timespec ts = { 0 };

	if (argc == 2 && !strcmp(argv[1], "again")) {
		SAY("again\n");
		return 9;
	}
	tell_start(argc, argv);
	SAY("clock %d %d\n", clock_gettime(CLOCK_MONOTONIC, &ts),
	    ts.tv_sec > 0);
	use_break();
	use_threads();
	use_cancel();
	use_signals();
	use_faults();
	use_processes(argv[0]);
	use_errors();
	return 5;
}

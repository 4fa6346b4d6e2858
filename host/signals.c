/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler decides by what the enclave has told last, and keeps what is the
 * program's. Signals that a processor raises are not here: they are the
 * vDSO's, and an enclave believes its own save area only.
 *
 * A call that blocks has to end for a signal that comes a moment before it. So
 * while one is kept and the thread is in a call, a timer interrupts it again
 * and again (KICK); the handler of that does nothing.
 *
 * Locks: none. Handlers run with all signals blocked, and what reads their
 * queue blocks them, too; one that another thread gets is sent on.
 */
#include "host/signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"

#define SIGNALS 64
#define BIT(signo) (1ull << ((signo)-1))
#define FIRST_QUEUED 32
#define QUEUE_SIZE 256
#define KICK_NS 10000000
#define NSEC 1000000000ull
#define KICK SIGURG
/* Taken from the start: by default they are the end of a program. */
#define ENDING                                                         \
	(BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGABRT) |     \
	 BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGPIPE) | BIT(SIGALRM) |   \
	 BIT(SIGTERM) | BIT(SIGSTKFLT) | BIT(SIGXCPU) | BIT(SIGXFSZ) | \
	 BIT(SIGVTALRM) | BIT(SIGPROF) | BIT(SIGPOLL) | BIT(SIGPWR) |  \
	 0xfffffffe00000000ull)
#define STOPS (BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define OTHERS \
	(STOPS | BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGWINCH) | BIT(SIGURG))

static struct {
	struct wire_signals *shared;
	sigjmp_buf *end;
	pid_t tid;
	timer_t kick;
	bool has_kick;
	volatile sig_atomic_t in_call;
	uint64_t installed;
	struct sigaction was[SIGNALS + 1];
	struct wire_signal queue[QUEUE_SIZE];
	unsigned int first, count;
} s;

static uint64_t told(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void kick(bool on)
{
	struct itimerspec t = { 0 };

	if (!s.has_kick)
		return;
	if (on)
		t.it_interval.tv_nsec = t.it_value.tv_nsec = KICK_NS;
	timer_settime(s.kick, 0, &t, NULL);
}

static bool is_kick(int sig, const siginfo_t *info)
{
	return sig == KICK && info->si_code == SI_TIMER &&
	       info->si_value.sival_ptr == &s;
}

static bool is_kept(int sig)
{
	for (unsigned int i = 0; i < s.count; i++)
		if (s.queue[(s.first + i) % QUEUE_SIZE].signo == sig)
			return true;
	return false;
}

/* As the kernel keeps them: one of the first 31, and no more than fit. */
static void keep(int sig, const siginfo_t *info)
{
	struct wire_signal *to = &s.queue[(s.first + s.count) % QUEUE_SIZE];

	if (s.count == QUEUE_SIZE || (sig < FIRST_QUEUED && is_kept(sig)))
		return;
	*to = (struct wire_signal){ .signo = sig, .code = info->si_code };
	to->fields[0] =
		(uint32_t)info->si_pid | (uint64_t)(uint32_t)info->si_uid << 32;
	if (info->si_code != SI_USER && info->si_code != SI_KERNEL)
		to->fields[1] = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
	s.count++;
	__atomic_store_n(&s.shared->pending, 1, __ATOMIC_RELEASE);
	if (s.in_call)
		kick(true);
}

static void restore(int sig)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	sigaction(sig, &dfl, NULL);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	const uint64_t bit = BIT(sig);
	const int error = errno;

	(void)context;
	if (is_kick(sig, info))
		return;
	if (syscall(SYS_gettid) != s.tid) {
		syscall(SYS_rt_tgsigqueueinfo, getpid(), s.tid, sig, info);
		errno = error;
		return;
	}
	if ((told(&s.shared->blocked) | told(&s.shared->caught)) & bit) {
		keep(sig, info);
	} else if (STOPS & bit) {
		if (!(told(&s.shared->ignored) & bit))
			raise(SIGSTOP);
	} else if (!(told(&s.shared->ignored) & bit) && ENDING & bit) {
		/* The next one is for whoever writes the report too long. */
		restore(sig);
		siglongjmp(*s.end, sig);
	}
	errno = error;
}

static void install(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO };

	sigfillset(&sa.sa_mask);
	if (s.installed & BIT(sig) || sigaction(sig, &sa, &s.was[sig]))
		return;
	s.installed |= BIT(sig);
	/* Until the enclave says otherwise. */
	if (s.was[sig].sa_handler == SIG_IGN)
		s.shared->start_ignored |= BIT(sig);
}

void host_signals_begin(struct wire_signals *shared, sigjmp_buf *end)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID,
			      .sigev_signo = KICK };
	sigset_t blocked;

	memset(&s, 0, sizeof(s));
	s.shared = shared;
	s.end = end;
	s.tid = (pid_t)syscall(SYS_gettid);
	e.sigev_value.sival_ptr = &s;
	e._sigev_un._tid = s.tid;
	install(KICK);
	s.has_kick = timer_create(CLOCK_MONOTONIC, &e, &s.kick) == 0;
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (ENDING & BIT(sig))
			install(sig);
	shared->ignored = shared->start_ignored;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (s.installed & BIT(sig) && sigismember(&blocked, sig) == 1)
			shared->start_blocked |= BIT(sig);
	shared->blocked = shared->start_blocked;
	/* What the program blocks comes here all the same, and is kept. */
	sigemptyset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void host_signals_end(void)
{
	if (!s.shared)
		return;
	if (s.has_kick)
		timer_delete(s.kick);
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (s.installed & BIT(sig))
			sigaction(sig, &s.was[sig], NULL);
	s.shared = NULL;
}

void host_signals_call(bool in)
{
	if (!s.shared)
		return;
	s.in_call = in;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s.shared->pending, __ATOMIC_RELAXED) && s.count)
		kick(in);
}

static void block(sigset_t *was)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, was);
}

int host_signals_take(struct wire_signal *to, uint64_t *count)
{
	sigset_t was;

	*count = 0;
	if (!s.shared)
		return -ENOSYS;
	block(&was);
	if (s.count) {
		*to = s.queue[s.first];
		s.first = (s.first + 1) % QUEUE_SIZE;
		s.count--;
		*count = 1;
	}
	__atomic_store_n(&s.shared->pending, s.count != 0, __ATOMIC_RELEASE);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return 0;
}

int host_signals_wait(uint64_t nanoseconds)
{
	struct timespec t = { .tv_sec = (time_t)(nanoseconds / NSEC),
			      .tv_nsec = (long)(nanoseconds % NSEC) };
	sigset_t was;

	if (!s.shared)
		return -ENOSYS;
	block(&was);
	if (!s.count)
		ppoll(NULL, 0, nanoseconds == UINT64_MAX ? NULL : &t, &was);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return 0;
}

int host_signals_hand(uint64_t signo)
{
	if (!s.shared || signo < 1 || signo > SIGNALS)
		return -ENOSYS;
	if (OTHERS & BIT(signo))
		install((int)signo);
	return 0;
}

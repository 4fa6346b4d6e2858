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
 * A thread that computes is in no call. The handler finds it at the vDSO's
 * ENCLU, about to be resumed, and enters once more, above what is suspended
 * there: the enclave's own handler is what ERESUME then goes on with. Where the
 * handler finds it between two entries, the timer comes again.
 *
 * Locks: none. Handlers run with all signals blocked, and what reads their
 * queue blocks them, too; one that another thread gets is sent on.
 */
#include "host/signals.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/calls.h"
#include "host/host.h"

#define SIGNALS 64
#define BIT(signo) (1ull << ((signo)-1))
#define FIRST_QUEUED 32
#define QUEUE_SIZE 256
#define KICK_NS 10000000
#define NSEC 1000000000ull
#define KICK SIGURG
/* The vDSO's function is not larger. */
#define ENTER_SIZE 512u
/* Taken from the start: by default they are the end of a program. */
#define ENDING                                                         \
	(BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGABRT) |     \
	 BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGPIPE) | BIT(SIGALRM) |   \
	 BIT(SIGTERM) | BIT(SIGSTKFLT) | BIT(SIGXCPU) | BIT(SIGXFSZ) | \
	 BIT(SIGVTALRM) | BIT(SIGPROF) | BIT(SIGPOLL) | BIT(SIGPWR) |  \
	 0xfffffffe00000000ull)
#define FAULTS                                                    \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | \
	 BIT(SIGTRAP) | BIT(SIGSYS))
#define STOPS (BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define OTHERS \
	(STOPS | BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGWINCH) | BIT(SIGURG))

/**
 * struct host_signals_self - a thread that serves a context
 * @kick: interrupts its calls again and again
 * @in_call: it is in one
 * @kicked: it, or the next, is to end, or what it computes to be interrupted
 * @entry: into the enclave
 */
struct host_signals_self {
	pid_t tid;
	timer_t kick;
	bool has_kick;
	volatile sig_atomic_t in_call;
	volatile sig_atomic_t kicked;
	const struct host_signals_entry *entry;
};
static _Thread_local struct host_signals_self self;

/**
 * @tid: of the thread that signals come to
 * @over: it is to jump to @end
 * @arrivals: of signals, to sleep on
 * @busy: over the queue, with all signals blocked
 * @timer: numbers of the program's timers, and one more; 0: none
 * @itimers: a bit for each that it has set
 */
static struct {
	struct wire_signals *shared;
	sigjmp_buf *end;
	pid_t tid;
	uint32_t over;
	uint64_t installed;
	struct sigaction was[SIGNALS + 1];
	uint32_t arrivals;
	uint32_t busy;
	struct wire_signal queue[QUEUE_SIZE];
	unsigned int first, count;
	int timer[CALL_TIMERS];
	uint32_t itimers;
} s;

static uint64_t told(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void kick(bool on)
{
	struct itimerspec t = { 0 };

	if (!self.has_kick)
		return;
	if (on)
		t.it_interval.tv_nsec = t.it_value.tv_nsec = KICK_NS;
	timer_settime(self.kick, 0, &t, NULL);
}

/* A timer's, or another thread's. */
static bool is_kick(int sig, const siginfo_t *info)
{
	return sig == KICK &&
	       (info->si_code == SI_TIMER || info->si_code == SI_QUEUE) &&
	       info->si_value.sival_ptr == &s;
}

/* Of a call of ours: by its EPIPE the enclave knows, and for which thread. */
static bool is_own_pipe(int sig, const siginfo_t *info)
{
	return sig == SIGPIPE && self.in_call && info->si_code == SI_USER &&
	       info->si_pid == getpid();
}

/*
 * At an ENCLU that resumes the thread's enclave: the vDSO's, or it has left by
 * an interrupt and is there for that. No other code has RAX and RBX so.
 */
static bool is_suspended(const ucontext_t *uc)
{
	const greg_t *g = uc->uc_mcontext.gregs;

	return self.entry && g[REG_RAX] == SGX_ERESUME &&
	       (uint64_t)g[REG_RBX] == self.entry->tcs &&
	       (uint64_t)g[REG_RIP] - self.entry->code < ENTER_SIZE;
}

/* What is computed is interrupted now, or when the timer comes again. */
static void poke(const ucontext_t *uc)
{
	enum host_noticed how = HOST_NOT_NOTICED;

	if (!self.in_call && is_suspended(uc))
		how = self.entry->call(self.entry->arg);
	if (how == HOST_INTERRUPTED)
		self.kicked = 0;
	kick(how == HOST_NOT_NOTICED);
}

static void on_kick(const ucontext_t *uc)
{
	if (self.tid == s.tid && __atomic_load_n(&s.over, __ATOMIC_ACQUIRE))
		siglongjmp(*s.end, -1);
	if (self.kicked)
		poke(uc);
	else if (!self.in_call)
		kick(false);
}

static void queue_lock(void)
{
	while (__atomic_exchange_n(&s.busy, 1, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static void queue_unlock(void)
{
	__atomic_store_n(&s.busy, 0, __ATOMIC_RELEASE);
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
	struct wire_signal *to;

	if (s.count == QUEUE_SIZE || (sig < FIRST_QUEUED && is_kept(sig)))
		return;
	to = &s.queue[(s.first + s.count) % QUEUE_SIZE];
	*to = (struct wire_signal){ .signo = sig, .code = info->si_code };
	to->fields[0] =
		(uint32_t)info->si_pid | (uint64_t)(uint32_t)info->si_uid << 32;
	if (info->si_code != SI_USER && info->si_code != SI_KERNEL)
		to->fields[1] = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
	s.count++;
	__atomic_store_n(&s.shared->pending, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&s.arrivals, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &s.arrivals, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL,
		NULL, 0);
}

static void restore(int sig)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	sigaction(sig, &dfl, NULL);
}

/* One for the program: done with as it has it, by its first thread. */
static void take(int sig, siginfo_t *info, const ucontext_t *uc)
{
	const uint64_t bit = BIT(sig);

	if (self.tid != s.tid) {
		syscall(SYS_rt_tgsigqueueinfo, getpid(), s.tid, sig, info);
	} else if ((told(&s.shared->blocked) | told(&s.shared->caught)) & bit) {
		queue_lock();
		keep(sig, info);
		queue_unlock();
		self.kicked |= !(told(&s.shared->blocked) & bit);
		if (self.in_call || self.kicked)
			poke(uc);
	} else if (STOPS & bit) {
		if (!(told(&s.shared->ignored) & bit))
			raise(SIGSTOP);
	} else if (!(told(&s.shared->ignored) & bit) && ENDING & bit) {
		/* The next one is for whoever writes the report too long. */
		restore(sig);
		siglongjmp(*s.end, sig);
	}
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	const int error = errno;

	if (is_kick(sig, info))
		on_kick(context);
	else if (!is_own_pipe(sig, info))
		take(sig, info, context);
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

struct host_signals_self *host_signals_self(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID,
			      .sigev_signo = KICK };

	if (self.tid)
		return &self;
	self.tid = (pid_t)syscall(SYS_gettid);
	e.sigev_value.sival_ptr = &s;
	e._sigev_un._tid = self.tid;
	self.has_kick = timer_create(CLOCK_MONOTONIC, &e, &self.kick) == 0;
	return &self;
}

void host_signals_entry(const struct host_signals_entry *entry)
{
	self.entry = entry;
}

pid_t host_signals_tid(const struct host_signals_self *of)
{
	return of->tid;
}

void host_signals_self_end(void)
{
	if (self.has_kick)
		timer_delete(self.kick);
	self = (struct host_signals_self){ 0 };
}

static void send_kick(pid_t tid)
{
	siginfo_t info = { .si_signo = KICK, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_ptr = &s;
	syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, KICK, &info);
}

void host_signals_kick(struct host_signals_self *to)
{
	to->kicked = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	send_kick(to->tid);
}

int host_signals_thread(pthread_t *id, const pthread_attr_t *attr,
			void *(*f)(void *), void *arg)
{
	sigset_t set, was;
	int err;

	sigfillset(&set);
	sigdelset(&set, KICK);
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (FAULTS & BIT(sig))
			sigdelset(&set, sig);
	pthread_sigmask(SIG_SETMASK, &set, &was);
	err = pthread_create(id, attr, f, arg);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return err;
}

void host_signals_end_run(void)
{
	__atomic_store_n(&s.over, 1, __ATOMIC_RELEASE);
	send_kick(s.tid);
}

void host_signals_begin(struct wire_signals *shared, sigjmp_buf *end)
{
	sigset_t blocked;

	memset(&s, 0, sizeof(s));
	s.shared = shared;
	s.end = end;
	s.tid = host_signals_self()->tid;
	install(KICK);
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

static bool swap_timer(int is, int to)
{
	for (int i = 0; i < CALL_TIMERS; i++) {
		int was = is;

		if (__atomic_compare_exchange_n(&s.timer[i], &was, to, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

void host_signals_timer(int id, bool there)
{
	(void)(there ? swap_timer(0, id + 1) : swap_timer(id + 1, 0));
}

void host_signals_itimer(int which)
{
	__atomic_fetch_or(&s.itimers, 1u << which, __ATOMIC_RELAXED);
}

/* Or one would come when its signal ends us. */
static void end_timers(void)
{
	const struct itimerval none = { 0 };

	for (int i = 0; i < CALL_TIMERS; i++)
		if (s.timer[i])
			syscall(SYS_timer_delete, s.timer[i] - 1);
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		if (s.itimers & 1u << which)
			setitimer((__itimer_which_t)which, &none, NULL);
}

void host_signals_end(void)
{
	if (!s.shared)
		return;
	end_timers();
	host_signals_self_end();
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (s.installed & BIT(sig))
			sigaction(sig, &s.was[sig], NULL);
	s.shared = NULL;
}

void host_signals_call(bool in)
{
	if (!s.shared)
		return;
	self.in_call = in;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (self.kicked ||
	    (self.tid == s.tid &&
	     __atomic_load_n(&s.shared->pending, __ATOMIC_RELAXED)))
		kick(in);
	if (!in)
		self.kicked = 0;
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
	queue_lock();
	if (s.count) {
		*to = s.queue[s.first];
		s.first = (s.first + 1) % QUEUE_SIZE;
		s.count--;
		*count = 1;
	}
	__atomic_store_n(&s.shared->pending, s.count != 0, __ATOMIC_RELEASE);
	queue_unlock();
	sigprocmask(SIG_SETMASK, &was, NULL);
	return 0;
}

int host_signals_wait(uint64_t nanoseconds)
{
	struct timespec t = { .tv_sec = (time_t)(nanoseconds / NSEC),
			      .tv_nsec = (long)(nanoseconds % NSEC) };
	uint32_t seen;

	if (!s.shared)
		return -ENOSYS;
	/* A kick ends it, too: a signal for this thread alone. */
	host_signals_call(true);
	seen = __atomic_load_n(&s.arrivals, __ATOMIC_ACQUIRE);
	if (!__atomic_load_n(&s.shared->pending, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &s.arrivals, FUTEX_WAIT_PRIVATE, seen,
			nanoseconds == UINT64_MAX ? NULL : &t, NULL, 0);
	host_signals_call(false);
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

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libc's functions for signals and threads, over the virtual ones of sig.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/signal/thread.h"

#define EXPORT __attribute__((visibility("default")))

static int result(long r)
{
	if (r >= 0)
		return (int)r;
	errno = (int)-r;
	return -1;
}

static int action(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct ksigaction k = { 0 }, o = { 0 };
	long r;

	if (act) {
		k.handler = (void *)act->sa_handler;
		k.flags = (uint64_t)(unsigned)act->sa_flags;
		memcpy(&k.mask, &act->sa_mask, sizeof(k.mask));
	}
	r = sig_action(sig, act ? &k : NULL, old ? &o : NULL);
	if (!r && old) {
		memset(old, 0, sizeof(*old));
		old->sa_handler = (__sighandler_t)o.handler;
		old->sa_flags = (int)(o.flags & ~KSIG_RESTORER);
		memcpy(&old->sa_mask, &o.mask, sizeof(o.mask));
	}
	return result(r);
}

EXPORT int sigaction(int sig, const struct sigaction *restrict act,
		     struct sigaction *restrict old)
{
	if (sig == SIGKILL || sig == SIGSTOP)
		return result(act ? -EINVAL : 0);
	/* glibc keeps the first two real-time signals for itself. */
	if (sig == 32 || sig == 33)
		return result(-EINVAL);
	return action(sig, act, old);
}

static __sighandler_t simple(int sig, __sighandler_t handler, int flags)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = flags }, old;

	if (handler == SIG_ERR)
		return errno = EINVAL, SIG_ERR;
	if (!(flags & SA_NODEFER))
		sigaddset(&a.sa_mask, sig);
	return sigaction(sig, &a, &old) ? SIG_ERR : old.sa_handler;
}

EXPORT __sighandler_t signal(int sig, __sighandler_t handler)
{
	return simple(sig, handler, SA_RESTART);
}

__sighandler_t bsd_signal(int sig, __sighandler_t handler);
EXPORT __sighandler_t bsd_signal(int sig, __sighandler_t handler)
{
	return simple(sig, handler, SA_RESTART);
}

EXPORT __sighandler_t sysv_signal(int sig, __sighandler_t handler)
{
	return simple(sig, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

EXPORT __sighandler_t __sysv_signal(int sig, __sighandler_t handler)
{
	return simple(sig, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

/* ---- masks ------------------------------------------------------------- */

/* Synchronous signals stay unblocked; what the program asked is remembered. */
static int mask_change(int how, const sigset_t *set, sigset_t *old)
{
	struct thread *t = thread_self();
	uint64_t want = 0, was = 0, blocked;
	long r;

	sig_settle(t, (uint64_t)__builtin_frame_address(0));
	blocked = t->blocked;
	if (set)
		memcpy(&want, set, sizeof(want));
	if (set && how == SIG_BLOCK)
		blocked |= want & KSIG_SYNC;
	else if (set && how == SIG_UNBLOCK)
		blocked &= ~want;
	else if (set && how == SIG_SETMASK)
		blocked = want & KSIG_SYNC;
	/* glibc never lets a program block its own two signals. */
	want &= ~(KSIG_SYNC | KSIG_BIT(32) | KSIG_BIT(33));
	r = sys_call(SYS_rt_sigprocmask, how, set ? (long)&want : 0, (long)&was,
		     8);
	if (r)
		return (int)-r;
	if (old) {
		was = (was & ~(KSIG_BIT(32) | KSIG_BIT(33))) | t->blocked;
		memset(old, 0, sizeof(*old));
		memcpy(old, &was, sizeof(was));
	}
	t->blocked = blocked;
	return 0;
}

EXPORT int pthread_sigmask(int how, const sigset_t *restrict set,
			   sigset_t *restrict old)
{
	return mask_change(how, set, old);
}

EXPORT int sigprocmask(int how, const sigset_t *restrict set,
		       sigset_t *restrict old)
{
	return result(-mask_change(how, set, old));
}

/* syscall(2): as the kernel takes them, without libc's two signals. */
long do_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
	uint64_t want, had;
	sigset_t s, was;
	long r;

	if (size != sizeof(want))
		return -EINVAL;
	if (set && ucopy(&want, set, sizeof(want)))
		return -EFAULT;
	memset(&s, 0, sizeof(s));
	if (set)
		memcpy(&s, &want, sizeof(want));
	r = -mask_change(how, set ? &s : NULL, &was);
	memcpy(&had, &was, sizeof(had));
	if (!r && old && ucopy(old, &had, sizeof(had)))
		return -EFAULT;
	return r;
}

long do_sigaction(int sig, const void *act, void *old, size_t size)
{
	struct ksigaction k = { 0 }, o = { 0 };
	long r;

	if (size != sizeof(k.mask) || sig == SIGKILL || sig == SIGSTOP)
		return sys_call(SYS_rt_sigaction, sig, (long)act, (long)old,
				(long)size);
	if (act && ucopy(&k, act, sizeof(k)))
		return -EFAULT;
	r = sig_action(sig, act ? &k : NULL, &o);
	if (!r && old && ucopy(old, &o, sizeof(o)))
		return -EFAULT;
	return r;
}

long do_sigaltstack(const void *ss, void *old)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);
	stack_t s, was;
	long r;

	if (ss && ucopy(&s, ss, sizeof(s)))
		return -EFAULT;
	r = sig_altstack(thread_self(), sp, ss ? &s : NULL, &was);
	if (!r && old && ucopy(old, &was, sizeof(was)))
		return -EFAULT;
	return r;
}

EXPORT int sigaltstack(const stack_t *restrict ss, stack_t *restrict old)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);

	return result(sig_altstack(thread_self(), sp, ss, old));
}

/* ---- threads ----------------------------------------------------------- */

/* @t: its record, made before, so that too many are an error; NULL: the call
 * below makes it. */
struct start {
	void *(*fn)(void *);
	void *arg;
	struct thread *t;
};

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;

static void thread_gone(void *arg)
{
	(void)arg;
	thread_exit();
}

static void exit_init(void)
{
	pthread_key_create(&exit_key, thread_gone);
}

static void *thread_start(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	if (s.t)
		thread_become(s.t);
	else
		thread_self();
	sig_adopt();
	pthread_setspecific(exit_key, (void *)1);
	return s.fn(s.arg);
}

EXPORT int pthread_create(pthread_t *restrict thread,
			  const pthread_attr_t *restrict attr,
			  void *(*fn)(void *), void *restrict arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *,
			   void *(*)(void *), void *);
	struct start *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return EAGAIN;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	pthread_once(&exit_once, exit_init);
	*s = (struct start){ fn, arg, dispatch.on ? NULL : thread_new() };
	r = s->t || dispatch.on ? real(thread, attr, thread_start, s) : EAGAIN;
	sig_adopt();
	if (!r)
		return 0;
	if (s->t)
		thread_free(s->t);
	free(s);
	return r;
}

/* ---- cancellation ------------------------------------------------------ */

static int (*real_cancel)(pthread_t thread);
static pthread_once_t cancel_once = PTHREAD_ONCE_INIT;

static void *bear(void *go)
{
	char c;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sys_call(SYS_read, *(int *)go, (long)&c, 1);
	return NULL;
}

/*
 * glibc sets its handler within the first pthread_cancel(), and uses it at
 * once. So the first is of a thread that nobody misses.
 */
static void cancel_init(void)
{
	pthread_t dummy;
	int go[2];

	*(void **)&real_cancel = dlsym(RTLD_NEXT, "pthread_cancel");
	if (sys_call(SYS_pipe2, (long)go, O_CLOEXEC))
		return;
	if (!pthread_create(&dummy, NULL, bear, &go[0])) {
		real_cancel(dummy);
		sig_adopt();
		sys_call(SYS_close, go[1]);
		pthread_join(dummy, NULL);
	} else {
		sys_call(SYS_close, go[1]);
	}
	sys_call(SYS_close, go[0]);
}

EXPORT int pthread_cancel(pthread_t thread)
{
	pthread_once(&cancel_once, cancel_init);
	return real_cancel(thread);
}

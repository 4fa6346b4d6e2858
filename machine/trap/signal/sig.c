/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's signal actions and the delivery of its signals.
 *
 * A frame built here is the kernel's rt_sigframe: return address, ucontext,
 * siginfo, and the extended state above. It differs from the kernel's own in
 * one bit of uc_stack's flags.
 *
 * Locks: @lock guards @actions; taken with signals blocked, never for a signal
 * that comes at any time: its handler reads an action without it, as the
 * kernel's own table may change under a signal too.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/signal/thread.h"

#define NSIG_MAX 65
#define RED_ZONE 128u
/* How far below its frame a handler's stack may reach. */
#define DEEP 0x800000u
/* A bit of uc_stack's flags that no kernel knows: see frame_put(). */
#define STACK_NOT_SET 0x40000000
/* More than the calls below frame_put() take of the stack. */
#define SCRATCH 1024u
/* A context this close below a stack pointer is on its stack. */
#define NEAR 0x100000u
#define SIGSTACK_MIN 2048u
#define FP_XSTATE_MAGIC 0x46505853u
#define FP_SW_OFFSET 464u
#define FP_HEADER_OFFSET 512u
#define FP_MXCSR_OFFSET 24u

/* Of <linux/signal.h>, which does not go with <signal.h>. */
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

struct kucontext {
	uint64_t flags;
	void *link;
	stack_t stack;
	uint64_t gregs[23];
	void *fpstate;
	uint64_t reserved[8];
	uint64_t sigmask;
};

struct kframe {
	void *restorer;
	struct kucontext uc;
	siginfo_t info;
};

_Static_assert(sizeof(struct kucontext) == 304, "kernel's ucontext");

static sig_handler *on_signal;
static struct ksigaction actions[NSIG_MAX];
static atomic_flag lock = ATOMIC_FLAG_INIT;

uint64_t sig_block(void)
{
	uint64_t all = ~KSIG_SYNC, old = 0;

	sys_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)&old, 8);
	return old;
}

void sig_unblock(uint64_t old)
{
	old &= ~KSIG_SYNC;
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, 8);
}

uint64_t sig_context_block(ucontext_t *uc)
{
	struct kucontext *k = (struct kucontext *)uc;
	uint64_t old = k->sigmask;

	k->sigmask = ~KSIG_SYNC;
	return old;
}

void sig_context_unblock(ucontext_t *uc, uint64_t old)
{
	((struct kucontext *)uc)->sigmask = old;
}

static long real_action(int sig, const struct ksigaction *act,
			struct ksigaction *old)
{
	return sys_call(SYS_rt_sigaction, sig, (long)act, (long)old, 8);
}

static bool is_handler(const struct ksigaction *a)
{
	return a->handler != (void *)SIG_DFL && a->handler != (void *)SIG_IGN;
}

static long install(int sig, const struct ksigaction *act)
{
	struct ksigaction k = *act;

	if (is_handler(act) || KSIG_SYNC_TEST(sig) || sig == SIG_KICK) {
		k.handler = (void *)on_signal;
		k.flags &= SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT;
		k.flags |= SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
		k.mask = ~KSIG_SYNC;
		if (sig == SIG_KICK)
			k.flags |= SA_RESTART;
	}
	k.flags |= KSIG_RESTORER;
	k.restorer = sig_restorer;
	return real_action(sig, &k, NULL);
}

static void action_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		sys_call(SYS_sched_yield);
}

static void action_unlock(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

long sig_action(int sig, const struct ksigaction *act, struct ksigaction *old)
{
	uint64_t mask;
	long r = 0;

	if (sig < 1 || sig >= NSIG_MAX)
		return -EINVAL;
	mask = sig_block();
	action_lock();
	if (old)
		*old = actions[sig];
	if (act) {
		r = install(sig, act);
		if (!r)
			actions[sig] = *act;
	}
	action_unlock();
	sig_unblock(mask);
	return r;
}

void sig_init(sig_handler *handler)
{
	on_signal = handler;
	for (int s = 1; s < NSIG_MAX; s++) {
		struct ksigaction *a = &actions[s];

		real_action(s, NULL, a);
		if (KSIG_SYNC_TEST(s) || s == SIG_KICK)
			install(s, a);
	}
	sig_unblock(sig_block());
}

static void adopt(int sig)
{
	struct ksigaction now;

	if (real_action(sig, NULL, &now) || !is_handler(&now) ||
	    now.handler == (void *)on_signal)
		return;
	actions[sig] = now;
	install(sig, &now);
}

void sig_adopt(void)
{
	uint64_t mask = sig_block();

	action_lock();
	adopt(SIG_CANCEL);
	adopt(SIG_SETXID);
	action_unlock();
	sig_unblock(mask);
}

void sig_kick(int tid)
{
	siginfo_t info = { .si_signo = SIG_KICK, .si_code = SI_QUEUE };

	info.si_value.sival_ptr = &machine;
	sys_call(SYS_rt_tgsigqueueinfo, sys_call(SYS_getpid), tid, SIG_KICK,
		 (long)&info);
}

bool sig_is_kick(int sig, const siginfo_t *info)
{
	return sig == SIG_KICK && info->si_code == SI_QUEUE &&
	       info->si_value.sival_ptr == &machine;
}

void sig_table_save(struct sig_table *s)
{
	memcpy(s->action, actions, sizeof(actions));
}

void sig_table_clear(void)
{
	for (int s = 1; s < NSIG_MAX; s++)
		if (is_handler(&actions[s]))
			actions[s] = (struct ksigaction){ 0 };
}

void sig_table_restore(const struct sig_table *s)
{
	memcpy(actions, s->action, sizeof(actions));
}

/* ---- masks and stacks -------------------------------------------------- */

static bool on_stack(const stack_t *s, uint64_t sp)
{
	return s->ss_size && !(s->ss_flags & SS_DISABLE) &&
	       sp - (uint64_t)s->ss_sp - 1 < s->ss_size;
}

/* Is the handler whose frame that is still being run? */
static bool running(const struct thread *t, uint64_t frame, uint64_t sp)
{
	return sp <= frame && frame - sp < DEEP &&
	       on_stack(&t->altstack, sp) == on_stack(&t->altstack, frame);
}

void sig_settle(struct thread *t, uint64_t sp)
{
	while (t->nests && !running(t, t->nest[t->nests - 1].frame, sp))
		t->blocked = t->nest[--t->nests].blocked;
}

/*
 * Does the program return from its handlers by a call of its own, which is
 * dispatched? Then it finds its own signal stack and mask in the frame.
 */
static bool own_return(const struct ksigaction *a)
{
	return dispatch.on && (a->flags & KSIG_RESTORER);
}

/* The handler of a synchronous signal starts. */
static void nest(struct thread *t, const struct ksigaction *a, int sig,
		 uint64_t frame)
{
	uint64_t more = a->mask & KSIG_SYNC;

	if (!(a->flags & SA_NODEFER))
		more |= KSIG_BIT(sig) & KSIG_SYNC;
	if (!(more & ~t->blocked))
		return;
	/* With a return of its own, the frame has the mask. */
	if (!own_return(a) && t->nests < THREAD_NEST_MAX)
		t->nest[t->nests++] = (struct thread_nest){ frame, t->blocked };
	t->blocked |= more;
}

long sig_context_mask(struct thread *t, ucontext_t *uc, int how,
		      const uint64_t *set, uint64_t *old)
{
	struct kucontext *k = (struct kucontext *)uc;
	uint64_t now;

	sig_settle(t, (uint64_t)uc->uc_mcontext.gregs[REG_RSP]);
	now = (k->sigmask & ~KSIG_SYNC) | t->blocked;
	*old = now;
	if (!set)
		return 0;
	if (how == SIG_BLOCK)
		now |= *set;
	else if (how == SIG_UNBLOCK)
		now &= ~*set;
	else if (how == SIG_SETMASK)
		now = *set;
	else
		return -EINVAL;
	k->sigmask = now & ~KSIG_SYNC;
	t->blocked = now & KSIG_SYNC;
	return 0;
}

long sig_altstack(struct thread *t, uint64_t sp, const stack_t *ss,
		  stack_t *old)
{
	stack_t was = t->altstack;
	bool on = on_stack(&was, sp);
	int flags;

	if (ss) {
		/* SS_ONSTACK is not asked for, but taken. */
		flags = ss->ss_flags & ~SS_ONSTACK;
		if (on)
			return -EPERM;
		if (flags & ~(int)(SS_AUTODISARM | SS_DISABLE))
			return -EINVAL;
		if (!(flags & SS_DISABLE) && ss->ss_size < SIGSTACK_MIN)
			return -ENOMEM;
		t->altstack = *ss;
		t->altstack.ss_flags = flags;
		if (flags & SS_DISABLE)
			t->altstack = (stack_t){ .ss_flags = SS_DISABLE };
	}
	if (old) {
		*old = was;
		if (on)
			old->ss_flags |= SS_ONSTACK;
	}
	return 0;
}

/* ---- delivery ---------------------------------------------------------- */

/* The default action, with the context's mask letting the signal through. */
static void die_by(int sig, siginfo_t *info, ucontext_t *uc, bool again)
{
	struct ksigaction dfl = { .flags = KSIG_RESTORER,
				  .restorer = sig_restorer };
	struct kucontext *k = (struct kucontext *)uc;

	real_action(sig, &dfl, NULL);
	k->sigmask &= ~KSIG_BIT(sig);
	if (!again)
		sys_call(SYS_rt_tgsigqueueinfo, sys_call(SYS_getpid),
			 sys_call(SYS_gettid), sig, (long)info);
}

void sig_die(int sig, siginfo_t *info, ucontext_t *uc)
{
	die_by(sig, info, uc, false);
}

static uint64_t frame_top(const struct thread *t, const struct ksigaction *a,
			  const ucontext_t *uc)
{
	uint64_t sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
	const stack_t *s = &t->altstack;
	uint64_t base = (uint64_t)s->ss_sp;

	if ((a->flags & SA_ONSTACK) && !(s->ss_flags & SS_DISABLE) &&
	    s->ss_size && sp - base - 1 >= s->ss_size)
		return base + s->ss_size;
	return sp - RED_ZONE;
}

static uint32_t fpstate_size(const char *fp)
{
	uint32_t magic, size;

	if (!fp)
		return 0;
	memcpy(&magic, fp + FP_SW_OFFSET, 4);
	memcpy(&size, fp + FP_SW_OFFSET + 4, 4);
	return magic == FP_XSTATE_MAGIC ? size : FP_HEADER_OFFSET;
}

/* A handler starts with the extended state that the ABI promises. */
static void fpstate_init(char *fp)
{
	static const uint32_t mxcsr = 0x1f80;
	static const uint16_t fcw = 0x37f;

	if (!fp)
		return;
	if (fpstate_size(fp) > FP_HEADER_OFFSET)
		memset(fp + FP_HEADER_OFFSET, 0, 8);
	memcpy(fp, &fcw, 2);
	memcpy(fp + FP_MXCSR_OFFSET, &mxcsr, 4);
}

static uint64_t stack_pointer(void)
{
	uint64_t sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return sp;
}

static void frame_own(struct kframe *f, const struct thread *t,
		      const struct ksigaction *a)
{
	f->restorer = a->restorer;
	f->uc.stack = t->altstack;
	f->uc.sigmask |= t->blocked;
}

bool sig_frame_take(struct thread *t, void *context)
{
	struct kucontext k;

	if (ucopy(&k, context, sizeof(k)))
		return false;
	t->altstack = k.stack;
	t->blocked = k.sigmask & KSIG_SYNC;
	k.sigmask &= ~KSIG_SYNC;
	k.stack = thread_stack(t);
	return !ucopy(context, &k, sizeof(k));
}

uint64_t sig_frame_child(const struct thread *t, const ucontext_t *uc,
			 uint64_t sp)
{
	stack_t ss = thread_stack((struct thread *)(uintptr_t)t);
	uint64_t at = (uint64_t)ss.ss_sp + ss.ss_size;
	const char *fp = (const char *)uc->uc_mcontext.fpregs;
	uint32_t size = fpstate_size(fp);
	struct kucontext *k;

	at = (at - size) & ~63ul;
	memcpy((void *)at, fp, size);
	k = (void *)((at - sizeof(*k) - sizeof(siginfo_t)) & ~15ul);
	memcpy(k, uc, sizeof(*k));
	k->fpstate = size ? (void *)at : NULL;
	k->stack = ss;
	k->gregs[REG_RAX] = 0;
	if (sp)
		k->gregs[REG_RSP] = sp;
	return (uint64_t)k;
}

/* Puts the frame on the program's stack; its address, or 0. */
static uint64_t frame_put(const struct thread *t, const struct ksigaction *a,
			  siginfo_t *info, ucontext_t *uc)
{
	uint64_t sp = frame_top(t, a, uc);
	struct kframe f = { .restorer = sig_restorer, .info = *info };
	char *fp = (char *)uc->uc_mcontext.fpregs;
	uint32_t size = fpstate_size(fp);

	/* A thread whose signal stack was not set yet: @uc itself is on the
	 * program's stack, and so are we, in the way of the new frame. */
	if (!thread_on_stack(uc) && sp - (uint64_t)uc < NEAR)
		sp = stack_pointer() - SCRATCH;
	memcpy(&f.uc, uc, sizeof(f.uc));
	/* The program's signal stack, marked: rt_sigreturn refuses such flags,
	 * and leaves the machine's as it is. */
	f.uc.stack = t->altstack;
	f.uc.stack.ss_flags |= STACK_NOT_SET;
	if (own_return(a))
		frame_own(&f, t, a);
	if (size) {
		sp = (sp - size) & ~63ul;
		if (ucopy((void *)sp, fp, size))
			return 0;
		f.uc.fpstate = (void *)sp;
	}
	sp = ((sp - sizeof(f)) & ~15ul) - 8;
	return ucopy((void *)sp, &f, sizeof(f)) ? 0 : sp;
}

static void enter_handler(const struct ksigaction *a, int sig, uint64_t frame,
			  ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	struct kucontext *k = (struct kucontext *)uc;

	g[REG_RIP] = (greg_t)a->handler;
	g[REG_RSP] = (greg_t)frame;
	g[REG_RAX] = 0;
	g[REG_RDI] = sig;
	g[REG_RSI] = (greg_t)frame + (greg_t)offsetof(struct kframe, info);
	g[REG_RDX] = (greg_t)frame + (greg_t)offsetof(struct kframe, uc);
	/* DF, TF and RF are clear in a handler. */
	g[REG_EFL] &= ~0x10500ll;
	k->sigmask |= a->mask & ~KSIG_SYNC;
	if (!(a->flags & SA_NODEFER) && !KSIG_SYNC_TEST(sig))
		k->sigmask |= KSIG_BIT(sig);
	fpstate_init((char *)uc->uc_mcontext.fpregs);
}

void sig_deliver(struct thread *t, int sig, siginfo_t *info, ucontext_t *uc,
		 enum sig_cause cause)
{
	struct ksigaction a = actions[sig];
	bool fault = cause != SIG_SENT;
	uint64_t frame;

	sig_settle(t, (uint64_t)uc->uc_mcontext.gregs[REG_RSP]);
	if (a.handler == (void *)SIG_IGN && !fault)
		return;
	if (!is_handler(&a) || (fault && (t->blocked & KSIG_BIT(sig)))) {
		die_by(sig, info, uc, cause == SIG_NATIVE);
		return;
	}
	frame = frame_put(t, &a, info, uc);
	if (!frame) {
		die_by(SIGSEGV, info, uc, false);
		return;
	}
	enter_handler(&a, sig, frame, uc);
	nest(t, &a, sig, frame);
	if (a.flags & SA_RESETHAND)
		actions[sig].handler = (void *)SIG_DFL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * New threads and processes of a program without libc.
 *
 * What gets memory of its own goes on in a copy of this handler. What shares
 * memory (a thread, vfork) needs a record and a signal stack of its own: it
 * starts on that, where a signal frame is ready whose return leads into the
 * program.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

/* Longer than any version of struct clone_args so far. */
#define ARGS_MAX 256

struct spawn {
	long nr;
	long a[6];
	uint64_t flags;
	uint64_t sp; /* 0: the caller's */
	uint64_t tls;
	struct clone_args *args; /* of clone3, our copy */
	/* CLONE_CLEAR_SIGHAND, which would take our handlers too. */
	bool clear;
};

static void child_bases(struct thread *t, const struct spawn *s,
			const struct thread *parent)
{
	t->host_fs = s->flags & CLONE_SETTLS ? s->tls : parent->host_fs;
	t->host_gs = parent->host_gs;
	t->handler_fs = parent->handler_fs;
}

/* The child's stack, as clone or clone3 takes it; 0: the one it has. */
static void set_stack(struct spawn *s, uint64_t sp, uint64_t base)
{
	if (s->args) {
		s->args->stack = base;
		s->args->stack_size = sp - base;
	} else {
		s->a[1] = (long)sp;
	}
}

static long spawn_process(struct trap *tr, struct spawn *s)
{
	long r;

	set_stack(s, 0, 0);
	r = sys_call6(s->nr, s->a);
	if (r)
		return r;
	if (tr->t->handler_fs)
		bases_set(tr->t, tr->t->handler_fs, tr->t->host_gs);
	/* Does all that a new process needs, and ours is new. */
	fork_check();
	if (s->clear)
		sig_table_clear();
	child_bases(tr->t, s, tr->t);
	guard_arm(tr->t);
	if (s->sp)
		tr->uc->uc_mcontext.gregs[REG_RSP] = (greg_t)s->sp;
	return 0;
}

void dispatch_clone_child(uint64_t frame)
{
	struct thread *t = thread_on_stack((const void *)frame);

	t->tid = (int)sys_call(SYS_gettid);
	guard_arm(t);
	t->selector = 1;
	bases_set(t, t->host_fs, t->host_gs);
}

/*
 * A child that shares memory but not the kernel's table of actions, as that of
 * vfork, changes ours: the parent puts it back when it runs again.
 */
static long spawn_sharing(struct trap *tr, struct spawn *s)
{
	bool waits = s->flags & CLONE_VFORK;
	bool own_actions = waits && !(s->flags & CLONE_SIGHAND);
	struct thread *t = thread_new();
	struct sig_table saved;
	uint64_t frame;
	stack_t ss;
	long r;

	/* As where the kernel has no room for one more. */
	if (!t)
		return -EAGAIN;
	ss = thread_stack(t);
	child_bases(t, s, tr->t);
	t->cpuid = tr->t->cpuid;
	t->blocked = tr->t->blocked;
	t->borrowed = waits;
	/* As in Linux: a signal stack is a thread's own, but vfork's lives
	 * on its parent's memory. */
	if (waits)
		t->altstack = tr->t->altstack;
	frame = sig_frame_child(t, tr->uc, s->sp);
	set_stack(s, frame, (uint64_t)ss.ss_sp);
	if (own_actions)
		sig_table_save(&saved);
	if (own_actions && s->clear)
		sig_table_clear();
	r = dispatch_clone_call(s->nr, s->a);
	if (own_actions)
		sig_table_restore(&saved);
	if (r < 0 || waits) {
		exec_free(&t->exec_block);
		thread_free(t);
	}
	return r;
}

static long spawn(struct trap *tr, struct spawn *s)
{
	return s->flags & CLONE_VM ? spawn_sharing(tr, s)
				   : spawn_process(tr, s);
}

long dispatch_fork(struct trap *tr, const long a[6])
{
	struct spawn s = { .nr = SYS_clone, .a = { SIGCHLD } };

	(void)a;
	return spawn(tr, &s);
}

long dispatch_vfork(struct trap *tr, const long a[6])
{
	struct spawn s = { .nr = SYS_clone,
			   .a = { CLONE_VM | CLONE_VFORK | SIGCHLD },
			   .flags = CLONE_VM | CLONE_VFORK };

	(void)a;
	return spawn(tr, &s);
}

long dispatch_clone(struct trap *tr, const long a[6])
{
	struct spawn s = { .nr = SYS_clone,
			   .flags = (uint32_t)a[0],
			   .sp = (uint64_t)a[1],
			   .tls = (uint64_t)a[4] };

	memcpy(s.a, a, sizeof(s.a));
	return spawn(tr, &s);
}

long dispatch_clone3(struct trap *tr, const long a[6])
{
	union {
		struct clone_args args;
		char room[ARGS_MAX];
	} c = { 0 };
	struct spawn s = { .nr = SYS_clone3,
			   .a = { (long)&c, a[1] },
			   .args = &c.args };

	if (a[1] < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (a[1] > ARGS_MAX)
		return -E2BIG;
	if (ucopy(&c, (const void *)a[0], (size_t)a[1]))
		return -EFAULT;
	if (!c.args.stack != !c.args.stack_size)
		return -EINVAL;
	s.clear = c.args.flags & CLONE_CLEAR_SIGHAND;
	c.args.flags &= ~CLONE_CLEAR_SIGHAND;
	s.flags = c.args.flags;
	s.sp = c.args.stack + c.args.stack_size;
	s.tls = c.args.tls;
	return spawn(tr, &s);
}

/* A child of vfork gives its record back by its parent. */
long dispatch_exit(struct trap *tr, const long a[6])
{
	if (tr->t->borrowed)
		return DISPATCH_AGAIN;
	exec_free(&tr->t->exec_block);
	thread_leave(tr->t, a[0]);
}

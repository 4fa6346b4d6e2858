/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The signal calls of a program without libc, on the context that the handler
 * returns to: its mask is the thread's, but for the synchronous signals.
 */
#include <errno.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

#define SET_SIZE 8

static long copy_in(void *dst, long src, size_t size)
{
	return ucopy(dst, (const void *)src, size) ? -EFAULT : 0;
}

static long copy_out(long dst, const void *src, size_t size)
{
	return ucopy((void *)dst, src, size) ? -EFAULT : 0;
}

long dispatch_sigaction(struct trap *tr, const long a[6])
{
	struct ksigaction act, old;
	long r;

	(void)tr;
	if (a[3] != SET_SIZE)
		return -EINVAL;
	if (a[1] && copy_in(&act, a[1], sizeof(act)))
		return -EFAULT;
	if (a[1] && (a[0] == SIGKILL || a[0] == SIGSTOP))
		return -EINVAL;
	r = sig_action((int)a[0], a[1] ? &act : NULL, a[2] ? &old : NULL);
	return !r && a[2] ? copy_out(a[2], &old, sizeof(old)) : r;
}

long dispatch_sigprocmask(struct trap *tr, const long a[6])
{
	uint64_t set, old;
	long r;

	if (a[3] != SET_SIZE)
		return -EINVAL;
	if (a[1] && copy_in(&set, a[1], sizeof(set)))
		return -EFAULT;
	r = sig_context_mask(tr->t, tr->uc, (int)a[0], a[1] ? &set : NULL,
			     &old);
	return !r && a[2] ? copy_out(a[2], &old, sizeof(old)) : r;
}

long dispatch_sigaltstack(struct trap *tr, const long a[6])
{
	uint64_t sp = (uint64_t)tr->uc->uc_mcontext.gregs[REG_RSP];
	stack_t ss, old;
	long r;

	if (a[0] && copy_in(&ss, a[0], sizeof(ss)))
		return -EFAULT;
	r = sig_altstack(tr->t, sp, a[0] ? &ss : NULL, a[1] ? &old : NULL);
	return !r && a[1] ? copy_out(a[1], &old, sizeof(old)) : r;
}

/* The frame is where the stack pointer is; the kernel takes it from there. */
long dispatch_sigreturn(struct trap *tr, const long a[6])
{
	greg_t *g = tr->uc->uc_mcontext.gregs;

	(void)a;
	/* If it cannot be read, the kernel finds that too. */
	sig_frame_take(tr->t, (void *)g[REG_RSP]);
	g[REG_RIP] = (greg_t)sig_restorer;
	return DISPATCH_SET;
}

/* ---- waiting with another mask ----------------------------------------- */

/* The synchronous signals stay open meanwhile: a copy of the mask without
 * them, on the program's stack. */
static long again_masked(struct trap *tr, const long a[6], int arg, long set)
{
	struct dispatch_frame f = { 0 };
	long b[6];

	if (copy_in(&f.mask, set, sizeof(f.mask)))
		return -EFAULT;
	f.mask &= ~KSIG_SYNC;
	for (int i = 0; i < 6; i++)
		b[i] = a[i];
	b[arg] = (long)(dispatch_frame_at(tr) +
			offsetof(struct dispatch_frame, mask));
	return dispatch_again_frame(tr, b, &f);
}

long dispatch_sigsuspend(struct trap *tr, const long a[6])
{
	return a[1] == SET_SIZE ? again_masked(tr, a, 0, a[0]) : -EINVAL;
}

long dispatch_ppoll(struct trap *tr, const long a[6])
{
	return a[3] && a[4] == SET_SIZE ? again_masked(tr, a, 3, a[3])
					: DISPATCH_AGAIN;
}

long dispatch_epoll_pwait(struct trap *tr, const long a[6])
{
	return a[4] && a[5] == SET_SIZE ? again_masked(tr, a, 4, a[4])
					: DISPATCH_AGAIN;
}

/* Its sixth argument is a pointer to the mask's pointer and size. */
long dispatch_pselect(struct trap *tr, const long a[6])
{
	struct dispatch_frame f = { 0 };
	uint64_t at = dispatch_frame_at(tr);
	long b[6] = { a[0], a[1], a[2], a[3], a[4] };

	if (!a[5])
		return DISPATCH_AGAIN;
	if (copy_in(f.set, a[5], sizeof(f.set)))
		return -EFAULT;
	if (!f.set[0] || f.set[1] != SET_SIZE)
		return DISPATCH_AGAIN;
	if (copy_in(&f.mask, (long)f.set[0], sizeof(f.mask)))
		return -EFAULT;
	f.mask &= ~KSIG_SYNC;
	f.set[0] = at + offsetof(struct dispatch_frame, mask);
	b[5] = (long)(at + offsetof(struct dispatch_frame, set));
	return dispatch_again_frame(tr, b, &f);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's own system calls: see dispatch.h.
 *
 * Everything here runs in the handler of SIGSYS. The program's pointers are
 * read and written by ucopy() only: a bad one is EFAULT, as ever.
 */

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/prctl.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/calls/preload.h"
#include "machine/trap/enclave/detour.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/tell/tell.h"

#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012
#define SYSCALL_SIZE 2
#define ADDRESS_LIMIT (1ull << 47)

_Static_assert(offsetof(struct dispatch_frame, args) == 8, "dispatch.S");
_Static_assert(sizeof(struct dispatch_frame) == 80, "dispatch.S");

/* What a detour does with a call (dispatch.S). */
enum turn {
	TURN_HERE,
	TURN_THERE,
	TURN_UNLESS_R10,
	TURN_UNLESS_R8,
};

uint8_t dispatch_kind[DISPATCH_KINDS];

static void turns_init(void);

void dispatch_start(struct thread *t)
{
	if (!guard_arm(t))
		sys_die("a program that makes its own system calls needs "
			"system call dispatch",
			"Linux 5.11 has it, and sud=0 switches it off");
	turns_init();
	dispatch.fs = bases_fs();
	dispatch.on = true;
}

/* ---- to the kernel ----------------------------------------------------- */

static void args_of(const ucontext_t *uc, long a[6])
{
	const greg_t *g = uc->uc_mcontext.gregs;

	a[0] = (long)g[REG_RDI];
	a[1] = (long)g[REG_RSI];
	a[2] = (long)g[REG_RDX];
	a[3] = (long)g[REG_R10];
	a[4] = (long)g[REG_R8];
	a[5] = (long)g[REG_R9];
}

static void args_set(ucontext_t *uc, const long a[6])
{
	greg_t *g = uc->uc_mcontext.gregs;

	g[REG_RDI] = a[0];
	g[REG_RSI] = a[1];
	g[REG_RDX] = a[2];
	g[REG_R10] = a[3];
	g[REG_R8] = a[4];
	g[REG_R9] = a[5];
}

uint64_t dispatch_frame_at(const struct trap *tr)
{
	return (uint64_t)tr->uc->uc_mcontext.gregs[REG_RSP] -
	       DISPATCH_RED_ZONE - sizeof(struct dispatch_frame);
}

long dispatch_again_frame(struct trap *tr, const long a[6],
			  struct dispatch_frame *f)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	uint64_t sp = dispatch_frame_at(tr);
	long was[6];

	args_of(tr->uc, was);
	f->back = (uint64_t)g[REG_RIP];
	memcpy(f->args, was, sizeof(f->args));
	/* No stack to speak of: then here, and nothing interrupts it. */
	if (ucopy((void *)sp, f, sizeof(*f)))
		return sys_call6((long)g[REG_RAX], a);
	args_set(tr->uc, a);
	g[REG_RSP] = (greg_t)sp;
	g[REG_RIP] = (greg_t)dispatch_syscall;
	return DISPATCH_SET;
}

long dispatch_again(struct trap *tr, const long a[6])
{
	struct dispatch_frame f = { 0 };

	return dispatch_again_frame(tr, a, &f);
}

/* In a detour: the call is to be done, or is done. */
static bool rewind_direct(greg_t *g)
{
	uint64_t off = (uint64_t)g[REG_RIP] - (uint64_t)dispatch_direct;
	uint64_t site;

	if (off >= (uint64_t)(dispatch_direct_end - dispatch_direct))
		return false;
	site = detour_sites[off / DISPATCH_DIRECT];
	g[REG_RIP] = (greg_t)site;
	if (off % DISPATCH_DIRECT >=
	    (uint64_t)(dispatch_direct_done - dispatch_direct)) {
		g[REG_RIP] += SYSCALL_SIZE;
		g[REG_RCX] = g[REG_RIP];
	}
	return true;
}

void dispatch_rewind(struct trap *tr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	uint64_t rip = (uint64_t)g[REG_RIP];
	struct dispatch_frame f;
	long a[6];

	if (rewind_direct(g))
		return;

	if (rip < (uint64_t)dispatch_syscall ||
	    rip >= (uint64_t)dispatch_syscall_end ||
	    ucopy(&f, (const void *)g[REG_RSP], sizeof(f)))
		return;
	/* Not done yet, or to be done again: the program's instruction. */
	g[REG_RIP] = (greg_t)f.back -
		     (rip == (uint64_t)dispatch_syscall ? SYSCALL_SIZE : 0);
	g[REG_RSP] += (greg_t)(sizeof(f) + DISPATCH_RED_ZONE);
	memcpy(a, f.args, sizeof(a));
	args_set(tr->uc, a);
}

/* ---- the process ------------------------------------------------------- */

static long call_exit_group(struct trap *tr, const long a[6])
{
	(void)tr;
	(void)a;
	report_end();
	return DISPATCH_AGAIN;
}

/* ---- memory ------------------------------------------------------------ */

static long call_mmap(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mmap((void *)a[0], (size_t)a[1], (int)a[2], (int)a[3],
		       (int)a[4], (uint64_t)a[5]);
}

static long call_munmap(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_munmap((void *)a[0], (size_t)a[1]);
}

static long call_mprotect(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mprotect((void *)a[0], (size_t)a[1], (int)a[2]);
}

static long call_pkey_mprotect(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_pkey_mprotect((void *)a[0], (size_t)a[1], (int)a[2],
				(int)a[3]);
}

static long call_mremap(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mremap((void *)a[0], (size_t)a[1], (size_t)a[2], (int)a[3],
			 (void *)a[4]);
}

static long call_madvise(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_madvise((void *)a[0], (size_t)a[1], (int)a[2]);
}

static long call_msync(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_msync((void *)a[0], (size_t)a[1], (int)a[2]);
}

static long call_mlock(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mlock((void *)a[0], (size_t)a[1], 0);
}

static long call_mlock2(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mlock((void *)a[0], (size_t)a[1], (int)a[2]);
}

static long call_mlockall(struct trap *tr, const long a[6])
{
	(void)tr;
	return do_mlockall((int)a[0]);
}

/* ---- the thread -------------------------------------------------------- */

static long base_out(uint64_t base, long out)
{
	return ucopy((void *)out, &base, sizeof(base)) ? -EFAULT : 0;
}

/* The handler's own bases come off when it returns, these go on. */
static long call_arch_prctl(struct trap *tr, const long a[6])
{
	struct thread *t = tr->t;

	switch (a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if ((uint64_t)a[1] >= ADDRESS_LIMIT)
			return -EPERM;
		if (a[0] == ARCH_SET_GS) {
			t->host_gs = (uint64_t)a[1];
		} else {
			t->host_fs = (uint64_t)a[1];
			t->handler_fs = dispatch.fs;
		}
		return 0;
	case ARCH_GET_FS:
		return base_out(t->host_fs, a[1]);
	case ARCH_GET_GS:
		return base_out(t->host_gs, a[1]);
	/* CPUID faulting is the machine's. */
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return t->cpuid ? 0 : -ENODEV;
	default:
		return DISPATCH_AGAIN;
	}
}

static long call_prctl(struct trap *tr, const long a[6])
{
	(void)tr;
	/* One dispatcher a thread. */
	return a[0] == PR_SET_SYSCALL_USER_DISPATCH ? -EINVAL : DISPATCH_AGAIN;
}

/* It is done again, with the program's mask: the new program inherits that. */

static long call_execve(struct trap *tr, const long a[6])
{
	struct exec_call c = { .dir = AT_FDCWD,
			       .path = (const char *)a[0],
			       .argv = (char *const *)a[1],
			       .envp = (char *const *)a[2] };
	long r = exec_prepare(&c, &tr->t->exec_block);
	long b[6] = { (long)c.path, (long)c.argv, (long)c.envp };

	return r ? r : dispatch_again(tr, b);
}

static long call_execveat(struct trap *tr, const long a[6])
{
	struct exec_call c = { .dir = (int)a[0],
			       .path = (const char *)a[1],
			       .argv = (char *const *)a[2],
			       .envp = (char *const *)a[3],
			       .flags = (int)a[4] };
	long r = exec_prepare(&c, &tr->t->exec_block);
	long b[6] = { c.dir, (long)c.path, (long)c.argv, (long)c.envp,
		      c.flags };

	return r ? r : dispatch_again(tr, b);
}

/* ---- the table --------------------------------------------------------- */

typedef long call_fn(struct trap *tr, const long a[6]);

static call_fn *const calls[] = {
	[SYS_open] = dispatch_open,
	[SYS_openat] = dispatch_openat,
	[SYS_openat2] = dispatch_openat2,
	[SYS_stat] = dispatch_stat,
	[SYS_lstat] = dispatch_lstat,
	[SYS_fstat] = dispatch_fstat,
	[SYS_newfstatat] = dispatch_fstatat,
	[SYS_statx] = dispatch_statx,
	[SYS_access] = dispatch_access,
	[SYS_faccessat] = dispatch_faccessat,
	[SYS_faccessat2] = dispatch_faccessat2,
	[SYS_readlink] = dispatch_readlink,
	[SYS_readlinkat] = dispatch_readlinkat,
	[SYS_dup] = dispatch_dup,
	[SYS_fcntl] = dispatch_fcntl,
	[SYS_close] = dispatch_close,
	[SYS_dup2] = dispatch_dup2,
	[SYS_dup3] = dispatch_dup3,
	[SYS_close_range] = dispatch_close_range,
	[SYS_ioctl] = dispatch_ioctl,
	[SYS_mmap] = call_mmap,
	[SYS_munmap] = call_munmap,
	[SYS_mprotect] = call_mprotect,
	[SYS_pkey_mprotect] = call_pkey_mprotect,
	[SYS_mremap] = call_mremap,
	[SYS_madvise] = call_madvise,
	[SYS_msync] = call_msync,
	[SYS_mlock] = call_mlock,
	[SYS_mlock2] = call_mlock2,
	[SYS_mlockall] = call_mlockall,
	[SYS_brk] = dispatch_brk,
	[SYS_arch_prctl] = call_arch_prctl,
	[SYS_prctl] = call_prctl,
	[SYS_execve] = call_execve,
	[SYS_execveat] = call_execveat,
	[SYS_rt_sigaction] = dispatch_sigaction,
	[SYS_rt_sigprocmask] = dispatch_sigprocmask,
	[SYS_sigaltstack] = dispatch_sigaltstack,
	[SYS_rt_sigreturn] = dispatch_sigreturn,
	[SYS_rt_sigsuspend] = dispatch_sigsuspend,
	[SYS_ppoll] = dispatch_ppoll,
	[SYS_pselect6] = dispatch_pselect,
	[SYS_epoll_pwait] = dispatch_epoll_pwait,
	[SYS_epoll_pwait2] = dispatch_epoll_pwait,
	[SYS_fork] = dispatch_fork,
	[SYS_vfork] = dispatch_vfork,
	[SYS_clone] = dispatch_clone,
	[SYS_clone3] = dispatch_clone3,
	[SYS_exit] = dispatch_exit,
	[SYS_exit_group] = call_exit_group,

	[SYS_read] = dispatch_refused,
	[SYS_readv] = dispatch_refused,
	[SYS_pread64] = dispatch_refused,
	[SYS_preadv] = dispatch_refused,
	[SYS_preadv2] = dispatch_refused,
	[SYS_write] = dispatch_refused,
	[SYS_writev] = dispatch_refused,
	[SYS_pwrite64] = dispatch_refused,
	[SYS_pwritev] = dispatch_refused,
	[SYS_pwritev2] = dispatch_refused,
	[SYS_lseek] = dispatch_refused,
	[SYS_ftruncate] = dispatch_refused,
	[SYS_fallocate] = dispatch_refused,
	[SYS_fsync] = dispatch_refused,
	[SYS_fdatasync] = dispatch_refused,
	[SYS_sync_file_range] = dispatch_refused,
	[SYS_sendfile] = dispatch_refused,
	[SYS_splice] = dispatch_refused,
	[SYS_copy_file_range] = dispatch_refused,
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Does @fn use nothing of libc? NULL: the kernel does the call. */
static bool is_plain(call_fn *fn)
{
	return !fn || fn == dispatch_ppoll || fn == dispatch_pselect ||
	       fn == dispatch_epoll_pwait || fn == dispatch_sigprocmask;
}

static void turns_init(void)
{
	for (uint64_t i = 0; i < CALLS; i++)
		dispatch_kind[i] = calls[i] ? TURN_THERE : TURN_HERE;
	dispatch_kind[SYS_ppoll] = TURN_UNLESS_R10;
	dispatch_kind[SYS_epoll_pwait] = TURN_UNLESS_R8;
	dispatch_kind[SYS_epoll_pwait2] = TURN_UNLESS_R8;
}

/* Where the call came from. */
static uint64_t site_of(const struct trap *tr)
{
	return (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP] - SYSCALL_SIZE;
}

/* The thread has been in an enclave, and its calls are those that count. */
static bool wants_detour(const struct trap *tr)
{
	return !machine.watched && tr->t->ready && detour_due(site_of(tr));
}

static void detour(const struct trap *tr)
{
	uint64_t at = site_of(tr);
	uint8_t code[SYSCALL_SIZE];

	/* INT 80H has as many bytes. */
	if (ucopy(code, (const void *)at, sizeof(code)) || code[0] != 0x0f ||
	    code[1] != 0x05)
		return;
	detour_make(at, false, dispatch_direct, DISPATCH_DIRECT);
}

static void call(struct trap *tr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	uint64_t nr = (uint64_t)g[REG_RAX];
	call_fn *fn = nr < CALLS ? calls[nr] : NULL;
	long a[6], r;

	if (tr->info->si_arch != AUDIT_ARCH_X86_64) {
		g[REG_RAX] = -ENOSYS; /* INT 80H */
		return;
	}
	args_of(tr->uc, a);
	r = fn ? fn(tr, a) : DISPATCH_AGAIN;
	if (r == DISPATCH_AGAIN)
		r = dispatch_again(tr, a);
	if (r != DISPATCH_SET)
		g[REG_RAX] = r;
}

bool dispatch_quick(struct trap *tr)
{
	uint64_t nr = (uint64_t)tr->uc->uc_mcontext.gregs[REG_RAX];

	if ((nr < CALLS && !is_plain(calls[nr])) || wants_detour(tr))
		return false;
	call(tr);
	return true;
}

void dispatch_call(struct trap *tr)
{
	if (wants_detour(tr))
		detour(tr);
	call(tr);
}

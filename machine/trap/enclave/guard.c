/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYSCALL in an enclave where the kernel has no dispatch of system calls: a
 * seccomp filter by instruction pointer makes each call from an ELRANGE a
 * SIGSYS. Without either such a call would reach the kernel, so then no
 * enclave runs.
 *
 * A filter stays for ever, in children and in what they execute. So a call
 * that comes from outside at such an address, when the enclave has long gone,
 * is done on behalf of the program; a program that is executed later, without
 * the machine, and has code at that address, is killed by SIGSYS there.
 *
 * Locks: the driver's is held where the list grows, which is all it does.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/signal/thread.h"

#define RANGES 512u
#define SYS_SECCOMP_CODE 1 /* SYS_SECCOMP of <asm-generic/siginfo.h> */
#define IP_LOW offsetof(struct seccomp_data, instruction_pointer)
#define IP_HIGH (IP_LOW + 4)

struct range {
	uint64_t base;
	uint64_t size;
};

static struct range ranges[RANGES];
static _Atomic uint32_t count;

/* Of the linker: the library from its first byte to the end of its code. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

bool guard_arm(struct thread *t)
{
	if (!t->sud && machine.has[FACILITY_SUD])
		t->sud = !sys_call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH,
				   PR_SYS_DISPATCH_ON, (long)__ehdr_start,
				   etext - __ehdr_start, (long)&t->selector);
	return t->sud;
}

static bool covered(uint64_t from, uint64_t to)
{
	uint32_t n = atomic_load(&count);

	for (uint32_t i = 0; i < n; i++)
		if (from >= ranges[i].base &&
		    to - ranges[i].base <= ranges[i].size)
			return true;
	return false;
}

bool guard_possible(void)
{
	return machine.has[FACILITY_SUD] || machine.has[FACILITY_SECCOMP];
}

/*
 * ELRANGE is aligned to its size, a power of two: so one word of the address
 * is compared under a mask, and above 4 GiB that is enough.
 */
static long filter_add(uint64_t base, uint64_t size)
{
	uint64_t mask = ~(size - 1);
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_HIGH),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)(mask >> 32)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(base >> 32), 0,
			 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_LOW),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)base, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };
	long r = sys_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_TSYNC, (long)&prog);

	if (r != -EACCES)
		return r;
	/* Not privileged: then set-user-ID programs are no more so. */
	sys_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return sys_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_TSYNC, (long)&prog);
}

long guard_range(uint64_t base, uint64_t size)
{
	uint32_t n;
	long r = 0;

	if (machine.has[FACILITY_SUD] || (size & (size - 1)))
		return 0;
	n = atomic_load(&count);
	if (!covered(base, base + size)) {
		r = n < RANGES ? filter_add(base, size) : -ENOSPC;
		if (!r) {
			ranges[n] = (struct range){ base, size };
			atomic_store(&count, n + 1);
		}
	}
	if (!r)
		return 0;
	sys_err("edmm: machine: SYSCALL inside the enclave would reach the "
		"kernel: no filter can be installed (seccomp), and system "
		"call dispatch is not there; the enclave is refused\n");
	return -ENODEV;
}

bool guard_outside(const siginfo_t *info, ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	const long a[6] = { (long)g[REG_RDI], (long)g[REG_RSI],
			    (long)g[REG_RDX], (long)g[REG_R10],
			    (long)g[REG_R8],  (long)g[REG_R9] };
	uint64_t rip = (uint64_t)g[REG_RIP];

	if (info->si_code != SYS_SECCOMP_CODE || !covered(rip, rip + 1))
		return false;
	g[REG_RAX] = info->si_arch == AUDIT_ARCH_X86_64
			     ? sys_call6((long)g[REG_RAX], a)
			     : -ENOSYS;
	return true;
}

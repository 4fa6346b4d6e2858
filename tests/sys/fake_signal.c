/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the runtime, what signals want; the kernel's headers go with no libc's. */
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"

/* Frames go on a stack of the test's; the last handler runs, and returns. */
long rt_interrupt(long value, uint64_t flags)
{
	static _Alignas(64) uint8_t xsave[576], stack[16384];
	struct rt_regs r = { .rsp = (uint64_t)(uintptr_t)(stack +
							  sizeof(stack)),
			     .rflags = flags,
			     .xsave = xsave,
			     .xsave_size = sizeof(xsave),
			     .xfrm = 3 };

	rt_runtime_set(false);
	sys_signals(&r);
	if (r.rip) {
		((void (*)(int, uint64_t, uint64_t))r.rip)((int)r.rdi, r.rsi,
							   r.rdx);
		sys_signal_set_mask(
			((struct sys_ucontext *)(uintptr_t)r.rdx)->sigmask);
	}
	return value;
}

bool rt_program_memory(uint64_t addr, uint64_t size)
{
	(void)addr;
	return size != 0;
}

edmm_err rt_copy_inside(void *dst, const void *src, size_t size)
{
	__builtin_memcpy(dst, src, size);
	return 0;
}

struct rt_regs *rt_resume_take(void)
{
	__builtin_trap();
}

void rt_resume(struct rt_regs *regs)
{
	(void)regs;
	__builtin_trap();
}

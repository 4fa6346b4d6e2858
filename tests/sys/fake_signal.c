/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the runtime, what signals want; the kernel's headers go with no libc's. */
#include <setjmp.h>

#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"

static jmp_buf back;
static struct {
	long value;
	bool again;
} way;

/* Frames go on a stack of the test's; the last handler runs, and returns. */
void rt_call_signals(const struct rt_call *c, long value, bool again)
{
	static _Alignas(64) uint8_t xsave[576], stack[16384];
	struct rt_regs r = { .rsp = (uint64_t)(uintptr_t)(stack +
							  sizeof(stack)),
			     .rflags = c->rflags,
			     .xsave = xsave,
			     .xsave_size = sizeof(xsave),
			     .xfrm = 3 };

	sys_signals(&r);
	if (r.rip) {
		((void (*)(int, uint64_t, uint64_t))r.rip)((int)r.rdi, r.rsi,
							   r.rdx);
		sys_signal_set_mask(
			((struct sys_ucontext *)(uintptr_t)r.rdx)->sigmask);
	}
	way.value = value;
	way.again = again;
	longjmp(back, 1);
}

/* NOLINTNEXTLINE(readability-function-size): as many as a call has. */
long edmm_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	struct rt_call call = { .nr = (uint64_t)n,
				.args = { (uint64_t)a, (uint64_t)b, (uint64_t)c,
					  (uint64_t)d, (uint64_t)e,
					  (uint64_t)f } };

	while (setjmp(back))
		if (!way.again)
			return way.value;
	return sys_serve(&call);
}

uint64_t rt_call_sp(void)
{
	return (uint64_t)(uintptr_t)__builtin_frame_address(0);
}

void rt_signals_look(void)
{
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

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's own faults, told as Linux tells them. The runtime calls the
 * hook on the exception stack with the interrupted state.
 *
 * Keeps I14: no handler while the thread is inside the runtime or a stage 2 is
 * suspended.
 */
#include "sgx/arch.h"
#include "trusted/sys/signal/signal.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

/* Of a processor's floating-point status, x87's and SSE's alike. */
#define FP_INVALID 0x01u
#define FP_DENORMAL 0x02u
#define FP_DIVIDE 0x04u
#define FP_OVERFLOW 0x08u
#define FP_UNDERFLOW 0x10u
#define FP_INEXACT 0x20u
#define MXCSR_MASKS_SHIFT 7

#define INT3 0xcc
#define INT_N 0xcd
#define INT_BREAKPOINT 3
#define INT_OVERFLOW 4

/* IN and OUT, INS and OUTS, IRET: of the kernel's mode, and here #UD. */
static bool is_privileged(uint8_t code)
{
	return (code >= 0xe4 && code <= 0xe7) ||
	       (code >= 0xec && code <= 0xef) ||
	       (code >= 0x6c && code <= 0x6f) || code == 0xcf;
}

static void become(struct rt_regs *r, uint32_t vector, uint32_t errcd)
{
	r->vector = vector;
	r->error_code = errcd;
}

/* INT n without a gate for us: its error code names the gate. */
#define IDT_ERRCD(n) ((uint32_t)(n) << 3 | 2)

/*
 * In an enclave that no debugger has opted in to, INT3 is #UD (SDM 43.4.1),
 * and so is what Linux answers with #GP. The code at RIP tells: it has just
 * been executed.
 */
static void as_natively(struct rt_regs *r)
{
	uint64_t word[2] = { 0 }, at = r->rip & ~7ull;
	const uint8_t *code = (const uint8_t *)word + (r->rip & 7);

	if (r->vector != SGX_VEC_UD ||
	    rt_copy_inside(word, (const void *)at, sizeof(*word)) != 0)
		return;
	/* One byte may be all that there is. */
	(void)!rt_copy_inside(word + 1, (const void *)(at + sizeof(*word)),
			      sizeof(*word));
	if (code[0] == INT3) {
		r->rip += 1;
		become(r, SGX_VEC_BP, 0);
	} else if (code[0] == INT_N && code[1] == INT_BREAKPOINT) {
		r->rip += 2;
		become(r, SGX_VEC_BP, 0);
	} else if (code[0] == INT_N && code[1] != INT_OVERFLOW &&
		   code[1] != 0x80) {
		become(r, SGX_VEC_GP, IDT_ERRCD(code[1]));
	} else if (is_privileged(code[0])) {
		become(r, SGX_VEC_GP, 0);
	}
}

/* The first of what is set and not masked, in the kernel's order. */
static int fp_code(uint32_t set)
{
	if (set & FP_INVALID)
		return FPE_FLTINV;
	if (set & FP_DIVIDE)
		return FPE_FLTDIV;
	if (set & FP_OVERFLOW)
		return FPE_FLTOVF;
	if (set & (FP_UNDERFLOW | FP_DENORMAL))
		return FPE_FLTUND;
	return set & FP_INEXACT ? FPE_FLTRES : 0;
}

static int x87_code(const uint8_t *x)
{
	uint16_t fcw, fsw;

	__builtin_memcpy(&fcw, x + XSAVE_FCW, sizeof(fcw));
	__builtin_memcpy(&fsw, x + XSAVE_FSW, sizeof(fsw));
	return fp_code(fsw & ~(uint32_t)fcw);
}

static int sse_code(const uint8_t *x)
{
	uint32_t mxcsr;

	__builtin_memcpy(&mxcsr, x + XSAVE_MXCSR, sizeof(mxcsr));
	return fp_code(mxcsr & ~(mxcsr >> MXCSR_MASKS_SHIFT));
}

static struct sys_siginfo info(int signo, int code, uint64_t addr)
{
	return (struct sys_siginfo){ .signo = signo,
				     .code = code,
				     .addr = addr };
}

/* signo 0: no program's business. */
static struct sys_siginfo reason_of(const struct rt_regs *r)
{
	switch (r->vector) {
	case SGX_VEC_PF:
		return info(SIGSEGV, r->mapped ? SEGV_ACCERR : SEGV_MAPERR,
			    r->addr);
	case SGX_VEC_GP:
		return info(SIGSEGV, SI_KERNEL, 0);
	case SGX_VEC_DE:
		return info(SIGFPE, FPE_INTDIV, r->rip);
	case SGX_VEC_MF:
		return info(SIGFPE, x87_code(r->xsave), r->rip);
	case SGX_VEC_XM:
		return info(SIGFPE, sse_code(r->xsave), r->rip);
	case SGX_VEC_UD:
		return info(SIGILL, ILL_ILLOPN, r->rip);
	case SGX_VEC_AC:
		return info(SIGBUS, BUS_ADRALN, 0);
	case SGX_VEC_BP:
		return info(SIGTRAP, SI_KERNEL, 0);
	case SGX_VEC_DB:
		return info(SIGTRAP, TRAP_BRKPT, r->rip);
	default:
		return info(0, 0, 0);
	}
}

bool sys_fault(struct rt_regs *r)
{
	struct sys_siginfo why;
	bool served;

	if (r->in_runtime)
		return false;
	as_natively(r);
	why = reason_of(r);
	if (why.signo == 0)
		return false;
	sys_frame_note_trap(r);
	sys_lock();
	served = sys_signal_force(r, &why);
	sys_unlock();
	return served;
}

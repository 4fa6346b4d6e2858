/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's calls: onto the context's system stack, and back. A call leaves
 * nothing on the program's stack, reads there only its last arguments, and may
 * be made on any stack, however small. What it needs to return, or to begin
 * anew after a handler, is a struct rt_call at the system stack's top.
 *
 * The order at the end matters: the stack is the program's, then the thread is
 * outside of the runtime, then it looks whether an interruption came before.
 * One that comes after finds it outside (fault.c).
 */
#include "trusted/rt/thread.h"

	/*
	 * With the program's RSP in RAX, seven arguments from \n on and the
	 * address to be waited for in \cancel, on the system stack.
	 */
	.macro PUT_CALL begin, cancel, n, a, b, c, d, e, f
	pushq $0
	pushq %rax
	leaq \begin(%rip), %rax
	pushq %rax
	pushfq
	pushq %r15
	pushq %r14
	pushq %r13
	pushq %r12
	pushq %rbp
	pushq %rbx
	pushq \cancel
	pushq \f
	pushq \e
	pushq \d
	pushq \c
	pushq \b
	pushq \a
	pushq \n
	.endm

	.text

/* edmm_syscall(n, a, b, c, d, e, f) */
	.balign 16
	.globl edmm_syscall
	.hidden edmm_syscall
	.type edmm_syscall, @function
edmm_syscall:
	.cfi_startproc
	movq 8(%rsp), %r10
	movq %rsp, %rax
	movl $1, %gs:RT_T_IN_RUNTIME
	movq %gs:RT_T_SYS_TOP, %rsp
	PUT_CALL edmm_syscall, $0, %rdi, %rsi, %rdx, %rcx, %r8, %r9, %r10
	jmp serve_call
	.cfi_endproc
	.size edmm_syscall, . - edmm_syscall

/* edmm_syscall_cancel(cancel, n, a, b, c, d, e, f) */
	.balign 16
	.globl edmm_syscall_cancel
	.hidden edmm_syscall_cancel
	.type edmm_syscall_cancel, @function
edmm_syscall_cancel:
	.cfi_startproc
	movq 8(%rsp), %r10
	movq 16(%rsp), %r11
	movq %rsp, %rax
	movl $1, %gs:RT_T_IN_RUNTIME
	movq %gs:RT_T_SYS_TOP, %rsp
	PUT_CALL edmm_syscall_cancel, %rdi, %rsi, %rdx, %rcx, %r8, %r9, %r10, \
		 %r11
	.cfi_endproc
	.size edmm_syscall_cancel, . - edmm_syscall_cancel

/* The return address is the word at the RSP that the record keeps. */
	.type serve_call, @function
serve_call:
	.cfi_startproc
	.cfi_escape 0x0f, 6, 0x77, RT_C_RSP_LEB, 0x06, 0x23, 0x08
	/* No alignment checks, no direction of the program's. */
	pushq $2
	popfq
	movq %rsp, %rdi
	call rt_serve
	pushq RT_C_RFLAGS(%rsp)
	popfq
	movq RT_C_RSP(%rsp), %rsp
	.cfi_def_cfa %rsp, 8
	movl $0, %gs:RT_T_IN_RUNTIME
	cmpl $0, %gs:RT_T_INTERRUPTED
	jne .Linterrupted
	.globl rt_call_return
	.hidden rt_call_return
rt_call_return:
	ret

/* As a call that has been served already, with RAX for its result. */
.Linterrupted:
	movq %rax, %r10
	movq %rsp, %rax
	movl $1, %gs:RT_T_IN_RUNTIME
	movq %gs:RT_T_SYS_TOP, %rsp
	PUT_CALL edmm_syscall, $0, $0, $0, $0, $0, $0, $0, $0
	pushq $2
	popfq
	movq %rsp, %rdi
	movq %r10, %rsi
	xorl %edx, %edx
	call rt_call_signals
	ud2
	.cfi_endproc
	.size serve_call, . - serve_call

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_enter(enter, regs, leaf, run): the vDSO function preserves RBX, RBP and
 * RSP only, gives RDI, RSI and RDX back as the enclave left them, and knows
 * nothing of MXCSR and the x87 control word.
 */
	.text
	.globl host_enter
	.type host_enter, @function
host_enter:
	.cfi_startproc
	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rsi
	subq $8, %rsp
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	/* Seventh argument; RSP is 16-byte aligned at the call. */
	subq $8, %rsp
	pushq %rcx
	movq %rdi, %rax
	movl %edx, %ecx
	movq %rsi, %rbx
	movq (%rbx), %rdi
	movq 8(%rbx), %rsi
	movq 16(%rbx), %rdx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	call *%rax
	movq -48(%rbp), %rbx
	movq %rdi, (%rbx)
	movq %rsi, 8(%rbx)
	movq %rdx, 16(%rbx)
	/* An AEX leaves AC as the enclave had it. */
	pushfq
	andl $~0x40400, (%rsp)
	popfq
	/* After #MF the x87 state still has it pending (SDM table 37-1): the
	 * next x87 instruction of ours would raise it. */
	fnclex
	addq $16, %rsp
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	addq $16, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size host_enter, . - host_enter

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/rt/prog.h"

	.macro VALUE k
	.quad 0x0101010101010101 * (\k + 1)
	.endm

	.section .rodata
	.balign 8
values:
	.set i, 0
	.rept PROG_GPRS
	VALUE i
	.set i, i + 1
	.endr
mxcsr:
	.long PROG_MXCSR
fcw:
	.long PROG_FCW
default_mxcsr:
	.long 0x1f80
default_fcw:
	.long 0x37f

	.text
	.globl prog_regs_over_fault
	.hidden prog_regs_over_fault
	.type prog_regs_over_fault, @function
prog_regs_over_fault:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	ldmxcsr mxcsr(%rip)
	fldcw fcw(%rip)
	.set i, 0
	.irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pcmpeqd %xmm\x, %xmm\x
	movl $\x + 1, %eax
	movq %rax, -8(%rsp)
	movlps -8(%rsp), %xmm\x
	.endr
	movq $PROG_FLAGS, -8(%rsp)
	leaq -8(%rsp), %rsp
	popfq
	movq values+8*0(%rip), %rax
	movq values+8*1(%rip), %rbx
	movq values+8*2(%rip), %rcx
	movq values+8*3(%rip), %rdx
	movq values+8*4(%rip), %rbp
	movq values+8*5(%rip), %r8
	movq values+8*6(%rip), %r9
	movq values+8*7(%rip), %r10
	movq values+8*8(%rip), %r11
	movq values+8*9(%rip), %r12
	movq values+8*10(%rip), %r13
	movq values+8*11(%rip), %r14
	movq values+8*12(%rip), %r15
	movb $0x5a, (%rsi)
	movq %rax, 8*0(%rdi)
	movq %rbx, 8*1(%rdi)
	movq %rcx, 8*2(%rdi)
	movq %rdx, 8*3(%rdi)
	movq %rbp, 8*4(%rdi)
	movq %r8, 8*5(%rdi)
	movq %r9, 8*6(%rdi)
	movq %r10, 8*7(%rdi)
	movq %r11, 8*8(%rdi)
	movq %r12, 8*9(%rdi)
	movq %r13, 8*10(%rdi)
	movq %r14, 8*11(%rdi)
	movq %r15, 8*12(%rdi)
	pushfq
	popq 8*13(%rdi)
	stmxcsr 112(%rdi)
	fnstcw 116(%rdi)
	.irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups %xmm\x, 144+16*\x(%rdi)
	.endr
	ldmxcsr default_mxcsr(%rip)
	fldcw default_fcw(%rip)
	cld
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.globl prog_secret_call
	.hidden prog_secret_call
	.type prog_secret_call, @function
prog_secret_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	movabsq $PROG_SECRET, %rax
	movq %rax, %rbx
	movq %rax, %rbp
	movq %rax, %r8
	movq %rax, %r9
	movq %rax, %r10
	movq %rax, %r11
	movq %rax, %r12
	movq %rax, %r13
	movq %rax, %r14
	movq %rax, %r15
	.irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq %rax, %xmm\x
	vpbroadcastq %xmm\x, %ymm\x
	.endr
	/* Tags and TOP say of this what they say of MMX registers. */
	movq %rax, (%rsp)
	.rept 8
	fildll (%rsp)
	.endr
	leaq values(%rip), %rsi
	xorl %edx, %edx
	call rt_host_call
	vzeroupper
	fninit
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.globl prog_ymm_over_fault
	.hidden prog_ymm_over_fault
	.type prog_ymm_over_fault, @function
prog_ymm_over_fault:
	.irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovups 32 * \x(%rdi), %ymm\x
	.endr
	movb $0x5a, (%rdx)
	.irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovups %ymm\x, 32 * \x(%rsi)
	.endr
	vzeroupper
	ret

	.globl prog_on_stack
	.hidden prog_on_stack
	.type prog_on_stack, @function
prog_on_stack:
	pushq %rbx
	movq %rsp, %rbx
	movq %rdx, %rsp
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	movq %rbx, %rsp
	popq %rbx
	ret

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every exception that an instruction of a program's can raise, each at a site
 * that has all registers as fault_state says. A handler that goes on at
 * fault_over has what the registers are then in fault_state.
 */
#include "tests/sys/signals/fault.h"

	.macro SITE name
	.pushsection .data.rel.ro, "aw"
	.quad .Lsite_\name
	.popsection
	.endm
	.macro AT name
.Lsite_\name:
	.endm
	.macro OVER
	jmp fault_over
	.endm

/*
 * Code that edmm-cc refuses, in the operand of an instruction: such a program
 * would make it at run time.
 */
	.macro HIDDEN name, a, b
	.byte 0xb8
.Lsite_\name:
	.ifb \b
	.byte \a, 0xeb, 1, 0x90
	.else
	.byte \a, \b, 0xeb, 0
	.endif
	OVER
	.endm

#define S(off) fault_state+(off)(%rip)

	.section .data.rel.ro, "aw"
	.balign 8
	.globl fault_site
fault_site:

	.text
	.globl fault_make
	.type fault_make, @function
fault_make:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	leaq fault_site(%rip), %rax
	movq (%rax,%rdi,8), %rax
	movq %rax, target(%rip)
	fninit
	fldcw S(FAULT_FCW)
	ldmxcsr S(FAULT_MXCSR)
	cmpq $0, S(FAULT_AVX)
	je 1f
	vmovups S(FAULT_YMM), %ymm0
	vmovups S(FAULT_YMM+32), %ymm15
	jmp 2f
1:	movups S(FAULT_YMM), %xmm0
	movups S(FAULT_YMM+32), %xmm15
2:	movq S(8), %rcx
	movq S(16), %rdx
	movq S(24), %rbx
	movq S(32), %rbp
	movq S(40), %rsi
	movq S(48), %rdi
	movq S(56), %r8
	movq S(64), %r9
	movq S(72), %r10
	movq S(80), %r11
	movq S(88), %r12
	movq S(96), %r13
	movq S(104), %r14
	movq S(112), %r15
	movq S(0), %rax
	pushq S(FAULT_FLAGS)
	popfq
	jmp *target(%rip)

	.globl fault_over
fault_over:
	pushfq
	popq S(FAULT_FLAGS)
	pushq $2
	popfq
	movq %rax, S(0)
	movq %rcx, S(8)
	movq %rdx, S(16)
	movq %rbx, S(24)
	movq %rbp, S(32)
	movq %rsi, S(40)
	movq %rdi, S(48)
	movq %r8, S(56)
	movq %r9, S(64)
	movq %r10, S(72)
	movq %r11, S(80)
	movq %r12, S(88)
	movq %r13, S(96)
	movq %r14, S(104)
	movq %r15, S(112)
	stmxcsr S(FAULT_MXCSR)
	fnstcw S(FAULT_FCW)
	fnstsw S(FAULT_FSW)
	fninit
	ldmxcsr initial(%rip)
	cmpq $0, S(FAULT_AVX)
	je 1f
	vmovups %ymm0, S(FAULT_YMM)
	vmovups %ymm15, S(FAULT_YMM+32)
	vzeroupper
	jmp 2f
1:	movups %xmm0, S(FAULT_YMM)
	movups %xmm15, S(FAULT_YMM+32)
2:	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	/* Memory: fault_addr, which is the caller's to choose. */
	SITE read
	SITE write
	SITE fetch
	SITE wide
	/* General protection, without an address. */
	SITE halt
	SITE cli
	SITE in
	SITE out
	SITE int
	SITE aligned
	SITE away
	/* Instructions that there are not. */
	SITE ud2
	SITE ud0
	SITE lock
	/* Traps. */
	SITE int3
	SITE int_3
	/* Integers. */
	SITE div
	SITE idiv
	/* Floating point. */
	SITE x87_invalid
	SITE x87_denormal
	SITE x87_divide
	SITE x87_overflow
	SITE x87_underflow
	SITE x87_inexact
	SITE sse_invalid
	SITE sse_denormal
	SITE sse_divide
	SITE sse_overflow
	SITE sse_underflow
	SITE sse_inexact
	/* Alignment, with RFLAGS.AC. */
	SITE unaligned
	.section .data.rel.ro, "aw"
.Lsites_end:
	.globl fault_kinds
fault_kinds:
	.long (.Lsites_end - fault_site) / 8
	.text

	AT read
	movq fault_addr(%rip), %rax
	movb (%rax), %cl
	OVER
	AT write
	movq fault_addr(%rip), %rax
	movb $7, (%rax)
	OVER
	AT fetch
	movq fault_addr(%rip), %rax
	jmp *%rax
	AT wide
	movq fault_addr(%rip), %rax
	movq $0x2a2a2a2a, -4(%rax)
	OVER
	HIDDEN halt, 0xf4
	HIDDEN cli, 0xfa
	HIDDEN in, 0xec
	HIDDEN out, 0xe7, 0x80
	HIDDEN int, 0xcd, 0x21
	AT aligned
	leaq initial(%rip), %rax
	movaps 4(%rax), %xmm0
	OVER
	AT away
	movq away(%rip), %rax
	jmp *%rax
	AT ud2
	ud2
	OVER
	AT ud0
	.byte 0x0f, 0xff, 0xc0
	OVER
	AT lock
	.byte 0xf0, 0x89, 0xc0
	OVER
	HIDDEN int3, 0xcc
	HIDDEN int_3, 0xcd, 3
	AT div
	xorl %ecx, %ecx
	divl %ecx
	OVER
	AT idiv
	movl $0x80000000, %eax
	cltd
	movl $-1, %ecx
	idivl %ecx
	OVER

	.macro X87 name, mask, a, b, op
	AT \name
	fldcw mask_\mask(%rip)
	fldl \a(%rip)
	fldl \b(%rip)
	\op
	fwait
	OVER
	.endm
	X87 x87_invalid, 1, zero, zero, fdivrp
	X87 x87_denormal, 2, denormal, one, fdivrp
	X87 x87_divide, 4, one, zero, fdivrp
	AT x87_overflow
	fldcw mask_8(%rip)
	fldl big(%rip)
	fstps scratch(%rip)
	fwait
	OVER
	AT x87_underflow
	fldcw mask_16(%rip)
	fldl small(%rip)
	fstps scratch(%rip)
	fwait
	OVER
	X87 x87_inexact, 32, one, three, fdivrp

	.macro SSE name, mask, a, b, op
	AT \name
	ldmxcsr sse_\mask(%rip)
	movsd \a(%rip), %xmm0
	movsd \b(%rip), %xmm15
	\op %xmm15, %xmm0
	OVER
	.endm
	SSE sse_invalid, 1, zero, zero, divsd
	SSE sse_denormal, 2, denormal, one, divsd
	SSE sse_divide, 4, one, zero, divsd
	SSE sse_overflow, 8, big, big, mulsd
	SSE sse_underflow, 16, small, small, mulsd
	SSE sse_inexact, 32, one, three, divsd

	AT unaligned
	leaq initial(%rip), %rax
	pushfq
	orq $0x40000, (%rsp)
	popfq
	movl 1(%rax), %ecx
	OVER

	.section .rodata
	.balign 16
	.globl fault_initial
fault_initial:
initial:
	.long 0x1f80, 0, 0, 0
away:	.quad 0x800000000000
zero:	.double 0
one:	.double 1
three:	.double 3
big:	.double 1e308
small:	.double 1e-308
denormal:
	.quad 1
mask_1:	.short 0x37e
mask_2:	.short 0x37d
mask_4:	.short 0x37b
mask_8:	.short 0x377
mask_16:
	.short 0x36f
mask_32:
	.short 0x35f
	.balign 4
sse_1:	.long 0x1f00
sse_2:	.long 0x1e80
sse_4:	.long 0x1d80
sse_8:	.long 0x1b80
sse_16:	.long 0x1780
sse_32:	.long 0x0f80

	.bss
	.balign 32
	.globl fault_state
fault_state:
	.zero FAULT_YMM + 64
	.globl fault_addr
fault_addr:
	.zero 8
target:	.zero 8
scratch:
	.zero 8

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into a handler for a fault and out of it. RDI and RSP: struct fault_frame,
 * 16-byte aligned, whose first member is struct rt_regs.
 */
#define RAX 0
#define RCX 8
#define RDX 16
#define RBX 24
#define RSP 32
#define RBP 40
#define RSI 48
#define RDI 56
#define R8 64
#define R9 72
#define R10 80
#define R11 88
#define R12 96
#define R13 104
#define R14 112
#define R15 120
#define RFLAGS 128
#define RIP 136
#define XSAVE 168
#define XFRM 184
#define RED_ZONE 128

	.text
	.globl sys_fault_entry
	.hidden sys_fault_entry
	.hidden sys_fault_call
	.type sys_fault_entry, @function
sys_fault_entry:
	mov	%rdi, %rbx
	cld
	call	sys_fault_call
	mov	%rbx, %rdi

	mov	XSAVE(%rdi), %rcx
	mov	XFRM(%rdi), %eax
	mov	XFRM+4(%rdi), %edx
	xrstor64	(%rcx)

	/*
	 * RIP, RFLAGS and RDI go below the red zone of the stack that is gone
	 * back to; the last instruction takes RIP and steps over that zone.
	 */
	mov	RSP(%rdi), %rsp
	lea	-RED_ZONE(%rsp), %rsp
	push	RIP(%rdi)
	push	RFLAGS(%rdi)
	push	RDI(%rdi)
	mov	RAX(%rdi), %rax
	mov	RCX(%rdi), %rcx
	mov	RDX(%rdi), %rdx
	mov	RBX(%rdi), %rbx
	mov	RBP(%rdi), %rbp
	mov	RSI(%rdi), %rsi
	mov	R8(%rdi), %r8
	mov	R9(%rdi), %r9
	mov	R10(%rdi), %r10
	mov	R11(%rdi), %r11
	mov	R12(%rdi), %r12
	mov	R13(%rdi), %r13
	mov	R14(%rdi), %r14
	mov	R15(%rdi), %r15
	pop	%rdi
	popfq
	ret	$RED_ZONE
	.size sys_fault_entry, . - sys_fault_entry
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What test_step.c steps through, in the enclave and outside: loads and stores,
 * one over a page's end, the stack, flags, a call, a string instruction. RDI is
 * a struct encl_cmd whose value is three words and up of data; RAX is a sum of
 * it. Keeps R14 and R15.
 */
#define VALUE 32(%rdi)
/* In the data; the last is where TF is noted, if ever seen. */
#define SUM 0(%rsi)
#define STEP 8(%rsi)
#define SEEN 16(%rsi)
#define TEXT 64
#define OVER_THE_END 0xffc(%rsi)

	.section .text
	.globl	step_code, step_code_end
	.balign	64
step_code:
	mov	VALUE, %rsi
	push	%rdi
	xor	%eax, %eax
	mov	$5, %ecx
1:	add	%rcx, SUM
	push	%rcx
	pushfq
	pop	%rdx
	and	$0x100, %edx
	or	%rdx, SEEN
	pop	%rcx
	call	3f
	dec	%ecx
	jnz	1b
	pushfq
	popfq
	lea	TEXT(%rsi), %rdi
	mov	$7, %ecx
	push	%rax
	mov	$3, %eax
	rep stosb
	pop	%rax
	add	TEXT(%rsi), %rax
	movq	$0x1234, OVER_THE_END
	add	OVER_THE_END, %rax
	add	SUM, %rax
	pop	%rdi
	ret
3:	incq	STEP
	add	STEP, %rax
	ret
step_code_end:

	/* uint64_t step_trap(cmd): the same with TF on, each instruction a
	 * SIGTRAP. */
	.globl	step_trap
step_trap:
	push	%r14
	push	%r15
	sub	$8, %rsp
	pushfq
	orl	$0x100, (%rsp)
	popfq
	call	step_code
	pushfq
	andl	$~0x100, (%rsp)
	popfq
	add	$8, %rsp
	pop	%r15
	pop	%r14
	ret

	.section .note.GNU-stack, "", @progbits

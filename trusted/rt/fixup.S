/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The instructions that may fault and answer for it (design I12), with their
 * fix-ups. Stage 1 puts -EDMM_EFAULT for #PF, or -EDMM_EINVAL, into RAX and
 * continues at the fix-up, where the stack is as at the instruction.
 */

	.macro FIXUP begin, end, fix, kind
	.pushsection edmm_fixup, "a", @progbits
	.balign 4
	.long \begin - .
	.long \end - .
	.long \fix - .
	.long \kind
	.popsection
	.endm

	.macro FUNCTION name
	.globl \name
	.hidden \name
	.type \name, @function
\name:
	.endm

	.text

/* rt_enclu(leaf, rbx, rcx, rdx) */
FUNCTION rt_enclu
	pushq %rbx
	movq %rdi, %rax
	movq %rsi, %rbx
	xchgq %rdx, %rcx
1:	.byte 0x0f, 0x01, 0xd7
2:	popq %rbx
	ret
	FIXUP 1b, 2b, 2b, 0

/* rt_rdtsc(): 0 where RDTSC gives #UD */
FUNCTION rt_rdtsc
1:	rdtsc
2:	shlq $32, %rdx
	orq %rdx, %rax
	ret
3:	xorl %eax, %eax
	ret
	FIXUP 1b, 2b, 3b, 0

/* rt_copy_words(dst, src, count) */
FUNCTION rt_copy_words
	movq %rdx, %rcx
	shrq $2, %rcx
	jz 2f
1:	movq (%rsi), %rax
	movq 8(%rsi), %r8
	movq 16(%rsi), %r9
	movq 24(%rsi), %r10
	movq %rax, (%rdi)
	movq %r8, 8(%rdi)
	movq %r9, 16(%rdi)
	movq %r10, 24(%rdi)
	addq $32, %rsi
	addq $32, %rdi
	decq %rcx
	jnz 1b
2:	andl $3, %edx
	jz 4f
3:	movq (%rsi), %rax
	movq %rax, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	decl %edx
	jnz 3b
4:	xorl %eax, %eax
5:	ret
	FIXUP 1b, 4b, 5b, 1

/*
 * rt_move_words(dst, src, count), count at least 1: both of the enclave, and
 * either may be what the program has no right to.
 */
FUNCTION rt_move_words
1:	movq (%rsi), %rax
	movq %rax, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	decq %rdx
	jnz 1b
2:	xorl %eax, %eax
3:	ret
	FIXUP 1b, 2b, 3b, 2

/*
 * rt_store_words(dst, src, count), count at least 1: to the outside. Each store
 * looks at the end before (I16); 1 where that has come.
 */
FUNCTION rt_store_words
1:	movq (%rsi), %rax
	cmpl $0, rt_dead(%rip)
	jne 3f
	movq %rax, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	decq %rdx
	jnz 1b
2:	xorl %eax, %eax
	ret
3:	movl $1, %eax
4:	ret
	FIXUP 1b, 2b, 4b, 1

/*
 * rt_store_bytes(dst, src, size): the same for a part of a word, fences after
 * each store and VERW right before it, as no load may come between: it would
 * fill again what VERW has emptied (INTEL-SA-00615).
 */
FUNCTION rt_store_bytes
	pushq %rax
	movw %ds, (%rsp)
1:	movb (%rsi), %al
	cmpl $0, rt_dead(%rip)
	jne 3f
	verw (%rsp)
	movb %al, (%rdi)
	mfence
	lfence
	incq %rsi
	incq %rdi
	decq %rdx
	jnz 1b
2:	xorl %eax, %eax
	jmp 4f
3:	movl $1, %eax
4:	popq %rdx
	ret
	FIXUP 1b, 2b, 4b, 1

	.section .note.GNU-stack, "", @progbits

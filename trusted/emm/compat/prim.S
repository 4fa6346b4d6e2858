/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EACCEPT, EMODPE and EACCEPTCOPY as functions, with fix-up addresses for
 * faults at the instructions themselves: int do_X(si, addr[, src]). Weak: a
 * runtime that has its own and links whole archives keeps its own.
 */
	.text

	.macro	leaf name, number
	.weak	\name
	.type	\name, @function
\name:
	push	%rbx
	mov	%rdi, %rbx
	mov	%rsi, %rcx
	mov	$\number, %eax
	.endm

	leaf	do_eaccept, 5
at_eaccept:
	enclu
	jmp	done
	.size	do_eaccept, . - do_eaccept

	leaf	do_eacceptcopy, 7
at_eacceptcopy:
	enclu
	jmp	done
	.size	do_eacceptcopy, . - do_eacceptcopy

	leaf	do_emodpe, 6
at_emodpe:
	enclu
	/* EMODPE returns nothing. */
	xor	%eax, %eax
done:
	pop	%rbx
	ret
	.size	do_emodpe, . - do_emodpe

	.globl	sgx_mm_fixup
	.type	sgx_mm_fixup, @function
sgx_mm_fixup:
	lea	done(%rip), %rax
	lea	at_eaccept(%rip), %rcx
	cmp	%rcx, %rdi
	je	1f
	lea	at_eacceptcopy(%rip), %rcx
	cmp	%rcx, %rdi
	je	1f
	lea	at_emodpe(%rip), %rcx
	cmp	%rcx, %rdi
	je	1f
	xor	%eax, %eax
1:	ret
	.size	sgx_mm_fixup, . - sgx_mm_fixup

	.section .note.GNU-stack, "", @progbits

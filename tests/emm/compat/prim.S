/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leaves as Intel's SDK has them in its own objects: strong, ending the
 * enclave on any code, and leaving in EAX what was there, as EMODPE does. The
 * instruction is the model's.
 */
	.text

	.macro	leaf name, model, checked
	.globl	\name
	.type	\name, @function
\name:
	push	%rbx
	call	\model
	test	%eax, %eax
	.if	\checked
	jnz	refused
	.else
	js	refused
	mov	$6, %eax
	.endif
	pop	%rbx
	ret
	.size	\name, . - \name
	.endm

	leaf	do_eaccept, mimic_eaccept, 1
	leaf	do_eacceptcopy, mimic_eacceptcopy, 1
	leaf	do_emodpe, mimic_emodpe, 0

refused:
	call	abort

	.section .note.GNU-stack, "", @progbits

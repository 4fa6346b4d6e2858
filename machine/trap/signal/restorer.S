/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The restorer of our signal frames, alone on its page: the range that system
 * call user dispatch lets through while the selector blocks.
 */
	.text
	.balign	4096
	.globl	sig_restorer, sig_restorer_end
	.hidden	sig_restorer, sig_restorer_end
	.type	sig_restorer, @function
	nop
sig_restorer:
	mov	$15, %rax
	syscall
	/* The kernel looks at the address after the instruction. */
	nop
sig_restorer_end:
	.balign	4096

	.section .note.GNU-stack, "", @progbits

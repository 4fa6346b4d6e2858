/* SPDX-License-Identifier: BSD-3-Clause */
/* Touch a byte: 0; the fault hook may continue at probe_refused: 1. */
	.text
	.globl probe_read, probe_write, probe_end, probe_refused
	.hidden probe_read, probe_write, probe_end, probe_refused

probe_read:
	movb (%rdi), %al
	xorl %eax, %eax
	ret

probe_write:
	lock orb $0, (%rdi)
	xorl %eax, %eax
	ret

probe_refused:
	movl $1, %eax
	ret
probe_end:

	.section .note.GNU-stack, "", @progbits

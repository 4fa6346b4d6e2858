/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * long ucopy(void *dst, const void *src, size_t size): copies memory that
 * may be gone; 0, or -1 if it faulted. The handler of SIGSEGV and SIGBUS sends
 * a fault at ucopy_insn to ucopy_fail. General registers only.
 */
	.text
	.globl	ucopy, ucopy_insn, ucopy_fail
	.hidden	ucopy, ucopy_insn, ucopy_fail
	.type	ucopy, @function
ucopy:
	.cfi_startproc
	mov	%rdx, %rcx
ucopy_insn:
	rep movsb
	xor	%eax, %eax
	ret
ucopy_fail:
	mov	$-1, %rax
	ret
	.cfi_endproc
	.size	ucopy, . - ucopy

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * long mach_ucopy(void *dst, const void *src, size_t size): copies memory that
 * may be gone; 0, or -1 if it faulted. The handler of SIGSEGV and SIGBUS sends
 * a fault at mach_ucopy_insn to mach_ucopy_fail. General registers only.
 */
	.text
	.globl	mach_ucopy, mach_ucopy_insn, mach_ucopy_fail
	.hidden	mach_ucopy, mach_ucopy_insn, mach_ucopy_fail
	.type	mach_ucopy, @function
mach_ucopy:
	.cfi_startproc
	mov	%rdx, %rcx
mach_ucopy_insn:
	rep movsb
	xor	%eax, %eax
	ret
mach_ucopy_fail:
	mov	$-1, %rax
	ret
	.cfi_endproc
	.size	mach_ucopy, . - mach_ucopy

/*
 * The restorer of our signal frames, alone on its page: the range that system
 * call user dispatch lets through while the selector blocks.
 */
	.balign	4096
	.globl	mach_restorer, mach_restorer_end
	.hidden	mach_restorer, mach_restorer_end
	.type	mach_restorer, @function
	nop
mach_restorer:
	mov	$15, %rax
	syscall
	/* The kernel looks at the address after the instruction. */
	nop
mach_restorer_end:
	.balign	4096

	.section .note.GNU-stack, "", @progbits

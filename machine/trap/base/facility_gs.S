/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * int facility_gs(void): RDGSBASE and WRGSBASE of what it has read: 0. Where
 * they are #UD, the handler facility_gs_ill makes it return -1. It does not
 * return to the kernel, so that no SYSCALL is needed in a program's file.
 */
	.text
	.globl	facility_gs, facility_gs_ill
	.hidden	facility_gs, facility_gs_ill
	.type	facility_gs, @function
facility_gs:
	.cfi_startproc
	mov	%rsp, stack(%rip)
	rdgsbase %rax
	wrgsbase %rax
	xor	%eax, %eax
	ret
	.cfi_endproc
	.size	facility_gs, . - facility_gs

	.type	facility_gs_ill, @function
facility_gs_ill:
	.cfi_startproc
	mov	stack(%rip), %rsp
	mov	$-1, %eax
	ret
	.cfi_endproc
	.size	facility_gs_ill, . - facility_gs_ill

	.local	stack
	.comm	stack, 8, 8

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler that the kernel calls. It clears TF, DF and RF in it, but not
 * AC: with the program's AC, or an enclave's, the compiler's own unaligned
 * accesses would fault. rt_sigreturn gives the interrupted flags back.
 */
#define NOT_AC (~0x40000)

	.text
	.globl	trap_on_signal
	.hidden	trap_on_signal
	.type	trap_on_signal, @function
trap_on_signal:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	andq	$NOT_AC, (%rsp)
	popfq
	.cfi_adjust_cfa_offset -8
	jmp	trap_signal
	.cfi_endproc
	.size	trap_on_signal, . - trap_on_signal

	.section .note.GNU-stack, "", @progbits

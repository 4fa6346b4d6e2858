/* SPDX-License-Identifier: BSD-3-Clause */
/* See thread.h. */
#define SYS_EXIT 60

	.text
	.globl	thread_exit_call
	.hidden	thread_exit_call
	.type	thread_exit_call, @function
thread_exit_call:
	lock and %rdx, (%rsi)
	mov	$SYS_EXIT, %eax
	syscall
	hlt
	.size	thread_exit_call, . - thread_exit_call

	.section .note.GNU-stack, "", @progbits

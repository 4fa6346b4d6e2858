# SPDX-License-Identifier: BSD-3-Clause
# Where a handler returns to: the stack pointer is at its frame's ucontext,
# which rt_sigreturn takes as its argument, as a call moves the pointer.
	.text
	.global __restore_rt
	.hidden __restore_rt
	.global __restore
	.hidden __restore
	.hidden edmm_syscall
	.type __restore_rt, @function
	.type __restore, @function
__restore_rt:
__restore:
	mov	%rsp, %rsi
	mov	$15, %edi
	call	edmm_syscall
	ud2
	.size __restore_rt, . - __restore_rt

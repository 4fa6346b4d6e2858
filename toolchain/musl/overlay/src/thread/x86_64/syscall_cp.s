# SPDX-License-Identifier: BSD-3-Clause
# A system call that is a cancellation point:
#   __syscall_cp_asm(volatile int *cancel, long n, long a, ..., long f)
# Between __cp_begin and __cp_end the call has not begun, so that a handler
# which finds RIP there may divert the thread to __cp_cancel. A call that begins
# anew after a handler is nowhere in here: it looks at *cancel itself. A thread
# that is cancelled asynchronously comes there from anywhere, with a stack pointer
# that no function begins with, and does not return.
	.text
	.global __cp_begin
	.hidden __cp_begin
	.global __cp_end
	.hidden __cp_end
	.global __cp_cancel
	.hidden __cp_cancel
	.hidden __cancel
	.hidden edmm_syscall_cancel
	.global __syscall_cp_asm
	.hidden __syscall_cp_asm
	.type __syscall_cp_asm, @function
__syscall_cp_asm:
__cp_begin:
	cmpl	$0, (%rdi)
	jne	__cp_cancel
__cp_end:
	jmp	edmm_syscall_cancel
__cp_cancel:
	testb	$8, %spl
	jne	__cancel
	andq	$-16, %rsp
	call	__cancel
	ud2
	.size __syscall_cp_asm, . - __syscall_cp_asm

/* SPDX-License-Identifier: BSD-3-Clause */
/* See dispatch.h. All of it is in the text that is not dispatched. */
#define FRAME_ARGS 8
/* sizeof(struct dispatch_frame) without the address popped, and the red zone
 * above it. */
#define FRAME_REST 72
#define RED_ZONE 128
#define SYS_RT_SIGRETURN 15
#define SYS_EXIT 60

	.text
	.globl	mach_again, mach_again_end
	.hidden	mach_again, mach_again_end
	.type	mach_again, @function
mach_again:
	syscall
	mov	FRAME_ARGS + 0(%rsp), %rdi
	mov	FRAME_ARGS + 8(%rsp), %rsi
	mov	FRAME_ARGS + 16(%rsp), %rdx
	mov	FRAME_ARGS + 24(%rsp), %r10
	mov	FRAME_ARGS + 32(%rsp), %r8
	mov	FRAME_ARGS + 40(%rsp), %r9
	ret	$(FRAME_REST + RED_ZONE)
mach_again_end:
	.size	mach_again, . - mach_again

	/* The child starts with the stack pointer at a signal frame's context,
	 * on its own signal stack, and returns into that. */
	.globl	mach_clone
	.hidden	mach_clone
	.type	mach_clone, @function
mach_clone:
	mov	%rdi, %rax
	mov	%rsi, %r11
	mov	0(%r11), %rdi
	mov	8(%r11), %rsi
	mov	16(%r11), %rdx
	mov	24(%r11), %r10
	mov	32(%r11), %r8
	mov	40(%r11), %r9
	syscall
	test	%rax, %rax
	jz	1f
	ret
1:	mov	%rsp, %rbx
	mov	%rsp, %rdi
	call	mach_clone_child
	mov	%rbx, %rsp
	mov	$SYS_RT_SIGRETURN, %eax
	syscall
	hlt
	.size	mach_clone, . - mach_clone

	.globl	mach_exit_thread
	.hidden	mach_exit_thread
	.type	mach_exit_thread, @function
mach_exit_thread:
	lock and %rdx, (%rsi)
	mov	$SYS_EXIT, %eax
	syscall
	hlt
	.size	mach_exit_thread, . - mach_exit_thread

	/* As after execve: registers zero, bases too. */
	.globl	mach_start
	.hidden	mach_start
	.type	mach_start, @function
mach_start:
	mov	%rsi, %rsp
	/* Below the new stack: nobody's yet. */
	push	%rdi
	/* arch_prctl(2): FSGSBASE may not be there. */
	mov	$158, %eax
	mov	$0x1002, %edi
	xor	%esi, %esi
	syscall
	mov	$158, %eax
	mov	$0x1001, %edi
	syscall
	xor	%eax, %eax
	movb	$1, (%rdx)
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	ret
	.size	mach_start, . - mach_start

	.section .note.GNU-stack, "", @progbits

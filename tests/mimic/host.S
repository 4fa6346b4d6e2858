/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic's host side: ways in, the AEP, threads and processes. GS is
 * the thread's record.
 */
#define TCB_TCS %gs:8
#define TCB_RSP %gs:16
#define TCB_RAISING %gs:24
#define EENTER 2
#define ERESUME 3
#define SYS_RT_SIGRETURN 15
#define SYS_CLONE 56
#define SYS_VFORK 58
#define SYS_EXECVE 59
#define SYS_EXIT 60

	.text
	.globl	mimic_enter, mimic_aep, mimic_raise
	.hidden	mimic_enter, mimic_aep, mimic_raise
	/* mimic_enter(cmd) */
mimic_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	TCB_TCS, %rbx
	mov	%rsp, TCB_RSP
	lea	mimic_aep(%rip), %rcx
	mov	$EENTER, %eax
	.globl	mimic_enter_at
	.hidden	mimic_enter_at
mimic_enter_at:
	enclu
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* Interrupted: all that is needed is in the registers. */
mimic_aep:
	enclu

	/* A handler returns to here, with the event in RDI: tell the enclave,
	 * then let it go on. */
mimic_raise:
	mov	TCB_TCS, %rbx
	lea	mimic_aep(%rip), %rcx
	mov	$EENTER, %eax
	enclu
	movq	$0, TCB_RAISING
	mov	TCB_TCS, %rbx
	lea	mimic_aep(%rip), %rcx
	mov	$ERESUME, %eax
	jmp	mimic_aep

	.globl	mimic_restorer
	.hidden	mimic_restorer
mimic_restorer:
	mov	$SYS_RT_SIGRETURN, %eax
	syscall

	/* mimic_clone(flags, stack, ptid, ctid): the new thread finds a function
	 * and its argument on its stack. */
	.globl	mimic_clone
	.hidden	mimic_clone
mimic_clone:
	mov	%rcx, %r10
	mov	$SYS_CLONE, %eax
	syscall
	test	%rax, %rax
	jz	1f
	ret
1:	xor	%ebp, %ebp
	pop	%rax
	pop	%rdi
	call	*%rax
	hlt

	/* mimic_spawn(path, argv, envp): vfork and execve. */
	.globl	mimic_spawn
	.hidden	mimic_spawn
mimic_spawn:
	mov	$SYS_VFORK, %eax
	syscall
	test	%rax, %rax
	jz	1f
	ret
1:	mov	$SYS_EXECVE, %eax
	syscall
	mov	$127, %edi
	mov	$SYS_EXIT, %eax
	syscall
	hlt

	/*
	 * Two calls as a library's one place for all calls has them: with an
	 * argument from the stack before SYSCALL, and with a look whether a
	 * signal has come.
	 *
	 * mimic_call(nr, arg, arg, state): RAX, with carry set before;
	 * state[0] RCX, [1] carry after, [2] below the stack pointer
	 */
	.globl	mimic_call, mimic_call_at, mimic_call_end
	.hidden	mimic_call, mimic_call_at, mimic_call_end
mimic_call:
	push	%rbx
	mov	%rcx, %rbx
	movq	$0x5eed, -8(%rsp)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	xor	%edx, %edx
	xor	%r10d, %r10d
	stc
	mov	8(%rsp), %r9
mimic_call_at:
	syscall
	mov	%rcx, (%rbx)
	setc	8(%rbx)
	mov	-8(%rsp), %rcx
	mov	%rcx, 16(%rbx)
	pop	%rbx
	ret
mimic_call_end:

	.globl	mimic_checked, mimic_checked_at, mimic_checked_end
	.hidden	mimic_checked, mimic_checked_at, mimic_checked_end
	/* mimic_checked(nr, arg): -4 if this thread is raising. */
mimic_checked:
	mov	%rdi, %rax
	mov	%rsi, %rdi
	xor	%esi, %esi
	cmpl	$0, TCB_RAISING
	jne	1f
mimic_checked_at:
	syscall
	ret
1:	mov	$-4, %rax
	ret
mimic_checked_end:

	/* mimic_stepped(fn, nr, arg, arg, state): with RFLAGS.TF */
	.globl	mimic_stepped
	.hidden	mimic_stepped
mimic_stepped:
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %rcx
	pushfq
	orq	$0x100, (%rsp)
	popfq
	call	*%rax
	pushfq
	andq	$~0x100, (%rsp)
	popfq
	ret

	.section .note.GNU-stack, "", @progbits

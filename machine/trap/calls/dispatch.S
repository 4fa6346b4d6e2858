/* SPDX-License-Identifier: BSD-3-Clause */
/* See dispatch.h. All of it is in the text that is not dispatched. */
#define FRAME_ARGS 8
/* sizeof(struct dispatch_frame) without the address popped, and the red zone
 * above it. */
#define FRAME_REST 72
#define RED_ZONE 128
#define SYS_RT_SIGRETURN 15

	.text
	.globl	dispatch_syscall, dispatch_syscall_end
	.hidden	dispatch_syscall, dispatch_syscall_end
	.type	dispatch_syscall, @function
dispatch_syscall:
	syscall
	mov	FRAME_ARGS + 0(%rsp), %rdi
	mov	FRAME_ARGS + 8(%rsp), %rsi
	mov	FRAME_ARGS + 16(%rsp), %rdx
	mov	FRAME_ARGS + 24(%rsp), %r10
	mov	FRAME_ARGS + 32(%rsp), %r8
	mov	FRAME_ARGS + 40(%rsp), %r9
	ret	$(FRAME_REST + RED_ZONE)
dispatch_syscall_end:
	.size	dispatch_syscall, . - dispatch_syscall

	/*
	 * A detour past a SYSCALL, one for each: the call is done here, or by
	 * the program's own instruction where the machine has a part in it.
	 * RCX and R11 are the call's to change, and its flags are kept, so no
	 * instruction that sets any. dispatch_kind says, by number: 0 here, 1
	 * there, 2 and 3 here if R10 or R8 is zero.
	 */
#define DETOURS 32
#define DETOUR_STEP 128
	.macro	direct i
	.balign	DETOUR_STEP
	movzwl	%ax, %ecx
	lea	dispatch_kind(%rip), %r11
	movzbl	(%r11, %rcx), %ecx
	jrcxz	2f
	lea	-2(%rcx), %rcx
	jrcxz	3f
	lea	-1(%rcx), %rcx
	jrcxz	4f
1:	jmp	*(detour_sites + 8 * \i)(%rip)
3:	mov	%r10, %rcx
	jrcxz	2f
	jmp	1b
4:	mov	%r8, %rcx
	jrcxz	2f
	jmp	1b
2:	syscall
	.ifeq	\i
	.globl	dispatch_direct_done
	.hidden	dispatch_direct_done
dispatch_direct_done:
	.endif
	mov	(detour_sites + 8 * \i)(%rip), %rcx
	lea	2(%rcx), %rcx
	jmp	*%rcx
	.endm

	.globl	dispatch_direct, dispatch_direct_end
	.hidden	dispatch_direct, dispatch_direct_end
	.hidden	dispatch_kind, detour_sites
	.balign	DETOUR_STEP
	.type	dispatch_direct, @function
dispatch_direct:
	.set	n, 0
	.rept	DETOURS
	direct	n
	.set	n, n + 1
	.endr
	.balign	DETOUR_STEP
dispatch_direct_end:
	.size	dispatch_direct, . - dispatch_direct

	/* The child starts with the stack pointer at a signal frame's context,
	 * on its own signal stack, and returns into that. */
	.globl	dispatch_clone_call
	.hidden	dispatch_clone_call
	.type	dispatch_clone_call, @function
dispatch_clone_call:
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
	call	dispatch_clone_child
	mov	%rbx, %rsp
	mov	$SYS_RT_SIGRETURN, %eax
	syscall
	hlt
	.size	dispatch_clone_call, . - dispatch_clone_call

	/* As after execve: registers zero, bases too. */
	.globl	launch_start
	.hidden	launch_start
	.type	launch_start, @function
launch_start:
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
	.size	launch_start, . - launch_start

	.section .note.GNU-stack, "", @progbits

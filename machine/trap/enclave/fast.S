/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See fast.h. From the vDSO: rax leaf, rbx TCS, rcx AEP, all others as the
 * program gave them. Of its stack nothing is used: the thread's record is
 * found with rax and rcx, whose values are known, and its own stack has the
 * block and the C code.
 *
 * From a detour: rax is where the program's own ENCLU is, and only that is
 * known. Below the red zone, where a signal's frame might be, there is room
 * for the registers that the system call takes. No flag is touched.
 */
#define EENTER 2
#define FAST_BASES 0
#define FAST_SUD 2
#define FAST_SELECTOR 3
#define FAST_BUSY 4
#define FAST_DEFERRED 5
#define FAST_GS_INSN 6
#define FAST_ENCL_FS 24
#define FAST_ENCL_GS 32
#define FAST_MASK 40
#define SLOT_SIZE 0x20000
#define SYS_RT_SIGPROCMASK 14
#define SYS_SIGALTSTACK 131
#define SYS_ARCH_PRCTL 158
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define SIG_SETMASK 2
#define FLAGS_OFF (~0x44400) /* AC, NT, DF */
#define STACK_OFF 0x4000 /* of the signal stack in the record's slot */
/* From the program's stack pointer. */
#define KEPT_RDI -136
#define KEPT_RSI -144
#define KEPT_RCX -152
#define KEPT_R11 -160
#define KEPT_RIP -168
#define STACK_T -200
#define USER_CS 0x33
#define USER_SS 0x2b

	.text
	.globl	fast_enter, fast_tail, fast_tail_end
	.globl	fast_any, fast_any_kept, fast_any_found, fast_any_end
	.hidden	fast_enter, fast_tail, fast_tail_end
	.hidden	fast_any, fast_any_kept, fast_any_found, fast_any_end
	.hidden	dispatch, thread_tls, fast_aep, fast_bases, fast_enclu
	.type	fast_enter, @function
fast_enter:
	cmp	$EENTER, %eax
	jne	.Ltrap
	cmpb	$0, dispatch(%rip)
	jne	.Lby_stack
	mov	thread_tls@gottpoff(%rip), %rcx
	mov	%fs:(%rcx), %rcx
.Lfound:
	test	%rcx, %rcx
	jz	.Ltrap
	/* From here on signals are put off: this stack is not the program's. */
	movb	$1, FAST_BUSY(%rcx)
	add	$SLOT_SIZE, %rcx
	xchg	%rsp, %rcx
	pushq	$USER_SS
	push	%rcx
	pushfq
	pushq	$USER_CS
	pushq	fast_aep(%rip)
	push	%rax
	pushq	fast_aep(%rip)
.Lblock:
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	/* Not with the program's DF and AC; NT is not IRET's either. */
	pushfq
	andq	$FLAGS_OFF, (%rsp)
	popfq
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	fast_enclu
	mov	%rbp, %rsp
	test	%rax, %rax
	jz	.Lslow
	mov	%rax, %rbx
fast_tail:
	movb	$0, FAST_BUSY(%rbx)
	cmpb	$0, FAST_DEFERRED(%rbx)
	jne	.Ldeferred
.Lgo:
	mov	FAST_SUD(%rbx), %al
	mov	%al, FAST_SELECTOR(%rbx)
	movb	$1, FAST_BASES(%rbx)
	mov	FAST_ENCL_FS(%rbx), %rsi
	mov	FAST_ENCL_GS(%rbx), %rdx
	cmpb	$0, fast_bases(%rip)
	je	.Lby_call
	wrfsbase %rsi
	wrgsbase %rdx
.Lload:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	/* RIP, RFLAGS and RSP at once. */
	iretq
.Ldeferred:
	movb	$0, FAST_DEFERRED(%rbx)
	mov	$SYS_RT_SIGPROCMASK, %eax
	mov	$SIG_SETMASK, %edi
	lea	FAST_MASK(%rbx), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	syscall
	jmp	.Lgo
.Lby_call:
	mov	$SYS_ARCH_PRCTL, %eax
	mov	$ARCH_SET_FS, %edi
	syscall
	cmpb	$0, FAST_GS_INSN(%rbx)
	jne	.Lgs
	mov	$SYS_ARCH_PRCTL, %eax
	mov	$ARCH_SET_GS, %edi
	mov	%rdx, %rsi
	syscall
	jmp	.Lload
.Lgs:
	wrgsbase %rdx
	jmp	.Lload
fast_tail_end:

	/* By a trap, then, with all registers as they were. Signals stay put
	 * off until one finds the thread at its ENCLU (fast_refused). */
.Lslow:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq
.Ltrap:
	mov	fast_aep(%rip), %rcx
	jmp	*%rcx

	/* FS may be anybody's: the signal stack that the kernel knows of is
	 * in the record's slot. Its answer goes to the red zone. */
.Lby_stack:
	mov	%rdi, -8(%rsp)
	mov	%rsi, -16(%rsp)
	mov	%r11, -24(%rsp)
	xor	%edi, %edi
	lea	-48(%rsp), %rsi
	mov	$SYS_SIGALTSTACK, %eax
	syscall
	mov	-48(%rsp), %rcx
	and	$-SLOT_SIZE, %rcx
	mov	-8(%rsp), %rdi
	mov	-16(%rsp), %rsi
	mov	-24(%rsp), %r11
	mov	$EENTER, %eax
	jmp	.Lfound
	.size	fast_enter, . - fast_enter

	.type	fast_any, @function
fast_any:
	mov	%rdi, KEPT_RDI(%rsp)
	mov	%rsi, KEPT_RSI(%rsp)
	mov	%rcx, KEPT_RCX(%rsp)
	mov	%r11, KEPT_R11(%rsp)
	mov	%rax, KEPT_RIP(%rsp)
fast_any_kept:
	mov	$0, %edi
	lea	STACK_T(%rsp), %rsi
	mov	$SYS_SIGALTSTACK, %eax
	syscall
	mov	STACK_T(%rsp), %rax
	mov	KEPT_RDI(%rsp), %rdi
	mov	KEPT_RSI(%rsp), %rsi
	mov	KEPT_RCX(%rsp), %rcx
	mov	KEPT_R11(%rsp), %r11
fast_any_found:
	movb	$1, FAST_BUSY - STACK_OFF(%rax)
fast_any_end:
	lea	SLOT_SIZE - STACK_OFF(%rax), %rax
	xchg	%rsp, %rax
	pushq	$USER_SS
	push	%rax
	pushfq
	pushq	$USER_CS
	pushq	KEPT_RIP(%rax)
	pushq	$EENTER
	push	%rcx
	jmp	.Lblock
	.size	fast_any, . - fast_any

	.section .note.GNU-stack, "", @progbits

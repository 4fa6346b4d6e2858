/* SPDX-License-Identifier: BSD-3-Clause */
/* See fast.h. From the vDSO: rax leaf, rbx TCS, rcx AEP; r10, r11 are free. */
#define FAST_BASES 0
#define FAST_SUD 2
#define FAST_SELECTOR 3
#define FAST_BUSY 4
#define FAST_DEFERRED 5
#define FAST_ENCL_FS 24
#define FAST_ENCL_GS 32
#define FAST_MASK 40
#define SYS_RT_SIGPROCMASK 14
#define SIG_SETMASK 2
#define FLAGS_OFF (~0x40400)

	.text
	.globl	fast_enter, fast_tail, fast_tail_end
	.hidden	fast_enter, fast_tail, fast_tail_end
	.type	fast_enter, @function
fast_enter:
	sub	$8, %rsp
	pushfq
	push	%rax
	push	%rcx
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
	/* Not with the program's DF and AC. */
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
	mov	FAST_ENCL_FS(%rbx), %rax
	wrfsbase %rax
	mov	FAST_ENCL_GS(%rbx), %rax
	wrgsbase %rax
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
	popfq
	ret
.Ldeferred:
	movb	$0, FAST_DEFERRED(%rbx)
	mov	$SYS_RT_SIGPROCMASK, %eax
	mov	$SIG_SETMASK, %edi
	lea	FAST_MASK(%rbx), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	syscall
	jmp	.Lgo
fast_tail_end:

	/* By a trap, then, with all registers as they were. */
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
	popfq
	lea	8(%rsp), %rsp
	jmp	*%rcx
	.size	fast_enter, . - fast_enter

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test enclave's code: one entry point that does what a command in
 * untrusted memory (struct encl_cmd, RDI) says, then leaves. GS base is the
 * enclave's data page, whose first 64 bytes serve as SECINFO. It trusts the
 * host with everything: it is for tests.
 */
#define OP 0(%rdi)
#define LEAF 8(%rdi)
#define FLAGS 16(%rdi)
#define ADDR 24(%rdi)
#define VALUE 32(%rdi)
#define RAX_OUT 40(%rdi)
#define RFLAGS_OUT 48(%rdi)
#define CSSA_OUT 56(%rdi)
#define TURNS 64(%rdi)
#define STOP 72(%rdi)
#define EEXIT 4
/* From GS base. */
#define NOTIFIED 0x900
#define SCRATCH 0xa00
#define SSA0_GPRSGX (0x6000 - 184 - 0x13000)

	/* MXCSR with a rounding mode of VALUE's (RAX), not all zero. */
	.macro	mxcsr_set
	mov	%eax, %ecx
	and	$0x6000, %ecx
	or	$0x3f80, %ecx
	mov	%ecx, %gs:SCRATCH
	ldmxcsr	%gs:SCRATCH
	.endm
	.macro	mxcsr_check
	stmxcsr	%gs:SCRATCH + 4
	mov	%gs:SCRATCH + 4, %ecx
	cmp	%ecx, %gs:SCRATCH
	jne	.Lbad
	.endm

	.section .rodata
	.globl	encl_code, encl_code_end
	.balign	4096
encl_code:
	mov	%rcx, %r15
	test	%rdi, %rdi
	jz	.Lnotify
	mov	%rax, CSSA_OUT
	mov	OP, %rax
	cmp	$.Lcount, %rax
	jae	.Lleave
	lea	.Ltable(%rip), %rdx
	movslq	(%rdx, %rax, 4), %rax
	add	%rdx, %rax
	jmp	*%rax

	.balign	4
.Ltable:
	.long	.Lleave - .Ltable
	.long	.Lenclu - .Ltable
	.long	.Lread - .Ltable
	.long	.Lwrite - .Ltable
	.long	.Lcall - .Ltable
	.long	.Lcpuid - .Ltable
	.long	.Lsyscall - .Ltable
	.long	.Lud2 - .Ltable
	.long	.Ldivide - .Ltable
	.long	.Lint3 - .Ltable
	.long	.Lspin - .Ltable
	.long	.Lvector - .Ltable
	.long	.Lfsgs - .Ltable
	.long	.Lssa - .Ltable
	.long	.Lzmm - .Ltable
	.long	.Laccept - .Ltable
	.long	.Ltouch - .Ltable
	.long	.Lextend - .Ltable
	.long	.Lymm - .Ltable
	.long	.Lpopf - .Ltable
	.long	.Lalign - .Ltable
	.long	.Lgrant - .Ltable
	.long	.Lpound - .Ltable
	.long	.Lx87 - .Ltable
	.long	.Lsse - .Ltable
	.set	.Lcount, (. - .Ltable) / 4

	/* An ERESUME that AEX-Notify has made an entry, on TCS 0: counts it,
	 * keeps EXITINFO, asks for no more of them, and leaves. */
.Lnotify:
	incq	%gs:NOTIFIED
	mov	%rax, %gs:NOTIFIED + 8
	mov	%gs:SSA0_GPRSGX + 160, %eax
	mov	%rax, %gs:NOTIFIED + 16
	movb	$0, %gs:SSA0_GPRSGX + 167
	jmp	.Lleave

.Lenclu:
	rdgsbase %rbx
	mov	FLAGS, %rax
	mov	%rax, (%rbx)
	mov	ADDR, %rcx
	mov	VALUE, %rdx
	mov	LEAF, %rax
	enclu
	jmp	.Lout
.Lread:
	mov	ADDR, %rcx
	movzbl	(%rcx), %eax
	jmp	.Lout
.Lwrite:
	mov	ADDR, %rcx
	mov	VALUE, %rax
	mov	%al, (%rcx)
	jmp	.Lout
.Lcall:
	/* On a stack of its own: the host goes on using its while the
	 * thread is out. */
	mov	ADDR, %rcx
	mov	%rsp, %r14
	rdgsbase %rsp
	add	$0x800, %rsp
	call	*%rcx
	mov	%r14, %rsp
	jmp	.Lout
.Lcpuid:
	mov	$7, %eax
	xor	%ecx, %ecx
	.globl	encl_cpuid
	.hidden	encl_cpuid
encl_cpuid:
	cpuid
	jmp	.Lout
.Lsyscall:
	mov	$39, %eax
	syscall
	jmp	.Lout
.Lud2:
	ud2
	jmp	.Lout
.Ldivide:
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$1, %eax
	div	%ecx
	jmp	.Lout
.Lint3:
	int3
	jmp	.Lout

	/* Until STOP: every register that AEX saves keeps its own pattern. */
.Lspin:
	mov	$0x1111, %rax
	mov	$0x2222, %rbx
	mov	$0x3333, %rcx
	mov	$0x4444, %rdx
	mov	$0x5555, %rsi
	mov	$0x6666, %r8
	mov	$0x7777, %r14
1:	incq	TURNS
	cmp	$0x1111, %rax
	jne	.Lbad
	cmp	$0x2222, %rbx
	jne	.Lbad
	cmp	$0x3333, %rcx
	jne	.Lbad
	cmp	$0x4444, %rdx
	jne	.Lbad
	cmp	$0x5555, %rsi
	jne	.Lbad
	cmp	$0x6666, %r8
	jne	.Lbad
	cmp	$0x7777, %r14
	jne	.Lbad
	cmpq	$0, STOP
	je	1b
	xor	%eax, %eax
	jmp	.Lout

	/* The same for SSE: VALUE is the pattern. */
.Lvector:
	movq	VALUE, %xmm0
	movq	%xmm0, %xmm7
	movq	%xmm0, %xmm15
1:	incq	TURNS
	movq	%xmm0, %rax
	cmp	VALUE, %rax
	jne	.Lbad
	movq	%xmm7, %rax
	cmp	VALUE, %rax
	jne	.Lbad
	movq	%xmm15, %rax
	cmp	VALUE, %rax
	jne	.Lbad
	cmpq	$0, STOP
	je	1b
	xor	%eax, %eax
	jmp	.Lout
	/* The same for AVX-512: zmm1 to zmm31, k3 to k7, and MXCSR's rounding
	 * mode; zmm0 and k1 are scratch. */
.Lzmm:
	mov	VALUE, %rax
	mxcsr_set
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, \
		19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	lea	\i(%rax), %rcx
	vpbroadcastq %rcx, %zmm\i
	.endr
	.irp i, 3, 4, 5, 6, 7
	lea	\i(%rax), %rcx
	kmovq	%rcx, %k\i
	.endr
1:	incq	TURNS
	mov	VALUE, %rax
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, \
		19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	lea	\i(%rax), %rcx
	vpbroadcastq %rcx, %zmm0
	vpcmpeqq %zmm0, %zmm\i, %k1
	kmovb	%k1, %ecx
	cmp	$0xff, %ecx
	jne	.Lbad
	.endr
	.irp i, 3, 4, 5, 6, 7
	kmovq	%k\i, %rcx
	sub	$\i, %rcx
	cmp	%rcx, %rax
	jne	.Lbad
	.endr
	mxcsr_check
	cmpq	$0, STOP
	je	1b
	jmp	.Ldone

	/* And for AVX: ymm1 to ymm15, and MXCSR. */
.Lymm:
	mov	VALUE, %rax
	mxcsr_set
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea	\i(%rax), %rcx
	mov	%rcx, %gs:SCRATCH + 8
	vbroadcastsd %gs:SCRATCH + 8, %ymm\i
	.endr
2:	incq	TURNS
	mov	VALUE, %rax
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea	\i(%rax), %rcx
	vmovq	%xmm\i, %rdx
	cmp	%rcx, %rdx
	jne	.Lbad
	vextractf128 $1, %ymm\i, %xmm0
	vpextrq	$1, %xmm0, %rdx
	cmp	%rcx, %rdx
	jne	.Lbad
	.endr
	mxcsr_check
	cmpq	$0, STOP
	je	2b
.Ldone:
	movl	$0x1f80, %gs:SCRATCH
	ldmxcsr	%gs:SCRATCH
	xor	%eax, %eax
	jmp	.Lout
.Lbad:
	mov	$-1, %rax
	jmp	.Lout

.Lfsgs:
	rdfsbase %rax
	rdgsbase %rcx
	mov	%rcx, VALUE
	jmp	.Lout

	/* EACCEPT of VALUE pages from ADDR; stops at the first code. */
.Laccept:
	rdgsbase %rbx
	mov	FLAGS, %rax
	mov	%rax, (%rbx)
	mov	ADDR, %rcx
	mov	VALUE, %rsi
1:	mov	$5, %eax
	enclu
	test	%rax, %rax
	jnz	.Lout
	add	$4096, %rcx
	dec	%rsi
	jnz	1b
	jmp	.Lout

	/* EMODPE of every second page of 2 * VALUE from ADDR. */
.Lextend:
	rdgsbase %rbx
	mov	FLAGS, %rax
	mov	%rax, (%rbx)
	mov	ADDR, %rcx
	mov	VALUE, %rsi
1:	mov	$6, %eax
	enclu
	add	$8192, %rcx
	dec	%rsi
	jnz	1b
	xor	%eax, %eax
	jmp	.Lout

	/* A byte into each of VALUE pages from ADDR. */
.Ltouch:
	mov	ADDR, %rcx
	mov	VALUE, %rsi
1:	movb	$1, (%rcx)
	add	$4096, %rcx
	dec	%rsi
	jnz	1b
	xor	%eax, %eax
	jmp	.Lout

	/* 8 bytes at ADDR within the enclave, for looking at an SSA frame. */
.Lssa:
	mov	ADDR, %rcx
	mov	(%rcx), %rax
	jmp	.Lout

	/* EMODPE and the store that it is for. */
.Lgrant:
	rdgsbase %rbx
	mov	FLAGS, %rax
	mov	%rax, (%rbx)
	mov	ADDR, %rcx
	mov	$6, %eax
	enclu
	mov	VALUE, %rax
	mov	%al, (%rcx)
	xor	%eax, %eax
	jmp	.Lout

	/* Stores to ADDR until STOP. */
.Lpound:
	mov	ADDR, %rcx
	xor	%eax, %eax
1:	incb	(%rcx)
	incq	TURNS
	cmpq	$0, STOP
	je	1b
	jmp	.Lout

	/* RFLAGS.TF by POPF: what the flags are two instructions later. */
.Lpopf:
	pushfq
	orq	$0x100, (%rsp)
	popfq
	nop
	nop
	pushfq
	pop	%rax
	jmp	.Lout

	/* A load across 8 bytes, with RFLAGS.AC. */
.Lalign:
	pushfq
	orq	$0x40000, (%rsp)
	popfq
	mov	1(%rsp), %rax
	jmp	.Lout

	/* 1 / 0 with that unmasked, in the x87 and in SSE. */
.Lx87:
	fninit
	push	$0x37b
	fldcw	(%rsp)
	pop	%rax
	fld1
	fldz
	fdivrp	%st, %st(1)
	fwait
	jmp	.Lout
.Lsse:
	push	$0x1d80
	ldmxcsr	(%rsp)
	pop	%rax
	mov	$1, %eax
	cvtsi2ss %eax, %xmm0
	xorps	%xmm1, %xmm1
	divss	%xmm1, %xmm0
	jmp	.Lout
.Lout:
	mov	%rax, RAX_OUT
	pushfq
	popq	RFLAGS_OUT
.Lleave:
	mov	%r15, %rbx
	mov	$EEXIT, %eax
	enclu
	ud2
encl_code_end:

	/* An entry has the flags of encl_flags on, and leaves RFLAGS there. */
	.macro	flags_on
	pushfq
	mov	encl_flags(%rip), %r10
	or	%r10, (%rsp)
	popfq
	.endm
	.macro	flags_off
	pushfq
	pushfq
	popq	encl_flags_back(%rip)
	andq	$~0x40400, (%rsp)
	popfq
	.endm
	.bss
	.balign	8
	.globl	encl_flags, encl_flags_back
encl_flags:
	.quad	0
encl_flags_back:
	.quad	0

	/* int encl_call(fn, cmd, function, run): the vDSO's function keeps
	 * rbx, rbp and rsp only. */
	.text
	.globl	encl_call
	.type	encl_call, @function
encl_call:
	.cfi_startproc
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	push	%rbx
	.cfi_offset rbx, -24
	push	%r12
	.cfi_offset r12, -32
	push	%r13
	.cfi_offset r13, -40
	push	%r14
	.cfi_offset r14, -48
	push	%r15
	.cfi_offset r15, -56
	push	%rcx
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%edx, %ecx
	flags_on
	call	*%rax
	flags_off
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size	encl_call, . - encl_call

	/* uint64_t encl_raw(cmd, tcs): EENTER without the vDSO; 0, or the
	 * value that a signal handler has put into RAX. encl_raw_aep is its
	 * AEP. */
	.globl	encl_raw, encl_raw_aep
	.type	encl_raw, @function
encl_raw:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsi, %rbx
	lea	encl_raw_aep(%rip), %rcx
	mov	$2, %eax
	flags_on
encl_raw_aep:
	enclu
	flags_off
	xor	%eax, %eax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	encl_raw, . - encl_raw

	.section .note.GNU-stack, "", @progbits

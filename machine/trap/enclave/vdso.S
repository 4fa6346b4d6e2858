/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of the fake vDSO: __vdso_sgx_enter_enclave as Linux documents it
 * (include/uapi/asm/sgx.h: sgx_enclave_run and the register rules).
 *
 *	rdi rsi rdx r8 r9	pass to the enclave and come back from it
 *	ecx			leaf, EENTER or ERESUME
 *	16(%rbp)		run, the seventh argument
 *
 * Only rbx, rbp and rsp survive, and r10 to r15 pass, too. vdso_aep is the
 * ENCLU and the AEP; the machine resumes at vdso_fixup after an exception with
 * rdi, rsi and rdx as trap number, error code and address, eax the leaf that
 * failed.
 *
 * vdso_slot, when the library has filled it, is where EENTER and ERESUME
 * go without a trap; rbx, rcx and rax are set up as for ENCLU.
 *
 * It is assembled twice. Where the C library's list of objects tells unwinders
 * what there is, the library's own is used (VDSO_LIBRARY), since the image is
 * in no such list; a launched program has the image's, which its C library
 * finds by the auxiliary vector.
 */
#define RUN 16(%rbp)
#define RUN_TCS 0
#define RUN_FUNCTION 8
#define RUN_VECTOR 12
#define RUN_ERROR 14
#define RUN_ADDR 16
#define RUN_HANDLER 24
#define RUN_RESERVED 40
#define RUN_SIZE 256
#define EENTER 2
#define ERESUME 3
#define EEXIT 4
#define EINVAL 22

#ifdef VDSO_LIBRARY
	.hidden	vdso_aep, vdso_fixup, vdso_slot
	.globl	vdso_aep, vdso_fixup, vdso_slot
	.data
	.balign	8
vdso_slot:
	.quad	0
	.text
#else
	.text
	/* What the library needs to know, 64 bytes before the function. */
	.balign	64
	.long	vdso_aep - __vdso_sgx_enter_enclave
	.long	vdso_fixup - __vdso_sgx_enter_enclave
	.long	vdso_slot - __vdso_sgx_enter_enclave
#endif

	.globl	__vdso_sgx_enter_enclave
	.type	__vdso_sgx_enter_enclave, @function
	.balign	64
__vdso_sgx_enter_enclave:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	push	%rbx
	.cfi_offset rbx, -24
	mov	%ecx, %eax
.Lleaf:
	cmp	$EENTER, %eax
	jb	.Linval
	cmp	$ERESUME, %eax
	ja	.Linval
	mov	RUN, %rcx
	mov	$RUN_RESERVED, %ebx
1:	cmpq	$0, (%rcx, %rbx)
	jne	.Linval
	add	$8, %ebx
	cmp	$RUN_SIZE, %ebx
	jb	1b
	mov	RUN_TCS(%rcx), %rbx
	lea	vdso_aep(%rip), %rcx
	cmpq	$0, vdso_slot(%rip)
	je	vdso_aep
	jmp	*vdso_slot(%rip)

vdso_aep:
	enclu
	/* EEXIT comes back here. */
	mov	RUN, %rbx
	movl	$EEXIT, RUN_FUNCTION(%rbx)
.Lreport:
	cmpq	$0, RUN_HANDLER(%rbx)
	jne	.Lhandler
	xor	%eax, %eax
.Lreturn:
	mov	-8(%rbp), %rbx
	leave
	.cfi_def_cfa rsp, 8
	ret
	.cfi_def_cfa rbp, 16
.Linval:
	mov	$-EINVAL, %eax
	jmp	.Lreturn

vdso_fixup:
	mov	RUN, %rbx
	mov	%eax, RUN_FUNCTION(%rbx)
	mov	%di, RUN_VECTOR(%rbx)
	mov	%si, RUN_ERROR(%rbx)
	mov	%rdx, RUN_ADDR(%rbx)
	jmp	.Lreport

.Lhandler:
	/* The enclave may have left data below URSP: keep it while the
	 * handler runs, and give the enclave its stack pointer back. */
	mov	%rsp, %rcx
	mov	%rbx, %rax
	mov	%rsp, %rbx
	and	$-16, %rsp
	push	%rax
	push	%rax
	cld
	call	*RUN_HANDLER(%rax)
	mov	%rbx, %rsp
	test	%eax, %eax
	jle	.Lreturn
	jmp	.Lleaf
	.cfi_endproc
	.size	__vdso_sgx_enter_enclave, . - __vdso_sgx_enter_enclave

#ifndef VDSO_LIBRARY
	.balign	8
vdso_slot:
	.quad	0

	/* The library gives these the real vDSO's addresses, or hides them. */
	.macro	real name
	.globl	__vdso_\name
	.type	__vdso_\name, @function
__vdso_\name:
	.endm
	real	clock_gettime
	real	gettimeofday
	real	time
	real	getcpu
	real	clock_getres
	real	getrandom
	ud2
#endif

	.section .note.GNU-stack, "", @progbits

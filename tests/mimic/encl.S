/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic's enclave: ways in and out. A call (CSSA 0) has a command in
 * RDI; an exception (CSSA 1) has what the host says happened in RDI. Stage 1
 * looks at SSA frame 0, and may send the interrupted code to stage 2, which
 * runs after ERESUME on its stack below the red zone.
 */
#define T_STACK %gs:0
#define T_EXC_STACK %gs:8
#define T_HOST_RSP %gs:16
#define T_RET %gs:24
#define T_EXC_RSP %gs:32
#define T_EXC_RET %gs:40
#define EEXIT 4
#define RED_ZONE 128

	.section mimic_encl, "a", @progbits
	.globl	mimic_entry, mimic_stage2
	.hidden	mimic_entry, mimic_stage2
mimic_entry:
	cld
	test	%eax, %eax
	jnz	.Lexception
	mov	%rsp, T_HOST_RSP
	mov	%rcx, T_RET
	mov	T_STACK, %rsp
	call	mimic_main
	mov	T_HOST_RSP, %rsp
	mov	T_RET, %rbx
	jmp	.Lexit
.Lexception:
	mov	%rsp, T_EXC_RSP
	mov	%rcx, T_EXC_RET
	mov	T_EXC_STACK, %rsp
	call	mimic_stage1
	mov	T_EXC_RSP, %rsp
	mov	T_EXC_RET, %rbx
.Lexit:
	/* Nothing of the enclave's goes out in registers. */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	mov	$EEXIT, %eax
	enclu
	ud2

	/* The stack has the address to go on at, then the faulting address. */
mimic_stage2:
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
	cld
	mov	136(%rsp), %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	mimic_fault
	mov	%rbp, %rsp
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
	ret	$(8 + RED_ZONE)

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate: every way into and out of the enclave.
 *
 * EENTER gives RAX = CSSA, RBX = TCS, RCX = the host's return address, FS and
 * GS base from the TCS; RSP, RBP and all others are the host's. GS base is the
 * thread record. Nothing of the host's is used before its state is checked,
 * and no memory but the thread record and the image is touched before the
 * stack is ours.
 *
 * Between rt_gate_begin and rt_gate_end the stack pointer, the extended state
 * or the record may be half changed, so stage 1 treats any exception there as
 * the end: none can happen unless the host takes committed pages away. Pushes
 * to a stack that may still grow come before the gate begins.
 */
#include "trusted/rt/thread.h"

#define EEXIT 4

	.macro ENCLU
	.byte 0x0f, 0x01, 0xd7
	.endm

/*
 * All extended state from an image; clobbers RAX and RDX. What its XSTATE_BV
 * does not name gets its initial value. PKRU (bit 9) and AMX (17, 18) are left
 * alone: no XFRM of ours has them, and where XCR0 is not narrowed they are the
 * host's. Some processors want all memory up to the end of the highest of the
 * other components, named or not: RT_XSTATE_SIZE.
 */
	.macro LOAD_XSTATE image
	movl $0xfff9fdff, %eax
	movl $0xffffffff, %edx
	xrstor64 \image
	.endm

	.macro INIT_XSTATE
	LOAD_XSTATE rt_xinit(%rip)
	.endm

#define XSTATE_X87 1

/*
 * Leave to the address in RBX with RDI and RSI as they are. With look=1 the
 * last thing before is a look at the end (I16): what leaves after it had
 * looked before.
 */
	.macro LEAVE look=0
	xorl %edx, %edx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	cld
	movl $EEXIT, %eax
	.if \look
	cmpl $0, rt_dead(%rip)
	jne .Lmute
	.endif
	ENCLU
	ud2
	.endm

	.section .rodata
	.balign 64
/* An XSAVE image with XSTATE_BV 0; XRSTOR takes MXCSR from it all the same. */
rt_xinit:
	.zero 24
	.long 0x1f80
	.zero RT_XSTATE_SIZE - 28

	.text
	.balign 16
	.globl rt_gate_begin
	.hidden rt_gate_begin
rt_gate_begin:

	.globl _start
	.type _start, @function
_start:
	cld
	testl %eax, %eax
	jnz .Lnested
	cmpl $0, rt_dead(%rip)
	jne .Lrefuse_dead
	cmpq $RT_W_RETURN, %rdi
	je .Lreturn
	cmpq $RT_W_START, %rdi
	je .Lfirst
	cmpq $RT_W_THREAD, %rdi
	je .Lthread

.Lrefuse_kind:
	movl $RT_W_REFUSED_KIND, %esi
	jmp .Lrefuse
.Lrefuse_state:
	movl $RT_W_REFUSED_STATE, %esi
	jmp .Lrefuse
.Lrefuse_dead:
	movl $RT_W_REFUSED_DEAD, %esi
/* Nothing has been changed: RSP and RBP are still the host's. */
.Lrefuse:
	movl $RT_W_REFUSED, %edi
	movq %rcx, %rbx
	LEAVE

/* The enclave has ended: the same, after LEAVE has put all else in place. */
.Lmute:
	movl $RT_W_REFUSED, %edi
	movl $RT_W_REFUSED_DEAD, %esi
	ENCLU
	ud2

/* CSSA 1, and an exception or an interruption to look at: stage 1. */
.Lnested:
	cmpl $1, %eax
	jne .Lrefuse_kind
	cmpq $RT_W_INTERRUPT, %rdi
	je .Lstage1
	cmpq $RT_W_EXCEPTION, %rdi
	jne .Lrefuse_kind
.Lstage1:
	cmpl $0, rt_dead(%rip)
	jne .Lrefuse_dead
	cmpl $RT_STATE_RUNNING, %gs:RT_T_STATE
	jne .Lrefuse_state
	cmpl $0, %gs:RT_T_CALLED
	jne .Lrefuse_state
	movq %gs:RT_T_STAGE1_TOP, %rax
	testq %rax, %rax
	jz .Lrefuse_state
	movq %rsp, %gs:RT_T_STAGE1_RSP
	movq %rbp, %gs:RT_T_STAGE1_RBP
	movq %rcx, %gs:RT_T_STAGE1_RIP
	movq %rax, %rsp
	pushq $2
	popfq
	xorl %ebp, %ebp
	call rt_stage1
	movl $RT_W_RESUME, %edi
	movl %eax, %esi
	movq %gs:RT_T_STAGE1_RSP, %rsp
	movq %gs:RT_T_STAGE1_RBP, %rbp
	movq %gs:RT_T_STAGE1_RIP, %rbx
	LEAVE look=1

/* rt_leave_stage1(exit, value) */
	.globl rt_leave_stage1
	.hidden rt_leave_stage1
	.type rt_leave_stage1, @function
rt_leave_stage1:
	movq %gs:RT_T_STAGE1_RSP, %rsp
	movq %gs:RT_T_STAGE1_RBP, %rbp
	movq %gs:RT_T_STAGE1_RIP, %rbx
	LEAVE

/* What a crashed thread's save area leads to: it traps for ever (I16). */
	.globl rt_trap
	.hidden rt_trap
	.type rt_trap, @function
rt_trap:
	ud2
	jmp rt_trap

/* The first entry of all: once, on whatever context the host takes. */
.Lfirst:
	xorl %eax, %eax
	movl $1, %edx
	lock cmpxchgl %edx, rt_started(%rip)
	jne .Lrefuse_state
	xorl %eax, %eax
	movl $RT_STATE_RUNNING, %edx
	lock cmpxchgl %edx, %gs:RT_T_STATE
	jne .Lrefuse_state
	movq %rsp, %gs:RT_T_HOST_RSP
	movq %rbp, %gs:RT_T_HOST_RBP
	movq %rcx, %gs:RT_T_HOST_RIP
	leaq __ehdr_start(%rip), %rsp
	leaq rt_layout_page(%rip), %rdx
	addq RT_L_STACK_OFF(%rdx), %rsp
	addq RT_L_STACK_SIZE(%rdx), %rsp
	movq %rsi, %rdi

	pushq $2
	popfq
	INIT_XSTATE
	xorl %ebp, %ebp
	call rt_first
	ud2

/*
 * A thread's: on a context that has been prepared for it, once. The state that
 * it begins with lies where its exception stack is in use.
 */
.Lthread:
	movl $RT_STATE_ASSIGNED, %eax
	movl $RT_STATE_RUNNING, %edx
	lock cmpxchgl %edx, %gs:RT_T_STATE
	jne .Lrefuse_state
	movq %rsp, %gs:RT_T_HOST_RSP
	movq %rbp, %gs:RT_T_HOST_RBP
	movq %rcx, %gs:RT_T_HOST_RIP
	movq %gs:RT_T_XSP, %rsp
	movq %rsp, %rbx
	movq %rsi, %rdi
	pushq $2
	popfq
	INIT_XSTATE
	xorl %ebp, %ebp
	call rt_thread_first
	jmp .Lto_program

/*
 * rt_leave_thread(unpark): the last store lets another thread have the context.
 * After it nothing of the context is read or written: registers, then EEXIT.
 */
	.globl rt_leave_thread
	.hidden rt_leave_thread
	.type rt_leave_thread, @function
rt_leave_thread:
	movq %rdi, %rsi
	pushq $2
	popfq
	INIT_XSTATE
	movl $RT_W_ENDED, %edi
	movq %gs:RT_T_HOST_RSP, %rsp
	movq %gs:RT_T_HOST_RBP, %rbp
	movq %gs:RT_T_HOST_RIP, %rbx
	movl $RT_STATE_FREE, %gs:RT_T_STATE
	LEAVE look=1

/* Back from a host call. */
.Lreturn:
	cmpl $RT_STATE_RUNNING, %gs:RT_T_STATE
	jne .Lrefuse_state
	movl $1, %eax
	xorl %edx, %edx
	lock cmpxchgl %edx, %gs:RT_T_CALLED
	jne .Lrefuse_state
	movq %rsp, %gs:RT_T_HOST_RSP
	movq %rbp, %gs:RT_T_HOST_RBP
	movq %rcx, %gs:RT_T_HOST_RIP
	movq %gs:RT_T_CALL_RSP, %rsp
	pushq $2
	popfq
	LOAD_XSTATE %gs:RT_T_CALL_XSTATE
	movq %gs:RT_T_FS_BASE, %rax
	wrfsbase %rax
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	ret

/* rt_leave(exit, value): for good. */
	.globl rt_leave
	.hidden rt_leave
	.type rt_leave, @function
rt_leave:
	popq %rax
	pushq $2
	popfq
	INIT_XSTATE
	movq %gs:RT_T_HOST_RSP, %rsp
	movq %gs:RT_T_HOST_RBP, %rbp
	movq %gs:RT_T_HOST_RIP, %rbx
	LEAVE

/*
 * What rt_leave_call() does once its registers are on the stack. Of extended
 * state a function of C keeps MXCSR and the x87 control word. But this is a
 * system call of the program's, which keeps all, and our C disturbs none of
 * the x87: flags, stack, MMX registers. FXSAVE takes it in some 40 cycles, in
 * use or not.
 */
.Lcall_out:
	fxsave64 %gs:RT_T_CALL_XSTATE
	movq $XSTATE_X87, %gs:RT_T_CALL_XSTATE_BV
	movq %rsp, %gs:RT_T_CALL_RSP
	rdfsbase %rax
	movq %rax, %gs:RT_T_FS_BASE
	pushq $2
	popfq
	INIT_XSTATE
	movl $1, %gs:RT_T_CALLED
	movq %gs:RT_T_HOST_RSP, %rsp
	movq %gs:RT_T_HOST_RBP, %rbp
	movq %gs:RT_T_HOST_RIP, %rbx
	LEAVE look=1

/*
 * Stage 2: RDI is the frame. The extended state is the interrupted one until
 * it is saved; the frame's XSAVE header is zero.
 */
	.globl rt_stage2_entry
	.hidden rt_stage2_entry
	.type rt_stage2_entry, @function
rt_stage2_entry:
	movq %rdi, %rbx
	movq RT_F_XSAVE(%rbx), %rcx
	movl RT_G_XFRM+rt_global(%rip), %eax
	movl 4+RT_G_XFRM+rt_global(%rip), %edx
	xsave64 (%rcx)
	INIT_XSTATE
	xorl %ebp, %ebp
	movq %rbx, %rdi
	call rt_stage2
	testl %eax, %eax
	jnz .Lsignals
	jmp .Lstage2_out

/*
 * rt_resume(regs): as at the end of a stage 2. Everything comes back from the
 * exception stack, and the stack pointer does not move to the program's before.
 */
	.globl rt_resume
	.hidden rt_resume
	.type rt_resume, @function
rt_resume:
	movq %rdi, %rbx
	movq %rdi, %rsp
.Lto_program:
	INIT_XSTATE
	xorl %ebp, %ebp
.Lsignals:
	movq %rbx, %rdi
	call rt_to_program
	/*
	 * From here on an interruption begins at rt_resume() again, until RBX
	 * is the program's.
	 */
	.globl rt_last_begin
	.hidden rt_last_begin
rt_last_begin:
	movl $0, %gs:RT_T_IN_RUNTIME
	cmpl $0, %gs:RT_T_INTERRUPTED
	jne .Lsignals
.Lstage2_out:
	movq RT_F_XSAVE(%rbx), %rcx
	movl RT_G_XFRM+rt_global(%rip), %eax
	movl 4+RT_G_XFRM+rt_global(%rip), %edx
	xrstor64 (%rcx)
	movq RT_F_FS_BASE(%rbx), %rax
	wrfsbase %rax
	movq RT_F_RIP(%rbx), %rax
	movq %rax, %gs:RT_T_RESUME_RIP
	pushq RT_F_RFLAGS(%rbx)
	popfq
	/* From here on nothing changes flags. */
	movq 56+RT_F_R8(%rbx), %r15
	movq 48+RT_F_R8(%rbx), %r14
	movq 40+RT_F_R8(%rbx), %r13
	movq 32+RT_F_R8(%rbx), %r12
	movq 24+RT_F_R8(%rbx), %r11
	movq 16+RT_F_R8(%rbx), %r10
	movq 8+RT_F_R8(%rbx), %r9
	movq RT_F_R8(%rbx), %r8
	movq RT_F_RDI(%rbx), %rdi
	movq RT_F_RSI(%rbx), %rsi
	movq RT_F_RBP(%rbx), %rbp
	movq RT_F_RDX(%rbx), %rdx
	movq RT_F_RCX(%rbx), %rcx
	movq RT_F_RAX(%rbx), %rax
	movq RT_F_RSP(%rbx), %rsp
	movq RT_F_RBX(%rbx), %rbx
	.globl rt_last_jump
	.hidden rt_last_jump
rt_last_jump:
	jmpq *%gs:RT_T_RESUME_RIP

	.globl rt_gate_end
	.hidden rt_gate_end
rt_gate_end:

/* rt_leave_call(exit, value): the pushes may make the stack grow. */
	.globl rt_leave_call
	.hidden rt_leave_call
	.type rt_leave_call, @function
rt_leave_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	/* The gate pushes and pops one word below this. */
	movq $0, -8(%rsp)
	jmp .Lcall_out

	.bss
	.balign 4
rt_started:
	.zero 4

	.section .note.GNU-stack, "", @progbits

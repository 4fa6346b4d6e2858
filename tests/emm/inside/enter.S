/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OENTRY of the TCSs that the test makes: its threads' first entry; all others
 * are the runtime's.
 */
#include "trusted/rt/thread.h"

#define ENTER_THREAD 2

	.text
	.globl inside_entry
	.hidden inside_entry
inside_entry:
	cld
	testl %eax, %eax
	jnz _start
	cmpq $ENTER_THREAD, %rdi
	jne _start
	movl $RT_STATE_ASSIGNED, %eax
	movl $RT_STATE_RUNNING, %edx
	lock cmpxchgl %edx, %gs:RT_T_STATE
	movl $0, %eax
	jne _start /* which refuses it */
	movq %rsp, %gs:RT_T_HOST_RSP
	movq %rbp, %gs:RT_T_HOST_RBP
	movq %rcx, %gs:RT_T_HOST_RIP
	movq %gs:RT_T_STACK_TOP, %rsp
	pushq $2
	popfq
	fninit
	xorl %ebp, %ebp
	movq %rsi, %rdi
	call inside_thread
	ud2

	.section .note.GNU-stack, "", @progbits

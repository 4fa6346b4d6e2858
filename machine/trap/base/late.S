/* SPDX-License-Identifier: BSD-3-Clause */
/* See late.h. A first call keeps the registers that arguments are in. */
#include "machine/trap/base/late.h"

	.text
	.hidden	late_table, late_load

	.macro	late name
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	jmp	*(late_table + 8 * late_n)(%rip)
	.size	\name, . - \name
	.set	late_n, late_n + 1
	.endm

	.set	late_n, 0
#define STUB(name) late name;
	LATE_LIST(STUB)

	.macro	first name
.Lfirst_\name:
	push	$late_n
	jmp	.Lload
	.set	late_n, late_n + 1
	.endm

	.set	late_n, 0
#define FIRST(name) first name;
	LATE_LIST(FIRST)

	/* The stack is as after two calls: aligned again after seven. */
.Lload:
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%r8
	push	%r9
	sub	$8, %rsp
	call	late_load
	add	$8, %rsp
	pop	%r9
	pop	%r8
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%rax
	lea	late_table(%rip), %r11
	jmp	*(%r11, %rax, 8)

	.section .data.rel.local, "aw"
	.globl	late_table
	.balign	8
	.type	late_table, @object
late_table:
#define SLOT(name) .quad .Lfirst_##name;
	LATE_LIST(SLOT)
	.size	late_table, . - late_table

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/* The cost table that comes with edmm, as it is in the source. */
	.section .rodata
	.globl watch_cost_default
	.type watch_cost_default, @object
watch_cost_default:
	.incbin WATCH_COST_FILE
	.byte 0
	.size watch_cost_default, . - watch_cost_default
	.section .note.GNU-stack, "", @progbits

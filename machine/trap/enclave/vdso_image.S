/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake vDSO as linked by the build, embedded as it is. */
	.section .rodata
	.globl	vdso_image, vdso_image_end
	.hidden	vdso_image, vdso_image_end
	.balign	4096
vdso_image:
	.incbin	VDSO_FILE
vdso_image_end:

	.section .note.GNU-stack, "", @progbits

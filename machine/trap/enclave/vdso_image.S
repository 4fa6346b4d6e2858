/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake vDSO as linked by the build, embedded as it is. */
	.section .rodata
	.globl	mach_vdso_image, mach_vdso_image_end
	.hidden	mach_vdso_image, mach_vdso_image_end
	.balign	4096
mach_vdso_image:
	.incbin	MACH_VDSO_FILE
mach_vdso_image_end:

	.section .note.GNU-stack, "", @progbits

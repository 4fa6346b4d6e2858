/* SPDX-License-Identifier: BSD-3-Clause */
/* arch_prctl(ARCH_SET_FS) of the layer, which executes WRFSBASE inside. */
#include "pthread_impl.h"
#include "syscall.h"

#define EDMM_ARCH_SET_FS 0x1002

int __set_thread_area(void *p)
{
	return (int)__syscall(SYS_arch_prctl, EDMM_ARCH_SET_FS, p);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The launcher's last step (launch/launch.c), which must be the library's: from
 * here on no system call outside its text gets through.
 */
#include "launch/launch.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/vdso.h"

__attribute__((visibility("default"))) _Noreturn void edmm_machine_launch(
	uint64_t entry, void *stack, const void *auxv, size_t auxv_size,
	const char *exe)
{
	struct thread *t = thread_self();

	machine.auxv = auxv;
	machine.auxv_size = auxv_size;
	dispatch.exe = exe;
	vdso_launched();
	brk_init();
	cpuid_patch();
	/* From here on FS is the program's. */
	dispatch_start(t);
	t->handler_fs = dispatch.fs;
	t->host_fs = 0;
	t->host_gs = 0;
	launch_start(entry, (uint64_t)stack, &t->selector);
}

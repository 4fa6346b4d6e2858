/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The start of the library. It is linked `initfirst`, so this runs before the
 * constructors of every other library, some of which look for the vDSO; libc
 * itself is not ready: no environ, no stdio.
 */
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include <edmm/machine.h>

#include "dispatch.h"
#include "exec.h"
#include "machine.h"
#include "raw.h"
#include "sig.h"
#include "sys.h"

#define HWCAP2_FSGSBASE 2u

static const char *env(char **envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, n) && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* The auxiliary vector lies behind the environment. */
static Elf64_auxv_t *aux(char **envp, uint64_t type)
{
	Elf64_auxv_t *a;

	while (*envp)
		envp++;
	for (a = (void *)(envp + 1); a->a_type != AT_NULL; a++)
		if (a->a_type == type)
			return a;
	return NULL;
}

static uint64_t aux_value(char **envp, uint64_t type)
{
	const Elf64_auxv_t *a = aux(envp, type);

	return a ? a->a_un.a_val : 0;
}

/* For who reads /proc/self/auxv. */
static void aux_take(char **envp)
{
	const Elf64_auxv_t *a;

	while (*envp)
		envp++;
	machine.auxv = envp + 1;
	for (a = machine.auxv; a->a_type != AT_NULL; a++)
		;
	machine.auxv_size =
		(size_t)((const char *)(a + 1) - (const char *)machine.auxv);
}

__attribute__((constructor)) static void init(int argc, char **argv,
					      char **envp)
{
	Elf64_auxv_t *vdso = aux(envp, AT_SYSINFO_EHDR);
	Elf64_auxv_t *hwcap2 = aux(envp, AT_HWCAP2);
	struct mach_options o;

	(void)argc;
	(void)argv;
	config_parse(env(envp, EDMM_MACHINE_ENV), &o);
	if (!hwcap2 || !(hwcap2->a_un.a_val & HWCAP2_FSGSBASE))
		o.fsgsbase = false;
	o.quiet = env(envp, EDMM_MACHINE_QUIET_ENV) != NULL;
	mach_thread_init();
	exec_init(envp);
	machine_init(&o);
	report_init();
	vdso_init(vdso ? vdso->a_un.a_val : 0);
	if (vdso)
		vdso->a_un.a_val = machine.vdso;
	aux_take(envp);
	sig_init();
	cpuid_arm(mach_thread());
	machine.opt.cpuid_patch |= !mach_thread()->cpuid;
	cpuid_patch();
	if (o.raw == MACH_RAW_ALWAYS ||
	    (o.raw == MACH_RAW_AUTO &&
	     raw_calls(aux_value(envp, AT_PHDR), aux_value(envp, AT_PHNUM))))
		dispatch_start(mach_thread());
}

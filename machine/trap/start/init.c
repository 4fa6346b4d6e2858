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

#include "machine/trap/base/machine.h"
#include "machine/trap/base/raw.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/calls/dispatch.h"
#include "machine/trap/calls/environ.h"
#include "machine/trap/calls/exec.h"
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/enclave/step.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/vdso.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/start/start.h"
#include "machine/trap/tell/tell.h"

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

static void take_settings(const char *text, struct machine_options *o)
{
	struct option_error e;
	char line[OPTION_TEXT];

	if (options_parse(text, o, &e))
		return;
	options_tell(line, NULL, &e);
	sys_die(EDMM_MACHINE_ENV, line);
}

static _Noreturn void insisted(const struct facility_row *f)
{
	char text[32];
	size_t n = strlen(f->setting);

	memcpy(text, f->setting, n);
	memcpy(text + n, "=1", 3);
	sys_die(text, "this processor or kernel does not have it");
}

void facility_init(const struct machine_options *o, uint64_t hwcap2)
{
	const struct facility_probe p = { sys_call6, hwcap2 };

	for (int i = 0; i < FACILITIES; i++) {
		const struct facility_row *f = &facility_rows[i];
		bool there = o->want[i] != FACILITY_OFF && f->there(&p);

		machine.has[i] = there;
		if (o->want[i] == FACILITY_ON && !there)
			insisted(f);
	}
}

/* From the next instruction outside on, not from the first trap on. */
static void start_dispatch(struct thread *t)
{
	dispatch_start(t);
	t->selector = 1;
}

__attribute__((constructor)) static void init(int argc, char **argv,
					      char **envp)
{
	Elf64_auxv_t *vdso = aux(envp, AT_SYSINFO_EHDR);
	Elf64_auxv_t *hwcap2 = aux(envp, AT_HWCAP2);
	struct machine_options o;

	(void)argc;
	(void)argv;
	take_settings(env(envp, EDMM_MACHINE_ENV), &o);
	facility_init(&o, hwcap2 ? hwcap2->a_un.a_val : 0);
	/* The program's are emulated where they are not there. */
	if (hwcap2)
		hwcap2->a_un.a_val |= HWCAP2_FSGSBASE;
	o.quiet = env(envp, EDMM_MACHINE_QUIET_ENV) != NULL;
	thread_init();
	exec_init(envp);
	machine_init(&o);
	step_init();
	report_init();
	vdso_init(vdso ? vdso->a_un.a_val : 0);
	if (vdso)
		vdso->a_un.a_val = machine.vdso;
	aux_take(envp);
	environ_hide(envp);
	sig_init(trap_on_signal);
	cpuid_arm(thread_self());
	cpuid_patch();
	if (o.raw == MACHINE_RAW_ALWAYS ||
	    (o.raw == MACHINE_RAW_AUTO &&
	     raw_calls(aux_value(envp, AT_PHDR), aux_value(envp, AT_PHNUM))))
		start_dispatch(thread_self());
}

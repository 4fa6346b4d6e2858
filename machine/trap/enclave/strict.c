/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strict mode: host code that touches enclave memory is stopped and reported.
 *
 * Hardware gives such code ones and drops what it writes; nothing tells. Here
 * every mapping of an enclave has a protection key that a thread's PKRU opens
 * only while it is inside. On processors without keys all mappings are closed
 * by mprotect while no thread is inside, which costs two of them an entry, and
 * what a thread touches while another is inside is seen only if the view hides
 * it anyway.
 *
 * PKRU is part of the frame that a handler returns to. The entry without a trap
 * does not change it, so strict mode goes without that.
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"

#define XCOMP_PKRU 9
#define FP_MAGIC 0x46505853u
#define FP_SW_OFFSET 464
#define FP_HEADER_OFFSET 512
#define CLOSED 3u /* access and write disabled */

static int key = -1;
static uint32_t pkru_offset;
/* Threads inside; the driver's lock guards it. */
static uint32_t inside;

void strict_init(void)
{
	uint32_t a, c, d;

	if (!machine.opt.strict)
		return;
	if (!machine.has[FACILITY_PKEYS]) {
		view_close(true);
		return;
	}
	key = (int)sys_call(SYS_pkey_alloc, 0, CLOSED);
	__cpuid_count(0xd, XCOMP_PKRU, a, pkru_offset, c, d);
	if (!a || key < 0)
		sys_die("strict: no protection key is left", NULL);
}

void strict_after_fork(void)
{
	inside = 0;
	if (machine.opt.strict && key < 0)
		view_close(true);
}

void strict_move(bool from_inside, bool to_inside)
{
	if (!machine.opt.strict || key >= 0 || from_inside == to_inside)
		return;
	drv_lock(machine.d);
	if (to_inside && !inside++)
		view_close(false);
	else if (from_inside && !--inside)
		view_close(true);
	drv_unlock(machine.d);
}

long strict_map(uint64_t addr, uint64_t size, int prot)
{
	if (key < 0)
		return 0;
	return sys_call(SYS_pkey_mprotect, (long)addr, (long)size, prot, key);
}

void strict_apply(struct thread *t, ucontext_t *uc)
{
	char *fp = (char *)uc->uc_mcontext.fpregs;
	uint32_t sw[2], pkru = 0, closed = CLOSED << (2 * (unsigned)key);
	uint64_t bv;

	if (key < 0 || !fp)
		return;
	memcpy(sw, fp + FP_SW_OFFSET, sizeof(sw));
	if (sw[0] != FP_MAGIC || sw[1] < pkru_offset + sizeof(pkru))
		return;
	memcpy(&bv, fp + FP_HEADER_OFFSET, sizeof(bv));
	if (bv & 1u << XCOMP_PKRU)
		memcpy(&pkru, fp + pkru_offset, sizeof(pkru));
	pkru = mach_inside(&t->cpu) ? pkru & ~closed : pkru | closed;
	bv |= 1u << XCOMP_PKRU;
	memcpy(fp + FP_HEADER_OFFSET, &bv, sizeof(bv));
	memcpy(fp + pkru_offset, &pkru, sizeof(pkru));
}

/* "in FUNCTION+0x12 of FILE", as far as the dynamic symbols tell. */
static void where(char *text, size_t size, uint64_t rip)
{
	Dl_info i;

	*text = 0;
	if (!dladdr((const void *)rip, &i))
		return;
	if (i.dli_sname)
		snprintf(text, size, ", %s+%#lx of %s", i.dli_sname,
			 rip - (uint64_t)i.dli_saddr, i.dli_fname);
	else
		snprintf(text, size, ", %s+%#lx", i.dli_fname,
			 rip - (uint64_t)i.dli_fbase);
}

bool strict_touch(struct trap *tr, uint64_t addr, unsigned access)
{
	static const char *const what[] = {
		[MACH_R] = "load", [MACH_W] = "store", [MACH_X] = "jump"
	};
	uint64_t rip = (uint64_t)tr->uc->uc_mcontext.gregs[REG_RIP];
	siginfo_t info = *tr->info;
	struct drv_vma v;
	char line[512], place[256];

	if (!machine.opt.strict || mach_inside(&tr->t->cpu))
		return false;
	drv_lock(machine.d);
	if (!drv_find_vma(machine.d, addr, &v) || v.start > addr)
		v.encl = NULL;
	drv_unlock(machine.d);
	if (!v.encl)
		return false;
	where(place, sizeof(place), rip);
	snprintf(line, sizeof(line),
		 "edmm: strict: %s outside an enclave at %#lx, in its memory; "
		 "instruction at %#lx%s\n",
		 what[access], addr, rip, place);
	sys_err(line);
	info.si_signo = SIGABRT;
	sig_die(SIGABRT, &info, tr->uc);
	return true;
}

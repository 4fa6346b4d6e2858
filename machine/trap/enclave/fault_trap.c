/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page faults of ordinary instructions, inside an enclave or not.
 */
#include "machine/trap/enclave/trap.h"

#include "machine/trap/base/sys.h"
#include "machine/trap/signal/sig.h"

struct exception trap_fault_exception(enum drv_verdict v, uint64_t addr,
				      uint32_t pfec)
{
	struct exception e = { .vector = SGX_VEC_PF,
			       .errcode = pfec,
			       .addr = addr,
			       .sig = v == DRV_SIGBUS ? SIGBUS : SIGSEGV };

	if (v == DRV_SIGBUS)
		e.code = BUS_ADRERR;
	else
		e.code = v == DRV_NONE ? SEGV_MAPERR : SEGV_ACCERR;
	return e;
}

void trap_page_fault(struct trap *tr)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;
	uint64_t addr = (uint64_t)g[REG_CR2];
	uint32_t err = (uint32_t)g[REG_ERR], pfec = err;
	unsigned access = MACH_R;
	struct exception e;
	enum drv_verdict v;

	if (err & SGX_PFEC_W)
		access = MACH_W;
	else if (err & SGX_PFEC_I)
		access = MACH_X;
	if (strict_touch(tr, addr, access))
		return;
	drv_lock(machine.d);
	v = drv_fault(machine.d, &tr->t->cpu, addr, access, false, &pfec);
	drv_unlock(machine.d);
	if (v == DRV_RETRY || v == DRV_BUSY)
		return;
	if (v == DRV_ABORT && abort_access(tr, addr))
		return;
	e = trap_fault_exception(v, addr, pfec);
	if (v == DRV_NONE) {
		e.sig = tr->sig;
		e.code = tr->info->si_code;
		e.native = true;
	}
	trap_raise(tr, &e);
}

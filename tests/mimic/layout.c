/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is where in the raw mimic's enclave: for who loads it and who signs it.
 */
#include "tests/mimic/layout.h"

#define PAGE 4096ull
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define RX (SGX_SECINFO_R | SGX_SECINFO_X)
#define REG SGX_SECINFO_PT(SGX_PT_REG)

static uint64_t put(struct mimic_layout *l, uint64_t *top, uint64_t pages,
		    uint64_t flags)
{
	*top -= pages * PAGE;
	l->area[l->count++] = (struct mimic_area){
		.addr = *top,
		.pages = pages,
		.flags = flags,
		.measured = true,
	};
	return *top;
}

void mimic_plan(struct mimic_layout *l, bool edmm)
{
	uint64_t top = edmm ? MIMIC_SIZE_EDMM : MIMIC_SIZE_PLAIN;

	l->size = top;
	l->edmm = edmm;
	l->count = 0;
	l->code = put(l, &top, MIMIC_CODE, REG | RX);
	l->data = put(l, &top, MIMIC_THREADS, REG | RW);
	put(l, &top, 2ull * MIMIC_THREADS * MIMIC_STACK, REG | RW);
	l->ssa = put(l, &top, MIMIC_THREADS * MIMIC_NSSA * MIMIC_FRAME,
		     REG | RW);
	/* With SGX2 the last thread's TCS is made later. */
	l->tcs = put(l, &top, edmm ? MIMIC_THREADS - 1 : MIMIC_THREADS,
		     SGX_SECINFO_PT(SGX_PT_TCS));
	if (edmm)
		return;
	l->area[l->count++] = (struct mimic_area){
		.addr = MIMIC_LOW,
		.pages = (top - MIMIC_LOW) / PAGE,
		.flags = REG | SGX_SECINFO_RWX,
	};
}

void mimic_tcs(const struct mimic_layout *l, unsigned thread,
	       struct sgx_tcs *tcs)
{
	tcs->ossa = l->ssa + (uint64_t)thread * MIMIC_NSSA * MIMIC_FRAME * PAGE;
	tcs->nssa = MIMIC_NSSA;
	tcs->oentry = l->code + (uint64_t)(mimic_entry - __start_mimic_encl);
	tcs->ofsbase = l->data + thread * PAGE;
	tcs->ogsbase = l->data + thread * PAGE;
	tcs->fslimit = UINT32_MAX;
	tcs->gslimit = UINT32_MAX;
}

static void thread_page(const struct mimic_layout *l, unsigned i,
			struct mimic_thread *t)
{
	uint64_t stacks =
		l->ssa + MIMIC_THREADS * MIMIC_NSSA * MIMIC_FRAME * PAGE;

	t->stack = stacks + (2ull * i + 1) * MIMIC_STACK * PAGE;
	t->exc_stack = stacks + (2ull * i + 2) * MIMIC_STACK * PAGE;
	t->frame = l->ssa + (uint64_t)i * MIMIC_NSSA * MIMIC_FRAME * PAGE;
	t->edmm = l->edmm;
	t->index = i;
	t->size = l->size;
}

void mimic_page(const struct mimic_layout *l, uint64_t addr, uint8_t *out)
{
	uint64_t code = addr - l->code, size, i;

	for (i = 0; i < PAGE; i++)
		out[i] = 0;
	size = (uint64_t)(__stop_mimic_encl - __start_mimic_encl);
	if (addr >= l->code)
		for (i = 0; i < PAGE && code + i < size; i++)
			out[i] = (uint8_t)__start_mimic_encl[code + i];
	else if (addr >= l->data)
		thread_page(l, (unsigned)((addr - l->data) / PAGE),
			    (struct mimic_thread *)(void *)out);
	else if (addr >= l->tcs && addr < l->ssa)
		mimic_tcs(l, (unsigned)((addr - l->tcs) / PAGE),
			  (struct sgx_tcs *)(void *)out);
}

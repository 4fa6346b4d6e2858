/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What relocation has written is constant from then on: addresses of functions
 * in tables, the runtime's hooks among them. In an elastic image the EPCM says
 * so, as EACCEPT proves (I11); a static one cannot take rights away.
 */
#include "trusted/rt/thread.h"

#define PT_GNU_RELRO 0x6474e552u

/* Whole pages of it: where it ends amid a page, data follows. */
static void find(uint64_t *from, uint64_t *to)
{
	const struct rt_phdr *ph = rt_phdr_of_type(PT_GNU_RELRO);

	*from = *to = 0;
	if (!ph || ph->vaddr + ph->memsz > rt_layout()->image_size)
		return;
	*from = ph->vaddr & ~(SGX_PAGE_SIZE - 1ull);
	*to = (ph->vaddr + ph->memsz) & ~(SGX_PAGE_SIZE - 1ull);
}

static int64_t accept_restricted(uint64_t off)
{
	_Alignas(64) const struct sgx_secinfo si = {
		.flags = SGX_SECINFO_R | SGX_SECINFO_PR |
			 SGX_SECINFO_PT(SGX_PT_REG),
	};

	return rt_enclu(SGX_EACCEPT, &si, rt_base() + off, 0);
}

const char *rt_relro(void)
{
	uint64_t from, to;

	find(&from, &to);
	if (!rt_elastic() || from >= to)
		return NULL;
	if (rt_host_call(WIRE_CALL_RESTRICT,
			 (const uint64_t[WIRE_CALL_ARGS]){ from, to - from,
							   SGX_SECINFO_R },
			 NULL))
		return "start: relocated constants stay writable";
	for (uint64_t off = from; off < to; off += SGX_PAGE_SIZE)
		if (accept_restricted(off))
			return "start: relocated constants are still writable";
	rt_global.relro_off = from;
	rt_global.relro_size = to - from;
	return NULL;
}

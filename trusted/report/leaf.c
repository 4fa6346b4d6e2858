/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two leaves and RDRAND. Operands are copies on the stack, aligned as the
 * leaves want them, so that none of them can fault.
 */
#include "trusted/report/internal.h"

#define RDRAND_TRIES 10

static uint64_t enclu(uint64_t leaf, const void *rbx, const void *rcx,
		      void *rdx)
{
	uint64_t rax = leaf;

	__asm__ volatile(".byte 0x0f, 0x01, 0xd7" /* ENCLU */
			 : "+a"(rax)
			 : "b"(rbx), "c"(rcx), "d"(rdx)
			 : "memory", "cc");
	return rax;
}

void report_wipe(void *p, size_t size)
{
	__builtin_memset(p, 0, size);
	__asm__ volatile("" : : "r"(p) : "memory");
}

void edmm_report_make(const struct sgx_targetinfo *target, const void *data,
		      struct sgx_report *report)
{
	_Alignas(512) struct sgx_targetinfo t = *target;
	_Alignas(128) uint8_t d[EDMM_REPORT_DATA];
	_Alignas(512) union {
		struct sgx_report report;
		uint8_t room[512];
	} out = { .room = { 0 } };

	__builtin_memcpy(d, data, sizeof(d));
	enclu(SGX_EREPORT, &t, d, &out);
	__builtin_memcpy(report, &out.report, sizeof(*report));
}

uint64_t report_getkey(const struct sgx_keyrequest *request, uint8_t *key)
{
	_Alignas(512) struct sgx_keyrequest r = *request;
	_Alignas(16) uint8_t out[16] = { 0 };
	uint64_t code = enclu(SGX_EGETKEY, &r, out, NULL);

	if (code)
		report_wipe(out, sizeof(out));
	__builtin_memcpy(key, out, sizeof(out));
	report_wipe(out, sizeof(out));
	return code;
}

static int random64(uint64_t *n)
{
	unsigned char ok = 0;
	int i;

	for (i = 0; i < RDRAND_TRIES && !ok; i++)
		__asm__ volatile("rdrand %0\n\tsetc %1"
				 : "=r"(*n), "=qm"(ok)
				 :
				 : "cc");
	return ok;
}

edmm_err edmm_random(void *buf, size_t size)
{
	uint8_t *p = buf;
	uint64_t n;

	while (size) {
		size_t part = size < sizeof(n) ? size : sizeof(n);

		if (!random64(&n))
			return -EDMM_EIO;
		__builtin_memcpy(p, &n, part);
		p += part;
		size -= part;
	}
	return 0;
}

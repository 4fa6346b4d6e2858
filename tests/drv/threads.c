/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real threads in the driver, under ThreadSanitizer: one enters, accepts,
 * trims and removes; one touches pages from outside and changes rights of
 * mappings; one restricts pages and reads the counters. The EPC is so small
 * that pages come and go.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/drv/bay.h"

#define TURNS 1500u
#define MINE 8u /* pages that the first thread works on */
#define OTHERS 32u

static struct bay bay;

static void fail(const char *what, long got)
{
	fprintf(stderr, "threads: %s: %ld\n", what, got);
	exit(1);
}

/* An ioctl that waits while another runs. */
static long patient(unsigned long cmd, void *arg)
{
	long r;

	do
		r = bay_ioctl(&bay, cmd, arg);
	while (r == -EBUSY);
	return r;
}

static void *inside(void *arg)
{
	for (unsigned i = 0; i < TURNS; i++) {
		unsigned page = BAY_FREE + i % MINE;
		struct sgx_enclave_modify_types mod = {
			.offset = page * 4096ull,
			.length = 4096,
			.page_type = SGX_PT_TRIM,
		};
		struct sgx_enclave_remove_pages rem = { .offset = mod.offset,
							.length = 4096 };
		long r = bay_accept(&bay, page);

		if (r)
			fail("EACCEPT", r);
		r = patient(SGX_IOC_ENCLAVE_MODIFY_TYPES, &mod);
		if (r)
			fail("MODIFY_TYPES", r);
		r = bay_accept_trim(&bay, page);
		if (r)
			fail("EACCEPT of TRIM", r);
		r = patient(SGX_IOC_ENCLAVE_REMOVE_PAGES, &rem);
		if (r)
			fail("REMOVE_PAGES", r);
	}
	return arg;
}

static void *outside(void *arg)
{
	for (unsigned i = 0; i < 2 * TURNS; i++) {
		unsigned page = BAY_FREE + OTHERS + i % OTHERS;
		uint32_t pfec;
		long v;

		drv_lock(bay.d);
		v = drv_fault(bay.d, &bay.cpu[1], bay_addr(page), MACH_R, false,
			      &pfec);
		if (i % 7 == 0)
			drv_mprotect(bay.d, bay_addr(page), bay_addr(page + 3),
				     7);
		drv_unlock(bay.d);
		if (v != DRV_ABORT)
			fail("touch from outside", v);
	}
	return arg;
}

static void *restricts(void *arg)
{
	struct edmm_machine_stats s = { 0 };

	for (unsigned i = 0; i < TURNS; i++) {
		struct sgx_enclave_restrict_permissions a = {
			.offset = BAY_SSA2 * 4096,
			.length = 4096,
			.permissions = 3,
		};
		long r = patient(SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &a);

		if (r)
			fail("RESTRICT_PERMISSIONS", r);
		drv_stats(bay.d, &s);
		drv_any_mapped(bay.d);
	}
	return arg;
}

int main(void)
{
	void *(*const fn[])(void *) = { inside, outside, restricts };
	pthread_t t[3];

	bay_setup();
	bay_open(&bay, 64, MACH_F_ALL);
	bay_ready(&bay);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, fn[i], NULL))
			fail("pthread_create", i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	bay_close(&bay);
	return 0;
}

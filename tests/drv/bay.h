/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bay for the driver: a machine with a front end of plain memory, one file,
 * and the records of its ioctls, filled in for calls that succeed. No signal
 * and no real mapping is involved.
 *
 * The enclave has 256 pages of ELRANGE: TCS, two SSA frames, code (R X), data
 * (R W; its first 64 bytes are SECINFO for leaves), read-only data.
 */
#ifndef TESTS_DRV_BAY_H
#define TESTS_DRV_BAY_H

#include "machine/linux/internal.h"
#include "sgx/linux.h"

#define BAY_AEP 0x400100ull
#define BAY_BASE 0x40000000ull
#define BAY_PAGES 256u
#define BAY_SIZE ((uint64_t)BAY_PAGES * 4096)
#define BAY_CPUS 3

enum bay_page {
	BAY_TCS,
	BAY_SSA,
	BAY_SSA2,
	BAY_CODE,
	BAY_DATA,
	BAY_RO,
	BAY_BUILT,
	BAY_FREE = 16,
};

/* An address that the program has nothing at. */
#define BAY_BAD 0x10ull

struct bay {
	struct drv_config cfg;
	struct drv *d;
	struct mach *m;
	struct drv_encl *e;
	struct mach_cpu cpu[BAY_CPUS];
	struct drv_ioctl_ctx ic;
	bool signal;
	void *mem;
	void *chunks[256];
	unsigned chunk_count;
	uint8_t views[BAY_PAGES];
	unsigned view_calls;
	unsigned discarded; /* pages */
	unsigned refused;   /* INITs, for their mark */
	bool leaks;	    /* an EREMOVE was made to fail */
	/* After each look of the driver at all processors, if not NULL. */
	void (*looked)(struct bay *r);

	/* The records of the next calls. */
	struct sgx_secs secs;
	struct sgx_secinfo si;
	struct sgx_sigstruct sig;
	struct sgx_enclave_create create;
	struct sgx_enclave_add_pages add;
	struct sgx_enclave_init init;
	struct sgx_enclave_provision prov;
	struct sgx_enclave_restrict_permissions res;
	struct sgx_enclave_modify_types mod;
	struct sgx_enclave_remove_pages rem;
};

/* Once, before tests are forked: the signer's key. */
void bay_setup(void);

/* A machine and an open file; epc 0: 512 pages. */
void bay_open(struct bay *r, uint32_t epc, uint32_t features);
void bay_close(struct bay *r);

/* Created; pages added; initialised and mapped: aborts on failure. */
void bay_created(struct bay *r);
void bay_added(struct bay *r);
void bay_ready(struct bay *r);

long bay_ioctl(struct bay *r, unsigned long cmd, void *arg);
/* Signs what was added into @r->sig. */
void bay_sign(struct bay *r);

uint64_t bay_addr(unsigned page);

/* Enters with @cpu, does one leaf, leaves; -1 for a fault that the driver does
 * not resolve. */
long bay_leaf(struct bay *r, unsigned leaf, uint64_t flags, uint64_t addr);
long bay_accept(struct bay *r, unsigned page);
/* EACCEPT of a page that MODIFY_TYPES trimmed. */
long bay_accept_trim(struct bay *r, unsigned page);
/* One ENCLU of processor @cpu, with the faults that the driver resolves and the
 * AEXes that it asks for. */
struct mach_result bay_enclu(struct bay *r, unsigned cpu, struct mach_frame *f);
/* EENTER of processor @cpu, which stays inside. */
void bay_enter(struct bay *r, unsigned cpu);
void bay_exit(struct bay *r, unsigned cpu);

#endif

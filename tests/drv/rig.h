/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rig for the driver: a machine with a platform of plain memory, one file,
 * and the records of its ioctls, filled in for calls that succeed. No signal
 * and no real mapping is involved.
 *
 * The enclave has 256 pages of ELRANGE: TCS, two SSA frames, code (R X), data
 * (R W; its first 64 bytes are SECINFO for leaves), read-only data.
 */
#ifndef TESTS_DRV_RIG_H
#define TESTS_DRV_RIG_H

#include <machine/linux/internal.h>
#include <sgx/linux.h>

#define DRIG_AEP 0x400100ull
#define DRIG_BASE 0x40000000ull
#define DRIG_PAGES 256u
#define DRIG_SIZE ((uint64_t)DRIG_PAGES * 4096)
#define DRIG_CPUS 3

enum drig_page {
	DRIG_TCS,
	DRIG_SSA,
	DRIG_SSA2,
	DRIG_CODE,
	DRIG_DATA,
	DRIG_RO,
	DRIG_BUILT,
	DRIG_FREE = 16,
};

/* An address that the program has nothing at. */
#define DRIG_BAD 0x10ull

struct drig {
	struct drv_config cfg;
	struct drv *d;
	struct mach *m;
	struct drv_encl *e;
	struct mach_cpu cpu[DRIG_CPUS];
	struct drv_ioctl_ctx ic;
	bool signal;
	void *mem;
	void *chunks[256];
	unsigned chunk_count;
	uint8_t views[DRIG_PAGES];
	unsigned discarded; /* pages */
	unsigned refused;   /* INITs, for their mark */
	bool leaks;	    /* an EREMOVE was made to fail */
	/* After each look of the driver at all processors, if not NULL. */
	void (*looked)(struct drig *r);

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
void drig_setup(void);

/* A machine and an open file; epc 0: 512 pages. */
void drig_open(struct drig *r, uint32_t epc, uint32_t features);
void drig_close(struct drig *r);

/* Created; pages added; initialised and mapped: aborts on failure. */
void drig_created(struct drig *r);
void drig_added(struct drig *r);
void drig_ready(struct drig *r);

long drig_ioctl(struct drig *r, unsigned long cmd, void *arg);
/* Signs what was added into @r->sig. */
void drig_sign(struct drig *r);

uint64_t drig_addr(unsigned page);

/* Enters with @cpu, does one leaf, leaves; -1 for a fault that the driver does
 * not resolve. */
long drig_leaf(struct drig *r, unsigned leaf, uint64_t flags, uint64_t addr);
long drig_accept(struct drig *r, unsigned page);
/* EACCEPT of a page that MODIFY_TYPES trimmed. */
long drig_accept_trim(struct drig *r, unsigned page);
/* One ENCLU of processor @cpu, with the faults that the driver resolves and the
 * AEXes that it asks for. */
struct mach_result drig_enclu(struct drig *r, unsigned cpu,
			      struct mach_frame *f);
/* EENTER of processor @cpu, which stays inside. */
void drig_enter(struct drig *r, unsigned cpu);
void drig_exit(struct drig *r, unsigned cpu);

#endif

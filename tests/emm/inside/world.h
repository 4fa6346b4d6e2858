/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world of tests/emm/world.h in a real enclave: leaves are ENCLU, host
 * calls leave the enclave, faults come through both exception stages. The
 * instance under test has a range of its own, which the runtime's instance
 * holds as a reservation and so leaves alone.
 */
#ifndef TESTS_EMM_INSIDE_WORLD_H
#define TESTS_EMM_INSIDE_WORLD_H

#define W_CPUS 9
#define W_CTRL 64u
#define W_SRC 32u
#define W_BASE (inside_base)
#define W_RANGE (W_BASE + W_CTRL * EMM_PAGE)

/* What the tests call rights on the model. */
#define MACH_R 1u
#define MACH_W 2u
#define MACH_X 4u

/* Rights bind whoever looks at a page here, the test too. */
#define W_RIGHTS_BIND true

extern uint64_t inside_base; /* of the world's ELRANGE */

struct world {
	struct w_config cfg;
	uint32_t pages;
	struct emm *emm;
	uint64_t base;
	uint8_t *meta;
	uint64_t meta_size;
	uint64_t meta_gone;
	uint32_t added;
	int said; /* by the last fault that was not resolved */

	uint64_t steps;
	uint64_t fail_at;
	uint64_t fail_at2;
	enum w_fault fault;
	enum w_fault fault2;
	bool for_ever;
	bool hit;
	uint64_t modifies;
	uint64_t maps;
	uint64_t populates;
	uint64_t accepts;
	uint64_t extends;
	void (*before)(struct world *w, const char *hook, uint64_t addr);
};

#endif

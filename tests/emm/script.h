/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations on a world from four bytes each, beside a reference that keeps an
 * array of pages and knows nothing of how the memory manager works. For random
 * tests, the fuzzer and the failure tests.
 */
#ifndef TESTS_EMM_SCRIPT_H
#define TESTS_EMM_SCRIPT_H

#include "tests/emm/world.h"

#define S_PAGES 96u
#define S_OP_BYTES 4u

struct s_page {
	bool area;
	uint8_t state; /* enum emm_page_state */
	uint8_t prot;
	uint32_t flags;
	uint32_t window;
	uint32_t id; /* of areas with a growth direction */
	uint64_t stamp;
};

struct script {
	struct world w;
	struct s_page page[S_PAGES];
	uint32_t next_id;
	uint64_t next_stamp;
	uint64_t ops;
	char text[300];
};

void script_open(struct script *s, bool narrow);
void script_close(struct script *s);

/* One operation, checked against the reference. NULL, or what differs. */
const char *script_step(struct script *s, const uint8_t *o);

/* The operation alone. Return: its result. */
int script_do(struct world *w, const uint8_t *o);

/* The slow checks: emm_check and every page's EPCM entry. */
const char *script_check(struct script *s);

#endif

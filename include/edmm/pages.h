/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run of pages: what the image builder measures and what the loader adds,
 * one list for both, so that they cannot differ. In a list, runs are in
 * ascending order of offset and do not overlap; that order is the order of
 * EADD, and so is part of the measurement.
 */
#ifndef EDMM_PAGES_H
#define EDMM_PAGES_H

#include <stdbool.h>
#include <stdint.h>

struct edmm_page_run {
	uint64_t off;		/* from the enclave's base, page aligned */
	uint64_t size;		/* bytes, a multiple of the page size, not 0 */
	const uint8_t *src;	/* size bytes, page aligned; NULL for zeros */
	uint64_t secinfo_flags; /* type and rights, SGX_SECINFO_* */
	bool measured;		/* EEXTEND after each EADD */
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout record: what an enclave knows of its own address range. One page
 * in the read-only part of the image (section .edmm.layout), filled in by the
 * image builder from the ELF file and the policy, and measured. The enclave
 * believes it because the measurement covers it; the host reads it to load.
 *
 * Everything is an offset in bytes from the enclave's base, page aligned unless
 * said otherwise. No maximum of a start-up parameter is in here: an elastic
 * image's identity does not depend on one. heap_bound is the address range
 * that the heap can ever use, a property of ELRANGE.
 *
 *	0             ELF segments, at their virtual addresses
 *	ctx_off       ctx_count contexts, ctx_stride apart, each
 *	                TCS | SSA frames | thread page | guard | exception stack
 *	                | guard
 *	stack_off     main stack: guard | reserved | stack_init bytes EADDed
 *	meta_off      EMM metadata: meta_init bytes EADDed, grows to meta_size
 *	heap_off      heap: heap_init bytes EADDed, then absent, to heap_bound
 *	made_off      made_count more contexts, of the same shape, which the
 *	              enclave makes when it needs them; all of it absent
 */
#ifndef EDMM_LAYOUT_H
#define EDMM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "sgx/assert.h"

#define EDMM_LAYOUT_MAGIC 0x3154594c4d4d4445ull /* "EDMMLYT1" */
#define EDMM_LAYOUT_VERSION 2u
#define EDMM_LAYOUT_SECTION ".edmm.layout"

/* Flags: all of them decide security or the page life cycle, so measured. */
#define EDMM_LAYOUT_ELASTIC 0x1u   /* pages are added after EINIT (SGX2) */
#define EDMM_LAYOUT_WX 0x2u	   /* pages may be writable and executable */
#define EDMM_LAYOUT_DEBUG 0x4u	   /* signed for ATTRIBUTES.DEBUG */
#define EDMM_LAYOUT_HEAP_ZERO 0x8u /* EADDed heap is unmeasured: zero it */

/*
 * XFRM bits that an enclave of ours may run with: x87, SSE, AVX, AVX-512. No
 * PKRU, whose value at an entry is the host's; no AMX, nor what is yet to come.
 * The signature masks all others, and start-up looks at the own report.
 */
#define EDMM_XFRM_ALLOWED 0xe7ull

/* HUP, INT, USR1, USR2, PIPE, TERM, CHLD and WINCH: what may come unasked. */
#define EDMM_SIGNALS_DEFAULT 0x8015a03ull

/* Contexts of an image, and those that an enclave can make. */
#define EDMM_CONTEXTS_MAX 1024u
#define EDMM_MADE_MAX 8192u
#define EDMM_CONTEXTS_ALL (EDMM_CONTEXTS_MAX + EDMM_MADE_MAX)

/* From the main stack to the range's end: the memory manager's page numbers. */
#define EDMM_MANAGED_MAX (0xffff0000ull << 12)

struct edmm_layout {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;
	uint64_t elrange_size; /* SECS.SIZE */
	uint64_t image_size;   /* end of the last ELF segment */

	uint32_t ssa_frame_pages;
	uint32_t nssa;
	uint64_t ctx_off;
	uint64_t ctx_stride;
	uint32_t ctx_count;
	uint32_t ctx_reserved;
	/* Within a context, from its TCS: */
	uint64_t ctx_ssa;    /* nssa * ssa_frame_pages pages */
	uint64_t ctx_thread; /* GS base: the runtime's thread record */
	uint64_t ctx_thread_size;
	uint64_t ctx_xstack;	  /* exception stack, lowest address */
	uint64_t ctx_xstack_size; /* committed whole */

	uint64_t stack_off; /* lowest usable byte; a guard page lies below */
	uint64_t stack_size;
	uint64_t stack_init; /* at the high end */

	uint64_t meta_off;
	uint64_t meta_size;
	uint64_t meta_init;

	uint64_t heap_off;
	uint64_t heap_bound; /* bytes of address range */
	uint64_t heap_init;  /* bytes EADDed; a static image's whole heap */

	uint64_t made_off;   /* numbered on from ctx_count */
	uint64_t made_count; /* none in a static image */

	/* Of a context too: system stack, lowest address; committed whole. */
	uint64_t ctx_sys;
	uint64_t ctx_sys_size;

	uint64_t signals; /* that may come from outside: 1 << (number - 1) */

	uint64_t reserved[485];
};

SGX_ASSERT(sizeof(struct edmm_layout) == 4096, "a layout is one page");
SGX_ASSERT(offsetof(struct edmm_layout, elrange_size) == 16, "elrange");
SGX_ASSERT(offsetof(struct edmm_layout, ctx_off) == 40, "ctx_off");
SGX_ASSERT(offsetof(struct edmm_layout, ctx_ssa) == 64, "ctx_ssa");
SGX_ASSERT(offsetof(struct edmm_layout, stack_off) == 104, "stack_off");
SGX_ASSERT(offsetof(struct edmm_layout, meta_off) == 128, "meta_off");
SGX_ASSERT(offsetof(struct edmm_layout, heap_off) == 152, "heap_off");
SGX_ASSERT(offsetof(struct edmm_layout, made_off) == 176, "made_off");
SGX_ASSERT(offsetof(struct edmm_layout, ctx_sys) == 192, "ctx_sys");
SGX_ASSERT(offsetof(struct edmm_layout, signals) == 208, "signals");

/* How many contexts there can be; their numbers begin with 0. */
static inline uint64_t edmm_layout_contexts(const struct edmm_layout *l)
{
	return l->ctx_count + l->made_count;
}

/* The offset of a context's TCS, by its number. */
static inline uint64_t edmm_layout_context(const struct edmm_layout *l,
					   uint64_t number)
{
	return number < l->ctx_count
		       ? l->ctx_off + number * l->ctx_stride
		       : l->made_off + (number - l->ctx_count) * l->ctx_stride;
}

#endif

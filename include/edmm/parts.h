/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An identity page by page, whatever the format that it comes from: images of
 * edmm-cc, signed enclaves of Intel's SDK (.note.sgxmeta), Fortanix .sgxs
 * streams, and page lists in text. From it MRENCLAVE is computed, and two
 * identities are compared.
 *
 * Context: no locks, no globals.
 * Trust: every reader takes untrusted bytes. It needs memory of the order of
 * the input's size, whatever sizes the input claims, and refuses what would
 * take longer to measure than 16 GiB of pages do.
 */
#ifndef EDMM_PARTS_H
#define EDMM_PARTS_H

#include "edmm/image.h"
#include "edmm/pages.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EDMM_CHUNKS_ALL 0xffffu

/*
 * Pages of one kind, added one after the other. Parts are in the order of
 * EADD, which need not be that of addresses.
 */
struct edmm_part {
	char name[24];	    /* "segment 1", "heap", "TCS", ... */
	uint64_t off;	    /* from SECS.BASE, page aligned */
	uint64_t size;	    /* bytes, whole pages, not 0 */
	const uint8_t *src; /* size bytes, or one page; NULL for zeros */
	bool repeat;	    /* src is one page, the same for all */
	uint16_t chunks;    /* EEXTENDed chunks of each page, bit 0 first */
	uint64_t secinfo;   /* SGX_SECINFO_*: type and rights */
};

struct edmm_parts {
	char label[24]; /* "elastic", "metadata 1.5", "sgxs", ... */
	uint64_t elrange_size;
	uint32_t ssa_frame_pages;
	struct edmm_part *part;
	size_t count;
	uint64_t pages_added;
	uint64_t chunks_measured;
	bool has_sig; /* the file carries one */
	struct sgx_sigstruct sig;
	size_t room;	 /* elements of part; private */
	uint64_t stored; /* bytes of all blocks; private */
	uint8_t **block; /* memory that src points into; private */
	size_t block_count;
};

/* An Intel enclave has one set a metadata block, the newest first. */
#define EDMM_PARTS_SETS 4

/** edmm_is_intel() - an ELF file with a section .note.sgxmeta */
bool edmm_is_intel(const void *bytes, size_t size);

/**
 * edmm_parts_intel() - rebuild the pages of an Intel SDK enclave
 * @bytes: the signed shared object; not kept
 * @sets: filled in, one for each metadata block
 * @count: of the sets
 *
 * Return: 0; -EDMM_ENOEXEC with the field in @diag; -EDMM_ENOMEM. On an error
 * no set needs to be freed.
 * Source: Intel SGX SDK for Linux: psw/urts/loader.cpp and its ELF parser,
 * common/inc/internal/metadata.h.
 */
EDMM_NODISCARD edmm_err
edmm_parts_intel(const void *bytes, size_t size, const char *name,
		 struct edmm_parts sets[EDMM_PARTS_SETS], size_t *count,
		 struct edmm_diag *diag);

/**
 * edmm_parts_sgxs() - read a .sgxs stream
 *
 * The stream is ECREATE, then for each page EADD and up to 16 chunks, each
 * EEXTEND or UNMEASRD, pages and chunks in ascending order.
 *
 * Return: as edmm_parts_intel().
 */
EDMM_NODISCARD edmm_err edmm_parts_sgxs(const void *bytes, size_t size,
					const char *name,
					struct edmm_parts *parts,
					struct edmm_diag *diag);

#define EDMM_PAGELIST_MAGIC "edmm-pages 1"

/**
 * edmm_parts_pagelist() - read a page list
 * @text: the list; not kept
 * @name: its path: files that it names are relative to its folder
 *
 * Lines: "elrange SIZE", "ssaframe PAGES", and
 * "OFFSET[+SIZE] FLAGS FILE[@OFFSET]|- measured|unmeasured".
 *
 * Return: 0; -EDMM_EBADMSG with line in @diag; what reading files gives;
 * -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_parts_pagelist(const char *text, size_t size,
					    const char *name,
					    struct edmm_parts *parts,
					    struct edmm_diag *diag);

/**
 * edmm_parts_plan() - the parts of an image of ours
 * @image: @plan is of it; both outlive @parts
 *
 * Return: 0, -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_parts_plan(const struct edmm_image *image,
					const struct edmm_plan *plan,
					struct edmm_parts *parts);

/**
 * edmm_parts_measure() - MRENCLAVE
 *
 * Return: 0, or -EDMM_EIO when the crypto library fails.
 */
EDMM_NODISCARD edmm_err edmm_parts_measure(const struct edmm_parts *parts,
					   uint8_t mrenclave[32]);

/* ---- two identities compared -------------------------------------------- */

enum edmm_diff_what {
	EDMM_DIFF_NONE,
	EDMM_DIFF_ONLY_A, /* the page is only in the first */
	EDMM_DIFF_ONLY_B,
	EDMM_DIFF_FLAGS,   /* type or rights */
	EDMM_DIFF_CHUNKS,  /* what of it is measured */
	EDMM_DIFF_CONTENT, /* measured bytes */
	EDMM_DIFF_COUNT,
};

struct edmm_diff_area {
	char name[24];
	uint64_t pages[2];		  /* of the first, of the second */
	uint64_t differ[EDMM_DIFF_COUNT]; /* pages */
};

#define EDMM_DIFF_AREAS 64

struct edmm_diff {
	bool elrange_size;
	bool ssa_frame_pages;
	bool order; /* the same pages, added in another order */
	/* The page of the lowest address that differs, and the first byte. */
	enum edmm_diff_what first;
	uint64_t first_off;
	uint32_t first_byte;
	const struct edmm_part *first_part[2]; /* NULL where it is not */
	struct edmm_diff_area area[EDMM_DIFF_AREAS];
	size_t area_count;
};

/**
 * edmm_parts_diff() - what of the measurement differs
 * @a: the first; @diff points into both
 *
 * Areas beyond EDMM_DIFF_AREAS are counted in the last.
 * Return: 0, -EDMM_ENOMEM, -EDMM_EIO (crypto library).
 */
EDMM_NODISCARD edmm_err edmm_parts_diff(const struct edmm_parts *a,
					const struct edmm_parts *b,
					struct edmm_diff *diff);

/** edmm_diff_any() - whether the two measure differently */
bool edmm_diff_any(const struct edmm_diff *diff);

/** edmm_parts_free() - free what a reader allocated; all zero is allowed. */
void edmm_parts_free(struct edmm_parts *parts);

#ifdef __cplusplus
}
#endif

#endif

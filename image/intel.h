/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the reader of Intel's signed enclaves shares: intel_elf.c finds the
 * metadata and the segments in the file, intel_pages.c adds the pages that the
 * loader would, intel.c takes one metadata block after the other.
 *
 * Functions return NULL or what is wrong. Nothing of the file is trusted: each
 * offset is checked before it is followed.
 */
#ifndef IMAGE_INTEL_H
#define IMAGE_INTEL_H

#include <elf.h>

#include "image/parts.h"

#define INTEL_META_MIN 1904u /* up to and with the directories */
#define INTEL_SEGMENTS 64u

enum {
	INTEL_DIR_PATCH,
	INTEL_DIR_LAYOUT,
	INTEL_DIR_ELRANGE,
	INTEL_DIR_EXTEND,
	INTEL_DIR_COUNT
};

struct intel_directory {
	uint32_t off; /* from the block's begin */
	uint32_t size;
};

struct intel_meta {
	uint64_t magic;
	uint64_t version; /* major in the high half */
	uint32_t size;
	uint32_t tcs_policy;
	uint32_t ssa_frame_pages;
	uint32_t max_save_buffer_size;
	uint32_t misc_select;
	uint32_t tcs_min_pool;
	uint64_t enclave_size;
	uint64_t attributes[2];
	struct sgx_sigstruct sig;
	struct intel_directory dir[INTEL_DIR_COUNT];
};
_Static_assert(offsetof(struct intel_meta, sig) == 64, "metadata");
_Static_assert(sizeof(struct intel_meta) == INTEL_META_MIN, "metadata");

struct intel_build {
	uint8_t *file; /* a copy: patched */
	size_t size;
	Elf64_Ehdr eh;
	Elf64_Phdr load[INTEL_SEGMENTS];
	unsigned loads;
	uint8_t *written; /* a bit a page: text relocations; or NULL */
	uint64_t span;
	const uint8_t *block; /* the metadata block, in the caller's bytes */
	struct intel_meta meta;
	uint64_t shift; /* from the image's address to ELRANGE's */
	struct edmm_parts *parts;
};

static inline bool intel_inside(uint64_t off, uint64_t size, uint64_t whole)
{
	return size <= whole && off <= whole - size;
}

/* ---- intel_elf.c ------------------------------------------------------- */

/* The file's header; false where it is no ELF file. */
bool intel_read_header(const uint8_t *file, size_t size, Elf64_Ehdr *eh);
/* The metadata blocks' range in b->file. */
const char *intel_find_note(const struct intel_build *b, uint64_t *off,
			    uint64_t *size);
/* b->load and b->span. */
const char *intel_read_loads(struct intel_build *b);
/* b->written, from the relocations; before patches, as in Intel's loader. */
const char *intel_find_written(struct intel_build *b);

/* ---- intel_pages.c ------------------------------------------------------ */

const char *intel_add_segments(struct intel_build *b);
/* The pages of the metadata's layout table. */
const char *intel_add_layout(struct intel_build *b);

#endif

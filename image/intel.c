/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signed enclaves of Intel's SDK: the pages that its loader adds, rebuilt from
 * the ELF file and the metadata in its section .note.sgxmeta.
 *
 * The note (namesz, descsz, type, "sgx_metadata", unpadded) holds metadata
 * blocks one behind the other, each with its own size, layout and SIGSTRUCT,
 * for different generations of the loader. For one block:
 *
 * 1. Its patches are copied into the file's bytes.
 * 2. Each PT_LOAD segment is added page by page and measured, with the rights
 *    of the segment; a page that text relocations touch gets W as well.
 * 3. The layout table is walked: an entry is pages with a content (a TCS
 *    template, initial data, or one 32-bit word that fills them), a group
 *    repeats the entries before it at a step.
 *
 * Source: Intel SGX SDK for Linux, psw/urts/loader.cpp, parser/elfparser.cpp,
 * common/inc/internal/metadata.h and se_page_attr.h.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/intel.h"

#define META_MAGIC 0x86a80294635d0e4cull
#define MAJOR_GAP 10u /* major versions above it have an ELRANGE */
#define EXTEND_SHARED_OBJECT 0x1002u

struct patch {
	uint64_t dst;
	uint32_t src;
	uint32_t size;
	uint32_t reserved[4];
};

struct elrange {
	uint64_t image_address;
	uint64_t start;
	uint64_t size;
};

_Static_assert(sizeof(struct patch) == 32, "patch");

static const char *apply_patches(struct intel_build *b)
{
	const struct intel_directory *dir = &b->meta.dir[INTEL_DIR_PATCH];
	struct patch patch;
	uint32_t at;

	if (!intel_inside(dir->off, dir->size, b->meta.size))
		return "patches outside the metadata";
	for (at = 0; at + sizeof(patch) <= dir->size; at += sizeof(patch)) {
		memcpy(&patch, b->block + dir->off + at, sizeof(patch));
		if (!intel_inside(patch.src, patch.size, b->meta.size) ||
		    !intel_inside(patch.dst, patch.size, b->size))
			return "a patch outside file or metadata";
		memcpy(b->file + patch.dst, b->block + patch.src, patch.size);
	}
	return NULL;
}

static const char *take_elrange(struct intel_build *b)
{
	const struct intel_directory *dir = &b->meta.dir[INTEL_DIR_ELRANGE];
	struct elrange e;

	b->parts->elrange_size = b->meta.enclave_size;
	if (b->meta.version >> 32 <= MAJOR_GAP)
		return NULL;
	if (dir->size != sizeof(e) ||
	    !intel_inside(dir->off, dir->size, b->meta.size))
		return "no ELRANGE record, which this version has";
	memcpy(&e, b->block + dir->off, sizeof(e));
	if (!e.size || (e.size & (e.size - 1)) || e.start > e.image_address ||
	    !intel_inside(e.image_address - e.start, b->meta.enclave_size,
			  e.size))
		return "an ELRANGE that does not hold the image";
	b->shift = e.image_address - e.start;
	b->parts->elrange_size = e.size;
	return NULL;
}

/* A second shared object inside the file, for FIPS builds. */
static bool has_shared_object(const struct intel_build *b)
{
	const struct intel_directory *dir = &b->meta.dir[INTEL_DIR_EXTEND];
	unsigned major = (unsigned)(b->meta.version >> 32) % MAJOR_GAP;
	uint32_t minor = (uint32_t)b->meta.version, at, id;

	if (major == 2 || (major == 1 && minor < 5) ||
	    (major == 3 && minor < 2) ||
	    !intel_inside(dir->off, dir->size, b->meta.size))
		return false;
	for (at = 0; at + 16 <= dir->size; at += 16) {
		memcpy(&id, b->block + dir->off + at, sizeof(id));
		if (id == EXTEND_SHARED_OBJECT)
			return true;
	}
	return false;
}

static const char *check_meta(const struct intel_build *b)
{
	uint64_t size = b->meta.enclave_size;

	if (!size || (size & (size - 1)) || size > 1ull << 47)
		return "an enclave size that is no power of two";
	if (!b->meta.ssa_frame_pages || b->meta.ssa_frame_pages > 0xffff)
		return "an SSA frame size out of range";
	if (has_shared_object(b))
		return "a FIPS build with a second shared object, which is "
		       "not understood here";
	return NULL;
}

static const char *build_block(struct intel_build *b, const uint8_t *block)
{
	const char *fault;
	char label[24];

	b->block = block;
	snprintf(label, sizeof(label), "metadata %u.%u",
		 (unsigned)(b->meta.version >> 32), (unsigned)b->meta.version);
	parts_init(b->parts, label);
	b->parts->ssa_frame_pages = b->meta.ssa_frame_pages;
	b->parts->has_sig = true;
	b->parts->sig = b->meta.sig;
	fault = check_meta(b);
	if (!fault)
		fault = take_elrange(b);
	if (!fault)
		fault = intel_read_loads(b);
	if (!fault)
		fault = intel_find_written(b);
	if (!fault)
		fault = apply_patches(b);
	if (!fault)
		fault = intel_add_segments(b);
	if (!fault)
		fault = intel_add_layout(b);
	return fault ? fault : parts_overlap(b->parts);
}

static const char *read_block(const void *bytes, size_t size, uint64_t off,
			      const struct intel_meta *meta,
			      struct edmm_parts *parts)
{
	struct intel_build b = { .size = size, .meta = *meta, .parts = parts };
	const char *fault = PARTS_NO_MEMORY;

	memset(parts, 0, sizeof(*parts));
	b.file = malloc(size);
	if (b.file) {
		memcpy(b.file, bytes, size);
		memcpy(&b.eh, bytes, sizeof(b.eh));
		fault = build_block(&b, (const uint8_t *)bytes + off);
	}
	free(b.written);
	free(b.file);
	return fault;
}

/* Newest first; of equal versions, the first in the file. */
static void sort_in(struct edmm_parts *sets, size_t count)
{
	struct edmm_parts t;
	size_t i;

	for (i = count; i > 0; i--) {
		unsigned a[2] = { 0 }, b[2] = { 0 };

		sscanf(sets[i - 1].label, "metadata %u.%u", &a[0], &a[1]);
		sscanf(sets[i].label, "metadata %u.%u", &b[0], &b[1]);
		if (a[0] > b[0] || (a[0] == b[0] && a[1] >= b[1]))
			return;
		t = sets[i];
		sets[i] = sets[i - 1];
		sets[i - 1] = t;
	}
}

static const char *read_all(const void *bytes, size_t size,
			    struct edmm_parts *sets, size_t *count)
{
	struct intel_build b = { .size = size };
	uint64_t at, left;
	const char *fault;
	struct intel_meta meta;

	/* Only intel_find_note() reads through b.file here. */
	b.file = (uint8_t *)(uintptr_t)bytes;
	if (!intel_read_header(bytes, size, &b.eh))
		return "not an ELF file";
	if (b.eh.e_ident[EI_CLASS] != ELFCLASS64)
		return "not an x86-64 enclave";
	fault = intel_find_note(&b, &at, &left);
	while (!fault && left >= sizeof(meta)) {
		memcpy(&meta, b.file + at, sizeof(meta));
		if (meta.magic != META_MAGIC)
			break;
		if (meta.size < sizeof(meta) || meta.size > left)
			return "a metadata block of an impossible size";
		if (*count == EDMM_PARTS_SETS)
			return "more than 4 metadata blocks";
		fault = read_block(bytes, size, at, &meta, &sets[*count]);
		if (fault) {
			edmm_parts_free(&sets[*count]);
			break;
		}
		sort_in(sets, (*count)++);
		at += meta.size;
		left -= meta.size;
	}
	return fault || *count ? fault : "no metadata: not signed yet";
}

edmm_err edmm_parts_intel(const void *bytes, size_t size, const char *name,
			  struct edmm_parts sets[EDMM_PARTS_SETS],
			  size_t *count, struct edmm_diag *diag)
{
	const char *fault;

	*count = 0;
	fault = read_all(bytes, size, sets, count);
	if (!fault)
		return 0;
	while (*count)
		edmm_parts_free(&sets[--*count]);
	return img_fail(diag,
			strcmp(fault, PARTS_NO_MEMORY) ? -EDMM_ENOEXEC
						       : -EDMM_ENOMEM,
			"%s: bad enclave of Intel's SDK: %s", name, fault);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of a signed enclave of Intel's SDK, in the order in which its
 * loader adds them: segments, then the layout table of the metadata.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "image/intel.h"

#define ATTR_EADD 0x1u
#define ATTR_EEXTEND 0x2u
#define GROUP_FLAG 0x1000u
#define TCS_SIZE 4096u

struct entry {
	uint16_t id;
	uint16_t attributes;
	uint32_t page_count;
	uint64_t rva;
	uint32_t content_size; /* or, without an offset, the word that fills */
	uint32_t content_off;
	uint64_t secinfo;
};

struct group {
	uint16_t id;
	uint16_t entry_count;
	uint32_t load_times;
	uint64_t load_step;
	uint32_t reserved[4];
};

_Static_assert(sizeof(struct entry) == 32, "layout entry");
_Static_assert(sizeof(struct group) == 32, "layout group");

static const char *add(struct intel_build *b, struct edmm_part *part)
{
	if (!intel_inside(part->off, part->size, b->meta.enclave_size))
		return "pages outside the enclave";
	part->off += b->shift;
	return parts_add(b->parts, part);
}

static bool is_written(const struct intel_build *b, uint64_t rva)
{
	uint64_t page = rva >> SGX_PAGE_SHIFT;

	return b->written && (b->written[page / 8] & 1u << page % 8);
}

/* Bytes at @rva, then zeros up to @rva + @virt; all of it measured. */
static const char *add_region(struct intel_build *b, struct edmm_part part,
			      const uint8_t *raw, uint64_t raw_size,
			      uint64_t virt)
{
	uint64_t rva = part.off, lead = rva % SGX_PAGE_SIZE, at;
	uint64_t with_bytes = raw_size ? img_page_up(lead + raw_size) : 0;
	uint64_t end = img_page_up(lead + virt);
	const uint64_t secinfo = part.secinfo;
	const char *fault = NULL;
	uint8_t *copy;

	part.chunks = EDMM_CHUNKS_ALL;
	if (with_bytes) {
		copy = parts_block(b->parts, with_bytes);
		if (!copy)
			return PARTS_NO_MEMORY;
		memcpy(copy + lead, raw, raw_size);
		part.src = copy;
	}
	part.size = SGX_PAGE_SIZE;
	for (at = 0; at < with_bytes && !fault; at += SGX_PAGE_SIZE) {
		part.off = rva - lead + at;
		part.secinfo = secinfo;
		if (part.off < b->span && is_written(b, part.off))
			part.secinfo |= SGX_SECINFO_W;
		fault = add(b, &part);
		part.src += SGX_PAGE_SIZE;
	}
	if (fault || end <= with_bytes)
		return fault;
	part.off = rva - lead + with_bytes;
	part.src = NULL;
	part.secinfo = secinfo;
	part.size = end - with_bytes;
	return add(b, &part);
}

static uint64_t rights_of(const Elf64_Phdr *ph)
{
	return SGX_SECINFO_PT(SGX_PT_REG) |
	       (ph->p_flags & PF_R ? SGX_SECINFO_R : 0) |
	       (ph->p_flags & PF_W ? SGX_SECINFO_W : 0) |
	       (ph->p_flags & PF_X ? SGX_SECINFO_X : 0);
}

/*
 * Version 1.3, of the SDK before 1.6, has a page of zeros behind a segment
 * where the size rounded up reaches further than the end rounded up.
 */
static const char *add_tail(struct intel_build *b, unsigned i)
{
	const Elf64_Phdr *ph = &b->load[i];
	uint64_t end = img_page_up(ph->p_vaddr + ph->p_memsz);
	uint64_t far = img_page_up(img_page_up(ph->p_memsz) + ph->p_vaddr);
	bool last = i + 1 == b->loads;
	struct edmm_part part = {
		.off = end,
		.size = SGX_PAGE_SIZE,
		.chunks = EDMM_CHUNKS_ALL,
		.secinfo = rights_of(ph),
	};

	if (b->meta.version != (1ull << 32 | 3) || end >= far ||
	    (!last && end >= img_page_down(b->load[i + 1].p_vaddr)))
		return NULL;
	snprintf(part.name, sizeof(part.name), "segment %u", i);
	return add(b, &part);
}

const char *intel_add_segments(struct intel_build *b)
{
	const char *fault = NULL;
	unsigned i;

	for (i = 0; i < b->loads && !fault; i++) {
		const Elf64_Phdr *ph = &b->load[i];
		struct edmm_part part = {
			.off = ph->p_vaddr,
			.secinfo = rights_of(ph),
		};

		snprintf(part.name, sizeof(part.name), "segment %u", i);
		if (!(ph->p_flags & (PF_R | PF_W | PF_X)))
			return "a segment without rights";
		fault = add_region(b, part, b->file + ph->p_offset,
				   ph->p_filesz, ph->p_memsz);
		if (!fault)
			fault = add_tail(b, i);
	}
	return fault;
}

/* ---- the layout table ----------------------------------------------- */

static const char *id_name(unsigned id)
{
	static const char *const names[] = {
		"layout",
		"heap",
		"heap",
		"heap",
		"TCS",
		"thread data",
		"SSA",
		"stack",
		"stack",
		"thread",
		"guard",
		"dynamic heap",
		"dynamic heap",
		"dynamic heap",
		"dynamic TCS",
		"dynamic thread data",
		"dynamic SSA",
		"dynamic stack",
		"dynamic stack",
		"dynamic thread",
		"reserved memory",
		"reserved memory",
		"reserved memory",
		"user region",
	};

	return names[id < sizeof(names) / sizeof(names[0]) ? id : 0];
}

static const char *add_tcs(struct intel_build *b, const struct entry *e,
			   struct edmm_part *part)
{
	uint8_t *page = parts_block(b->parts, SGX_PAGE_SIZE);
	struct sgx_tcs tcs;

	if (!page)
		return PARTS_NO_MEMORY;
	if (e->content_size > TCS_SIZE)
		return "a TCS template of over a page";
	memset(&tcs, 0, sizeof(tcs));
	memcpy(&tcs, b->block + e->content_off, e->content_size);
	tcs.ossa += part->off;
	tcs.ofsbase += part->off;
	tcs.ogsbase += part->off;
	memcpy(page, &tcs, sizeof(tcs));
	part->src = page;
	part->repeat = true;
	return add(b, part);
}

static const char *add_filled(struct intel_build *b, const struct entry *e,
			      struct edmm_part *part)
{
	unsigned i;

	if (e->content_size) {
		uint8_t *page = parts_block(b->parts, SGX_PAGE_SIZE);

		if (!page)
			return PARTS_NO_MEMORY;
		for (i = 0; i < SGX_PAGE_SIZE; i += 4)
			memcpy(page + i, &e->content_size, 4);
		part->src = page;
		part->repeat = true;
	}
	return add(b, part);
}

static const char *add_entry(struct intel_build *b, const struct entry *e,
			     uint64_t delta)
{
	struct edmm_part part = {
		.off = e->rva + delta,
		.size = (uint64_t)e->page_count << SGX_PAGE_SHIFT,
		.secinfo = e->secinfo,
	};

	if (!(e->attributes & ATTR_EADD) || !part.size)
		return NULL;
	if (e->rva > b->meta.enclave_size || !img_page_aligned(e->rva))
		return "layout: pages outside the enclave";
	snprintf(part.name, sizeof(part.name), "%s", id_name(e->id));
	if (e->attributes & ATTR_EEXTEND)
		part.chunks = EDMM_CHUNKS_ALL;
	if (!e->content_off)
		return e->secinfo ? add_filled(b, e, &part) : NULL;
	if (!intel_inside(e->content_off, e->content_size, b->meta.size))
		return "layout: content outside the metadata";
	if (e->secinfo == SGX_SECINFO_PT(SGX_PT_TCS))
		return add_tcs(b, e, &part);
	if (e->content_size > part.size)
		return "layout: more content than pages";
	return add_region(b, part, b->block + e->content_off, e->content_size,
			  part.size);
}

static const char *add_group(struct intel_build *b, const struct group *g,
			     const uint8_t *end)
{
	uint64_t delta = 0;
	const char *fault = NULL;
	struct entry e;
	uint32_t n, i;

	for (n = 0; n < g->load_times && !fault; n++) {
		delta += g->load_step;
		if (!g->load_step || g->load_step > b->meta.enclave_size ||
		    delta > b->meta.enclave_size)
			return "layout: a group that leaves the enclave";
		for (i = g->entry_count; i > 0 && !fault; i--) {
			memcpy(&e, end - i * sizeof(e), sizeof(e));
			if (e.id & GROUP_FLAG)
				return "layout: a group within a group";
			fault = add_entry(b, &e, delta);
		}
	}
	return fault;
}

const char *intel_add_layout(struct intel_build *b)
{
	const struct intel_directory *dir = &b->meta.dir[INTEL_DIR_LAYOUT];
	const char *fault = NULL;
	struct group g;
	struct entry e;
	uint32_t at;

	if (!intel_inside(dir->off, dir->size, b->meta.size))
		return "layout outside the metadata";
	for (at = 0; at + sizeof(e) <= dir->size && !fault; at += sizeof(e)) {
		const uint8_t *p = b->block + dir->off + at;

		memcpy(&e, p, sizeof(e));
		memcpy(&g, p, sizeof(g));
		if (!(e.id & GROUP_FLAG))
			fault = add_entry(b, &e, 0);
		else if (g.entry_count > at / sizeof(e))
			fault = "layout: a group of more entries than there "
				"are";
		else
			fault = add_group(b, &g, p);
	}
	return fault;
}

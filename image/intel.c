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

#include "image/parts.h"

#define META_MAGIC 0x86a80294635d0e4cull
#define META_MIN 1904u /* up to and with the directories */
#define META_SECTION ".note.sgxmeta"
#define META_NAME "sgx_metadata" /* with its 0 */
#define MAJOR_GAP 10u		 /* major versions above it have an ELRANGE */

#define ATTR_EADD 0x1u
#define ATTR_EEXTEND 0x2u
#define GROUP_FLAG 0x1000u
#define SEGMENTS 64u
#define TCS_SIZE 4096u
#define EXTEND_SHARED_OBJECT 0x1002u

enum {
	DIR_PATCH,
	DIR_LAYOUT,
	DIR_ELRANGE,
	DIR_EXTEND,
	DIR_COUNT
};

struct directory {
	uint32_t off; /* from the block's begin */
	uint32_t size;
};

struct meta {
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
	struct directory dir[DIR_COUNT];
};
_Static_assert(offsetof(struct meta, sig) == 64, "metadata");
_Static_assert(sizeof(struct meta) == META_MIN, "metadata");

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

_Static_assert(sizeof(struct entry) == 32, "layout entry");
_Static_assert(sizeof(struct group) == 32, "layout group");
_Static_assert(sizeof(struct patch) == 32, "patch");

struct build {
	uint8_t *file; /* a copy: patched */
	size_t size;
	Elf64_Ehdr eh;
	Elf64_Phdr load[SEGMENTS];
	unsigned loads;
	uint8_t *written; /* a bit a page: text relocations; or NULL */
	uint64_t span;
	const uint8_t *block; /* the metadata block, in the caller's bytes */
	struct meta meta;
	uint64_t shift; /* from the image's address to ELRANGE's */
	struct edmm_parts *parts;
};

static bool inside(uint64_t off, uint64_t size, uint64_t whole)
{
	return size <= whole && off <= whole - size;
}

/* ---- finding the metadata ---------------------------------------------- */

static bool find_section(const uint8_t *file, size_t size, const Elf64_Ehdr *eh,
			 Elf64_Shdr *found)
{
	Elf64_Shdr names;
	unsigned i;

	if (eh->e_shentsize != sizeof(Elf64_Shdr) ||
	    !inside(eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr),
		    size) ||
	    eh->e_shstrndx >= eh->e_shnum)
		return false;
	memcpy(&names, file + eh->e_shoff + eh->e_shstrndx * sizeof(names),
	       sizeof(names));
	if (!inside(names.sh_offset, names.sh_size, size))
		return false;
	for (i = 0; i < eh->e_shnum; i++) {
		uint64_t at;

		memcpy(found, file + eh->e_shoff + i * sizeof(*found),
		       sizeof(*found));
		at = found->sh_name;
		if (inside(at, sizeof(META_SECTION), names.sh_size) &&
		    !memcmp(file + names.sh_offset + at, META_SECTION,
			    sizeof(META_SECTION)))
			return true;
	}
	return false;
}

static bool read_header(const uint8_t *file, size_t size, Elf64_Ehdr *eh)
{
	if (size < sizeof(*eh) || memcmp(file, ELFMAG, SELFMAG))
		return false;
	memcpy(eh, file, sizeof(*eh));
	return true;
}

/* A 32-bit file has its section names elsewhere; this is enough for it. */
static bool is_intel_32(const uint8_t *file, size_t size)
{
	return file[EI_CLASS] == ELFCLASS32 &&
	       memmem(file, size, META_SECTION, sizeof(META_SECTION));
}

bool edmm_is_intel(const void *bytes, size_t size)
{
	Elf64_Shdr sh;
	Elf64_Ehdr eh;

	return read_header(bytes, size, &eh) &&
	       (is_intel_32(bytes, size) ||
		find_section(bytes, size, &eh, &sh));
}

/* The metadata blocks' range in the file; NULL or what is wrong. */
static const char *find_note(struct build *b, uint64_t *off, uint64_t *size)
{
	Elf64_Nhdr note;
	Elf64_Shdr sh;

	if (!find_section(b->file, b->size, &b->eh, &sh) ||
	    sh.sh_type == SHT_NOBITS ||
	    !inside(sh.sh_offset, sh.sh_size, b->size) ||
	    sh.sh_size < sizeof(note) + sizeof(META_NAME))
		return META_SECTION ": outside the file";
	memcpy(&note, b->file + sh.sh_offset, sizeof(note));
	*off = sh.sh_offset + sizeof(note) + sizeof(META_NAME);
	*size = note.n_descsz;
	if (note.n_namesz != sizeof(META_NAME) ||
	    memcmp(b->file + sh.sh_offset + sizeof(note), META_NAME,
		   sizeof(META_NAME)))
		return META_SECTION ": the note is not named sgx_metadata";
	if (!inside(*off, *size, sh.sh_offset + sh.sh_size))
		return META_SECTION ": shorter than its note";
	return NULL;
}

/* ---- the ELF file ------------------------------------------------------ */

static const char *read_loads(struct build *b)
{
	uint64_t end = 0;
	Elf64_Phdr ph;
	unsigned i;

	if (b->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    b->eh.e_machine != EM_X86_64)
		return "not an x86-64 enclave";
	if (b->eh.e_phentsize != sizeof(ph) ||
	    !inside(b->eh.e_phoff, (uint64_t)b->eh.e_phnum * sizeof(ph),
		    b->size))
		return "program headers outside the file";
	for (i = 0; i < b->eh.e_phnum; i++) {
		memcpy(&ph, b->file + b->eh.e_phoff + i * sizeof(ph),
		       sizeof(ph));
		if (ph.p_type != PT_LOAD)
			continue;
		if (b->loads == SEGMENTS)
			return "over 64 segments";
		if (!inside(ph.p_offset, ph.p_filesz, b->size) ||
		    ph.p_filesz > ph.p_memsz || !ph.p_memsz)
			return "a segment outside the file";
		if (!inside(ph.p_vaddr, ph.p_memsz, IMG_SPAN_MAX) ||
		    img_page_down(ph.p_vaddr) < end)
			return "segments that overlap, or beyond 1 GiB";
		end = img_page_up(ph.p_vaddr + ph.p_memsz);
		b->load[b->loads++] = ph;
	}
	b->span = end;
	return b->loads ? NULL : "no segment";
}

/* A virtual address range as file bytes; NULL where it is not in one. */
static const uint8_t *at_address(const struct build *b, uint64_t addr,
				 uint64_t size)
{
	unsigned i;

	for (i = 0; i < b->loads; i++) {
		const Elf64_Phdr *ph = &b->load[i];

		if (addr >= ph->p_vaddr &&
		    inside(addr - ph->p_vaddr, size, ph->p_filesz))
			return b->file + ph->p_offset + (addr - ph->p_vaddr);
	}
	return NULL;
}

static const char *mark_written(struct build *b, uint64_t addr, uint64_t size)
{
	const uint8_t *p = at_address(b, addr, size);
	uint64_t at, page;
	Elf64_Rela r;

	if (!addr || !size)
		return NULL;
	if (!p)
		return "a relocation table outside the segments";
	for (at = 0; at + sizeof(r) <= size; at += sizeof(r)) {
		memcpy(&r, p + at, sizeof(r));
		if (ELF64_R_TYPE(r.r_info) == R_X86_64_NONE)
			continue;
		if (!inside(r.r_offset, sizeof(uint64_t), b->span))
			return "a relocation outside the segments";
		for (page = r.r_offset >> SGX_PAGE_SHIFT;
		     page <= (r.r_offset + 7) >> SGX_PAGE_SHIFT; page++)
			b->written[page / 8] |= (uint8_t)(1u << page % 8);
	}
	return NULL;
}

struct tables {
	bool textrel;
	uint64_t rela;
	uint64_t rela_size;
	uint64_t plt;
	uint64_t plt_size;
};

static void take_dynamic(const uint8_t *p, uint64_t size, struct tables *t)
{
	Elf64_Dyn d;

	for (; size >= sizeof(d); size -= sizeof(d), p += sizeof(d)) {
		memcpy(&d, p, sizeof(d));
		switch (d.d_tag) {
		case DT_NULL:
			return;
		case DT_TEXTREL:
			t->textrel = true;
			break;
		case DT_RELA:
			t->rela = d.d_un.d_ptr;
			break;
		case DT_RELASZ:
			t->rela_size = d.d_un.d_val;
			break;
		case DT_JMPREL:
			t->plt = d.d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			t->plt_size = d.d_un.d_val;
			break;
		}
	}
}

/* Before the patches, as in Intel's loader. */
static const char *find_written(struct build *b)
{
	struct tables t = { 0 };
	const char *fault;
	Elf64_Phdr ph;
	unsigned i;

	for (i = 0; i < b->eh.e_phnum; i++) {
		memcpy(&ph, b->file + b->eh.e_phoff + i * sizeof(ph),
		       sizeof(ph));
		if (ph.p_type != PT_DYNAMIC)
			continue;
		if (!inside(ph.p_offset, ph.p_filesz, b->size))
			return "a dynamic segment outside the file";
		take_dynamic(b->file + ph.p_offset, ph.p_filesz, &t);
	}
	if (!t.textrel)
		return NULL;
	b->written = calloc(b->span / SGX_PAGE_SIZE / 8 + 1, 1);
	if (!b->written)
		return PARTS_NO_MEMORY;
	fault = mark_written(b, t.rela, t.rela_size);
	return fault ? fault : mark_written(b, t.plt, t.plt_size);
}

/* ---- parts -------------------------------------------------------------- */

static const char *add(struct build *b, struct edmm_part *part)
{
	if (!inside(part->off, part->size, b->meta.enclave_size))
		return "pages outside the enclave";
	part->off += b->shift;
	return parts_add(b->parts, part);
}

static bool is_written(const struct build *b, uint64_t rva)
{
	uint64_t page = rva >> SGX_PAGE_SHIFT;

	return b->written && (b->written[page / 8] & 1u << page % 8);
}

/* Bytes at @rva, then zeros up to @rva + @virt; all of it measured. */
static const char *add_region(struct build *b, struct edmm_part part,
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
static const char *add_tail(struct build *b, unsigned i)
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

static const char *add_segments(struct build *b)
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

static const char *add_tcs(struct build *b, const struct entry *e,
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

static const char *add_filled(struct build *b, const struct entry *e,
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

static const char *add_entry(struct build *b, const struct entry *e,
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
	if (!inside(e->content_off, e->content_size, b->meta.size))
		return "layout: content outside the metadata";
	if (e->secinfo == SGX_SECINFO_PT(SGX_PT_TCS))
		return add_tcs(b, e, &part);
	if (e->content_size > part.size)
		return "layout: more content than pages";
	return add_region(b, part, b->block + e->content_off, e->content_size,
			  part.size);
}

static const char *add_group(struct build *b, const struct group *g,
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

static const char *add_layout(struct build *b)
{
	const struct directory *dir = &b->meta.dir[DIR_LAYOUT];
	const char *fault = NULL;
	struct group g;
	struct entry e;
	uint32_t at;

	if (!inside(dir->off, dir->size, b->meta.size))
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

/* ---- one metadata block ------------------------------------------------ */

static const char *apply_patches(struct build *b)
{
	const struct directory *dir = &b->meta.dir[DIR_PATCH];
	struct patch patch;
	uint32_t at;

	if (!inside(dir->off, dir->size, b->meta.size))
		return "patches outside the metadata";
	for (at = 0; at + sizeof(patch) <= dir->size; at += sizeof(patch)) {
		memcpy(&patch, b->block + dir->off + at, sizeof(patch));
		if (!inside(patch.src, patch.size, b->meta.size) ||
		    !inside(patch.dst, patch.size, b->size))
			return "a patch outside file or metadata";
		memcpy(b->file + patch.dst, b->block + patch.src, patch.size);
	}
	return NULL;
}

static const char *take_elrange(struct build *b)
{
	const struct directory *dir = &b->meta.dir[DIR_ELRANGE];
	struct elrange e;

	b->parts->elrange_size = b->meta.enclave_size;
	if (b->meta.version >> 32 <= MAJOR_GAP)
		return NULL;
	if (dir->size != sizeof(e) ||
	    !inside(dir->off, dir->size, b->meta.size))
		return "no ELRANGE record, which this version has";
	memcpy(&e, b->block + dir->off, sizeof(e));
	if (!e.size || (e.size & (e.size - 1)) || e.start > e.image_address ||
	    !inside(e.image_address - e.start, b->meta.enclave_size, e.size))
		return "an ELRANGE that does not hold the image";
	b->shift = e.image_address - e.start;
	b->parts->elrange_size = e.size;
	return NULL;
}

/* A second shared object inside the file, for FIPS builds. */
static bool has_shared_object(const struct build *b)
{
	const struct directory *dir = &b->meta.dir[DIR_EXTEND];
	unsigned major = (unsigned)(b->meta.version >> 32) % MAJOR_GAP;
	uint32_t minor = (uint32_t)b->meta.version, at, id;

	if (major == 2 || (major == 1 && minor < 5) ||
	    (major == 3 && minor < 2) ||
	    !inside(dir->off, dir->size, b->meta.size))
		return false;
	for (at = 0; at + 16 <= dir->size; at += 16) {
		memcpy(&id, b->block + dir->off + at, sizeof(id));
		if (id == EXTEND_SHARED_OBJECT)
			return true;
	}
	return false;
}

static const char *check_meta(const struct build *b)
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

static const char *build_block(struct build *b, const uint8_t *block)
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
		fault = read_loads(b);
	if (!fault)
		fault = find_written(b);
	if (!fault)
		fault = apply_patches(b);
	if (!fault)
		fault = add_segments(b);
	if (!fault)
		fault = add_layout(b);
	return fault ? fault : parts_overlap(b->parts);
}

static const char *read_block(const void *bytes, size_t size, uint64_t off,
			      const struct meta *meta, struct edmm_parts *parts)
{
	struct build b = { .size = size, .meta = *meta, .parts = parts };
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
	struct build b = { .size = size };
	uint64_t at, left;
	const char *fault;
	struct meta meta;

	/* Only find_note() reads through b.file here. */
	b.file = (uint8_t *)(uintptr_t)bytes;
	if (!read_header(bytes, size, &b.eh))
		return "not an ELF file";
	if (b.eh.e_ident[EI_CLASS] != ELFCLASS64)
		return "not an x86-64 enclave";
	fault = find_note(&b, &at, &left);
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

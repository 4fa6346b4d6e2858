/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ELF file of a signed enclave of Intel's SDK: its metadata note, its
 * segments, and the pages that text relocations write to.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "image/intel.h"

#define META_SECTION ".note.sgxmeta"
#define META_NAME "sgx_metadata" /* with its 0 */

/* ---- finding the metadata ---------------------------------------------- */

static bool find_section(const uint8_t *file, size_t size, const Elf64_Ehdr *eh,
			 Elf64_Shdr *found)
{
	Elf64_Shdr names;
	unsigned i;

	if (eh->e_shentsize != sizeof(Elf64_Shdr) ||
	    !intel_inside(eh->e_shoff,
			  (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr), size) ||
	    eh->e_shstrndx >= eh->e_shnum)
		return false;
	memcpy(&names, file + eh->e_shoff + eh->e_shstrndx * sizeof(names),
	       sizeof(names));
	if (!intel_inside(names.sh_offset, names.sh_size, size))
		return false;
	for (i = 0; i < eh->e_shnum; i++) {
		uint64_t at;

		memcpy(found, file + eh->e_shoff + i * sizeof(*found),
		       sizeof(*found));
		at = found->sh_name;
		if (intel_inside(at, sizeof(META_SECTION), names.sh_size) &&
		    !memcmp(file + names.sh_offset + at, META_SECTION,
			    sizeof(META_SECTION)))
			return true;
	}
	return false;
}

bool intel_read_header(const uint8_t *file, size_t size, Elf64_Ehdr *eh)
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

	return intel_read_header(bytes, size, &eh) &&
	       (is_intel_32(bytes, size) ||
		find_section(bytes, size, &eh, &sh));
}

const char *intel_find_note(const struct intel_build *b, uint64_t *off,
			    uint64_t *size)
{
	Elf64_Nhdr note;
	Elf64_Shdr sh;

	if (!find_section(b->file, b->size, &b->eh, &sh) ||
	    sh.sh_type == SHT_NOBITS ||
	    !intel_inside(sh.sh_offset, sh.sh_size, b->size) ||
	    sh.sh_size < sizeof(note) + sizeof(META_NAME))
		return META_SECTION ": outside the file";
	memcpy(&note, b->file + sh.sh_offset, sizeof(note));
	*off = sh.sh_offset + sizeof(note) + sizeof(META_NAME);
	*size = note.n_descsz;
	if (note.n_namesz != sizeof(META_NAME) ||
	    memcmp(b->file + sh.sh_offset + sizeof(note), META_NAME,
		   sizeof(META_NAME)))
		return META_SECTION ": the note is not named sgx_metadata";
	if (!intel_inside(*off, *size, sh.sh_offset + sh.sh_size))
		return META_SECTION ": shorter than its note";
	return NULL;
}

/* ---- the ELF file ------------------------------------------------------ */

const char *intel_read_loads(struct intel_build *b)
{
	uint64_t end = 0;
	Elf64_Phdr ph;
	unsigned i;

	if (b->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    b->eh.e_machine != EM_X86_64)
		return "not an x86-64 enclave";
	if (b->eh.e_phentsize != sizeof(ph) ||
	    !intel_inside(b->eh.e_phoff, (uint64_t)b->eh.e_phnum * sizeof(ph),
			  b->size))
		return "program headers outside the file";
	for (i = 0; i < b->eh.e_phnum; i++) {
		memcpy(&ph, b->file + b->eh.e_phoff + i * sizeof(ph),
		       sizeof(ph));
		if (ph.p_type != PT_LOAD)
			continue;
		if (b->loads == INTEL_SEGMENTS)
			return "over 64 segments";
		if (!intel_inside(ph.p_offset, ph.p_filesz, b->size) ||
		    ph.p_filesz > ph.p_memsz || !ph.p_memsz)
			return "a segment outside the file";
		if (!intel_inside(ph.p_vaddr, ph.p_memsz, IMG_SPAN_MAX) ||
		    img_page_down(ph.p_vaddr) < end)
			return "segments that overlap, or beyond 1 GiB";
		end = img_page_up(ph.p_vaddr + ph.p_memsz);
		b->load[b->loads++] = ph;
	}
	b->span = end;
	return b->loads ? NULL : "no segment";
}

/* A virtual address range as file bytes; NULL where it is not in one. */
static const uint8_t *at_address(const struct intel_build *b, uint64_t addr,
				 uint64_t size)
{
	unsigned i;

	for (i = 0; i < b->loads; i++) {
		const Elf64_Phdr *ph = &b->load[i];

		if (addr >= ph->p_vaddr &&
		    intel_inside(addr - ph->p_vaddr, size, ph->p_filesz))
			return b->file + ph->p_offset + (addr - ph->p_vaddr);
	}
	return NULL;
}

static const char *mark_written(struct intel_build *b, uint64_t addr,
				uint64_t size)
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
		if (!intel_inside(r.r_offset, sizeof(uint64_t), b->span))
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

const char *intel_find_written(struct intel_build *b)
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
		if (!intel_inside(ph.p_offset, ph.p_filesz, b->size))
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

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF files. Every header is untrusted: it is copied out of the file after a
 * bounds check, checked once, and only the checked values are kept. What is
 * accepted is what edmm-cc makes: a static position-independent x86-64 file
 * with our layout section and no relocation but R_X86_64_RELATIVE.
 *
 * Source: System V ABI, generic and AMD64 supplement.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"

#define REBUILD "; build the program with edmm-cc"

/* Where a check failed: image, message. The checks below use it alone. */
struct walk {
	struct edmm_image *im;
	struct edmm_diag *diag;
	Elf64_Ehdr eh;
	Elf64_Phdr dynamic;
	bool has_dynamic;
};

#define BAD(w, ...) img_fail((w)->diag, -EDMM_ENOEXEC, __VA_ARGS__)

/* Whether [off, off + size) lies in the file. */
static bool in_file(const struct edmm_image *im, uint64_t off, uint64_t size)
{
	return off <= im->file_size && size <= im->file_size - off;
}

static bool fetch(const struct edmm_image *im, uint64_t off, void *to,
		  size_t size)
{
	if (!in_file(im, off, size))
		return false;
	memcpy(to, im->file + off, size);
	return true;
}

static edmm_err check_header(struct walk *w)
{
	struct edmm_image *im = w->im;
	const unsigned char *id = w->eh.e_ident;

	if (!fetch(im, 0, &w->eh, sizeof(w->eh)))
		return BAD(w, "%s: %llu bytes, too short for an ELF file",
			   im->name, (unsigned long long)im->file_size);
	if (memcmp(id, ELFMAG, SELFMAG))
		return BAD(w, "%s: not an ELF file" REBUILD, im->name);
	if (id[EI_CLASS] != ELFCLASS64 || id[EI_DATA] != ELFDATA2LSB ||
	    w->eh.e_machine != EM_X86_64)
		return BAD(w, "%s: ELF file of another machine; x86-64 wanted",
			   im->name);
	if (w->eh.e_type != ET_DYN)
		return BAD(
			w,
			"%s: ELF type %u is not position-independent" REBUILD,
			im->name, w->eh.e_type);
	if (w->eh.e_phentsize != sizeof(Elf64_Phdr) || !w->eh.e_phnum ||
	    w->eh.e_phnum > 64 ||
	    !in_file(im, w->eh.e_phoff, w->eh.e_phnum * sizeof(Elf64_Phdr)))
		return BAD(w,
			   "%s: truncated: program headers at %llu are not "
			   "in the file's %llu bytes",
			   im->name, (unsigned long long)w->eh.e_phoff,
			   (unsigned long long)im->file_size);
	return 0;
}

/* The previous segment's last page must lie below this one's first. */
static edmm_err check_order(struct walk *w, const Elf64_Phdr *ph, unsigned nr)
{
	struct edmm_image *im = w->im;

	if (im->seg_count == IMG_SEGMENTS)
		return BAD(w, "%s: more than %u loadable segments", im->name,
			   IMG_SEGMENTS);
	if (img_page_down(ph->p_vaddr) < im->span)
		return BAD(w,
			   "%s: segment %u at 0x%llx shares a page with the "
			   "one before it or is out of order",
			   im->name, nr, (unsigned long long)ph->p_vaddr);
	return 0;
}

static edmm_err add_segment(struct walk *w, const Elf64_Phdr *ph, unsigned nr)
{
	struct edmm_image *im = w->im;
	struct img_segment *s;
	edmm_err err;

	if (!ph->p_memsz)
		return 0;
	if (!in_file(im, ph->p_offset, ph->p_filesz))
		return BAD(w,
			   "%s: truncated: segment %u ends at byte %llu of "
			   "%llu",
			   im->name, nr,
			   (unsigned long long)(ph->p_offset + ph->p_filesz),
			   (unsigned long long)im->file_size);
	if (ph->p_vaddr >= IMG_SPAN_MAX || ph->p_memsz > IMG_SPAN_MAX ||
	    ph->p_vaddr + ph->p_memsz > IMG_SPAN_MAX ||
	    ph->p_filesz > ph->p_memsz)
		return BAD(w,
			   "%s: segment %u has impossible sizes (at 0x%llx, "
			   "0x%llx bytes); images end below 1 GiB",
			   im->name, nr, (unsigned long long)ph->p_vaddr,
			   (unsigned long long)ph->p_memsz);
	if ((ph->p_vaddr ^ ph->p_offset) % SGX_PAGE_SIZE)
		return BAD(w, "%s: segment %u is not aligned to pages" REBUILD,
			   im->name, nr);
	err = check_order(w, ph, nr);
	if (err)
		return err;
	s = &im->seg[im->seg_count++];
	s->vaddr = ph->p_vaddr;
	s->file_off = ph->p_offset;
	s->file_size = ph->p_filesz;
	s->mem_size = ph->p_memsz;
	s->rights = (ph->p_flags & PF_R ? SGX_SECINFO_R : 0) |
		    (ph->p_flags & PF_W ? SGX_SECINFO_W : 0) |
		    (ph->p_flags & PF_X ? SGX_SECINFO_X : 0);
	if (!(s->rights & SGX_SECINFO_R))
		return BAD(w, "%s: segment %u cannot be read" REBUILD, im->name,
			   nr);
	im->span = img_page_up(ph->p_vaddr + ph->p_memsz);
	return 0;
}

/* A GNU build id in the first page; where there is none, or it is elsewhere or
 * damaged, it is content like any other. */
static void take_build_id(struct edmm_image *im, const Elf64_Phdr *ph)
{
	uint64_t at = ph->p_offset, end = at + ph->p_filesz, desc;
	Elf64_Nhdr n;
	char name[4];

	if (ph->p_vaddr != at || at > SGX_PAGE_SIZE ||
	    ph->p_filesz > SGX_PAGE_SIZE - at || !in_file(im, at, ph->p_filesz))
		return;
	while (end - at >= sizeof(n)) {
		(void)fetch(im, at, &n, sizeof(n));
		desc = at + sizeof(n) + ((n.n_namesz + 3ull) & ~3ull);
		if (desc > end || n.n_descsz > end - desc)
			return;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof(name) &&
		    fetch(im, at + sizeof(n), name, sizeof(name)) &&
		    !memcmp(name, "GNU", sizeof(name))) {
			im->id_off = desc;
			im->id_size = n.n_descsz;
			return;
		}
		at = desc + ((n.n_descsz + 3ull) & ~3ull);
		if (at > end)
			return;
	}
}

static edmm_err walk_segments(struct walk *w)
{
	struct edmm_image *im = w->im;
	unsigned i;
	edmm_err err = 0;

	for (i = 0; i < w->eh.e_phnum && !err; i++) {
		Elf64_Phdr ph;

		if (!fetch(im, w->eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph)))
			return BAD(w, "%s: truncated", im->name);
		if (ph.p_type == PT_INTERP)
			return BAD(
				w,
				"%s: linked against shared libraries" REBUILD,
				im->name);
		if (ph.p_type == PT_DYNAMIC) {
			w->dynamic = ph;
			w->has_dynamic = true;
		}
		if (ph.p_type == PT_NOTE)
			take_build_id(im, &ph);
		if (ph.p_type == PT_LOAD)
			err = add_segment(w, &ph, i);
	}
	if (!err && !im->seg_count)
		return BAD(w, "%s: nothing to load" REBUILD, im->name);
	return err;
}

/* The segment whose file bytes hold [vaddr, vaddr + size), or NULL. */
static const struct img_segment *find_segment(const struct edmm_image *im,
					      uint64_t vaddr, uint64_t size)
{
	unsigned i;

	for (i = 0; i < im->seg_count; i++) {
		const struct img_segment *s = &im->seg[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr <= s->file_size &&
		    size <= s->file_size - (vaddr - s->vaddr))
			return s;
	}
	return NULL;
}

static edmm_err check_entry(struct walk *w)
{
	const struct img_segment *s = find_segment(w->im, w->eh.e_entry, 1);

	if (!s || !(s->rights & SGX_SECINFO_X))
		return BAD(w, "%s: the entry point 0x%llx is not in code",
			   w->im->name, (unsigned long long)w->eh.e_entry);
	w->im->entry = w->eh.e_entry;
	return 0;
}

/* Relocations are applied inside, by code that knows one type. */
static edmm_err check_rela(struct walk *w, uint64_t vaddr, uint64_t size)
{
	const struct edmm_image *im = w->im;
	const struct img_segment *s = find_segment(im, vaddr, size);
	uint64_t i;

	if (size % sizeof(Elf64_Rela) || (size && !s))
		return BAD(w, "%s: the relocation table is not in the file",
			   im->name);
	for (i = 0; i < size; i += sizeof(Elf64_Rela)) {
		Elf64_Rela r;

		if (!fetch(im, s->file_off + (vaddr - s->vaddr) + i, &r,
			   sizeof(r)))
			return BAD(w, "%s: truncated", im->name);
		if (ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE)
			return BAD(w,
				   "%s: relocation type %u at 0x%llx cannot "
				   "be applied in an enclave" REBUILD,
				   im->name, (unsigned)ELF64_R_TYPE(r.r_info),
				   (unsigned long long)r.r_offset);
		if (r.r_offset > im->span - 8)
			return BAD(w,
				   "%s: a relocation points outside the "
				   "image, at 0x%llx",
				   im->name, (unsigned long long)r.r_offset);
	}
	return 0;
}

static edmm_err check_dynamic_tag(struct walk *w, const Elf64_Dyn *d)
{
	const char *name = w->im->name;

	switch (d->d_tag) {
	case DT_NEEDED:
		return BAD(w, "%s: needs a shared library" REBUILD, name);
	case DT_TEXTREL:
		return BAD(w, "%s: has relocations in code" REBUILD, name);
	case DT_JMPREL:
	case DT_REL:
	case DT_RELR:
		return BAD(w,
			   "%s: has relocations of another form (dynamic "
			   "tag %lld)" REBUILD,
			   name, (long long)d->d_tag);
	case DT_FLAGS:
		if (d->d_un.d_val & DF_TEXTREL)
			return BAD(w, "%s: has relocations in code" REBUILD,
				   name);
	}
	return 0;
}

static edmm_err check_dynamic(struct walk *w)
{
	const struct edmm_image *im = w->im;
	uint64_t off, end, rela = 0, rela_size = 0;

	if (!w->has_dynamic)
		return 0;
	off = w->dynamic.p_offset;
	if (!in_file(im, off, w->dynamic.p_filesz))
		return BAD(w,
			   "%s: truncated: the dynamic section is not in "
			   "the file",
			   im->name);
	end = off + w->dynamic.p_filesz;
	for (; end - off >= sizeof(Elf64_Dyn); off += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;
		edmm_err err;

		memcpy(&d, im->file + off, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		err = check_dynamic_tag(w, &d);
		if (err)
			return err;
		if (d.d_tag == DT_RELA)
			rela = d.d_un.d_ptr;
		if (d.d_tag == DT_RELASZ)
			rela_size = d.d_un.d_val;
	}
	return check_rela(w, rela, rela_size);
}

/* A string of a table whose bounds the caller checked; "" if it has no end. */
static const char *string_at(const struct edmm_image *im, uint64_t table,
			     uint64_t size, uint64_t at)
{
	const char *s;

	if (at >= size)
		return "";
	s = (const char *)im->file + table + at;
	return memchr(s, 0, size - at) ? s : "";
}

/* The layout's page: whole, in the file, and in a read-only segment. */
static edmm_err take_layout(struct walk *w, const Elf64_Shdr *sh)
{
	struct edmm_image *im = w->im;
	const struct img_segment *s =
		find_segment(im, sh->sh_addr, SGX_PAGE_SIZE);
	struct edmm_layout wish;
	uint64_t sizes;

	if (im->layout_off)
		return BAD(w, "%s: two " EDMM_LAYOUT_SECTION " sections",
			   im->name);
	if (!sh->sh_addr || !img_page_aligned(sh->sh_addr) ||
	    sh->sh_size != SGX_PAGE_SIZE || !s || s->rights != SGX_SECINFO_R ||
	    sh->sh_offset != s->file_off + (sh->sh_addr - s->vaddr))
		return BAD(w,
			   "%s: section " EDMM_LAYOUT_SECTION " is not one "
			   "read-only page in the file" REBUILD,
			   im->name);
	memcpy(&wish, im->file + sh->sh_offset, sizeof(wish));
	if (wish.magic != EDMM_LAYOUT_MAGIC ||
	    wish.version != EDMM_LAYOUT_VERSION)
		return BAD(w,
			   "%s: runtime of another version (layout 0x%llx, "
			   "version %u; version %u is known)" REBUILD,
			   im->name, (unsigned long long)wish.magic,
			   wish.version, EDMM_LAYOUT_VERSION);
	sizes = wish.ctx_thread_size | wish.ctx_xstack_size | wish.ctx_sys_size;
	if (!img_page_aligned(sizes) || sizes > (16u << 20))
		return BAD(w, "%s: the runtime asks for impossible sizes",
			   im->name);
	im->layout_off = sh->sh_addr;
	im->thread_size = wish.ctx_thread_size;
	im->xstack_size = wish.ctx_xstack_size;
	im->sys_size = wish.ctx_sys_size;
	return 0;
}

/* Symbols are a help for people: a bad table is as good as none. */
static void take_symbols(struct edmm_image *im, const Elf64_Shdr *sym,
			 const Elf64_Shdr *str)
{
	if (sym->sh_entsize != sizeof(Elf64_Sym) ||
	    !in_file(im, sym->sh_offset, sym->sh_size) ||
	    !in_file(im, str->sh_offset, str->sh_size) || !str->sh_size ||
	    im->file[str->sh_offset + str->sh_size - 1])
		return;
	im->sym_off = sym->sh_offset;
	im->sym_count = sym->sh_size / sizeof(Elf64_Sym);
	im->str_off = str->sh_offset;
	im->str_size = str->sh_size;
}

static bool section(const struct walk *w, uint64_t index, Elf64_Shdr *sh)
{
	return index < w->eh.e_shnum &&
	       fetch(w->im, w->eh.e_shoff + index * sizeof(*sh), sh,
		     sizeof(*sh));
}

static edmm_err walk_sections(struct walk *w)
{
	struct edmm_image *im = w->im;
	Elf64_Shdr names, sh, str;
	unsigned i;
	edmm_err err = 0;

	if (!w->eh.e_shnum || w->eh.e_shentsize != sizeof(Elf64_Shdr) ||
	    !in_file(im, w->eh.e_shoff, w->eh.e_shnum * sizeof(Elf64_Shdr)) ||
	    !section(w, w->eh.e_shstrndx, &names) ||
	    !in_file(im, names.sh_offset, names.sh_size))
		return BAD(w,
			   "%s: truncated, or without section headers: "
			   "those at %llu are not in the file's %llu bytes",
			   im->name, (unsigned long long)w->eh.e_shoff,
			   (unsigned long long)im->file_size);
	for (i = 1; i < w->eh.e_shnum && !err; i++) {
		if (!section(w, i, &sh))
			return BAD(w, "%s: truncated", im->name);
		if (sh.sh_type == SHT_SYMTAB && section(w, sh.sh_link, &str))
			take_symbols(im, &sh, &str);
		if (sh.sh_type == SHT_PROGBITS &&
		    !strcmp(string_at(im, names.sh_offset, names.sh_size,
				      sh.sh_name),
			    EDMM_LAYOUT_SECTION))
			err = take_layout(w, &sh);
	}
	if (!err && !im->layout_off)
		return BAD(w,
			   "%s: not an enclave image (no "
			   "section " EDMM_LAYOUT_SECTION ")" REBUILD,
			   im->name);
	return err;
}

static edmm_err walk_file(struct edmm_image *im, struct edmm_diag *diag)
{
	struct walk w = { .im = im, .diag = diag };
	edmm_err err = check_header(&w);

	if (!err)
		err = walk_segments(&w);
	if (!err)
		err = check_entry(&w);
	if (!err)
		err = walk_sections(&w);
	if (!err)
		err = check_dynamic(&w);
	return err;
}

/* Takes bytes over, also when it fails. */
static edmm_err adopt(uint8_t *bytes, size_t size, const char *name,
		      struct edmm_image **out, struct edmm_diag *diag)
{
	struct edmm_image *im = calloc(1, sizeof(*im));
	edmm_err err;

	if (!im) {
		free(bytes);
		return img_fail(diag, -EDMM_ENOMEM, "%s: out of memory", name);
	}
	im->file = bytes;
	im->file_size = size;
	im->name = strdup(name);
	err = im->name ? walk_file(im, diag)
		       : img_fail(diag, -EDMM_ENOMEM, "out of memory");
	if (err) {
		edmm_image_free(im);
		return err;
	}
	*out = im;
	return 0;
}

edmm_err edmm_image_parse(const void *bytes, size_t size, const char *name,
			  struct edmm_image **out, struct edmm_diag *diag)
{
	uint8_t *copy;

	*out = NULL;
	if (size > IMG_FILE_MAX)
		return img_fail(diag, -EDMM_ENOEXEC, "%s: over 1 GiB", name);
	copy = aligned_alloc(SGX_PAGE_SIZE, img_page_up(size + 1));
	if (!copy)
		return img_fail(diag, -EDMM_ENOMEM, "%s: out of memory", name);
	memcpy(copy, bytes, size);
	return adopt(copy, size, name, out, diag);
}

edmm_err edmm_image_read(const char *path, struct edmm_image **out,
			 struct edmm_diag *diag)
{
	uint8_t *bytes;
	size_t size;
	edmm_err err;

	*out = NULL;
	err = img_file_read(path, IMG_FILE_MAX, &bytes, &size, diag);
	if (err)
		return err;
	return adopt(bytes, size, path, out, diag);
}

void edmm_image_free(struct edmm_image *im)
{
	if (!im)
		return;
	free(im->file);
	free(im->name);
	free(im);
}

const char *edmm_image_symbol(const struct edmm_image *im, uint64_t off,
			      uint64_t *delta)
{
	const char *best = NULL;
	uint64_t i;

	for (i = 0; i < im->sym_count; i++) {
		Elf64_Sym s;
		const char *name;

		memcpy(&s, im->file + im->sym_off + i * sizeof(s), sizeof(s));
		if ((ELF64_ST_TYPE(s.st_info) != STT_FUNC &&
		     ELF64_ST_TYPE(s.st_info) != STT_OBJECT) ||
		    s.st_shndx == SHN_UNDEF || off < s.st_value ||
		    off - s.st_value >= (s.st_size ? s.st_size : 1))
			continue;
		name = string_at(im, im->str_off, im->str_size, s.st_name);
		if (!*name || (best && off - s.st_value >= *delta))
			continue;
		best = name;
		*delta = off - s.st_value;
	}
	return best;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The file's half of the check: sections and symbols, every offset checked. */
#include "toolchain/cc/scan.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct scan_elf {
	const uint8_t *bytes;
	size_t size;
	const Elf64_Ehdr *eh;
	const Elf64_Shdr *sh;
	struct scan_func *funcs;
	size_t nfuncs;
};

struct scan_print {
	const char *path;
	const char *tool;
	int all;
	FILE *err;
	size_t hits;
	struct scan_hit first;
};

static int in_file(const struct scan_elf *elf, uint64_t off, uint64_t size)
{
	return off <= elf->size && size <= elf->size - off;
}

static const char *elf_open(struct scan_elf *elf)
{
	const Elf64_Ehdr *eh = (const void *)elf->bytes;

	if (elf->size < sizeof(*eh) ||
	    memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		return "not an x86-64 ELF file";
	if (eh->e_shnum == 0 || eh->e_shentsize != sizeof(Elf64_Shdr) ||
	    eh->e_shoff % 8 != 0 ||
	    !in_file(elf, eh->e_shoff,
		     (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr)))
		return "its section headers are missing or cut off";
	elf->eh = eh;
	elf->sh = (const void *)(elf->bytes + eh->e_shoff);
	return NULL;
}

static int by_addr(const void *pa, const void *pb)
{
	const struct scan_func *a = pa, *b = pb;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* Adds the function symbols of table @st that lie in section @ndx. */
static const char *add_funcs(struct scan_elf *elf, const Elf64_Shdr *st,
			     size_t ndx)
{
	const Elf64_Sym *sym = (const void *)(elf->bytes + st->sh_offset);
	uint64_t base = elf->eh->e_type == ET_REL ? elf->sh[ndx].sh_addr : 0;
	size_t i, count = st->sh_size / sizeof(*sym);
	const Elf64_Shdr *str;
	struct scan_func *f;

	if (!in_file(elf, st->sh_offset, st->sh_size) ||
	    st->sh_offset % 8 != 0 || st->sh_link >= elf->eh->e_shnum)
		return "its symbol table is cut off";
	str = &elf->sh[st->sh_link];
	if (!in_file(elf, str->sh_offset, str->sh_size) || str->sh_size == 0 ||
	    elf->bytes[str->sh_offset + str->sh_size - 1] != '\0')
		return "its symbol names are cut off";
	f = realloc(elf->funcs, (elf->nfuncs + count + 1) * sizeof(*f));
	if (!f)
		return "out of memory";
	elf->funcs = f;
	for (i = 0; i < count; i++) {
		if (ELF64_ST_TYPE(sym[i].st_info) != STT_FUNC ||
		    sym[i].st_shndx != ndx || sym[i].st_name >= str->sh_size)
			continue;
		f[elf->nfuncs++] = (struct scan_func){
			.addr = base + sym[i].st_value,
			.name = (const char *)elf->bytes + str->sh_offset +
				sym[i].st_name,
		};
	}
	return NULL;
}

static const char *section_funcs(struct scan_elf *elf, size_t ndx)
{
	const char *bad = NULL;
	size_t i;

	elf->nfuncs = 0;
	for (i = 0; i < elf->eh->e_shnum && !bad; i++)
		if (elf->sh[i].sh_type == SHT_SYMTAB)
			bad = add_funcs(elf, &elf->sh[i], ndx);
	if (elf->nfuncs > 1)
		qsort(elf->funcs, elf->nfuncs, sizeof(*elf->funcs), by_addr);
	return bad;
}

static void print_hit(const struct scan_print *p, const struct scan_hit *hit,
		      const char *tail)
{
	fprintf(p->err,
		"%s: %s: %s at %s+0x%llx (0x%llx) cannot run in an enclave%s\n",
		p->tool, p->path, hit->insn, hit->func ? hit->func : "text",
		(unsigned long long)hit->func_off,
		(unsigned long long)hit->addr, tail);
}

static void on_hit(void *ctx, const struct scan_hit *hit)
{
	struct scan_print *p = ctx;

	if (p->hits++ == 0)
		p->first = *hit;
	if (p->all)
		print_hit(p, hit, "");
}

static void print_summary(const struct scan_print *p)
{
	char tail[64] = "";

	if (p->all || p->hits == 0)
		return;
	if (p->hits > 1)
		snprintf(tail, sizeof(tail), " (and %zu more)", p->hits - 1);
	print_hit(p, &p->first, tail);
}

static const char *scan_sections(struct scan_elf *elf, scan_report report,
				 void *ctx)
{
	const char *bad = elf_open(elf);
	size_t i;

	for (i = 0; !bad && i < elf->eh->e_shnum; i++) {
		const Elf64_Shdr *sh = &elf->sh[i];
		struct scan_code code;

		if ((sh->sh_flags & SHF_EXECINSTR) == 0 ||
		    sh->sh_type == SHT_NOBITS || sh->sh_size == 0)
			continue;
		if (!in_file(elf, sh->sh_offset, sh->sh_size))
			return "a section is cut off";
		bad = section_funcs(elf, i);
		if (bad)
			break;
		code = (struct scan_code){
			.bytes = elf->bytes + sh->sh_offset,
			.addr = sh->sh_addr,
			.size = sh->sh_size,
			.funcs = elf->funcs,
			.nfuncs = elf->nfuncs,
		};
		scan_code(&code, report, ctx);
	}
	return bad;
}

static const char *map_file(const char *path, struct scan_elf *elf)
{
	struct stat st;
	void *p = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	close(fd);
	if (p == MAP_FAILED)
		return "not an ELF file";
	elf->bytes = p;
	elf->size = (size_t)st.st_size;
	return NULL;
}

enum scan_result scan_file(const char *path, const char *name, const char *tool,
			   int all, FILE *err)
{
	struct scan_print p = {
		.path = name, .tool = tool, .all = all, .err = err
	};
	struct scan_elf elf = { 0 };
	const char *bad = map_file(path, &elf);

	if (!bad) {
		bad = scan_sections(&elf, on_hit, &p);
		print_summary(&p);
		munmap((void *)(uintptr_t)elf.bytes, elf.size);
	}
	free(elf.funcs);
	if (bad) {
		fprintf(err, "%s: %s: %s\n", tool, name, bad);
		return SCAN_BAD_FILE;
	}
	return p.hits > 0 ? SCAN_FOUND : SCAN_CLEAN;
}

struct scan_found {
	uint64_t *addr;
	size_t count;
	int full;
};

static void on_found(void *ctx, const struct scan_hit *hit)
{
	struct scan_found *f = ctx;
	uint64_t *more;

	if (f->full || strcmp(hit->insn, "cpuid") != 0)
		return;
	more = realloc(f->addr, (f->count + 1) * sizeof(*more));
	f->full = !more;
	if (f->full)
		return;
	more[f->count++] = hit->addr;
	f->addr = more;
}

enum scan_result scan_cpuid(const char *path, uint64_t **addr, size_t *count)
{
	struct scan_found f = { 0 };
	struct scan_elf elf = { 0 };
	const char *bad = map_file(path, &elf);

	if (!bad) {
		bad = scan_sections(&elf, on_found, &f);
		munmap((void *)(uintptr_t)elf.bytes, elf.size);
	}
	free(elf.funcs);
	if (bad || f.full) {
		free(f.addr);
		f = (struct scan_found){ .full = 1 };
	}
	*addr = f.addr;
	*count = f.count;
	if (f.full)
		return SCAN_BAD_FILE;
	return f.count ? SCAN_FOUND : SCAN_CLEAN;
}

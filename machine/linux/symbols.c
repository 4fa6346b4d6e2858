/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Symbols of an image by name. The file is not trusted to be one: whatever its
 * headers say is looked at within its bytes alone.
 */
#include <elf.h>
#include <string.h>

#include "machine/linux/script.h"

struct table {
	const char *syms;
	uint64_t count;
	const char *names;
	uint64_t names_size;
};

static bool within(size_t size, uint64_t off, uint64_t n)
{
	return off <= size && n <= size - off;
}

static bool section(const void *elf, size_t size, uint64_t i, Elf64_Shdr *out)
{
	Elf64_Ehdr eh;
	uint64_t at;

	memcpy(&eh, elf, sizeof(eh));
	at = eh.e_shoff + i * sizeof(*out);
	if (i >= eh.e_shnum || eh.e_shentsize != sizeof(*out) ||
	    eh.e_shoff > size || !within(size, at, sizeof(*out)))
		return false;
	memcpy(out, (const char *)elf + at, sizeof(*out));
	return out->sh_type == SHT_NOBITS ||
	       within(size, out->sh_offset, out->sh_size);
}

static bool find_table(const void *elf, size_t size, struct table *t)
{
	Elf64_Shdr s, names;

	if (size < sizeof(Elf64_Ehdr) || memcmp(elf, ELFMAG, SELFMAG) != 0)
		return false;
	for (uint64_t i = 0; section(elf, size, i, &s); i++) {
		if (s.sh_type != SHT_SYMTAB ||
		    !section(elf, size, s.sh_link, &names) || !names.sh_size)
			continue;
		t->syms = (const char *)elf + s.sh_offset;
		t->count = s.sh_size / sizeof(Elf64_Sym);
		t->names = (const char *)elf + names.sh_offset;
		t->names_size = names.sh_size;
		return true;
	}
	return false;
}

bool symbol_find(const void *elf, size_t size, const char *name,
		 struct script_range *out)
{
	size_t n = strlen(name) + 1;
	struct table t;
	Elf64_Sym s;

	if (!find_table(elf, size, &t))
		return false;
	for (uint64_t i = 0; i < t.count; i++) {
		memcpy(&s, t.syms + i * sizeof(s), sizeof(s));
		if (s.st_shndx == SHN_UNDEF ||
		    !within((size_t)t.names_size, s.st_name, n) ||
		    memcmp(t.names + s.st_name, name, n) != 0)
			continue;
		out->start = s.st_value;
		out->end = s.st_value + s.st_size;
		return true;
	}
	return false;
}

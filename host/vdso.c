/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Find __vdso_sgx_enter_enclave in the vDSO image, by its SysV hash table's
 * symbol count. The kernel made the image; it is believed like the kernel.
 */
#include <elf.h>
#include <string.h>

#include "host/host.h"

#define ENTER_NAME "__vdso_sgx_enter_enclave"
#define DYN_MAX 256

struct tables {
	const Elf64_Sym *sym;
	const char *str;
	const Elf64_Word *hash;
};

static bool find_tables(const uint8_t *base, const Elf64_Dyn *d,
			struct tables *t)
{
	for (int i = 0; i < DYN_MAX && d[i].d_tag != DT_NULL; i++) {
		const uint8_t *p = base + d[i].d_un.d_ptr;

		if (d[i].d_tag == DT_SYMTAB)
			t->sym = (const Elf64_Sym *)(const void *)p;
		else if (d[i].d_tag == DT_STRTAB)
			t->str = (const char *)p;
		else if (d[i].d_tag == DT_HASH)
			t->hash = (const Elf64_Word *)(const void *)p;
	}
	return t->sym && t->str && t->hash;
}

void *host_vdso_find(const void *image)
{
	const uint8_t *base = image;
	const Elf64_Ehdr *eh = image;
	const Elf64_Phdr *ph;
	struct tables t = { 0 };

	if (!image || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	ph = (const Elf64_Phdr *)(const void *)(base + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		const uint8_t *dyn = base + ph[i].p_offset;

		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		if (!find_tables(base, (const Elf64_Dyn *)(const void *)dyn,
				 &t))
			return NULL;
		for (Elf64_Word s = 0; s < t.hash[1]; s++)
			if (t.sym[s].st_shndx != SHN_UNDEF &&
			    !strcmp(t.str + t.sym[s].st_name, ENTER_NAME))
				return (void *)(uintptr_t)(base +
							   t.sym[s].st_value);
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library half of the mimic of Intel's runtime: a constructor that looks
 * for the vDSO's function once and for all, by the section headers of the image
 * that the auxiliary vector names, before any code of the program runs.
 */
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include "tests/trap/urts.h"

static vdso_sgx_enter_enclave_t cached;
static bool cpu_has_sgx;

vdso_sgx_enter_enclave_t urts_entry(void)
{
	return cached;
}

bool urts_cpu(void)
{
	return cpu_has_sgx;
}

void urts_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static const Elf64_Shdr *section(const char *image, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);
	const char *names = image + sh[eh->e_shstrndx].sh_offset;

	for (unsigned i = 0; i < eh->e_shnum; i++)
		if (!strcmp(names + sh[i].sh_name, name))
			return &sh[i];
	return NULL;
}

static vdso_sgx_enter_enclave_t find(const char *image)
{
	const Elf64_Shdr *dynsym = section(image, ".dynsym");
	const Elf64_Shdr *dynstr = section(image, ".dynstr");
	const Elf64_Sym *sym;

	if (!dynsym || !dynstr)
		return NULL;
	sym = (const void *)(image + dynsym->sh_offset);
	for (size_t i = 0; i < dynsym->sh_size / sizeof(*sym); i++)
		if (!strcmp(image + dynstr->sh_offset + sym[i].st_name,
			    "__vdso_sgx_enter_enclave"))
			return (vdso_sgx_enter_enclave_t)(uintptr_t)(image +
								     sym[i].st_value);
	return NULL;
}

__attribute__((constructor)) static void detect(void)
{
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
	uint32_t r[4];

	if (image && !memcmp(image, ELFMAG, SELFMAG))
		cached = find(image);
	urts_cpuid(7, 0, r);
	cpu_has_sgx = r[1] >> 2 & 1;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Static or not: a program without PT_INTERP. The dynamic linker itself has
 * none either, but it has a DT_SONAME, and preloads when it is run by name.
 */
#include "launch/kind.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#define PHDRS 32
#define DYNS 64

struct file {
	int fd;
	launch_call *call;
};

static bool read_at(const struct file *f, void *out, size_t size, uint64_t off)
{
	const long a[6] = { f->fd, (long)out, (long)size, (long)off };

	return f->call(SYS_pread64, a) == (long)size;
}

static bool has_soname(const struct file *f, const Elf64_Phdr *p)
{
	Elf64_Dyn dyn[DYNS];
	size_t n = p->p_filesz / sizeof(*dyn);

	n = n < DYNS ? n : DYNS;
	if (!read_at(f, dyn, n * sizeof(*dyn), p->p_offset))
		return false;
	for (size_t i = 0; i < n && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == DT_SONAME)
			return true;
	return false;
}

static bool headers(const struct file *f, const Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	return (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) &&
	       eh->e_phentsize == sizeof(*ph) && eh->e_phnum <= PHDRS &&
	       read_at(f, ph, eh->e_phnum * sizeof(*ph), eh->e_phoff);
}

enum launch_kind launch_kind(int fd, launch_call *call)
{
	const struct file f = { fd, call };
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS];

	if (!read_at(&f, &eh, sizeof(eh), 0) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return LAUNCH_OTHER;
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64)
		return LAUNCH_FOREIGN;
	if (!headers(&f, &eh, ph))
		return LAUNCH_OTHER;
	for (unsigned i = 0; i < eh.e_phnum; i++)
		if (ph[i].p_type == PT_INTERP ||
		    (ph[i].p_type == PT_DYNAMIC && has_soname(&f, &ph[i])))
			return LAUNCH_OTHER;
	return LAUNCH_STATIC;
}

/* ---- a sanitizer's runtime ---------------------------------------------- */

static bool is_runtime(const char *name)
{
	static const char *const names[] = { "libasan.so", "libtsan.so",
					     "liblsan.so", "libhwasan.so",
					     "libclang_rt." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

static uint64_t offset_of(const Elf64_Phdr *ph, unsigned n, uint64_t addr)
{
	for (unsigned i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && addr >= ph[i].p_vaddr &&
		    addr - ph[i].p_vaddr < ph[i].p_filesz)
			return addr - ph[i].p_vaddr + ph[i].p_offset;
	return 0;
}

/* Names at the end of the file have less room behind them than a name has. */
static void read_name(const struct file *f, uint64_t off, char *name)
{
	memset(name, 0, LAUNCH_RUNTIME);
	for (size_t i = 0; i < LAUNCH_RUNTIME; i++)
		if (!read_at(f, name + i, 1, off + i) || !name[i])
			return;
	*name = 0;
}

static void find_runtime(const struct file *f, const Elf64_Phdr *ph, unsigned n,
			 const Elf64_Phdr *dynamic, char *name)
{
	Elf64_Dyn dyn[DYNS];
	size_t count = dynamic->p_filesz / sizeof(*dyn), i;
	uint64_t strings = 0;

	count = count < DYNS ? count : DYNS;
	if (!read_at(f, dyn, count * sizeof(*dyn), dynamic->p_offset))
		return;
	for (i = 0; i < count && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == DT_STRTAB)
			strings = offset_of(ph, n, dyn[i].d_un.d_ptr);
	count = strings ? i : 0;
	for (i = 0; i < count; i++) {
		if (dyn[i].d_tag != DT_NEEDED)
			continue;
		read_name(f, strings + dyn[i].d_un.d_val, name);
		if (is_runtime(name))
			return;
	}
	*name = 0;
}

void launch_runtime(int fd, launch_call *call, char name[LAUNCH_RUNTIME])
{
	const struct file f = { fd, call };
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS];

	*name = 0;
	if (!read_at(&f, &eh, sizeof(eh), 0) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || !headers(&f, &eh, ph))
		return;
	for (unsigned i = 0; i < eh.e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			find_runtime(&f, ph, eh.e_phnum, &ph[i], name);
}

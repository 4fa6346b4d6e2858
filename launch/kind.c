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
	if ((eh.e_type != ET_EXEC && eh.e_type != ET_DYN) ||
	    eh.e_phentsize != sizeof(*ph) || eh.e_phnum > PHDRS ||
	    !read_at(&f, ph, eh.e_phnum * sizeof(*ph), eh.e_phoff))
		return LAUNCH_OTHER;
	for (unsigned i = 0; i < eh.e_phnum; i++)
		if (ph[i].p_type == PT_INTERP ||
		    (ph[i].p_type == PT_DYNAMIC && has_soname(&f, &ph[i])))
			return LAUNCH_OTHER;
	return LAUNCH_STATIC;
}

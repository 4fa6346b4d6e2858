/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm-launch: starts a static program with the machine in its process.
 *
 * The dynamic linker has preloaded the library for this small program. It maps
 * the one that EDMM_LAUNCH names as the kernel would have, tells the auxiliary
 * vector of it, and starts it on the stack that the kernel made: arguments,
 * environment and limits are as they were given.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dlfcn.h>

#include "launch/kind.h"
#include "launch/launch.h"
#include "machine/trap/base/sys.h"

#define PAGE 4096ul
#define PHDRS 32
#define EXIT_CANNOT 125

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

typedef void launch_fn(uint64_t entry, void *stack, const void *auxv,
		       size_t auxv_size, const char *exe);

struct program {
	const char *path;
	int fd;
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS];
	uint64_t bias;
};

static _Noreturn void fail(const char *path, const char *what)
{
	fprintf(stderr, "edmm: %s: %s\n", path, what);
	_exit(EXIT_CANNOT);
}

static uint64_t down(uint64_t x)
{
	return x & ~(PAGE - 1);
}

static uint64_t up(uint64_t x)
{
	return down(x + PAGE - 1);
}

/* ---- the file ---------------------------------------------------------- */

static void program_open(struct program *p, const char *path)
{
	ssize_t size;

	p->path = path;
	p->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0)
		fail(path, strerror(errno));
	if (launch_kind(p->fd, sys_call6) != LAUNCH_STATIC)
		fail(path, "not a static program for x86-64");
	/* It was looked at, so both are there. */
	if (pread(p->fd, &p->eh, sizeof(p->eh), 0) != sizeof(p->eh))
		fail(path, "cannot be read");
	size = (ssize_t)(p->eh.e_phnum * sizeof(*p->ph));
	if (pread(p->fd, p->ph, (size_t)size, (off_t)p->eh.e_phoff) != size)
		fail(path, "cannot be read");
}

static uint64_t file_size(const struct program *p)
{
	struct stat st;

	return fstat(p->fd, &st) ? 0 : (uint64_t)st.st_size;
}

static void program_extent(const struct program *p, uint64_t *low,
			   uint64_t *high)
{
	*low = UINT64_MAX;
	*high = 0;
	for (unsigned i = 0; i < p->eh.e_phnum; i++) {
		const Elf64_Phdr *s = &p->ph[i];
		uint64_t end = s->p_vaddr + s->p_memsz;

		if (s->p_type != PT_LOAD)
			continue;
		if (end < s->p_vaddr || end >= 1ull << 47 ||
		    s->p_filesz > s->p_memsz ||
		    (s->p_vaddr - s->p_offset) % PAGE != 0)
			fail(p->path, "its program headers make no sense");
		if (s->p_offset + s->p_filesz < s->p_offset ||
		    s->p_offset + s->p_filesz > file_size(p))
			fail(p->path, "is cut short");
		*low = down(s->p_vaddr) < *low ? down(s->p_vaddr) : *low;
		*high = up(end) > *high ? up(end) : *high;
	}
	if (!*high)
		fail(p->path, "nothing of it is to be loaded");
}

static uint64_t alignment(const struct program *p)
{
	uint64_t a = PAGE;

	for (unsigned i = 0; i < p->eh.e_phnum; i++) {
		uint64_t want = p->ph[i].p_align;

		if (p->ph[i].p_type == PT_LOAD && want > a &&
		    !(want & (want - 1)))
			a = want;
	}
	return a;
}

/* Address space for the whole, at its own place or anywhere. */
static void program_place(struct program *p, uint64_t low, uint64_t size)
{
	bool fixed = p->eh.e_type == ET_EXEC;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
		    (fixed ? MAP_FIXED_NOREPLACE : 0);
	uint64_t more = fixed ? 0 : alignment(p) - PAGE, start;
	char *at = mmap(fixed ? (void *)low : NULL, size + more, PROT_NONE,
			flags, -1, 0);

	if (at == MAP_FAILED && errno == EEXIST)
		fail(p->path, "its addresses are in use; try it again");
	if (at == MAP_FAILED)
		fail(p->path, strerror(errno));
	start = ((uint64_t)at + more) & ~(alignment(p) - 1);
	if (fixed)
		return;
	p->bias = start - low;
	munmap(at, start - (uint64_t)at);
	munmap((void *)(start + size), (uint64_t)at + more - start);
}

static int prot_of(const Elf64_Phdr *s)
{
	return (s->p_flags & PF_R ? PROT_READ : 0) |
	       (s->p_flags & PF_W ? PROT_WRITE : 0) |
	       (s->p_flags & PF_X ? PROT_EXEC : 0);
}

static void *map_at(uint64_t at, uint64_t size, int prot, int fd, uint64_t off)
{
	int flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0);

	return mmap((void *)at, size, prot, flags, fd, (off_t)off);
}

static void segment_map(const struct program *p, const Elf64_Phdr *s)
{
	uint64_t start = p->bias + down(s->p_vaddr);
	uint64_t file = p->bias + s->p_vaddr + s->p_filesz;
	uint64_t end = up(p->bias + s->p_vaddr + s->p_memsz);
	uint64_t mid = s->p_filesz ? up(file) : start;

	if (mid > start && map_at(start, mid - start, prot_of(s), p->fd,
				  down(s->p_offset)) == MAP_FAILED)
		fail(p->path, strerror(errno));
	if (end > mid &&
	    map_at(mid, end - mid, prot_of(s), -1, 0) == MAP_FAILED)
		fail(p->path, strerror(errno));
	/* As the kernel: the rest of the last page of data is zero. */
	if (s->p_memsz > s->p_filesz && mid > file && s->p_filesz) {
		if (!(s->p_flags & PF_W))
			fail(p->path, "its program headers make no sense");
		memset((void *)file, 0, mid - file);
	}
}

static void program_map(struct program *p)
{
	uint64_t low, high;

	program_extent(p, &low, &high);
	program_place(p, low, high - low);
	for (unsigned i = 0; i < p->eh.e_phnum; i++)
		if (p->ph[i].p_type == PT_LOAD && p->ph[i].p_memsz)
			segment_map(p, &p->ph[i]);
}

/* ---- what it is told --------------------------------------------------- */

static uint64_t program_headers(const struct program *p)
{
	for (unsigned i = 0; i < p->eh.e_phnum; i++) {
		const Elf64_Phdr *s = &p->ph[i];

		if (s->p_type == PT_LOAD && s->p_offset <= p->eh.e_phoff &&
		    p->eh.e_phoff - s->p_offset < s->p_filesz)
			return p->bias + s->p_vaddr +
			       (p->eh.e_phoff - s->p_offset);
	}
	return 0;
}

static void auxv_tell(Elf64_auxv_t *a, const struct program *p)
{
	for (; a->a_type != AT_NULL; a++) {
		switch (a->a_type) {
		case AT_PHDR:
			a->a_un.a_val = program_headers(p);
			break;
		case AT_PHENT:
			a->a_un.a_val = sizeof(Elf64_Phdr);
			break;
		case AT_PHNUM:
			a->a_un.a_val = p->eh.e_phnum;
			break;
		case AT_BASE:
			a->a_un.a_val = 0;
			break;
		case AT_ENTRY:
			a->a_un.a_val = p->bias + p->eh.e_entry;
			break;
		case AT_EXECFN:
			a->a_un.a_val = (uint64_t)p->path;
			break;
		}
	}
}

/* Takes the launcher's variable out, and moves what is behind it down. The
 * start of the vector. */
static Elf64_auxv_t *env_take(char **envp, const char **path, size_t *size)
{
	size_t n = strlen(EDMM_LAUNCH_ENV "=");
	char **to = envp;
	Elf64_auxv_t *a, *from;

	for (; *envp; envp++) {
		if (!strncmp(*envp, EDMM_LAUNCH_ENV "=", n))
			*path = *envp + n;
		else
			*to++ = *envp;
	}
	*to++ = NULL;
	a = (Elf64_auxv_t *)(void *)to;
	from = (Elf64_auxv_t *)(void *)(envp + 1);
	for (*size = sizeof(*from); from[*size / sizeof(*from) - 1].a_type;)
		*size += sizeof(*from);
	memmove(a, from, *size);
	return a;
}

/* The thread's area of libc's is not the program's. */
static void rseq_end(void)
{
#ifdef RSEQ_SIG
	char *tp = __builtin_thread_pointer();

	if (__rseq_size)
		syscall(SYS_rseq, tp + __rseq_offset, sizeof(struct rseq),
			1 /* RSEQ_FLAG_UNREGISTER */, RSEQ_SIG);
#endif
}

static char *file_name(const struct program *p)
{
	char link[32];
	char *name = malloc(PATH_MAX);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", p->fd);
	n = name ? readlink(link, name, PATH_MAX - 1) : -1;
	if (n < 0)
		fail(p->path, strerror(errno));
	name[n] = 0;
	return name;
}

int main(int argc, char **argv, char **envp)
{
	static struct program p;
	const char *path = NULL, *slash;
	void *symbol = dlsym(RTLD_DEFAULT, "edmm_machine_launch");
	Elf64_auxv_t *auxv;
	launch_fn *launch;
	char *exe;
	size_t size;

	(void)argc;
	memcpy(&launch, &symbol, sizeof(launch));
	auxv = env_take(envp, &path, &size);
	if (!path || !launch)
		fail("edmm-launch", "is a part of edmm sim, for its use");
	program_open(&p, path);
	program_map(&p);
	auxv_tell(auxv, &p);
	exe = file_name(&p);
	close(p.fd);
	slash = strrchr(path, '/');
	prctl(PR_SET_NAME, slash ? slash + 1 : path);
	rseq_end();
	/* argc lies before argv, where the kernel's stack pointer was. */
	launch(p.bias + p.eh.e_entry, argv - 1, auxv, size, exe);
	return EXIT_CANNOT;
}

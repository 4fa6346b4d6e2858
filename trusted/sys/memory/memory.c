/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings and their rights, served inside by the heap's policy. A file is
 * mapped by reading it into memory of the enclave (mapping.c): MAP_PRIVATE as
 * it should be, and MAP_SHARED for reading only, which sees no later change of
 * the file. The main stack and the image are the program's, too, as far as
 * their rights go.
 */
#include "trusted/sys/memory/memory.h"

#include "trusted/sys/proc/proc.h"

#include <asm/fcntl.h>
#include <asm/stat.h>
#include <linux/mman.h>

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
/* Flags that MAP_SHARED_VALIDATE finds valid. */
#define MAP_KNOWN                                                           \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | \
	 MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE |      \
	 MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |            \
	 MAP_UNINITIALIZED)
#define MODE_TYPE 0170000u
#define MODE_REGULAR 0100000u
#define MODE_CHAR 0020000u
#define MODE_BLOCK 0060000u
#define DEV_ZERO 0x105u /* the one character device that is memory */

static int to_prot(uint64_t prot)
{
	_Static_assert(PROT_READ == EMM_R && PROT_WRITE == EMM_W &&
			       PROT_EXEC == EMM_X,
		       "rights have one encoding");
	return (int)(prot & PROT_ALL);
}

long mem_errno(edmm_err err)
{
	switch (err) {
	case -EDMM_EFAULT:
	case -EDMM_EPERM:
		return -ENOMEM;
	default:
		return err;
	}
}

static enum heap_place place_of(const uint64_t *a)
{
	if (a[3] & MAP_FIXED_NOREPLACE)
		return HEAP_FIXED_NEW;
	if (a[3] & MAP_FIXED)
		return HEAP_FIXED;
	return a[0] < MEM_PAGE ? HEAP_ANYWHERE : HEAP_HINT;
}

/* What mmap()'s arguments want of the heap. */
static struct heap_req request(const uint64_t *a)
{
	struct heap_req r = {
		.addr = a[0],
		.size = a[1],
		.prot = to_prot(a[2]),
		.kind = HEAP_MAP,
		.place = place_of(a),
		.free = (a[3] & MAP_NORESERVE) != 0,
		.now = (a[3] & (MAP_POPULATE | MAP_LOCKED)) != 0 &&
		       !(a[3] & MAP_NONBLOCK),
	};

	if (r.place == HEAP_HINT)
		r.addr &= ~(MEM_PAGE - 1);
	return r;
}

/* As heap_map(), and what was there lets its files go. */
static long map(const uint64_t *a, const struct heap_req *r, uint64_t *addr)
{
	uint64_t size = mem_round(r->size);
	int prot = r->prot;
	long err = heap_prot(sys_heap(), &prot);

	if (err)
		return err;
	if (r->place == HEAP_FIXED && r->addr % MEM_PAGE == 0 && size > 0 &&
	    heap_owns(sys_heap(), r->addr, size)) {
		err = mem_unmap(r->addr, size);
		if (err && err != -EINVAL)
			return err;
	}
	err = mem_errno(heap_map(sys_heap(), r, addr));
	if (!err && a[3] & MAP_LOCKED)
		err = mem_errno(heap_lock(sys_heap(), *addr, size, true));
	return err;
}

/* What Linux refuses before it looks at what is to be mapped. */
static long place_refused(const uint64_t *a)
{
	uint64_t size = mem_round(a[1]);
	struct mem_run run;

	if (a[1] == 0)
		return -EINVAL;
	if (size < a[1] || size > MEM_USER_END)
		return -ENOMEM;
	if (!(a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return 0;
	if (a[0] > MEM_USER_END - size)
		return -ENOMEM;
	if (a[0] % MEM_PAGE != 0)
		return -EINVAL;
	if (!(a[3] & MAP_FIXED_NOREPLACE))
		return 0;
	mem_look(a[0], a[0] + size, &run);
	return run.where != MEM_NOTHING || run.size < size ? -EEXIST : 0;
}

/* How a file is mapped, and what it is open for. */
static long type_refused(const uint64_t *a, uint32_t how)
{
	uint64_t type = a[3] & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

	if (!shared && type != MAP_PRIVATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && a[3] & ~(uint64_t)MAP_KNOWN)
		return -EOPNOTSUPP;
	if (how == O_WRONLY || (shared && a[2] & PROT_WRITE && how != O_RDWR))
		return -EACCES;
	return 0;
}

static long check_kind(const uint64_t *a, const struct stat *st, uint32_t how)
{
	uint32_t kind = st->st_mode & MODE_TYPE;
	uint64_t most = kind == MODE_REGULAR ? INT64_MAX : UINT64_MAX;
	int prot = to_prot(a[2]);
	long err;

	if (a[5] > most - mem_round(a[1]))
		return -EOVERFLOW;
	err = type_refused(a, how);
	if (err)
		return err;
	if (kind != MODE_REGULAR && kind != MODE_BLOCK &&
	    (kind != MODE_CHAR || st->st_rdev != DEV_ZERO))
		return -ENODEV;
	if (a[3] & MAP_GROWSDOWN)
		return -EINVAL;
	/* Nothing of what is written would come back to the file. */
	if ((a[3] & MAP_TYPE) != MAP_PRIVATE && a[2] & PROT_WRITE)
		return -ENODEV;
	return heap_prot(sys_heap(), &prot);
}

static long check_file(const uint64_t *a)
{
	struct stat st;
	const uint64_t stat[WIRE_CALL_ARGS] = { a[4], (uint64_t)&st };
	const uint64_t flags[WIRE_CALL_ARGS] = { a[4], F_GETFL };
	long r, err;

	if (proc_has(a[4]))
		return -ENODEV;
	r = sys_call(CALL_fstat, stat);
	if (r == 0)
		r = sys_call(CALL_fcntl, flags);
	if (r < 0)
		return r;
	err = place_refused(a);
	return err ? err : check_kind(a, &st, (uint32_t)r & O_ACCMODE);
}

static long map_file(const uint64_t *a)
{
	struct heap_req r = request(a);
	uint64_t size = mem_round(a[1]), addr;
	int prot = r.prot;
	struct mem_map *m;
	long err = check_file(a);

	if (!err)
		err = mem_map_file(a[4], 0, (a[3] & MAP_TYPE) != MAP_PRIVATE,
				   &m);
	if (err)
		return err;
	mem_map_more(m, size / MEM_PAGE);
	r.prot = EMM_RW;
	r.tag = m;
	err = map(a, &r, &addr);
	if (err) {
		mem_map_less(m, size / MEM_PAGE);
		return err;
	}
	m->delta = a[5] - addr;
	err = mem_map_read(m, addr, size, EMM_RW);
	if (!err && prot != EMM_RW)
		err = mem_errno(heap_protect(sys_heap(), addr, size, prot));
	if (!err)
		return (long)addr;
	/* The first error is the answer; the range is unmapped or leaks. */
	(void)!mem_unmap(addr, size);
	return err;
}

static long map_anonymous(const uint64_t *a)
{
	struct heap_req r = request(a);
	long err = place_refused(a);
	uint64_t addr;

	if (err)
		return err;
	switch (a[3] & MAP_TYPE) {
	case MAP_SHARED:
		if (a[3] & MAP_GROWSDOWN)
			return -EINVAL;
		r.tag = mem_map_shared();
		break;
	case MAP_PRIVATE:
		if (a[3] & MAP_GROWSDOWN)
			r.tag = mem_map_growing();
		break;
	default:
		return -EINVAL;
	}
	err = heap_prot(sys_heap(), &r.prot);
	if (!err)
		err = map(a, &r, &addr);
	return err ? err : (long)addr;
}

long sys_mmap(const uint64_t *a)
{
	if (a[5] % MEM_PAGE != 0)
		return -EINVAL;
	/* As where the administrator has set none aside. */
	if (a[3] & MAP_HUGETLB)
		return -ENOMEM;
	return a[3] & MAP_ANONYMOUS ? map_anonymous(a) : map_file(a);
}

long sys_munmap(const uint64_t *a)
{
	if (a[0] % MEM_PAGE != 0 || a[1] == 0 || a[1] > MEM_USER_END ||
	    a[0] > MEM_USER_END - mem_round(a[1]))
		return -EINVAL;
	/* Nothing of the program's is mapped elsewhere. */
	if (!heap_owns(sys_heap(), a[0], mem_round(a[1])))
		return 0;
	return mem_unmap(a[0], mem_round(a[1]));
}

/* May a stretch have these rights? */
static long prot_refused(const struct mem_run *run, int prot)
{
	int wanted = prot;

	switch (run->where) {
	case MEM_HEAP:
		/* A shared mapping of a file is for reading. */
		if (run->map != NULL && run->map->file != NULL &&
		    run->map->shared && prot & EMM_W)
			return -EACCES;
		return heap_prot(sys_heap(), &wanted);
	case MEM_STACK:
		return heap_prot(sys_heap(), &wanted);
	case MEM_FIXED:
		return prot == run->prot ? 0 : -EACCES;
	default:
		return -ENOMEM;
	}
}

static long set_prot(uint64_t addr, uint64_t end, int prot)
{
	struct mem_run run;

	if (addr == end)
		return 0;
	mem_look(addr, end, &run);
	if (run.where == MEM_FIXED)
		return 0;
	if (run.where == MEM_STACK)
		return mem_errno(
			emm_protect(rt_emm(), addr, end - addr, prot, NULL));
	return mem_errno(heap_protect(sys_heap(), addr, end - addr, prot));
}

/* Linux changes what is before a hole, or before what it refuses. */
long sys_mprotect(const uint64_t *a)
{
	uint64_t end = a[0] + mem_round(a[1]), at;
	int prot = to_prot(a[2]);
	struct mem_run run;
	long err = 0, done;

	if (a[0] % MEM_PAGE != 0)
		return -EINVAL;
	if (a[1] == 0)
		return 0;
	if (end <= a[0])
		return -ENOMEM;
	if (a[2] & ~(uint64_t)(PROT_ALL | PROT_SEM))
		return -EINVAL;
	for (at = a[0]; at < end; at += run.size) {
		mem_look(at, end, &run);
		err = prot_refused(&run, prot);
		if (err)
			break;
	}
	done = set_prot(a[0], at < end ? at : end, prot);
	return done ? done : err;
}

long sys_brk(const uint64_t *a)
{
	return (long)heap_brk(sys_heap(), a[0]);
}

long sys_heap_mmap(const uint64_t *a)
{
	const struct heap_req r = {
		.size = a[1],
		.prot = EMM_RW,
		.kind = HEAP_ARENA,
	};
	uint64_t addr;
	long err;

	/* Records with guards around them: not what the arena is for. */
	if (to_prot(a[2]) != EMM_RW || (a[3] & MAP_FIXED))
		return sys_mmap(a);
	err = mem_errno(heap_map(sys_heap(), &r, &addr));
	return err ? err : (long)addr;
}

long sys_heap_munmap(const uint64_t *a)
{
	return sys_munmap(a);
}

/* 1: a page has gone. Without a size: of what malloc has given back. */
long sys_heap_trim(const uint64_t *a)
{
	const uint64_t advice[] = { a[0], a[1], MADV_FREE };
	uint64_t before = emm_committed(rt_emm());
	long err;

	if (a[1] == 0)
		return heap_relieve(sys_heap());
	err = sys_madvise(advice);
	return err ? err : emm_committed(rt_emm()) < before;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory calls, served inside by the heap's policy. A file is mapped by
 * reading it into memory of the enclave: MAP_PRIVATE as it should be, and
 * MAP_SHARED for reading only, which sees no later change of the file.
 */
#include "trusted/elastic/heap.h"
#include "trusted/sys/sys.h"

#include <linux/mman.h>

#define PAGE 4096ull

static uint64_t round_up(uint64_t v)
{
	return (v + PAGE - 1) & ~(PAGE - 1);
}

static int to_prot(uint64_t prot)
{
	_Static_assert(PROT_READ == EMM_R && PROT_WRITE == EMM_W &&
			       PROT_EXEC == EMM_X,
		       "rights have one encoding");
	return (int)(prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
}

/* Errors of the memory manager as mmap() and mprotect() have them. */
static long to_errno(edmm_err err)
{
	switch (err) {
	case -EDMM_EFAULT:
	case -EDMM_EPERM:
		return -ENOMEM;
	default:
		return err;
	}
}

static long fill_from_file(uint64_t addr, uint64_t size, const uint64_t *a)
{
	uint64_t done = 0;
	long r = 1;

	while (done < size && r > 0) {
		const uint64_t args[WIRE_CALL_ARGS] = { a[4], addr + done,
							size - done,
							a[5] + done };

		r = sys_pread64(args);
		if (r > 0)
			done += (uint64_t)r;
	}
	return r < 0 ? r : 0;
}

/* What a mapping of a file asks for and cannot have. */
static long file_refused(const uint64_t *a)
{
	if ((int64_t)a[5] < 0 || a[5] % PAGE != 0)
		return -EINVAL;
	if ((a[3] & MAP_TYPE) != MAP_PRIVATE && (a[2] & PROT_WRITE))
		return -ENODEV;
	return 0;
}

static long map_file(const struct heap_req *want, const uint64_t *a)
{
	struct heap_req r = *want;
	long err = file_refused(a);
	uint64_t addr;

	if (err)
		return err;
	r.prot = EMM_RW;
	err = to_errno(heap_map(sys_heap(), &r, &addr));
	if (err)
		return err;
	err = fill_from_file(addr, r.size, a);
	if (!err && want->prot != EMM_RW)
		err = to_errno(
			heap_protect(sys_heap(), addr, r.size, want->prot));
	if (!err)
		return (long)addr;
	/* The first error is the answer; the range is unmapped or leaks. */
	(void)!heap_unmap(sys_heap(), addr, r.size);
	return err;
}

long sys_mmap(const uint64_t *a)
{
	struct heap_req r = {
		.addr = a[0],
		.size = a[1],
		.prot = to_prot(a[2]),
		.kind = HEAP_MAP,
		.now = (a[3] & MAP_POPULATE) != 0,
	};
	uint64_t addr;
	long err;

	if (a[3] & MAP_FIXED_NOREPLACE)
		r.place = HEAP_FIXED_NEW;
	else if (a[3] & MAP_FIXED)
		r.place = HEAP_FIXED;
	if ((a[3] & MAP_TYPE) == 0 || (a[3] & MAP_HUGETLB))
		return -EINVAL;
	if (!(a[3] & MAP_ANONYMOUS))
		return map_file(&r, a);
	err = to_errno(heap_map(sys_heap(), &r, &addr));
	return err ? err : (long)addr;
}

long sys_munmap(const uint64_t *a)
{
	edmm_err err;

	if (a[0] % PAGE != 0 || a[1] == 0 || a[1] > INT64_MAX)
		return -EINVAL;
	/* Nothing of the program's is mapped elsewhere. */
	if (!heap_owns(sys_heap(), a[0], round_up(a[1])))
		return 0;
	err = heap_unmap(sys_heap(), a[0], a[1]);
	return err == -EDMM_EINVAL ? -EINVAL : to_errno(err);
}

long sys_mprotect(const uint64_t *a)
{
	uint64_t size = round_up(a[1]);

	if (a[0] % PAGE != 0 || size < a[1])
		return -EINVAL;
	if (size == 0)
		return 0;
	if (heap_owns(sys_heap(), a[0], size))
		return to_errno(
			heap_protect(sys_heap(), a[0], size, to_prot(a[2])));
	return -ENOMEM;
}

static long resize(const uint64_t *a, enum heap_kind kind)
{
	const struct heap_resize r = {
		.addr = a[0],
		.old = a[1],
		.size = a[2],
		.kind = kind,
		.move = (a[3] & MREMAP_MAYMOVE) != 0,
	};
	uint64_t addr;
	edmm_err err;

	if (a[3] & ~(uint64_t)MREMAP_MAYMOVE)
		return -EINVAL;
	err = heap_resize(sys_heap(), &r, &addr);
	if (err == -EDMM_EFAULT)
		return -EFAULT;
	return err ? to_errno(err) : (long)addr;
}

long sys_mremap(const uint64_t *a)
{
	return resize(a, HEAP_MAP);
}

/*
 * Advice is followed where it changes what the program reads. MADV_FREE
 * leaves the choice to us, and pages that stay as they are cost nothing.
 */
long sys_madvise(const uint64_t *a)
{
	uint64_t size = round_up(a[1]);

	if (a[0] % PAGE != 0 || size < a[1])
		return -EINVAL;
	if (size == 0 || a[2] != MADV_DONTNEED)
		return 0;
	if (!heap_owns(sys_heap(), a[0], size))
		return -ENOMEM;
	return to_errno(heap_discard(sys_heap(), a[0], size));
}

/* Private memory has nothing to write back. */
long sys_msync(const uint64_t *a)
{
	return a[0] % PAGE != 0 ? -EINVAL : 0;
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
	err = to_errno(heap_map(sys_heap(), &r, &addr));
	return err ? err : (long)addr;
}

long sys_heap_munmap(const uint64_t *a)
{
	return sys_munmap(a);
}

long sys_heap_mremap(const uint64_t *a)
{
	return resize(a, HEAP_ARENA);
}

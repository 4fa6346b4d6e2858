/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings of files, and what is mapped where.
 *
 * Locks: entries.lock, over the list of free entries only.
 */
#include "trusted/sys/memory/memory.h"

/* Records are equally large, and come from pages of the heap's. */
union entry {
	struct mem_map map;
	struct mem_file file;
};

static struct {
	struct rt_lock lock;
	union entry *free;
	uint64_t files; /* mapped now: only then are there tags to look for */
} entries;

static struct mem_map shared_anonymous = { .shared = true };
static struct mem_map growing = { .grows = true };

struct mem_map *mem_map_shared(void)
{
	return &shared_anonymous;
}

struct mem_map *mem_map_growing(void)
{
	return &growing;
}

static void entry_put(void *entry)
{
	union entry *r = entry;

	rt_lock(&entries.lock);
	r->map.next = (struct mem_map *)entries.free;
	entries.free = r;
	rt_unlock(&entries.lock);
}

static void *entry_take(void)
{
	union entry *r;

	rt_lock(&entries.lock);
	r = entries.free;
	if (r != NULL)
		entries.free = (union entry *)r->map.next;
	rt_unlock(&entries.lock);
	if (r != NULL)
		__builtin_memset(r, 0, sizeof(*r));
	return r;
}

/* A zeroed entry, or NULL. */
static void *entry_new(void)
{
	const struct heap_req want = { .size = MEM_PAGE,
				       .prot = EMM_RW,
				       .kind = HEAP_ARENA };
	void *r = entry_take();
	uint64_t addr, at;

	if (r != NULL || heap_map(sys_heap(), &want, &addr) != 0)
		return r;
	for (at = addr; at + sizeof(union entry) <= addr + MEM_PAGE;
	     at += sizeof(union entry))
		entry_put((void *)at);
	return entry_take();
}

static struct mem_map *map_new(struct mem_file *file, uint64_t delta,
			       bool shared)
{
	struct mem_map *m = entry_new();

	if (m == NULL)
		return NULL;
	*m = (struct mem_map){ .file = file, .delta = delta, .shared = shared };
	__atomic_fetch_add(&file->mappings, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&entries.files, 1, __ATOMIC_RELAXED);
	return m;
}

static void file_end(struct mem_file *file)
{
	const uint64_t a[WIRE_CALL_ARGS] = { file->kept };

	/* A host that does not close it keeps it. */
	(void)!sys_call(CALL_kept_close, a);
	entry_put(file);
}

static void map_end(struct mem_map *m)
{
	struct mem_file *file = m->file;

	entry_put(m);
	__atomic_fetch_sub(&entries.files, 1, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&file->mappings, 1, __ATOMIC_RELAXED) == 0)
		file_end(file);
}

long mem_map_file(uint64_t fd, uint64_t delta, bool shared,
		  struct mem_map **out)
{
	const uint64_t a[WIRE_CALL_ARGS] = { fd };
	struct mem_file *file = entry_new();
	long kept;

	if (file == NULL)
		return -ENOMEM;
	kept = sys_call(CALL_kept_dup, a);
	if (kept < 0) {
		entry_put(file);
		return kept == -EMFILE ? -ENFILE : kept;
	}
	*file = (struct mem_file){ .kept = (uint64_t)kept };
	*out = map_new(file, delta, shared);
	if (*out == NULL)
		file_end(file);
	return *out == NULL ? -ENOMEM : 0;
}

long mem_map_again(const struct mem_map *m, uint64_t delta,
		   struct mem_map **out)
{
	*out = m->file == NULL ? mem_map_shared()
			       : map_new(m->file, delta, m->shared);
	return *out == NULL ? -ENOMEM : 0;
}

void mem_map_more(struct mem_map *m, uint64_t pages)
{
	if (m != NULL && m->file != NULL)
		__atomic_fetch_add(&m->pages, pages, __ATOMIC_RELAXED);
}

void mem_map_less(struct mem_map *m, uint64_t pages)
{
	if (m != NULL && m->file != NULL &&
	    __atomic_sub_fetch(&m->pages, pages, __ATOMIC_RELAXED) == 0)
		map_end(m);
}

static long read_pages(const struct mem_map *m, uint64_t addr, uint64_t size)
{
	uint64_t done = 0;
	long r = 1;

	while (done < size && r > 0) {
		const uint64_t a[WIRE_CALL_ARGS] = { m->file->kept, addr + done,
						     size - done,
						     m->delta + addr + done };

		r = sys_call(CALL_kept_read, a);
		if (r > 0)
			done += (uint64_t)r;
	}
	__builtin_memset((void *)(addr + done), 0, size - done);
	return r < 0 ? r : 0;
}

long mem_map_read(const struct mem_map *m, uint64_t addr, uint64_t size,
		  int prot)
{
	long err = 0, back = 0;

	if (prot != EMM_RW)
		err = mem_errno(heap_protect(sys_heap(), addr, size, EMM_RW));
	if (err)
		return err;
	err = read_pages(m, addr, size);
	if (prot != EMM_RW)
		back = mem_errno(heap_protect(sys_heap(), addr, size, prot));
	return err ? err : back;
}

static void look_heap(uint64_t addr, uint64_t end, struct mem_run *out)
{
	struct heap_run run;

	heap_look(sys_heap(), addr, end, &run);
	out->size = run.size;
	if (!run.mapped)
		return;
	out->where = MEM_HEAP;
	out->prot = run.prot;
	out->locked = run.locked;
	out->free = run.free;
	out->arena = run.arena;
	out->grows = run.tag == &growing;
	out->map = out->grows ? NULL : run.tag;
}

/* The image, the main stack, and what is between. */
static void look_fixed(uint64_t addr, uint64_t end, struct mem_run *out)
{
	int prot;

	out->size = rt_books_look(addr, end, &prot) - addr;
	if (prot < 0)
		return;
	out->where = addr >= rt_stack_low() ? MEM_STACK : MEM_FIXED;
	out->prot = prot;
}

void mem_look(uint64_t addr, uint64_t end, struct mem_run *out)
{
	struct emm_run run;
	uint64_t low, high;

	heap_bounds(sys_heap(), &low, &high);
	*out = (struct mem_run){ .addr = addr };
	if (addr >= low && addr < high)
		look_heap(addr, end < high ? end : high, out);
	else if (addr < low)
		look_fixed(addr, end < low ? end : low, out);
	else
		out->size = end - addr;
	if (out->where != MEM_STACK ||
	    emm_query(rt_emm(), addr, addr + out->size, &run) != 0)
		return;
	out->prot = run.prot;
	out->size = run.size;
}

/* Pages that are alike, whatever they are. */
static long unmap_run(const struct mem_run *run)
{
	long err = mem_errno(heap_unmap(sys_heap(), run->addr, run->size));

	if (!err)
		mem_map_less(run->map, run->size / MEM_PAGE);
	return err;
}

long mem_unmap(uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;
	struct mem_run run;
	long err = 0;

	if (__atomic_load_n(&entries.files, __ATOMIC_RELAXED) == 0)
		return mem_errno(heap_unmap(sys_heap(), addr, size));
	for (; addr < end && !err; addr += run.size) {
		mem_look(addr, end, &run);
		if (run.where == MEM_HEAP)
			err = unmap_run(&run);
	}
	return err;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Mappings: what each page of them holds and allows is in the worker's books.
 */
#include "tests/sys/soak/soak.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u
#define PAGE_WORDS (PAGE / 8)
#define RW (PROT_READ | PROT_WRITE)

static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t expects;
static __thread void *volatile faulted;

static void on_fault(int sig, siginfo_t *si, void *context)
{
	(void)context;
	if (!expects)
		FAIL("signal %d at %p, code %d", sig, si->si_addr, si->si_code);
	expects = 0;
	faulted = si->si_addr;
	siglongjmp(back, 1);
}

void map_begin(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };

	HOLDS(sigaction(SIGSEGV, &sa, NULL) == 0);
	HOLDS(sigaction(SIGBUS, &sa, NULL) == 0);
}

static volatile uint64_t *page_of(const struct region *r, unsigned int i)
{
	return (volatile uint64_t *)(void *)(r->at + (size_t)i * PAGE);
}

static uint64_t word_of(uint64_t tag, unsigned int i)
{
	return tag ? tag + i : 0;
}

static void put(struct region *r, unsigned int i, uint64_t tag)
{
	volatile uint64_t *p = page_of(r, i);

	for (unsigned int n = 0; n < PAGE_WORDS; n += 3)
		p[n] = word_of(tag, n);
	r->tag[i] = tag;
}

static void look(const struct region *r, unsigned int i)
{
	volatile uint64_t *p = page_of(r, i);

	for (unsigned int n = 0; n < PAGE_WORDS; n += 3)
		if (p[n] != word_of(r->tag[i], n))
			FAIL("page %u of %u at %p: word %u is %llx, was %llx",
			     i, r->pages, (void *)r->at, n,
			     (unsigned long long)p[n],
			     (unsigned long long)word_of(r->tag[i], n));
}

static void look_all(struct region *r)
{
	for (unsigned int i = 0; i < r->pages; i++)
		if (r->prot[i] & PROT_READ)
			look(r, i);
}

static void unmap(struct region *r)
{
	if (!r->at)
		return;
	look_all(r);
	HOLDS(munmap(r->at, (size_t)r->pages * PAGE) == 0);
	*r = (struct region){ 0 };
}

static struct region *any(struct worker *w)
{
	return &w->region[soak_draw(&w->seed, REGIONS)];
}

static void map(struct worker *w)
{
	const int populate = soak_draw(&w->seed, 4) ? 0 : MAP_POPULATE;
	struct region *r = any(w);
	unsigned int pages;
	void *p;

	unmap(r);
	pages = 1 + (unsigned int)soak_draw(&w->seed, REGION_PAGES);
	p = mmap(NULL, (size_t)pages * PAGE, RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);
	if (p == MAP_FAILED) {
		HOLDS(errno == ENOMEM);
		soak_count(&soak_counts.refused_regions);
		return;
	}
	soak_count(&soak_counts.regions);
	r->at = p;
	r->pages = pages;
	for (unsigned int i = 0; i < pages; i++)
		r->prot[i] = RW;
}

/* Some pages of a region; false: it has none. */
static bool part(struct worker *w, struct region *r, unsigned int *from,
		 unsigned int *to)
{
	if (!r->at)
		return false;
	*from = (unsigned int)soak_draw(&w->seed, r->pages);
	*to = *from + 1 + (unsigned int)soak_draw(&w->seed, r->pages - *from);
	return true;
}

static void touch(struct worker *w)
{
	struct region *r = any(w);
	unsigned int a, b;

	if (!part(w, r, &a, &b))
		return;
	for (; a < b; a++) {
		if (r->prot[a] & PROT_READ)
			look(r, a);
		if (r->prot[a] & PROT_WRITE)
			put(r, a, soak_next(&w->seed) | 1);
	}
}

static void protect(struct worker *w)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW };
	const int prot = prots[soak_draw(&w->seed, 4)];
	struct region *r = any(w);
	unsigned int a, b;

	if (!part(w, r, &a, &b))
		return;
	HOLDS(mprotect(r->at + (size_t)a * PAGE, (size_t)(b - a) * PAGE,
		       prot) == 0);
	for (; a < b; a++) {
		r->prot[a] = prot;
		if (prot & PROT_READ)
			look(r, a);
	}
}

static void forget(struct worker *w)
{
	struct region *r = any(w);
	unsigned int a, b;

	if (!part(w, r, &a, &b))
		return;
	HOLDS(madvise(r->at + (size_t)a * PAGE, (size_t)(b - a) * PAGE,
		      MADV_DONTNEED) == 0);
	for (; a < b; a++)
		r->tag[a] = 0;
}

static void want(struct worker *w)
{
	struct region *r = any(w);
	unsigned int a, b;

	if (part(w, r, &a, &b))
		HOLDS(madvise(r->at + (size_t)a * PAGE, (size_t)(b - a) * PAGE,
			      MADV_WILLNEED) == 0);
}

static void cut(struct worker *w)
{
	struct region *r = any(w);
	unsigned int a, b;

	if (!part(w, r, &a, &b) || a == 0)
		return;
	HOLDS(munmap(r->at + (size_t)a * PAGE, (size_t)(r->pages - a) * PAGE) ==
	      0);
	r->pages = a;
}

static bool uniform(const struct region *r)
{
	for (unsigned int i = 1; i < r->pages; i++)
		if (r->prot[i] != r->prot[0])
			return false;
	return true;
}

/* Linux has no mremap() over two of its areas (EFAULT). */
static void move(struct worker *w)
{
	struct region *r = any(w);
	unsigned int pages;
	void *p;

	if (!r->at || !uniform(r))
		return;
	pages = 1 + (unsigned int)soak_draw(&w->seed, REGION_PAGES);
	p = mremap(r->at, (size_t)r->pages * PAGE, (size_t)pages * PAGE,
		   MREMAP_MAYMOVE);
	if (p == MAP_FAILED) {
		HOLDS(errno == EFAULT || errno == ENOMEM);
		soak_count(&soak_counts.refused_regions);
		return;
	}
	for (unsigned int i = r->pages; i < pages; i++) {
		r->tag[i] = 0;
		r->prot[i] = r->prot[0];
	}
	r->at = p;
	r->pages = pages;
	look_all(r);
}

static void store(struct region *r, unsigned int i)
{
	expects = 1;
	if (sigsetjmp(back, 1) == 0) {
		*page_of(r, i) = 1;
		FAIL("a store to %p is no fault", (void *)page_of(r, i));
	}
	HOLDS(faulted == (void *)page_of(r, i));
	soak_count(&soak_counts.faults);
}

static void fault(struct worker *w)
{
	struct region *r = any(w);
	unsigned int a, b;

	if (!part(w, r, &a, &b))
		return;
	for (; a < b; a++)
		if (!(r->prot[a] & PROT_WRITE)) {
			store(r, a);
			return;
		}
}

void map_end(struct worker *w)
{
	for (unsigned int n = 0; n < REGIONS; n++) {
		struct region *r = &w->region[n];

		if (r->at)
			HOLDS(mprotect(r->at, (size_t)r->pages * PAGE, RW) ==
			      0);
		for (unsigned int i = 0; i < r->pages; i++)
			r->prot[i] = RW;
		unmap(r);
	}
}

const struct action map_actions[] = {
	{ "mmap", map, 30 },
	{ "touch", touch, 80 },
	{ "mprotect", protect, 60 },
	{ "MADV_DONTNEED", forget, 20 },
	{ "MADV_WILLNEED", want, 5 },
	{ "munmap of a part", cut, 10 },
	{ "mremap", move, 10 },
	{ "SIGSEGV", fault, 20 },
	{ 0 },
};

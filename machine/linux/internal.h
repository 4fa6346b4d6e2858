/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside machine/linux. Everything here is called with the lock held.
 */
#ifndef LINUX_INTERNAL_H
#define LINUX_INTERNAL_H

#include <stdatomic.h>

#include "machine/linux/drv.h"
#include "machine/watch/counters.h"

#define PAGE_SIZE SGX_PAGE_SIZE
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))

/* ---- page records ------------------------------------------------------ */
/*
 * One word a page that has EPC or backing store:
 *
 *	31..0	EPC page, or index of struct evicted
 *	32	EXISTS
 *	33	EVICTED
 *	34	PTE: the page table has an entry
 *	35	YOUNG: touched since the reclaimer last came by
 *	38..36	VIEW: what the front end shows, MACH_R | _W | _X
 *	41..39	MAX_PROT
 *	44..42	TYPE: the driver's idea of the page type
 *	45	BLOCKED: by the reclaimer, and not written out yet
 */
typedef uint64_t page_t;

#define PG_EXISTS (1ull << 32)
#define PG_EVICTED (1ull << 33)
#define PG_PTE (1ull << 34)
#define PG_YOUNG (1ull << 35)
#define PG_VIEW_SHIFT 36
#define PG_MAX_SHIFT 39
#define PG_TYPE_SHIFT 42
#define PG_BLOCKED (1ull << 45)
#define PG_FIELD 7ull

static inline uint32_t pg_index(page_t p)
{
	return (uint32_t)p;
}

static inline unsigned pg_get(page_t p, unsigned shift)
{
	return (unsigned)(p >> shift & PG_FIELD);
}

static inline void pg_set(page_t *p, unsigned shift, unsigned val)
{
	*p = (*p & ~(PG_FIELD << shift)) | (page_t)val << shift;
}

static inline void pg_set_index(page_t *p, uint32_t index)
{
	*p = (*p & ~(page_t)UINT32_MAX) | index;
}

/* A radix tree of 64-way nodes over the page number in ELRANGE. */
#define NODE_BITS 6
#define NODE_WAYS (1u << NODE_BITS)

struct node {
	union {
		struct node *child[NODE_WAYS];
		page_t page[NODE_WAYS];
		struct node *next_free;
	};
};

/* ---- EPC --------------------------------------------------------------- */

/* Where an evicted page's version and PCMD are; its ciphertext stays in the
 * page's own memory, which nobody sees. */
#define EVICTED_LOST UINT32_MAX /* the index of a page that EWB lost */

struct evicted {
	struct sgx_pcmd pcmd;
	uint64_t va;	    /* EPC address of the slot */
	uint32_t next_free; /* index + 1 */
};

#define EVICTED_WAYS 256u
#define EVICTED_CHUNKS 65536u

#define VA_SLOTS 512u

struct va_page {
	struct va_page *next;
	uint32_t epc;
	uint32_t used;
	uint64_t map[VA_SLOTS / 64];
};

/* Free lists of the driver's own memory, by size. */
enum pool_id {
	POOL_NODE,
	POOL_VA,
	POOL_ENCL,
	POOL_PAGE,
	POOLS
};

struct pool {
	void *free; /* first word of each links to the next */
	char *fresh;
	size_t left;
};

/* ---- enclaves ---------------------------------------------------------- */

#define ENCL_CREATED 0x1u
#define ENCL_INITIALIZED 0x2u
#define ENCL_LOST 0x4u
#define ENCL_CLOSED 0x8u /* no descriptor is open any more */

struct drv_encl {
	struct drv_encl *next;
	void *cookie;
	uint16_t id;
	atomic_flag busy; /* an ioctl is running */
	_Atomic uint32_t state;
	uint32_t vmas;
	uint64_t base;
	uint64_t size;
	uint64_t attributes_mask;
	uint8_t *mem;	/* of base, by the front end */
	bool untracked; /* the last ETRACK could not be done yet */
	bool read_only; /* the file is open for no more than that */

	struct node *root;
	unsigned height;
	uint64_t page_count; /* with SECS: decides when a VA page is added */
	uint64_t children;   /* pages in the EPC, SECS not counted */
	struct va_page *va;

	uint8_t *secs_mem;
	page_t secs; /* EXISTS, EVICTED and an index */
	uint32_t secs_epc;
};

struct vma_table {
	struct drv_vma *v;
	uint32_t count;
	uint32_t room;
};

/* hostile.c */
struct taken {
	uint64_t addr;
	enum drv_theft how;
	uint32_t times;
};

struct hostile {
	struct taken taken[HOSTILE_TAKEN];
	uint32_t count;
	const struct drv_range *range;
	uint32_t range_count;
	bool armed;
};

#define STALE_MAX 64u

struct drv {
	struct mach *mach;
	struct drv_hooks p;
	uint32_t lock; /* 0 free, 1 held, 2 held and waited for */
	bool sgx2;
	bool production;
	unsigned stale;
	uint32_t stale_count;
	struct stale {
		uint64_t addr;
		unsigned why;
	} stale_page[STALE_MAX];
	uint64_t attributes;

	uint32_t epc_pages;
	uint32_t limit;
	bool quota;	    /* the limit is a cgroup's, not the EPC's */
	uint32_t epc_fresh; /* pages never used start here */
	uint32_t epc_free;  /* entries of free_stack */
	uint32_t hand;	    /* the reclaimer's */
	uint32_t *free_stack;
	uint8_t **data;

	/* Views that an ioctl has changed and not told yet (pages.c). */
	struct drv_encl *later_encl;
	struct drv_view later;

	struct drv_encl *encls;
	struct vma_table vmas;
	struct pool pools[POOLS];
	struct evicted **evicted; /* EVICTED_CHUNKS of EVICTED_WAYS */
	uint32_t evicted_fresh;
	uint32_t evicted_free; /* index + 1 */

	/* Under the lock, but for ioctls and ioctl_errors: by atomics. */
	struct edmm_machine_stats stats;
	struct drv_inject inject;
	struct hostile hostile;
	uint32_t encl_ids;
};

/* leaf.c: the one door to ENCLS, where faults are injected and events told. */
struct leaf {
	unsigned nr;
	uint64_t epc;	 /* the page that it is about */
	uint64_t addr;	 /* its linear address, or 0: for the trace */
	const void *rbx; /* PAGEINFO, SECINFO, SIGSTRUCT */
	uint64_t rdx;	 /* SECS of EEXTEND, slot of EWB and ELDU, token */
	const uint8_t *signer;
};

struct mach_result encls(struct drv *d, const struct drv_encl *e,
			 const struct leaf *l);
/* The same for a leaf that only asks; nothing is injected. */
struct mach_result encls_asked(struct drv *d, const struct drv_encl *e,
			       const struct leaf *l);
/* EREMOVE, and the page is free; false: it failed, and as in Linux the page
 * leaks, with its memory if that is no enclave's. */
bool epc_remove(struct drv *d, const struct drv_encl *e, uint32_t epc,
		uint64_t addr);

/* An event of the driver, if anybody wants them. */
static inline bool traced(const struct drv *d)
{
	return __builtin_expect(!!d->p.trace, 0);
}

void trace_fault(struct drv *d, const struct drv_encl *e, unsigned what,
		 uint64_t addr, uint32_t pfec);
void trace_map(struct drv *d, unsigned kind, const struct drv_vma *v);
/* An AEX that goes back by ERESUME at once. */
void trace_interrupt(struct drv *d, const struct mach_cpu *cpu, unsigned why,
		     uint64_t addr);

/* pool.c */
void *pool_get(struct drv *d, enum pool_id id);
void pool_put(struct drv *d, enum pool_id id, void *p);

/* pages.c */
page_t *page_find(const struct drv_encl *e, uint64_t addr);
page_t *page_make(struct drv *d, struct drv_encl *e, uint64_t addr);
/* The first page that exists in [addr, end), its address in *at; or NULL. */
page_t *page_next(const struct drv_encl *e, uint64_t addr, uint64_t end,
		  uint64_t *at);
void page_drop_all(struct drv *d, struct drv_encl *e);
/* What the view of this page must be, and making it so. */
void page_view(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr);
/* The same, told with those of its neighbours, by views_tell() or with the next
 * page_view(). Until then a thread inside can use the page as before, so the
 * lock is held, and what depends on that it cannot waits. */
void page_view_later(struct drv *d, struct drv_encl *e, page_t *p,
		     uint64_t addr);
void views_tell(struct drv *d);
/* Drops the page-table entry. */
void page_zap(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr);
static inline uint8_t *page_mem(const struct drv_encl *e, uint64_t addr)
{
	return e->mem + (addr - e->base);
}

/* epc.c */
/* Would epc_alloc() reclaim nothing, for a page and what goes with it? */
bool epc_plenty(const struct drv *d);
/* A free EPC page bound to @mem, reclaiming if need be; -ENOMEM. */
int epc_alloc(struct drv *d, uint8_t *mem, uint32_t *out);
void epc_free(struct drv *d, uint32_t epc);
uint32_t epc_used(const struct drv *d);
/* A VA slot for one more page: reserves a page of slots when they run out. */
int encl_grow(struct drv *d, struct drv_encl *e);
void encl_shrink(struct drv *d, struct drv_encl *e);
void va_free(struct drv *d, const struct drv_encl *e, struct va_page *va);
/* Rounds of waiting for a thread: seconds, if it never gets to run. */
#define SETTLE_ROUNDS 20000u
/* An interrupt on every thread that is inside an enclave. */
void ipi(struct drv *d);
/* The same on the thread of @cpu alone, which must be inside, for @ev. False:
 * the interrupt before this one has not come to its end yet. */
bool interrupt(struct drv *d, struct mach_cpu *cpu,
	       const struct mach_event *ev);
/* ETRACK and its interrupts, as the ioctls of SGX2 do: 0, or -EFAULT. */
int encl_etrack(struct drv *d, struct drv_encl *e);
/* Must a thread inside still leave by itself? @e NULL: of any enclave. */
bool encl_owing(struct drv *d, const struct drv_encl *e);
/* Is the last encl_etrack() done? If not, without the lock: waits for it. */
bool encl_settled(struct drv *d, const struct drv_encl *e);
void encl_settle(struct drv *d, struct drv_encl *e);
/* No EPC is left, and a thread that must leave is in the way of reclaim. */
bool epc_contended(struct drv *d);
/* Without the lock: lets it run; false if that is of no use. */
bool epc_wait(struct drv *d);

/* reclaim.c */
void reclaim(struct drv *d);
/* The page in the EPC: 0, -ENOMEM, -EFAULT (lost), -EBUSY (being reclaimed, and
 * a thread is in the way). */
int page_load(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr);
int secs_in(struct drv *d, struct drv_encl *e);
void evicted_drop(struct drv *d, struct drv_encl *e, uint32_t index);

/* encl.c */
void encl_free(struct drv *d, struct drv_encl *e);

/* fault.c: EREMOVE of a page that is in the EPC, and EAUG in its place. */
bool page_renew(struct drv *d, struct drv_encl *e, page_t *p, uint64_t addr);

/* hostile.c: is the page away? Told to a thread inside, or to a leaf, that
 * counts. */
bool hostile_fault(struct drv *d, uint64_t page, bool inside,
		   enum drv_theft *how);
/* Is this code that nobody may execute now? */
bool hostile_guards(const struct drv *d, const struct drv_encl *e,
		    uint64_t addr);

/* ioctl.c and edmm.c */
long ioctl_restrict(struct drv *d, struct drv_encl *e, uint64_t arg);
long ioctl_modify(struct drv *d, struct drv_encl *e, uint64_t arg);
long ioctl_remove(struct drv *d, struct drv_encl *e, uint64_t arg);
bool range_valid(const struct drv_encl *e, uint64_t off, uint64_t length);

/* ---- stale.c ------------------------------------------------------------ */

/* A page's rights have changed: does a translation outlive that, so that its
 * view stays? */
bool stale_keep(struct drv *d, struct drv_encl *e, uint64_t addr, unsigned why);
/* Is a thread inside, which could keep one? */
bool stale_inside(const struct drv *d, const struct drv_encl *e);
/* A thread has left; ETRACK and its interrupts are done. */
void stale_left(struct drv *d);
void stale_tracked(struct drv *d);
/* A fault by one with fewer rights, which goes. */
bool stale_fault(struct drv *d, uint64_t addr);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EMM's insides.
 *
 * Two structures describe the range. The *page map* (map.c) says for each page
 * what it is, in one byte; three levels, each of which can say "all of mine
 * are alike" in one word: a top entry for 128 MiB, a leaf entry for 256 KiB (a
 * chunk), a byte for a page. The *area trees* (area.c) say which addresses
 * belong to which area, one tree a zone, balanced, with the largest gap of
 * each subtree. Rights and page states are in the map only, so that a fault or
 * a permission change needs no tree, and splits no area.
 *
 * Locks, in this order, all of them spin locks held for bounded work and never
 * across a hook or a leaf (I4):
 *	zone->lock (several: ascending) > map entry (bit 0 of its word) >
 *	pool.lock
 * A page under change has PB_BUSY in its byte. Its owner is the op slot whose
 * [lo, hi) covers it: lo and hi move under the lock of the map entry that they
 * cross, so whoever holds that lock sees exactly one owner.
 *
 * Each metadata object is a cell of 64 bytes (area, chunk) or a page (leaf
 * table). An op takes what it could need into its slot before its first
 * effect (I3). Table pages stay tables for ever: a walker that lost a race
 * with a fold may lock an entry of a freed table, sees that the top entry has
 * changed, and starts again.
 */
#ifndef TRUSTED_EMM_INT_H
#define TRUSTED_EMM_INT_H

#include "edmm/emm.h"

#define PAGE_SHIFT 12
#define CHUNK_SHIFT 6
#define CHUNK_PAGES 64u
#define TABLE_ENTRIES 512u
#define TOP_SHIFT 15
#define TOP_PAGES 32768u
#define CELL_SIZE 64u
#define CELLS_A_PAGE 64u

/*
 * Words that different threads write are this far apart: two cache lines, as
 * the processors that we know fetch lines in pairs.
 */
#define LINE 128

/* A page's byte: BUSY, state, rights (of the page, or that it will get). */
#define PB_PROT 0x07u
#define PB_SHIFT 3
#define PB_BUSY 0x80u

/*
 * The _S states need a look at the area when such a page faults: its handler,
 * its window, its growth direction, or that a fault does not commit there.
 */
enum pg_state {
	ST_NONE,
	ST_RESERVED,
	ST_UNC,
	ST_UNC_S,
	ST_COMM,
	ST_COMM_S,
	ST_IDLE, /* prot without R: known to be zero */
	ST_IDLE_S,
	ST_IDLE_FREE,
	ST_TCS,
	ST_DOUBT,
	ST_DOUBT_TCS, /* a TCS that was to be trimmed */
	ST_DOUBT_NEW, /* a page that was to become a TCS */
	ST_TRIMMED,
	ST_HINT, /* as UNC, but the host was told to add the page */
	ST_HINT_S,
	ST_COUNT,
};

_Static_assert(ST_COUNT <= 16, "a state has four bits");

#define M(st) (1u << (st))
#define M_ABSENT (M(ST_UNC) | M(ST_UNC_S))
#define M_HINT (M(ST_HINT) | M(ST_HINT_S))
#define M_UNC (M_ABSENT | M_HINT)
#define M_COMM (M(ST_COMM) | M(ST_COMM_S))
#define M_IDLE (M(ST_IDLE) | M(ST_IDLE_S))
#define M_DOUBT (M(ST_DOUBT) | M(ST_DOUBT_TCS) | M(ST_DOUBT_NEW))
#define M_TCS (M(ST_TCS) | M(ST_DOUBT_TCS) | M(ST_DOUBT_NEW))
#define M_HOLE (M(ST_NONE) | M(ST_IDLE_FREE))
#define M_AREA ((M(ST_COUNT) - 1) & ~M_HOLE & ~M(ST_RESERVED))

#define PB(st, prot) ((uint8_t)((unsigned)(st) << PB_SHIFT | (unsigned)(prot)))

static inline unsigned pb_state(uint8_t b)
{
	return (b >> PB_SHIFT) & 0xfu;
}

static inline int pb_prot(uint8_t b)
{
	return (int)(b & PB_PROT);
}

/* SECINFO of pages whose type is to change. */
#define TRIM_FLAGS (SGX_SECINFO_PT(SGX_PT_TRIM) | SGX_SECINFO_MODIFIED)
#define FRESH_FLAGS                                            \
	(SGX_SECINFO_R | SGX_SECINFO_W | SGX_SECINFO_PENDING | \
	 SGX_SECINFO_PT(SGX_PT_REG))
#define TCS_FLAGS (SGX_SECINFO_PT(SGX_PT_TCS) | SGX_SECINFO_MODIFIED)

/* Byte transformations, as tables; each keeps BUSY unless it says so. */
enum pb_lut {
	LUT_CLAIM,   /* set BUSY */
	LUT_RELEASE, /* clear BUSY */
	LUT_COMMIT,  /* UNC, HINT and IDLE become COMM */
	LUT_FAULT,   /* the same, and clear BUSY */
	LUT_HINT,    /* UNC becomes HINT */
	LUT_UNHINT,  /* and back */
	LUT_IDLE,    /* COMM becomes IDLE */
	LUT_TRIM,    /* whatever was present becomes UNC */
	LUT_TRIMMED, /* whatever was present becomes TRIMMED */
	LUT_DOUBT,   /* COMM, IDLE and TCS become DOUBT or DOUBT_TCS */
	LUT_FREE,    /* UNC and RESERVED become NONE, IDLE becomes IDLE_FREE */
	LUT_FORGET,  /* the same, and clear BUSY */
	LUT_PROT,    /* from here on, one for each rights: pages get them */
	LUT_COUNT = LUT_PROT + 8,
};

/* A word of the map: uniform byte at 8..15, or a reference at 32..63. */
#define E_LOCK 1ull
#define E_PTR 2ull

static inline uint64_t e_uniform(uint8_t b)
{
	return (uint64_t)b << 8;
}

static inline uint8_t e_byte(uint64_t e)
{
	return (uint8_t)(e >> 8);
}

static inline uint32_t e_ref(uint64_t e)
{
	return (uint32_t)(e >> 32);
}

/* Area attributes of ours beside the public flags. */
#define A_META 0x4000u /* the EMM's own memory */
#define A_CONT 0x8000u /* goes on from the zone below */
#define A_PUBLIC                                                        \
	(EMM_RESERVE | EMM_COMMIT_NOW | EMM_ON_DEMAND | EMM_GROWSDOWN | \
	 EMM_GROWSUP | EMM_LAZY | EMM_SYSTEM)

/* What makes areas equal. */
struct attr {
	emm_fault_fn handler;
	void *priv;
	uint16_t flags;
	uint16_t wmin; /* pages */
	uint16_t wmax;
};

struct area {
	uint32_t start; /* page numbers, relative to base */
	uint32_t end;
	uint32_t child[2]; /* cell numbers; 0 is none */
	uint32_t first;	   /* of the subtree: lowest start, */
	uint32_t last;	   /* highest end, */
	uint32_t gap;	   /* most free pages between two areas */
	uint32_t height;
	uint32_t wnext; /* the page that would continue a sequence */
	uint16_t wcur;	/* pages of the last window */
	uint16_t wmin;
	uint16_t wmax;
	uint16_t flags;
	uint32_t pad;
	emm_fault_fn handler;
	void *priv;
};

_Static_assert(sizeof(struct area) == CELL_SIZE, "an area is a cell");

struct zone {
	uint32_t lock;
	uint32_t root;
	uint64_t areas;
} __attribute__((aligned(LINE)));

/* An op in progress, and what its slot keeps between ops. */
struct slot {
	uint32_t owner;	  /* 0: free; else the thread's number + 1 */
	uint32_t seq;	  /* moves whenever pages are released */
	uint32_t waiters; /* somebody waits on seq */
	uint32_t lo;	  /* pages [lo, hi) are BUSY by this op */
	uint32_t hi;
	uint32_t cells; /* chain and count of free cells */
	uint32_t ncells;
	uint32_t tables;
	uint32_t ntables;
	uint32_t fold;	   /* top entry + 1 that may be uniform below */
	int64_t quota;	   /* pages charged, not used */
	uint64_t mixed;	   /* chunks that became mixed, less those no more so */
	uint64_t spurious; /* these two: by threads at home here, atomic */
	uint64_t faults;   /* neither spurious nor committing */
	uint64_t fault_commits;
	uint64_t commits;
	uint64_t trims;
	uint64_t reuses;
	uint64_t host_calls;
	uint64_t populates;
	uint64_t waits;
} __attribute__((aligned(LINE)));

_Static_assert(sizeof(struct slot) == LINE, "a slot has its lines alone");

/*
 * The metadata region: [0, fixed) is the instance, [committed, pages) was
 * never in the enclave or is no more. Between them a page is cut into cells, a
 * table, a tally (first of each 2,048), in a fresh run (in the enclave, in no
 * use), or in a hole (given back).
 */
struct pool {
	uint64_t committed;
	uint64_t pages;
	uint64_t fixed;
	uint64_t least;	     /* committed at the start; these stay */
	uint64_t nfresh;     /* pages in fresh runs */
	uint64_t nholes;     /* pages in holes */
	uint64_t cell_pages; /* pages cut into cells */
	uint32_t growing;
	/* What is above is read without the lock, and seldom written. */
	uint32_t lock __attribute__((aligned(LINE)));
	uint32_t partial; /* first page with free cells; chained in those */
	uint32_t tables;
	uint32_t fresh;	 /* first run: its page; chained (struct fresh) */
	uint32_t holes;	 /* first hole: its cell (struct hole) */
	uint64_t ncells; /* free ones */
	uint64_t ntables;
	uint64_t table_pages;
	uint64_t lost; /* pages of which nobody knows what they are */
} __attribute__((aligned(LINE)));

/* A free cell: of a slot's chain, or of its page. */
struct free_cell {
	uint32_t next;
	uint32_t above; /* in a page's first: the chain of partial pages */
	uint32_t below;
};

/* In a tally, of a page that is cut into cells. */
struct tally {
	uint8_t head; /* first free cell, if there is one */
	uint8_t count;
};

/* In the first page of a fresh run. */
struct fresh {
	uint32_t next;
	uint32_t count;
};

/* In a cell. */
struct hole {
	uint32_t next;
	uint32_t page;
	uint32_t count;
	bool there; /* trimmed, but the host did not remove it */
};

struct emm {
	struct emm_ops ops;
	void *ctx;
	uint64_t base;
	uint32_t pages; /* of the managed range */
	uint32_t user_lo;
	uint32_t user_hi;
	uint32_t meta_lo; /* pages out of reach; empty if not in the range */
	uint32_t meta_hi;
	uint8_t *meta; /* cell 0 and page 0 of the metadata region */
	uint64_t *top;
	uint32_t ntop;
	struct slot *slots;
	uint32_t nslots;
	struct zone *zones;
	uint32_t nzones;
	uint32_t zone_shift;
	bool static_mode;
	bool wide;
	uint32_t idle_share;
	uint64_t limit; /* pages; UINT64_MAX: none */
	uint64_t idle_max;
	uint8_t lut[LUT_COUNT][256];
	/* What is above is read by all and seldom written; each below alone. */
	struct pool pool;
	uint64_t charged __attribute__((aligned(LINE))); /* with quotas */
	uint64_t peak;
	uint64_t idle __attribute__((aligned(LINE))); /* pages */
	uint64_t lazy_areas __attribute__((aligned(LINE)));
	uint32_t spin_max __attribute__((aligned(LINE)));
};

struct op {
	struct emm *emm;
	struct slot *slot;
	uint32_t seen; /* states met by claim, as M() bits */
	bool down;     /* EACCEPT from high to low */
	bool drop;     /* uncommit: idle pages go, too, and no lazy free */
	bool final;    /* uncommit: the range leaves its areas */
	bool frees;    /* may use the last of the metadata */
	bool hold;     /* pages stay BUSY until the op's end */
	bool nowait;   /* claim: -EAGAIN at a BUSY page, which is blocked */
	uint8_t byte;  /* claim_run: what the pages were */
	int need;      /* commit: rights without which it is -EACCES */
	uint32_t blocked;
};

/* A map entry, locked. */
struct span {
	uint64_t *e;
	uint64_t val;
	uint8_t *bytes; /* NULL: uniform */
	uint32_t first;
	uint32_t n;
	bool is_top;
	bool dirty;
};

/* A run of pages of one kind. */
struct run {
	uint32_t a;
	uint32_t b;
	uint8_t byte; /* of its first page, without BUSY */
};

#define LOAD(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define PEEK(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define POKE(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* A counter in the caller's own slot. */
#define COUNT(counter, n) POKE(&(counter), PEEK(&(counter)) + (uint64_t)(n))

#define RESULT __attribute__((warn_unused_result))

static inline uint64_t pg_addr(const struct emm *emm, uint32_t pg)
{
	return emm->base + ((uint64_t)pg << PAGE_SHIFT);
}

static inline void *cell_ptr(const struct emm *emm, uint32_t cell)
{
	return emm->meta + (uint64_t)cell * CELL_SIZE;
}

static inline struct area *area_ptr(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

static inline uint32_t *cell_next(const struct emm *emm, uint32_t cell)
{
	return cell_ptr(emm, cell);
}

static inline uint64_t *table_ptr(const struct emm *emm, uint32_t page)
{
	return (uint64_t *)(void *)(emm->meta + ((uint64_t)page << PAGE_SHIFT));
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Intel allows write or execute only with read (EPCM). */
static inline bool prot_valid(int prot)
{
	return prot >= 0 && prot <= EMM_RWX && (prot == 0 || (prot & EMM_R));
}

/* lock.c: spin locks that count their longest spin. */
void lock_acquire(struct emm *emm, uint32_t *lock);
void lock_release(uint32_t *lock);
void lock_spin(struct emm *emm, uint32_t *rounds);
void lock_note(struct emm *emm, uint32_t rounds);

/* pool.c: pages of the metadata region, and their cells. The pool is locked
 * for those of the second group. */
void pool_init(struct emm *emm, uint64_t fixed, uint64_t committed,
	       uint64_t pages);
RESULT bool pool_low(const struct pool *pool);
RESULT bool pool_high(const struct pool *pool);
RESULT edmm_err pool_grow(struct op *op, bool need);
void pool_shrink(struct op *op);

RESULT uint32_t pool_page(struct emm *emm);
RESULT uint32_t pool_cell(struct emm *emm);
void pool_cell_free(struct emm *emm, uint32_t cell);

/* meta.c */
RESULT edmm_err meta_reserve(struct op *op, uint32_t cells, uint32_t tables);
RESULT uint32_t meta_cell(struct op *op);
void meta_cell_free(struct op *op, uint32_t cell);
RESULT uint32_t meta_table(struct op *op);
void meta_table_free(struct op *op, uint32_t table);
void meta_settle(struct op *op);

/* op.c */
struct slot *op_home(const struct emm *emm);
void op_begin(struct op *op, struct emm *emm);
void op_end(struct op *op);
RESULT edmm_err op_wait(struct op *op, struct span *sp, uint32_t pg);
RESULT edmm_err op_range(struct emm *emm, uint64_t addr, uint64_t size,
			 struct run *out);
RESULT edmm_err op_charge(struct op *op, uint64_t pages);
void op_charge_forced(struct op *op, uint64_t pages);
void op_uncharge(struct op *op, uint64_t pages);
void op_notify(struct emm *emm, enum emm_event ev, uint32_t a, uint32_t b);

/* map.c */
void map_init(struct emm *emm);
void map_lock(struct emm *emm, uint32_t pg, struct span *sp);
void map_unlock(struct op *op, struct span *sp);
void map_unlock_clean(struct span *sp);
void map_entry_init(struct emm *emm, uint64_t *e, uint64_t val);
RESULT edmm_err span_apply(struct op *op, struct span *sp, struct run *r,
			   const uint8_t *lut);
RESULT uint32_t map_tables(const struct emm *emm, uint32_t a, uint32_t b);
RESULT edmm_err map_reserve(struct op *op, uint32_t a, uint32_t b,
			    uint32_t cells);
RESULT edmm_err map_claim(struct op *op, uint32_t a, uint32_t b, uint32_t ok);
RESULT uint32_t map_claim_run(struct op *op, uint32_t a, uint32_t b,
			      uint32_t ok);
void map_fold_hints(struct op *op);
void map_settle(struct op *op, uint32_t a, uint32_t b, const uint8_t *lut);
void map_release(struct op *op, uint32_t upto);
void map_release_as(struct op *op, uint32_t upto, const uint8_t *lut);
void map_run(struct emm *emm, uint32_t pg, uint32_t end, uint32_t join,
	     struct run *out);

static inline uint8_t span_byte(const struct span *sp, uint32_t pg)
{
	return sp->bytes ? sp->bytes[pg & (CHUNK_PAGES - 1)] : e_byte(sp->val);
}

/* area.c: the caller holds the zones' locks unless said otherwise. */
void zones_lock(struct emm *emm, uint32_t a, uint32_t b);
void zones_unlock(struct emm *emm, uint32_t a, uint32_t b);
RESULT bool area_cover(struct emm *emm, uint32_t a, uint32_t b, uint32_t flags);
RESULT bool area_empty(struct emm *emm, uint32_t a, uint32_t b);
void area_cut(struct op *op, uint32_t a, uint32_t b);
void area_put(struct op *op, uint32_t a, uint32_t b, const struct attr *attr);
RESULT uint32_t area_gap(struct emm *emm, struct run *bounds, uint32_t need,
			 uint32_t align);
RESULT uint32_t area_cells(struct emm *emm, uint32_t a, uint32_t b);
/* Takes the locks itself; a copy, with the extent joined over zones. */
RESULT bool area_get(struct emm *emm, uint32_t pg, struct area *out);
RESULT uint32_t area_window(struct emm *emm, uint32_t pg, struct area *out);
uint32_t zone_of(const struct emm *emm, uint32_t pg);

/* commit.c, trim.c, prot.c: act on claimed pages [a, b). */
RESULT edmm_err act_commit(struct op *op, uint32_t a, uint32_t b,
			   uint32_t *done);
RESULT edmm_err act_uncommit(struct op *op, uint32_t a, uint32_t b,
			     uint32_t *done);
RESULT edmm_err act_resolve(struct op *op, uint32_t pg, uint8_t byte);
RESULT edmm_err act_remove(struct op *op, struct run *r);
RESULT edmm_err act_trim(struct op *op, struct run *r);
RESULT edmm_err accept_one(struct op *op, uint32_t pg);
edmm_err act_rights(struct op *op, struct run *r, int from, int to);
edmm_err host_modify(struct op *op, enum emm_host_op what, const struct run *r,
		     int to);
int leaf_accept(struct emm *emm, uint64_t flags, uint32_t pg);
int leaf_extend(struct emm *emm, int prot, uint32_t pg);
edmm_err idle_limit(struct emm *emm);

/* For the compatible interface: with rights that all pages must have; on pages
 * of the states `ok` only. */
RESULT edmm_err op_commit(struct emm *emm, uint64_t addr, uint64_t size,
			  int need, uint64_t *done);
RESULT edmm_err op_protect(struct emm *emm, const struct run *r, int prot,
			   uint32_t ok, uint32_t *done);

/* The stack is there before anything is taken (I12). */
void emm_probe_stack(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The enclave memory manager (EMM): native API.
 *
 * An instance manages one range of enclave linear addresses. It knows, for
 * each page, whether it is in the enclave, with which rights, and to which
 * area it belongs, and it drives the SGX2 flows that change this: EACCEPT,
 * EMODPE, EACCEPTCOPY inside, host calls outside (struct emm_hooks). It has no
 * globals; the instance and all of its metadata live in memory that the
 * caller gives (struct emm_params), which must outlive it.
 *
 * Units: addresses are enclave linear addresses, sizes are bytes; both are
 * multiples of 4096 unless said otherwise. Ranges are half-open.
 *
 * Context: every function may be called by several threads at a time, except
 * emm_init. No lock is held across a host call, a leaf or a callback (I4):
 * pages under change are BUSY, and others wait for those pages only. Functions
 * that say "may exit" can leave the enclave through emm_hooks. Nothing here may
 * be called from stage 1 of an exception (CSSA > 0).
 *
 * Trust: the host is believed in nothing; EACCEPT decides (I11). A host that
 * refuses or lies costs an error, with the state that the error documents.
 *
 * Errors: 0 or a negated value of edmm/err.h. Every function checks its
 * arguments before its first effect; -EDMM_EINVAL for unaligned, empty or
 * wrapping ranges, -EDMM_EACCES for ranges outside of the managed range,
 * -EDMM_EPERM for ranges that touch the EMM's metadata. -EDMM_ENOMEM when
 * metadata, EPC or the limit is exhausted. Those change nothing (I3).
 */
#ifndef EDMM_EMM_H
#define EDMM_EMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/err.h"
#include "sgx/arch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct emm;

#define EMM_PAGE 4096ull

/* Rights; the values are SECINFO's. Write or execute needs read. */
enum emm_prot {
	EMM_NONE = 0,
	EMM_R = 1,
	EMM_W = 2,
	EMM_X = 4,
	EMM_RW = EMM_R | EMM_W,
	EMM_RX = EMM_R | EMM_X,
	EMM_RWX = EMM_R | EMM_W | EMM_X,
};

/*
 * Attributes of an area. Adjacent areas with equal attributes are one area
 * (I7), but for those with a growth direction.
 */
#define EMM_RESERVE 0x001u    /* address range only, until carved by alloc */
#define EMM_COMMIT_NOW 0x002u /* alloc commits; a fault later does not */
#define EMM_ON_DEMAND 0x004u  /* a fault, or emm_commit, commits */
#define EMM_GROWSDOWN 0x010u  /* no gap below the area's end */
#define EMM_GROWSUP 0x020u    /* no gap above the area's start */
#define EMM_FIXED 0x040u      /* exactly at addr, or an error (alloc only) */
#define EMM_LAZY 0x100u	      /* uncommit leaves pages idle (see emm_params) */
#define EMM_SYSTEM 0x200u     /* outside of the user range, or for register */

/* Values that say "not mine" and "resolved" (Intel's, too). */
#define EMM_FAULT_SEARCH 0
#define EMM_FAULT_CONTINUE (-1)

/**
 * emm_fault_fn - an area's own fault handler
 * @info: MADDR (page bits only are sure) and ERRCD, as EXINFO has them
 * @priv: as given to emm_alloc
 *
 * Context: no lock held, no page BUSY; it may call the EMM, fault itself, and
 * leave by longjmp. Return: EMM_FAULT_CONTINUE or EMM_FAULT_SEARCH.
 */
typedef int (*emm_fault_fn)(const struct sgx_exinfo *info, void *priv);

/* What the host is asked to do with a run of pages (emm_hooks.modify). */
enum emm_host_op {
	EMM_HOST_PROTECT,  /* mapping rights from -> to; nothing of SGX */
	EMM_HOST_RESTRICT, /* RESTRICT_PERMISSIONS to `to`, then as PROTECT */
	EMM_HOST_TO_TRIM,  /* MODIFY_TYPES(TRIM) */
	EMM_HOST_REMOVE,   /* REMOVE_PAGES; all were EACCEPTed as TRIM. A
			    * narrow host maps them so if `to` is none */
	EMM_HOST_TO_TCS,   /* MODIFY_TYPES(TCS) */
};

struct emm_modify {
	enum emm_host_op op;
	int from;  /* enum emm_prot: rights before, of the run's first page */
	int to;	   /* rights after; for TRIM and REMOVE equal to from */
	int final; /* REMOVE: the range leaves its area (it may be unmapped) */
	uint64_t addr;
	uint64_t size;
};

/* A leaf that faulted at its own ENCLU says so by these negative values. */
#define EMM_LEAF_PF (-SGX_VEC_PF) /* page absent, or not as it should be */
#define EMM_LEAF_GP (-SGX_VEC_GP)

/* What happened, for emm_hooks.notify. */
enum emm_event {
	EMM_EV_ALLOC,
	EMM_EV_DEALLOC,
	EMM_EV_COMMIT,	 /* pages became committed, by call or fault */
	EMM_EV_IDLE,	 /* pages were freed lazily */
	EMM_EV_UNCOMMIT, /* pages left the enclave */
	EMM_EV_PROTECT,
	EMM_EV_TCS,
	EMM_EV_META, /* the metadata pool grew */
};

/**
 * struct emm_hooks - the seam to the runtime
 *
 * Every hook gets emm_params.ctx first. Hooks are called without locks, and
 * may themselves fault on, or use, pages that the current call does not name.
 *
 * @eaccept, @emodpe, @eacceptcopy: the leaves. Return 0, a positive SGX code,
 *	or EMM_LEAF_PF/EMM_LEAF_GP where the ENCLU itself faulted; EMODPE has no
 *	code, so that what is positive or 0 is success. Must be set, except in
 *	static mode, which never calls them.
 * @modify: one host call for one run. Return 0 or a negated error; the EMM
 *	then asks each page by EACCEPT what became of it. Must be set, except
 *	in static mode, which asks at most PROTECT (NULL: it asks nothing).
 * @map: the host makes the range addressable, readable and writable (Intel's
 *	alloc_ocall). NULL: all of the range is mapped already, and wide.
 * @populate: hint that the host add absent pages of the range ahead of their
 *	EACCEPT. NULL, or failing: EACCEPT takes a fault a page. One call a run.
 *	What stays unaccepted is remembered, as it could not be trimmed:
 *	uncommit and dealloc accept it before they give it back.
 * @ahead: tell the host, without leaving, that the range will be committed
 *	soon (emm_ahead(), and what follows a window of a fault). Return: 0 where
 *	it was told. NULL: nobody is. What @populate is asked for then may be
 *	there already.
 * @zero: zero a range; NULL: memset.
 * @owner: the calling thread's number, small and unique among the threads
 *	inside (a TCS's slot). NULL: one thread only.
 * @wait: return when *word may differ from val, or sooner (a futex wait, and
 *	only a hint; it may exit). NULL: the EMM spins with @yield.
 * @wake: wake all that wait on word. NULL exactly if @wait is.
 * @yield: called now and then while spinning on another thread. May be NULL.
 * @notify: after the fact, no lock held. May be NULL.
 */
struct emm_hooks {
	int (*eaccept)(void *ctx, const struct sgx_secinfo *si, uint64_t addr);
	int (*emodpe)(void *ctx, const struct sgx_secinfo *si, uint64_t addr);
	int (*eacceptcopy)(void *ctx, const struct sgx_secinfo *si,
			   uint64_t addr, uint64_t src);
	int (*modify)(void *ctx, const struct emm_modify *m);
	int (*map)(void *ctx, uint64_t addr, uint64_t size, uint32_t flags);
	int (*populate)(void *ctx, uint64_t addr, uint64_t size);
	int (*ahead)(void *ctx, uint64_t addr, uint64_t size);
	void (*zero)(void *ctx, uint64_t addr, uint64_t size);
	uint32_t (*owner)(void *ctx);
	void (*wait)(void *ctx, const uint32_t *word, uint32_t val);
	void (*wake)(void *ctx, const uint32_t *word);
	void (*yield)(void *ctx);
	void (*notify)(void *ctx, enum emm_event ev, uint64_t addr,
		       uint64_t size);
};

/**
 * struct emm_params - what an instance is made of
 * @base, @size: the managed range; nothing outside is ever touched
 * @user_base, @user_size: where areas without EMM_SYSTEM go; size 0: all of it
 * @meta_base, @meta_size: memory for metadata, page aligned, enclave address
 *	equal to pointer. It may lie in the managed range, and is then out of
 *	reach of every function here.
 * @meta_init: bytes of it, from its start, that are in the enclave now (at
 *	least emm_meta_min()). The rest is committed by EAUG and EACCEPT in
 *	chunks, ahead of need; in static mode meta_init is all that there is.
 * @meta_own: bytes of meta_size, from its start, that are nobody else's (0: all
 *	are). Areas may lie in the rest as long as metadata has not grown there;
 *	allocations without an address keep off it while there is room
 *	elsewhere. The region is the start of the user range then, and the
 *	managed range has at most 64 GiB.
 * @limit: most bytes that may be committed (idle pages and registered ones
 *	included, metadata not); 0: no limit
 * @idle_max: idle bytes kept by EMM_LAZY areas; beyond it they are released
 *	down to half, in the longest runs. UINT64_MAX: no cap.
 * @idle_share: and at most this many 1/1024 of the committed bytes (0: no
 *	such cap)
 * @static_mode: no EDMM: pages are what was registered; uncommit makes them
 *	idle, the limit is what the loader added, growth beyond is ENOMEM
 * @wide: the host has mapped the range with all rights that it will need, so
 *	that relaxing rights takes EMODPE alone
 * @threads: threads inside at a time, at most (sizes the op slots; 0: 32)
 */
struct emm_params {
	uint64_t base;
	uint64_t size;
	uint64_t user_base;
	uint64_t user_size;
	void *meta_base;
	uint64_t meta_size;
	uint64_t meta_init;
	uint64_t meta_own;
	uint64_t limit;
	uint64_t idle_max;
	uint32_t idle_share;
	uint32_t threads;
	bool static_mode;
	bool wide;
	void *ctx;
};

/**
 * struct emm_policy - how an area commits on demand; part of its attributes
 * @window_min: bytes committed by a first fault (0: one page)
 * @window_max: windows double up to this while faults arrive in sequence, each
 *	at the end of the last window or after a page that is committed; at
 *	any other fault they are half the last, @window_min at most and a page
 *	at least, so that random touches cost what they touch. A sequence goes
 *	on after such a fault with half of its last window, doubled; after n of
 *	them with 1/2^n. At most 16 MiB.
 *	Windows go upwards, in GROWSDOWN areas downwards; they never leave the
 *	run of uncommitted pages of equal rights in which the fault lies, and
 *	shortage ends them quietly.
 */
struct emm_policy {
	uint32_t window_min;
	uint32_t window_max;
};

/**
 * emm_meta_min - least meta_init for a range
 * @size: bytes of managed range
 * @threads: as in emm_params
 *
 * Return: bytes, a multiple of the page size.
 */
uint64_t emm_meta_min(uint64_t size, uint32_t threads);

/**
 * emm_meta_bound - metadata that uniform use of a range can need, in bytes
 * @size: bytes of managed range
 * @threads: as in emm_params
 * @areas: areas at a time
 *
 * The worst mixed case takes 64 bytes more for each 256 KiB of range. What
 * grew beyond meta_init goes back to the host when it is free again, but for
 * 64 pages and a 16th, tables (one a 128 MiB at most) and 1 page in 2,048.
 */
uint64_t emm_meta_bound(uint64_t size, uint32_t threads, uint64_t areas);

/**
 * emm_init - make an instance in its metadata memory
 * @p: parameters, copied
 * @hooks: hooks, copied
 * @out: the instance
 *
 * Context: one thread, before any other call. Does not exit.
 * Return: 0; -EINVAL for ranges that wrap, are empty or unaligned, a missing
 * hook, or meta_init below emm_meta_min().
 */
EDMM_NODISCARD edmm_err emm_init(const struct emm_params *p,
				 const struct emm_hooks *hooks,
				 struct emm **out);

/* How the loader left a range that emm_register tells of. */
enum emm_loaded {
	EMM_LOADED_COMMITTED, /* REG pages with the given rights, in use */
	EMM_LOADED_IDLE,      /* REG pages, free: zeroed before use */
	EMM_LOADED_ZERO,      /* REG pages, free, known to be zero */
	EMM_LOADED_TCS,	      /* TCS pages */
	EMM_LOADED_ABSENT,    /* nothing yet: an area to commit later */
};

/**
 * struct emm_alloc - an allocation
 * @addr: where, or a hint without EMM_FIXED; 0: the EMM chooses. A range that
 *	lies wholly in EMM_RESERVE areas is carved out of them.
 * @size: bytes
 * @align: log2 of the alignment, 12 to 46; 0: 12
 * @flags: one of RESERVE, COMMIT_NOW, ON_DEMAND, and attributes
 * @prot: rights of its pages once committed (RESERVE: EMM_NONE)
 * @policy: commit windows; zeroes: a page a fault
 * @handler, @priv: its own fault handler, or NULL
 */
struct emm_alloc {
	uint64_t addr;
	uint64_t size;
	uint32_t align;
	uint32_t flags;
	int prot;
	struct emm_policy policy;
	emm_fault_fn handler;
	void *priv;
};

/**
 * emm_register - make an area of pages that the loader put there
 * @emm: instance
 * @a: as for emm_alloc; addr is exact, in the managed range (user range or
 *	not), flags name the mode that later commits follow
 * @how: what is there now
 *
 * With EMM_RESERVE, IDLE and ZERO make no area: the pages wait for whoever
 * allocates their range. Idle pages are free memory in the enclave: a commit
 * zeroes and uses them
 * before anything new is added, and emm_trim releases them. Committed and
 * idle pages count towards the limit.
 *
 * Context: any time; does not exit, calls no leaf.
 * Return: 0; -EEXIST if the range is in use, and the general errors.
 */
EDMM_NODISCARD edmm_err emm_register(struct emm *emm, const struct emm_alloc *a,
				     enum emm_loaded how);

/**
 * emm_alloc - make an area
 * @emm: instance
 * @a: what
 * @out: where to, NULL if nobody cares; untouched on failure
 *
 * Context: may exit (map; commit for EMM_COMMIT_NOW).
 * Return: 0; -EINVAL (modes, rights, alignment), -EEXIST (FIXED and in use),
 * -EPERM (FIXED and outside of the user range), -ENOMEM (no room, metadata,
 * EPC, limit), -EFAULT (the host refused, or an EACCEPT failed). After an
 * error there is no area, and no page of it is in the enclave - but for
 * -EFAULT, where pages whose trim the host refuses too stay behind: their
 * range remains an area of its own, which emm_dealloc frees.
 */
EDMM_NODISCARD edmm_err emm_alloc(struct emm *emm, const struct emm_alloc *a,
				  uint64_t *out);

/**
 * emm_commit - put pages of areas into the enclave, zeroed, with their rights
 * @emm: instance
 * @addr, @size: range; pages already committed are left alone
 * @done: NULL, or receives how many bytes from @addr are committed (for
 *	GROWSDOWN areas: some count of bytes)
 *
 * Context: may exit.
 * Return: 0; -EINVAL (a hole), -EACCES (RESERVE, TCS, rights NONE);
 * -ENOMEM (limit or metadata: nothing changed; EPC: see done);
 * -EFAULT (EACCEPT says otherwise): the first *done bytes are committed, the
 * others are as before.
 */
EDMM_NODISCARD edmm_err emm_commit(struct emm *emm, uint64_t addr,
				   uint64_t size, uint64_t *done);

/**
 * emm_ahead - a range will be committed soon: tell emm_hooks.ahead
 * @emm: instance
 * @addr, @size: of it what follows @addr and is absent, readable and writable
 *
 * Nothing changes that a caller can see but emm_run.hinted. Does nothing where
 * a page is under change, in static mode, or without the hook.
 */
void emm_ahead(struct emm *emm, uint64_t addr, uint64_t size);

/**
 * emm_uncommit - take pages out of use; the areas remain
 * @emm: instance
 * @addr, @size: range; pages not committed are left alone
 * @done: NULL, or as for emm_commit
 *
 * Pages of EMM_LAZY areas, and all pages in static mode, become idle: no host
 * call, content unreachable only by agreement until zeroed for reuse. Others
 * are trimmed: one TO_TRIM and one REMOVE a run, joined across areas.
 *
 * Context: may exit. Return: 0; -EINVAL (a hole), -EACCES (RESERVE); -EFAULT
 * (host or EACCEPT): the first *done bytes are uncommitted; a later page is
 * committed as before if EACCEPT proves it, else its content is lost and it
 * is EMM_PG_DOUBT, or it is trimmed and waits to be removed (EMM_PG_TRIMMED);
 * both are resolved by the next call that needs them.
 */
EDMM_NODISCARD edmm_err emm_uncommit(struct emm *emm, uint64_t addr,
				     uint64_t size, uint64_t *done);

/**
 * emm_uncommit_now - as emm_uncommit, and release idle pages of the range, too
 */
EDMM_NODISCARD edmm_err emm_uncommit_now(struct emm *emm, uint64_t addr,
					 uint64_t size, uint64_t *done);

/**
 * emm_dealloc - uncommit and forget a range; holes are tolerated
 *
 * Areas may be cut or split. Return: 0; -EINVAL if nothing at all is there,
 * and the errors of emm_uncommit_now, after which the areas remain as they
 * were with some pages uncommitted.
 */
EDMM_NODISCARD edmm_err emm_dealloc(struct emm *emm, uint64_t addr,
				    uint64_t size, uint64_t *done);

/**
 * emm_protect - change rights of a range, committed or not
 * @prot: enum emm_prot
 * @done: NULL, or as for emm_commit
 *
 * Runs are joined across areas; unchanged rights cost nothing. Uncommitted
 * pages get the rights when they are committed.
 *
 * Context: may exit (restricting; relaxing unless `wide`).
 * Return: 0; -EINVAL (a hole, rights), -EACCES (RESERVE, TCS); -EFAULT: the
 * first *done bytes have the new rights, the others their old ones (EMODPE
 * gives back what the host took).
 */
EDMM_NODISCARD edmm_err emm_protect(struct emm *emm, uint64_t addr,
				    uint64_t size, int prot, uint64_t *done);

/**
 * emm_commit_data - commit pages with content (EACCEPTCOPY) and rights
 * @addr, @size: range; ON_DEMAND areas, rights with write, nothing committed
 * @data: page aligned, in the enclave, not in the range
 * @prot: rights afterwards
 *
 * Context: may exit. Return: 0; -EINVAL, -EACCES; -ENOMEM; -EFAULT: the pages
 * before the one that failed are committed with @prot, the others are
 * uncommitted.
 */
EDMM_NODISCARD edmm_err emm_commit_data(struct emm *emm, uint64_t addr,
					uint64_t size, const void *data,
					int prot);

/**
 * emm_make_tcs - turn one committed RW page, filled in by the caller, into TCS
 *
 * The content must be what EACCEPT wants of a TCS (SDM 3D, EACCEPT): if not,
 * the page is lost to both types, EMM_PG_DOUBT, until the enclave ends.
 * Its way back is emm_uncommit or emm_dealloc, for which the caller answers
 * that no thread is in it (I9). Context: may exit.
 * Return: 0 (also if it is a TCS already); -EACCES (not committed, not RW);
 * -EFAULT: the page is as before, or EMM_PG_DOUBT.
 */
EDMM_NODISCARD edmm_err emm_make_tcs(struct emm *emm, uint64_t addr);

/**
 * emm_trim - give idle pages back to the host
 * @bytes: how many, at least, if there are so many; UINT64_MAX: all
 * @released: NULL, or how many bytes left the enclave
 *
 * Context: may exit; one TO_TRIM and one REMOVE a run of idle pages.
 * Return: 0, or -EFAULT as emm_uncommit. Static mode: 0, nothing released.
 */
EDMM_NODISCARD edmm_err emm_trim(struct emm *emm, uint64_t bytes,
				 uint64_t *released);

/**
 * emm_decay - give back idle pages that nobody has needed for a while
 *
 * Half of the fewest idle pages that there have been since the last call, so
 * that what is freed and taken again all the time stays. What a while is, the
 * caller says by calling. Context and Return: as emm_trim().
 */
EDMM_NODISCARD edmm_err emm_decay(struct emm *emm);

/**
 * emm_set_limit - change the limit (a start-up parameter)
 * @limit: bytes; 0: none
 *
 * A limit below what is committed stops growth, and takes nothing back.
 */
void emm_set_limit(struct emm *emm, uint64_t limit);

/**
 * emm_set_idle_max, emm_set_idle_share - change the idle caps (as emm_params)
 *
 * What is beyond them leaves when pages become idle next.
 */
void emm_set_idle_max(struct emm *emm, uint64_t bytes);
void emm_set_idle_share(struct emm *emm, uint32_t share);

/**
 * emm_fault - a page fault at CSSA 0 (stage 2)
 * @emm: instance
 * @info: from the SSA's EXINFO, never from the host
 *
 * Resolves on-demand pages, pages that another thread was changing, and
 * pages whose state is in doubt; calls areas' handlers.
 *
 * Context: exception stack or the thread's own; may exit.
 * Return: EMM_FAULT_CONTINUE: retry the access. EMM_FAULT_SEARCH: not mine
 * (no area, rights do not allow the access, RESERVE, a page that was
 * uncommitted in a COMMIT_NOW area). A negative error below -1: the access
 * is right but cannot be served: -ENOMEM, -EFAULT, or -EBUSY where the
 * thread faults on a page that it is itself changing.
 */
int emm_fault(struct emm *emm, const struct sgx_exinfo *info);

/* A page's state, as emm_query and the mirror check see it. */
enum emm_page_state {
	EMM_PG_NONE,	    /* no area, not in the enclave */
	EMM_PG_RESERVED,    /* RESERVE area */
	EMM_PG_UNCOMMITTED, /* absent, or PENDING */
	EMM_PG_COMMITTED,   /* EPCM: REG, rights = prot */
	EMM_PG_IDLE,	    /* EPCM: REG, RW, and X where prot has it or
			     * not; free */
	EMM_PG_FREE_IDLE,   /* EPCM: REG, RW; without an area */
	EMM_PG_TCS,	    /* EPCM: TCS */
	EMM_PG_DOUBT,	    /* EPCM: REG or TCS, or TRIM and MODIFIED */
	EMM_PG_TRIMMED,	    /* EPCM: TRIM, accepted; or removed (perhaps
			     * added again), which the host denied */
};

/* A run of pages in one state. */
struct emm_run {
	uint64_t addr;
	uint64_t size;
	enum emm_page_state state;
	int prot;
	bool busy;   /* some call is changing it */
	bool zero;   /* idle: content known to be zero */
	bool hinted; /* uncommitted: populate may have added them */
};

/**
 * emm_query - the run of pages of equal state that begins at @addr
 * @addr: in the managed range
 * @end: look no further than this
 *
 * Context: no exit; a snapshot that may be old on return.
 */
EDMM_NODISCARD edmm_err emm_query(struct emm *emm, uint64_t addr, uint64_t end,
				  struct emm_run *out);

/* An area, as iteration reports it. */
struct emm_area_info {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
	struct emm_policy policy;
	emm_fault_fn handler;
	void *priv;
};

/**
 * emm_area_next - the first area that ends above @addr
 *
 * Iterate with addr = out->addr + out->size. Context: no exit.
 * Return: 0, or -ENOENT when there is none.
 */
EDMM_NODISCARD edmm_err emm_area_next(struct emm *emm, uint64_t addr,
				      struct emm_area_info *out);

struct emm_stats {
	uint64_t committed;	/* bytes in use */
	uint64_t idle;		/* bytes in the enclave, free */
	uint64_t peak;		/* most bytes committed + idle so far */
	uint64_t used_peak;	/* most bytes committed so far */
	uint64_t limit;		/* 0: none */
	uint64_t areas;		/* areas; one over zones counts in each */
	uint64_t mixed;		/* 256 KiB chunks that hold page states */
	uint64_t meta_pool;	/* bytes of metadata in the enclave */
	uint64_t meta_used;	/* of it in use: the sum of the next two, */
	uint64_t meta_fixed;	/* the instance, op slots, zones, top; */
	uint64_t meta_tables;	/* a page each 128 MiB that is not uniform, */
	uint64_t meta_area;	/* and areas times so many bytes, */
	uint64_t meta_chunk;	/* and mixed times so many */
	uint64_t faults;	/* calls of emm_fault in the range */
	uint64_t fault_commits; /* that committed */
	uint64_t spurious;	/* that found the page as it should be */
	uint64_t commits;	/* pages EACCEPTed as new */
	uint64_t trims;		/* pages trimmed */
	uint64_t reuses;	/* idle pages taken again */
	uint64_t host_calls;	/* map, populate and modify calls */
	uint64_t populates;	/* populate calls among them */
	uint64_t waits;		/* times a thread waited for a BUSY page */
	uint64_t spin_max;	/* the longest spin on a lock, in rounds */
};

/**
 * emm_stats_get - counters; consistent when nothing else runs. peak may lag
 * by 64 pages a thread, and used_peak be as much too high.
 */
void emm_stats_get(struct emm *emm, struct emm_stats *out);

/**
 * emm_committed - committed + idle bytes
 */
uint64_t emm_committed(struct emm *emm);

/**
 * emm_check - validate every structure; for tests and after a suspicion
 *
 * Context: nothing else may run. Return: NULL, or what is broken.
 */
const char *emm_check(struct emm *emm);

#ifdef __cplusplus
}
#endif

#endif

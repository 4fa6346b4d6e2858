/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux's SGX driver on the model: what /dev/sgx_enclave, its mappings and its
 * page faults do in Linux 6.1 to 6.12. No signal and no real mapping is made
 * here: the front end (machine/trap, or a test) gives a struct drv_hooks.
 *
 *	drv_may_open drv_open drv_ioctl drv_release        the file
 *	drv_mmap drv_mprotect drv_munmap      its mappings, as the program asks
 *	drv_fault                             a page fault on one of those
 *	drv_lock ... drv_unlock               around the front's mach_*() calls
 *
 * Page tables. The driver keeps what Linux's page tables would hold: a mapping
 * with its rights (struct drv_vma) and, a page, whether its entry is present.
 * The front end's view shows a page when its entry is present, with no more
 * rights than the EPCM gives; the mapping's rights are applied by the front end
 * to the whole range.
 *
 * Interrupts. What Linux does by an IPI, ETRACK and zaps, and what its faults
 * are to a thread inside, is mach_interrupt(): an AEX and an ERESUME that
 * nobody sees. Where somebody would, the driver sets cpu->due, and the front
 * end does the AEX with the thread's own registers; the thread then finds
 * ENCLU at its AEP and comes back by itself. The ioctls wait for such threads,
 * as Linux's IPI does.
 *
 * Locks: one lock guards all (Linux has mmap_lock, one an enclave and one for
 * the EPC). An ioctl takes it a page at a time, as Linux does its own, or some
 * pages at a time (edmm.c). Nothing of the front end is called without it, but
 * copy_in and copy_out.
 */
#ifndef MACHINE_LINUX_DRV_H
#define MACHINE_LINUX_DRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/machine.h"
#include "machine/linux/inject.h"
#include "machine/model/model.h"
#include "machine/watch/trace.h"

struct drv;
struct drv_encl;

/* ---- what the front end provides --------------------------------------- */

/* Pages that have shown @from and are to show @to: MACH_R, _W, _X of the EPCM,
 * 0 to hide them. */
struct drv_view {
	uint64_t addr;
	uint64_t size;
	unsigned from;
	unsigned to;
};

struct drv_hooks {
	void *ctx;

	/* Zeroed memory that is never given back (the driver recycles it);
	 * page aligned; NULL for none. */
	void *(*alloc)(void *ctx, size_t size);

	/* ELRANGE is known: make zeroed memory for its pages, reachable at
	 * the address returned whatever the program maps; NULL for none. */
	uint8_t *(*create)(void *ctx, struct drv_encl *e, uint64_t base,
			   uint64_t size);
	/* The enclave is gone: give all of that back. */
	void (*destroy)(void *ctx, struct drv_encl *e);

	/* The view of pages changes. Not called where from == to. */
	void (*view)(void *ctx, struct drv_encl *e, const struct drv_view *v);
	/* Contents of [addr, addr + size) are no longer needed: it is zero from
	 * now on. With create() this makes the memory of a page that is absent
	 * zero at any time, which mach_config.zeroed is about. */
	void (*discard)(void *ctx, struct drv_encl *e, uint64_t addr,
			uint64_t size);

	/* User memory of the program: 0, or -EFAULT. */
	int (*copy_in)(void *ctx, void *dst, uint64_t src, size_t size);
	int (*copy_out)(void *ctx, uint64_t dst, const void *src, size_t size);

	/* Is there any memory at @addr, enclave or not? */
	bool (*mapped)(void *ctx, uint64_t addr);

	/* Calls @fn for the processor of every thread there is. */
	void (*each_cpu)(void *ctx, void (*fn)(void *arg, struct mach_cpu *cpu),
			 void *arg);
	/* The thread of @cpu must leave by mach_aex() soon, from wherever it
	 * is: cpu->due is set. NULL: the front end looks at that itself. */
	void (*kick)(void *ctx, struct mach_cpu *cpu);
	/* Lets the threads run that were kicked; called without the lock.
	 * NULL: they are not waited for. */
	void (*pause)(void *ctx);
	/* Is a signal pending for the calling thread? */
	bool (*signal_pending)(void *ctx);

	/* CREATE or INIT was refused, in words; NULL: nobody asks. */
	void (*why)(void *ctx, const char *what, const char *text);
	/* INIT was refused: the enclave is marked for production. */
	void (*refused)(void *ctx);

	/* An event, with the lock held; NULL: nobody wants them. */
	void (*trace)(void *ctx, const struct trace_event *ev);

	/* futex(2) on a private word: the lock's slow path. */
	void (*wait)(void *ctx, uint32_t *word, uint32_t value);
	void (*wake)(void *ctx, uint32_t *word);
};

/* Translations that outlive a change of rights (stale.c). */
#define STALE_EMODPE 1u
#define STALE_EMODPR 2u

struct drv_config {
	struct mach_config mach;
	/* EPC pages that may be in use, as sgx_epc in misc.max. */
	bool has_quota;
	uint32_t quota;
	bool production; /* take enclaves marked for production */
	unsigned stale;	 /* STALE_EMODPE, STALE_EMODPR */
	struct drv_inject inject;
};

/**
 * drv_size() - bytes of memory for drv_init()
 * Return: 0 if the configuration is no machine.
 */
size_t drv_size(const struct drv_config *c);

/**
 * drv_init() - start a machine and its driver
 * @mem: drv_size() zero bytes, page aligned
 * @c: configuration; mach.arena must be false
 * @p: its hooks, copied
 */
struct drv *drv_init(void *mem, const struct drv_config *c,
		     const struct drv_hooks *p);

struct mach *drv_mach(struct drv *d);

void drv_lock(struct drv *d);
void drv_unlock(struct drv *d);

/* ---- the file ---------------------------------------------------------- */

/* Linux 6.18 updates the CPU's SVN when nobody else has the device open, and
 * that may fail: 0, -EAGAIN or -EIO, as injected. Before drv_open(). */
int drv_may_open(struct drv *d);
/* One open of /dev/sgx_enclave; NULL for want of memory. @cookie is the front
 * end's, given back by drv_encl_cookie(). */
struct drv_encl *drv_open(struct drv *d, void *cookie);
/* By O_RDONLY: no mapping of it gets W later. */
void drv_encl_read_only(struct drv_encl *e);
void *drv_encl_cookie(const struct drv_encl *e);
uint8_t *drv_encl_mem(const struct drv_encl *e);
/* Where ELRANGE starts, and its size; meaningless before CREATE. */
uint64_t drv_encl_base(const struct drv_encl *e);
uint64_t drv_encl_size(const struct drv_encl *e);

/**
 * drv_release() - the last descriptor of the file is closed
 *
 * The enclave lives on while mappings of it do; drv_munmap() of the last one
 * ends it then.
 */
void drv_release(struct drv *d, struct drv_encl *e);

/* Loses an enclave's EPC, as a suspend to memory does. */
void drv_lose(struct drv *d, struct drv_encl *e);
void drv_lose_all(struct drv *d);

/* Does INIT refuse a signature with this SWDEFINED? */
bool drv_refuses(const struct drv *d, uint32_t swdefined);

struct drv_ioctl_ctx {
	/* Is @fd an open /dev/sgx_provision? */
	bool (*is_provision)(void *ctx, int fd);
	void *ctx;
};

/**
 * drv_ioctl() - an ioctl of the file
 * @arg: the program's pointer
 *
 * Return: 0 or -errno, with the record written back as Linux does.
 * Source: arch/x86/include/uapi/asm/sgx.h; Documentation/arch/x86/sgx.rst.
 */
long drv_ioctl(struct drv *d, struct drv_encl *e, unsigned long cmd,
	       uint64_t arg, const struct drv_ioctl_ctx *ic);

/* ---- mappings ---------------------------------------------------------- */

#define DRV_PROT_R 1u
#define DRV_PROT_W 2u
#define DRV_PROT_X 4u

struct drv_vma {
	uint64_t start;
	uint64_t end;
	struct drv_encl *encl;
	uint32_t prot; /* PROT_READ, _WRITE, _EXEC */
};

/**
 * drv_may_map() - Linux's check of a mapping's rights
 * Return: 0; -EACCES if the enclave forbids it.
 */
int drv_may_map(struct drv *d, struct drv_encl *e, uint64_t start, uint64_t end,
		unsigned prot);

/**
 * drv_mmap() - record a mapping that the front end has made
 *
 * Replaces what was there. Return: 0; -ENOMEM.
 */
int drv_mmap(struct drv *d, struct drv_encl *e, uint64_t start, uint64_t end,
	     unsigned prot);

/* Any mmap, mprotect or munmap that hits an enclave mapping comes here. */
bool drv_any_mapped(const struct drv *d); /* lock-free: a hint */
bool drv_mapped(struct drv *d, uint64_t start, uint64_t end);
/* The mapping at @addr or the next above it; false if there is none. */
bool drv_find_vma(struct drv *d, uint64_t addr, struct drv_vma *out);
int drv_may_protect(struct drv *d, uint64_t start, uint64_t end, unsigned prot);
int drv_mprotect(struct drv *d, uint64_t start, uint64_t end, unsigned prot);
int drv_munmap(struct drv *d, uint64_t start, uint64_t end);

/* Calls @fn for each run of pages in the range whose view has MACH_X. */
void drv_each_exec(struct drv *d, struct drv_encl *e, uint64_t start,
		   uint64_t end, void (*fn)(void *arg, uint64_t a, uint64_t b),
		   void *arg);

/* Calls @fn for each run of pages that have content, in the EPC or evicted. */
void drv_each_page(struct drv *d, struct drv_encl *e,
		   void (*fn)(void *arg, uint64_t a, uint64_t b), void *arg);

/* Calls @fn for each page in the range whose view is not empty. */
void drv_each_shown(struct drv *d, struct drv_encl *e, uint64_t start,
		    uint64_t end,
		    void (*fn)(void *arg, uint64_t addr, unsigned view),
		    void *arg);

/* ---- faults ------------------------------------------------------------ */

enum drv_verdict {
	DRV_RETRY,    /* the access is allowed now: do it again */
	DRV_BUSY,     /* the same, when other threads have run */
	DRV_NONE,     /* no enclave mapping there: not the driver's */
	DRV_SEGV_ACC, /* SIGSEGV SEGV_ACCERR; code in pfec */
	DRV_SIGBUS,   /* SIGBUS BUS_ADRERR; code in pfec */
	DRV_ABORT,    /* from outside, no right to it: abort page */
};

/**
 * drv_fault() - a page fault
 * @cpu: the faulting thread's, inside or outside; NULL for neither
 * @addr: address
 * @access: MACH_R, MACH_W or MACH_X
 * @pfec: out: the error code that the program is told
 *
 * Also for a leaf's own access that mach_enclu() reports as an ordinary #PF:
 * then @leaf is true and EPCM rights are not looked at.
 * Context: drv_lock() held. Counts an AEX and an ERESUME on @cpu for what
 * Linux would resolve while the thread is inside; where the enclave could tell
 * (AEX-Notify), cpu->due asks the front end for the AEX itself.
 */
enum drv_verdict drv_fault(struct drv *d, struct mach_cpu *cpu, uint64_t addr,
			   unsigned access, bool leaf, uint32_t *pfec);

/* Would drv_fault() at @addr move no page out of the EPC or in? Then it takes
 * no cryptography, and so nothing of libc. Context: drv_lock() held. */
bool drv_fault_plain(struct drv *d, uint64_t addr);

/* What MAP_POPULATE or MADV_WILLNEED of a kernel that has them for enclaves
 * does: adds the range's pages, as far as it gets. Context: drv_lock() held. */
void drv_populate(struct drv *d, uint64_t start, uint64_t end);

/* Bytes at an enclave's address, whatever its rights; false if they are not
 * all in the EPC and on one page. Context: drv_lock() held. */
bool drv_peek(struct drv *d, uint64_t addr, void *out, size_t size);

/* Writes to where drv_peek() reads. Context: takes the lock. */
bool drv_poke(struct drv *d, uint64_t addr, const void *from, size_t size);

/* A leaf has changed this page's EPCM entry: bring the view up to date. */
void drv_refresh(struct drv *d, uint64_t addr);

/* mach_hooks.translate for leaves: @drv is the struct drv. */
enum mach_xlate drv_translate(void *drv, uint64_t addr, unsigned access,
			      uint32_t *out);

/**
 * drv_enclu() - mach_enclu() by the thread of @cpu
 *
 * Keeps the view of a page that the leaf has changed up to date, tells the
 * event, and injects what was asked for. Context: drv_lock() held.
 */
struct mach_result drv_enclu(struct drv *d, struct mach_cpu *cpu,
			     struct mach_frame *f);
/* The same for EENTER alone, with general registers only. */
struct mach_result drv_eenter(struct drv *d, struct mach_cpu *cpu,
			      struct mach_frame *f);
/* mach_aex(), told as @why. */
void drv_aex(struct drv *d, struct mach_cpu *cpu, struct mach_frame *f,
	     const struct mach_event *ev, enum trace_aex why);

/* ---- a hostile kernel (hostile.c) -------------------------------------- */

enum drv_theft {
	DRV_THEFT_GONE,	 /* no page-table entry: #PF */
	DRV_THEFT_OTHER, /* of another EPC page: #PF with the SGX bit */
};

/* Pages that may be away at one time. */
#define HOSTILE_TAKEN 64u

/**
 * drv_take() - take a page of an enclave away
 * @addr: within it; there need be no page yet
 * @times: faults that are told until it comes back; 0: it never does
 *
 * Context: takes the lock, as all of this part. What the host itself touches
 * there meanwhile is as the abort page.
 * Return: false if HOSTILE_TAKEN pages are away already.
 */
bool drv_take(struct drv *d, uint64_t addr, enum drv_theft how, uint32_t times);
void drv_give(struct drv *d, uint64_t addr);
void drv_give_all(struct drv *d);
/* Drops the page-table entry; the kernel makes it again at the next touch. */
bool drv_hide(struct drv *d, uint64_t addr);
/* EREMOVE and EAUG: an empty page, pending. False: no page, or the processor
 * refuses, as it does while a thread is inside. */
bool drv_replace(struct drv *d, uint64_t addr);
/* One more fault to inject: false if there are INJECT_RULES already. */
bool drv_inject(struct drv *d, const struct inject_rule *r);

/* Offsets in ELRANGE, page aligned. */
struct drv_range {
	uint64_t start;
	uint64_t end;
};

/* Code that is not executable in the view while armed, in every enclave: each
 * fetch is a fault. @ranges stay the caller's; to change them, disarm. */
void drv_guard(struct drv *d, const struct drv_range *ranges, uint32_t count);
void drv_guard_arm(struct drv *d, bool on);

/* ---- counters ---------------------------------------------------------- */

/* Adds what the driver has counted, and its levels, to @sum. */
void drv_stats(struct drv *d, struct edmm_machine_stats *sum);

/* ---- faults to inject, events ------------------------------------------ */

/* Does a front end want events? */
bool drv_traced(const struct drv *d);
/* The front end's own events, with the lock held. */
void drv_trace(struct drv *d, const struct trace_event *ev);
/* The number of the enclave whose SECS is EPC page @secs, 0 for none. */
uint16_t drv_encl_of(struct drv *d, uint32_t secs);
uint16_t drv_encl_id(const struct drv_encl *e);

#endif

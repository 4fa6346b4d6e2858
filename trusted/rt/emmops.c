/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory manager's seam to this runtime: leaves with fix-ups, host calls,
 * and the areas that exist at start-up.
 *
 * The host has mapped everything from the main stack to the range's end
 * readable and writable, once. So a change of rights needs the host only where
 * execution comes in.
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

#define PROT_RW 3u
#define PROT_X 4u
#define STACK_WINDOW (64u << 10)
/* Threads in the memory manager at a time, where more can be made. */
#define OPS_MADE 32u
/* Some half a millisecond on any processor with SGX2. */
#define PUBLISH_TICKS 1000000u
/* Time stamps: spins this far apart are two, and this long is for ever. */
#define SPIN_GAP (1ull << 24)
#define SPIN_MAX (1ull << 37)

static struct emm *instance;
static bool areas_known;
/* The last change was too soon after another to be told. */
static bool untold;

struct emm *rt_emm(void)
{
	return instance;
}

static int leaf_result(int64_t rax)
{
	if (rax == -EDMM_EFAULT)
		return EMM_LEAF_PF;
	return rax < 0 ? EMM_LEAF_GP : (int)rax;
}

static int op_eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	return leaf_result(rt_enclu(SGX_EACCEPT, si, addr, 0));
}

static int op_emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	int64_t rax = rt_enclu(SGX_EMODPE, si, addr, 0);

	(void)ctx;
	/* EMODPE returns nothing: RAX still holds the leaf's number. */
	return rax < 0 ? leaf_result(rax) : 0;
}

static int op_eacceptcopy(void *ctx, const struct sgx_secinfo *si,
			  uint64_t addr, uint64_t src)
{
	(void)ctx;
	return leaf_result(rt_enclu(SGX_EACCEPTCOPY, si, addr, src));
}

static int range_call(uint32_t nr, uint64_t addr, uint64_t size, uint64_t arg)
{
	const uint64_t args[WIRE_CALL_ARGS] = { addr - rt_base(), size, arg };

	return rt_host_call(nr, args, NULL);
}

/* The mapping has to allow execution where the EPCM will. */
static int map_for(const struct emm_modify *m)
{
	int err;

	if (!(m->to & EMM_X) || rt_execmap_has(m->addr, m->size))
		return 0;
	err = range_call(WIRE_CALL_MPROTECT, m->addr, m->size,
			 PROT_RW | PROT_X);
	if (!err)
		rt_execmap_add(m->addr, m->size);
	return err;
}

/* Linux shows a TCS in no mapping that may execute. */
static int map_for_tcs(const struct emm_modify *m)
{
	if (!rt_execmap_ever())
		return 0;
	rt_execmap_drop(m->addr, m->size);
	return range_call(WIRE_CALL_MPROTECT, m->addr, m->size, PROT_RW);
}

static int op_modify(void *ctx, const struct emm_modify *m)
{
	int err;

	(void)ctx;
	switch (m->op) {
	case EMM_HOST_PROTECT:
		return map_for(m);
	case EMM_HOST_RESTRICT:
		err = map_for(m);
		return err ? err
			   : range_call(WIRE_CALL_RESTRICT, m->addr, m->size,
					(uint64_t)m->to);
	case EMM_HOST_TO_TRIM:
		return range_call(WIRE_CALL_MODIFY_TYPES, m->addr, m->size,
				  SGX_PT_TRIM);
	case EMM_HOST_REMOVE:
		return range_call(WIRE_CALL_REMOVE, m->addr, m->size, 0);
	case EMM_HOST_TO_TCS:
		if (map_for_tcs(m))
			return -EDMM_EFAULT;
		return range_call(WIRE_CALL_MODIFY_TYPES, m->addr, m->size,
				  SGX_PT_TCS);
	}
	return -EDMM_EINVAL;
}

/*
 * A static image's pages have the rights of EADD for ever. What the mapping
 * takes away guards against mistakes of the program, not against the host.
 */
static int op_modify_static(void *ctx, const struct emm_modify *m)
{
	(void)ctx;
	if (m->op != EMM_HOST_PROTECT)
		return -EDMM_EINVAL;
	return rt_host_show(m->addr, m->size, m->to);
}

edmm_err rt_host_show(uint64_t addr, uint64_t size, int prot)
{
	return range_call(WIRE_CALL_MPROTECT, addr, size, (uint64_t)prot);
}

static int op_populate(void *ctx, uint64_t addr, uint64_t size)
{
	(void)ctx;
	if (rt_ahead_done(addr, size))
		return 0;
	return range_call(WIRE_CALL_POPULATE, addr, size, 0);
}

static uint32_t op_owner(void *ctx)
{
	(void)ctx;
	return rt_context();
}

/*
 * A thread spins on a lock of the memory manager's. It guards bounded work, so
 * this ends, unless the holder is this very thread: the host has taken a page
 * away under it (I12). Alone, a thread can wait for nobody else.
 */
static void op_yield(void *ctx)
{
	struct rt_thread *t = rt_self();
	uint64_t now = rt_tsc();

	(void)ctx;
	rt_look_for_end();
	if (now - t->spin_last > SPIN_GAP)
		t->spin_first = now;
	t->spin_last = now;
	if (rt_context_alone() || now - t->spin_first > SPIN_MAX)
		rt_abort_host("a lock is never released: the host has taken "
			      "a page away");
}

static void put_stat(size_t off, uint64_t v)
{
	/* A host that takes its page away gets no figures. */
	(void)!umem_put64(rt_global.stats + off, v);
}

#define PUT_STAT(member, v) put_stat(offsetof(struct wire_stats, member), (v))

/* All figures, taken together; the host may see them one by one. */
static void publish(void)
{
	struct emm_stats s;
	uint64_t now;

	emm_stats_get(instance, &s);
	now = s.committed + s.idle + s.meta_pool;
	if (now > rt_global.peak)
		rt_global.peak = now;
	PUT_STAT(committed, now);
	PUT_STAT(idle, s.idle);
	PUT_STAT(peak, rt_global.peak);
	PUT_STAT(accepted, s.commits);
	PUT_STAT(trimmed, s.trims);
	PUT_STAT(faults, rt_global.faults);
	PUT_STAT(host_calls, rt_global.host_calls);
	PUT_STAT(heap_used, s.committed);
	PUT_STAT(heap_peak, rt_global.heap_peak);
	PUT_STAT(heap_low, rt_global.heap_low);
	PUT_STAT(heap_refused, rt_global.heap_refused);
}

void rt_stats_heap(uint64_t peak, uint64_t low)
{
	rt_global.heap_peak = peak;
	rt_global.heap_low = low;
}

void rt_stats_refused(uint64_t bytes)
{
	rt_global.heap_refused = bytes;
}

void rt_stats_threads_refused(uint32_t threads)
{
	if (rt_global.stats)
		PUT_STAT(threads_refused, threads);
}

void rt_stats_clock(uint64_t refused, uint64_t ns)
{
	if (!rt_global.stats)
		return;
	PUT_STAT(clock_refused, refused);
	PUT_STAT(clock_refused_ns, ns);
}

void rt_stats_signals(uint64_t refused)
{
	if (rt_global.stats)
		PUT_STAT(signals_refused, refused);
}

/* The main stack grows downwards and is never given back. */
static uint64_t stack_peak(void)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t addr = rt_base() + l->stack_off;
	uint64_t end = addr + l->stack_size;
	struct emm_run run;

	while (addr < end && !emm_query(instance, addr, end, &run) &&
	       run.state != EMM_PG_COMMITTED)
		addr = run.addr + run.size;
	return end - addr;
}

/* A peak must not be missed; all else is told every now and then. */
static void op_notify(void *ctx, enum emm_event ev, uint64_t addr,
		      uint64_t size)
{
	uint64_t now = rt_tsc();

	(void)ctx;
	(void)addr;
	(void)size;
	__atomic_fetch_add(&rt_global.changes, 1, __ATOMIC_RELAXED);
	if (!rt_global.stats || !instance)
		return;
	if (ev != EMM_EV_COMMIT && now - rt_global.published < PUBLISH_TICKS) {
		__atomic_store_n(&untold, true, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&untold, false, __ATOMIC_RELAXED);
	rt_global.published = now;
	publish();
}

void rt_stats_tell(void)
{
	if (!__atomic_load_n(&untold, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&untold, false, __ATOMIC_RELAXED);
	publish();
}

void rt_stats_main(void)
{
	if (!rt_global.stats)
		return;
	PUT_STAT(heap_max, rt_global.params.heap_max);
	PUT_STAT(heap_low_main, rt_global.heap_low);
	PUT_STAT(main_tsc, rt_tsc());
	publish();
}

void rt_stats_end(void)
{
	if (!rt_global.stats || !instance)
		return;
	PUT_STAT(stack_peak, stack_peak());
	publish();
}

static edmm_err add_area(uint64_t off, uint64_t size, uint32_t flags,
			 enum emm_loaded how)
{
	struct emm_alloc a = {
		.addr = rt_base() + off,
		.size = size,
		.flags = flags,
		.prot = flags & EMM_RESERVE ? EMM_NONE : EMM_RW,
		.policy = { .window_min = SGX_PAGE_SIZE,
			    .window_max = STACK_WINDOW },
	};

	return size ? emm_register(instance, &a, how) : 0;
}

/* What the loader has put there: the main stack, and the heap's first part. */
static edmm_err add_areas(const struct edmm_layout *l)
{
	const uint32_t stack = EMM_SYSTEM | EMM_ON_DEMAND | EMM_GROWSDOWN;
	uint64_t absent = l->stack_size - l->stack_init;
	edmm_err err;

	err = add_area(l->stack_off, absent, stack, EMM_LOADED_ABSENT);
	if (!err)
		err = add_area(l->stack_off + absent, l->stack_init, stack,
			       EMM_LOADED_COMMITTED);
	if (!err)
		err = add_area(l->heap_off, l->heap_init, EMM_RESERVE,
			       EMM_LOADED_ZERO);
	/* By call only: a fault there is not the manager's (block.c). */
	if (!err)
		err = add_area(l->made_off, l->made_count * l->ctx_stride,
			       EMM_SYSTEM | EMM_COMMIT_NOW, EMM_LOADED_ABSENT);
	return err;
}

static uint64_t managed_end(const struct edmm_layout *l)
{
	return l->made_count ? l->made_off + l->made_count * l->ctx_stride
			     : l->heap_off + l->heap_bound;
}

edmm_err rt_emm_start(void)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t base = rt_base();
	const struct emm_params p = {
		.base = base + l->stack_off,
		.size = managed_end(l) - l->stack_off,
		.user_base = base + l->heap_off,
		.user_size = l->heap_bound,
		.meta_base = (void *)(base + l->meta_off),
		.meta_size = l->meta_size,
		.meta_init = l->meta_init,
		.limit = rt_global.params.heap_max + l->stack_size +
			 l->made_count * l->ctx_stride,
		.idle_max = rt_global.params.heap_free_max,
		.threads = l->made_count && l->ctx_count < OPS_MADE
				   ? OPS_MADE
				   : l->ctx_count,
		.static_mode = !rt_elastic(),
	};
	const struct emm_hooks hooks = {
		.eaccept = op_eaccept,
		.emodpe = op_emodpe,
		.eacceptcopy = op_eacceptcopy,
		.modify = rt_elastic() ? op_modify : op_modify_static,
		.populate = rt_global.params.populate ? op_populate : NULL,
		.ahead = rt_global.params.ahead ? rt_ahead : NULL,
		.owner = op_owner,
		.yield = op_yield,
		.notify = op_notify,
	};
	edmm_err err = emm_init(&p, &hooks, &instance);

	if (!err)
		err = add_areas(l);
	areas_known = !err;
	return err;
}

static bool within(uint64_t off, uint64_t from, uint64_t size)
{
	return off - from < size;
}

/* What the loader has put there; the manager does not know of it yet. */
static int early_fault(const struct rt_regs *r)
{
	const struct edmm_layout *l = rt_layout();
	uint64_t off = r->addr - rt_base();
	uint64_t end = l->stack_off + l->stack_size;

	if (!(r->error_code & SGX_PFEC_I) &&
	    (within(off, end - l->stack_init, l->stack_init) ||
	     within(off, l->heap_off, l->heap_init)))
		return EMM_FAULT_CONTINUE;
	return EMM_FAULT_SEARCH;
}

int rt_emm_fault(const struct rt_regs *r)
{
	const struct sgx_exinfo info = { .maddr = r->addr,
					 .errcd = r->error_code };
	int how;

	if (!areas_known)
		return early_fault(r);
	how = emm_fault(instance, &info);
	if (how == EMM_FAULT_CONTINUE)
		__atomic_fetch_add(&rt_global.faults, 1, __ATOMIC_RELAXED);
	return how;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first entry: from a bare stack to the program. Check, then take: layout,
 * the enclave's own report, relocations, start-up parameters, arguments, the
 * memory manager; then rt_main().
 *
 * Until the thread's block is attached there is no way to tell more than a
 * number (enum wire_refusal).
 */
#include "trusted/rt/thread.h"

/* Contexts that are kept, unless the host says how many. */
#define POOL_DEFAULT 8u

extern const struct rt_dyn rt_dynamic[] __asm__("_DYNAMIC")
	__attribute__((visibility("hidden")));

static _Noreturn void refuse(enum wire_refusal why)
{
	(void)rt_end_begin();
	rt_leave(WIRE_EXIT_REFUSED, why);
}

static struct rt_thread *own_record(void)
{
	struct rt_thread *t;

	__asm__ volatile("rdgsbase %0" : "=r"(t));
	return t;
}

static void init_thread(void)
{
	const struct edmm_layout *l = rt_layout();
	struct rt_thread *t = own_record();
	uint64_t off = (uint64_t)t - rt_base() - l->ctx_off - l->ctx_thread;

	if (off % l->ctx_stride || off / l->ctx_stride >= l->ctx_count)
		refuse(WIRE_REFUSED_CONFIG);
	rt_thread_init(t, (uint32_t)(off / l->ctx_stride));
	rt_contexts_init(t->context);
	rt_set_fs_base(0);
}

/*
 * What stage 2 saves and restores is known before the thread's record lets any
 * exception in. Return: NULL, or what is wrong with the report: that can be
 * told later.
 */
static const char *take_report(void)
{
	_Alignas(512) struct sgx_targetinfo target = { 0 };
	_Alignas(128) uint8_t data[64] = { 0 };
	_Alignas(512) uint8_t out[512];
	const struct sgx_report *r = (const struct sgx_report *)(void *)out;

	if (rt_enclu(SGX_EREPORT, &target, (uint64_t)data, (uint64_t)out) < 0)
		return "EREPORT fails";
	rt_global.xfrm = r->attributes.xfrm & EDMM_XFRM_ALLOWED;
	return rt_report_check(rt_layout(), r);
}

static void take_start(uint64_t addr, struct wire_start *s)
{
	umem_t p = umem_at(addr, sizeof(*s));
	const char *bad;

	if (!p || umem_read(s, p, sizeof(*s)) ||
	    rt_thread_attach(rt_self(), s->thread_addr))
		refuse(WIRE_REFUSED_ARGS);
	bad = rt_start_check(rt_layout(), s);
	if (bad)
		rt_abort_host(bad);
	if (s->stats_addr) {
		rt_global.stats =
			umem_at(s->stats_addr, sizeof(struct wire_stats));
		if (!rt_global.stats)
			rt_abort_host("start: statistics page");
	}
	if (s->signals_addr % sizeof(uint64_t))
		rt_abort_host("start: signals");
	if (s->ahead_addr % sizeof(uint64_t))
		rt_abort_host("start: hints");
	rt_global.params = (struct rt_params){
		.heap_max = s->heap_max ? s->heap_max : rt_layout()->heap_bound,
		.heap_free_max = s->heap_free_max,
		.heap_free_percent = s->heap_free_percent,
		.heap_window = (uint32_t)s->heap_window,
		.populate = s->flags & WIRE_START_POPULATE,
		.ahead = s->ahead_addr ? umem_at(s->ahead_addr,
						 sizeof(struct wire_ahead))
				       : NULL,
		.signals = s->signals_addr
				   ? umem_at(s->signals_addr,
					     sizeof(struct wire_signals))
				   : NULL,
		.tell = s->flags & WIRE_START_TELL &&
			rt_layout()->flags & EDMM_LAYOUT_DEBUG,
		.threads_max = s->threads_max ? s->threads_max : rt_contexts(),
		.threads_pool = s->threads_pool == WIRE_POOL_DEFAULT
					? POOL_DEFAULT
					: s->threads_pool,
		.threads_idle = s->threads_idle,
	};
}

/* A static image's heap comes unmeasured, with whatever the host put there. */
static void zero_heap(void)
{
	const struct edmm_layout *l = rt_layout();

	if (l->flags & EDMM_LAYOUT_HEAP_ZERO)
		__builtin_memset((void *)(rt_base() + l->heap_off), 0,
				 l->heap_init);
}

/* argv and environ live on the main stack, as in a native process. */
static _Noreturn void run(const struct wire_start *s)
{
	struct rt_args args = {
		.argc = s->argc,
		.envc = s->envc,
		.block = __builtin_alloca(s->arg_size),
		.size = s->arg_size,
	};
	umem_t from = umem_at(s->arg_addr, s->arg_size);

	if (!from || umem_read(args.block, from, args.size) ||
	    !rt_args_check(args.block, args.size,
			   (uint64_t)args.argc + args.envc))
		rt_abort_host("start: arguments");
	rt_exit(rt_main(&args));
}

void rt_first(uint64_t start_addr)
{
	const struct edmm_layout *l = rt_layout();
	const char *unfit, *bad;
	struct wire_start s;

	if (rt_layout_check(l))
		refuse(WIRE_REFUSED_CONFIG);
	unfit = take_report();
	init_thread();
	if (!rt_relocate((uint8_t *)rt_base(), l->image_size, rt_dynamic))
		refuse(WIRE_REFUSED_CONFIG);
	take_start(start_addr, &s);
	if (unfit)
		rt_abort(13, unfit);
	bad = rt_relro();
	if (bad)
		rt_abort_host(bad);
	zero_heap();
	if (rt_emm_start())
		rt_abort(3, "the memory manager does not start");
	run(&s);
}

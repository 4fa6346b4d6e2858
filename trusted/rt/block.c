/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts that the enclave makes while it runs, and gives back. One is a block
 * of the shape of the image's: TCS, save areas, record, exception stack, and
 * what is never there between. Its addresses are a range that no call of the
 * program's reaches.
 *
 * Made: committed, filled, its state that of nobody's thread; then EMODT, and
 * EACCEPT proves that the TCS is the page that was filled (I9). Before that an
 * entry is the processor's fault, and after it the gate refuses until the state
 * says otherwise. All the host learns is a number, by the call that is to enter
 * it. What it does not do is EAGAIN; the pages go, and if it does not do that
 * either, with the next attempt at that number.
 *
 * Given back: by another thread, once the state is FREE, after which its own
 * last instructions touch neither stack nor record. The host, if it is honest,
 * lets a thread leave before it changes the type of its TCS.
 *
 * Locks: none; who has a number's bit has its pages (context.c).
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

/* Numbers whose pages the host did not give back are passed over: so many. */
#define DIRTY_MAX 4u

/* The entry point of the program header: what the image's own TCSs have. */
extern const uint8_t rt_entry[] __asm__("_start")
	__attribute__((visibility("hidden")));

struct part {
	uint64_t off, size;
};

#define PARTS 2

/* What of a block is in the enclave: all of it but the guards. */
static void parts(struct part p[PARTS])
{
	const struct edmm_layout *l = rt_layout();

	p[0] = (struct part){ 0, l->ctx_thread + l->ctx_thread_size };
	p[1] = (struct part){ l->ctx_xstack, l->ctx_xstack_size };
}

static edmm_err commit(uint64_t tcs)
{
	struct part p[PARTS];
	edmm_err err = 0;

	parts(p);
	for (int i = 0; i < PARTS && !err; i++)
		err = emm_commit(rt_emm(), tcs + p[i].off, p[i].size, NULL);
	return err;
}

static edmm_err uncommit(uint64_t tcs)
{
	struct part p[PARTS];
	edmm_err err = 0, one;

	parts(p);
	for (int i = 0; i < PARTS; i++) {
		one = emm_uncommit_now(rt_emm(), tcs + p[i].off, p[i].size,
				       NULL);
		err = err ? err : one;
	}
	return err;
}

/* The pages are new, and zero. */
static void fill(uint64_t tcs)
{
	const struct edmm_layout *l = rt_layout();
	struct rt_thread *t = (struct rt_thread *)(tcs + l->ctx_thread);
	const uint64_t off = tcs - rt_base();

	*(struct sgx_tcs *)tcs = (struct sgx_tcs){
		.ossa = off + l->ctx_ssa,
		.nssa = l->nssa,
		.oentry = (uint64_t)rt_entry - rt_base(),
		.ofsbase = off + l->ctx_thread,
		.ogsbase = off + l->ctx_thread,
		.fslimit = SGX_PAGE_SIZE - 1,
		.gslimit = SGX_PAGE_SIZE - 1,
	};
	/* Until rt_thread_start() has it otherwise every entry is refused. */
	t->self = t;
	__atomic_store_n(&t->state, RT_STATE_MAKING, __ATOMIC_RELEASE);
}

static bool make(uint32_t context)
{
	const uint64_t tcs = rt_context_addr(context);
	bool there = false;

	if (rt_made_dirty(context) && uncommit(tcs))
		goto out_dirty;
	if (commit(tcs))
		goto out_uncommit;
	rt_made_put(context);
	there = true;
	fill(tcs);
	if (!emm_make_tcs(rt_emm(), tcs))
		return true;
out_uncommit:
	if (there)
		rt_made_drop(context);
	if (!uncommit(tcs)) {
		rt_made_release(context, false);
		return false;
	}
out_dirty:
	rt_made_release(context, true);
	return false;
}

int rt_thread_make(void)
{
	uint32_t from = rt_layout()->ctx_count;
	int64_t context;

	for (unsigned int i = 0; i < DIRTY_MAX; i++) {
		context = rt_made_claim(from);
		if (context < 0)
			break;
		from = (uint32_t)context + 1;
		if (make((uint32_t)context))
			return (int)context;
		/* The host refuses, and has undone it: it would again. */
		if (!rt_made_dirty((uint32_t)context))
			break;
	}
	return -EDMM_EAGAIN;
}

void rt_threads_trim(void)
{
	const uint32_t keep = rt_params()->threads_pool;
	int64_t i;

	while ((i = rt_made_surplus(keep)) >= 0) {
		const uint32_t context = (uint32_t)i;

		rt_made_drop(context);
		rt_made_release(context,
				uncommit(rt_context_addr(context)) != 0);
	}
}

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
 * either, with a later attempt or trim.
 *
 * Given back: by another thread, once the state is FREE, after which its own
 * last instructions touch neither stack nor record. The host, if it is honest,
 * lets a thread leave before it changes the type of its TCS.
 *
 * Locks: none; who has a number's bit has its pages (context.c).
 */
#include "edmm/emm.h"
#include "trusted/rt/thread.h"

/* Numbers whose pages the host did not take back are passed over: so many. */
#define DIRTY_MAX 4u

/* The entry point of the program header: what the image's own TCSs have. */
extern const uint8_t rt_entry[] __asm__("_start")
	__attribute__((visibility("hidden")));

struct part {
	uint64_t off, size;
};

#define PARTS 3

/* What of a block is in the enclave: all of it but the guards. */
static void parts(struct part p[PARTS])
{
	const struct edmm_layout *l = rt_layout();

	p[0] = (struct part){ 0, l->ctx_thread + l->ctx_thread_size };
	p[1] = (struct part){ l->ctx_xstack, l->ctx_xstack_size };
	p[2] = (struct part){ l->ctx_sys, l->ctx_sys_size };
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

/* Return: false where it is nobody's again. */
static bool make(uint32_t context)
{
	const uint64_t tcs = rt_context_addr(context);

	if (!commit(tcs)) {
		rt_made_put(context);
		fill(tcs);
		if (!emm_make_tcs(rt_emm(), tcs))
			return true;
		rt_made_drop(context);
	}
	rt_made_release(context, uncommit(tcs) != 0);
	return false;
}

int rt_thread_make(void)
{
	uint32_t from = rt_layout()->ctx_count;

	for (unsigned int i = 0; i < DIRTY_MAX; i++) {
		const int64_t n = rt_made_claim(from);
		const uint32_t context = (uint32_t)n;

		if (n < 0)
			break;
		from = context + 1;
		if (rt_made_dirty(context) &&
		    uncommit(rt_context_addr(context))) {
			rt_made_release(context, true);
			continue;
		}
		/* A host that refuses this one would refuse the next. */
		return make(context) ? (int)context : -EDMM_EAGAIN;
	}
	return -EDMM_EAGAIN;
}

static void give_back(uint32_t context)
{
	rt_made_release(context, uncommit(rt_context_addr(context)) != 0);
}

void rt_threads_trim(void)
{
	const uint32_t keep = rt_params()->threads_pool;
	int64_t i;

	while ((i = rt_made_surplus(keep)) >= 0) {
		rt_made_drop((uint32_t)i);
		give_back((uint32_t)i);
	}
	i = rt_made_left();
	if (i >= 0)
		give_back((uint32_t)i);
}

bool rt_threads_due(uint64_t now)
{
	static uint64_t last;
	const uint64_t wait = rt_params()->threads_idle;
	uint64_t was = __atomic_load_n(&last, __ATOMIC_RELAXED);

	/* A time stamp that goes back is a time to begin anew, no more. */
	if (!wait || (was && now - was < wait))
		return false;
	return __atomic_compare_exchange_n(&last, &was, now, false,
					   __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED) &&
	       was;
}

void rt_threads_decay(void)
{
	int64_t i;

	while ((i = rt_made_old()) >= 0) {
		rt_made_drop((uint32_t)i);
		give_back((uint32_t)i);
	}
	rt_made_mark();
}

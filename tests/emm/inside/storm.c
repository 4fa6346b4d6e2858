/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eight threads in one enclave, each on a TCS that the memory manager made:
 * pages committed, written, turned into TCSs, entered, left, and trimmed. The
 * host is inside/host.c.
 */
#include <check.h>

#include "tests/emm/inside/threads.h"
#include "tests/emm/storm.h"
#include "trusted/rt/thread.h"

#define OPS 8000u
#define STACK_SIZE (16 * EMM_PAGE)
/* The record's number: behind those of the layout's own contexts. */
#define FIRST_CONTEXT 1u

static struct world w;

extern const char inside_entry[];
_Noreturn void inside_thread(uint64_t wire);

static uint64_t context_size(void)
{
	return rt_layout()->ctx_stride + STACK_SIZE;
}

static void record_init(uint64_t tcs, uint32_t no)
{
	const struct edmm_layout *l = rt_layout();
	struct rt_thread *t = (struct rt_thread *)(tcs + l->ctx_thread);
	uint64_t frame = (uint64_t)l->ssa_frame_pages * SGX_PAGE_SIZE;
	uint64_t gpr = tcs + l->ctx_ssa + frame - sizeof(struct sgx_gprsgx);

	t->self = t;
	t->context = FIRST_CONTEXT + no;
	t->gpr = (struct sgx_gprsgx *)gpr;
	t->exinfo = (struct sgx_exinfo *)(gpr - sizeof(struct sgx_exinfo));
	t->xlow = tcs + l->ctx_xstack;
	t->stage1_top = t->xlow + l->ctx_xstack_size;
	t->xsp = t->stage1_top - RT_STAGE1_STACK;
	t->stack_top = tcs + context_size();
	t->state = RT_STATE_ASSIGNED;
}

static void context_make(uint64_t tcs, uint32_t no)
{
	const struct edmm_layout *l = rt_layout();
	struct sgx_tcs *p = (struct sgx_tcs *)tcs;
	uint64_t off = tcs - rt_base();

	p->ossa = off + l->ctx_ssa;
	p->nssa = l->nssa;
	p->oentry = (uint64_t)inside_entry - rt_base();
	p->ofsbase = off + l->ctx_thread;
	p->ogsbase = off + l->ctx_thread;
	p->fslimit = 0xfff;
	p->gslimit = 0xfff;
	record_init(tcs, no);
	ck_assert_int_eq(emm_make_tcs(rt_emm(), tcs), 0);
}

void inside_thread(uint64_t wire)
{
	static uint32_t entered;

	ck_assert_int_eq(rt_thread_attach(rt_self(), wire), 0);
	__atomic_add_fetch(&entered, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) < THREADS)
		__builtin_ia32_pause();
	storm_thread(&w, rt_context() - FIRST_CONTEXT);
	__atomic_store_n(&rt_self()->state, RT_STATE_FREE, __ATOMIC_SEQ_CST);
	rt_leave(WIRE_EXIT_THREAD, 0);
}

START_TEST(eight_threads)
{
	const struct emm_alloc a = { .size = THREADS * context_size(),
				     .flags = EMM_COMMIT_NOW,
				     .prot = EMM_RW };
	uint64_t args[WIRE_CALL_ARGS] = { 0, context_size(), THREADS };
	struct emm_stats st;
	const char *bad;
	uint64_t at;

	storm_open(&w, OPS);
	ck_assert_int_eq(emm_alloc(rt_emm(), &a, &at), 0);
	for (uint32_t i = 0; i < THREADS; i++)
		context_make(at + i * context_size(), i);
	args[0] = at - rt_base();
	ck_assert_int_eq(rt_host_call(CALL_ENTER, args, NULL), 0);
	for (uint32_t i = 0; i < THREADS; i++) {
		const struct rt_thread *t =
			(const struct rt_thread *)(at + i * context_size() +
						   rt_layout()->ctx_thread);

		ck_assert_uint_eq(t->state, RT_STATE_FREE);
	}
	emm_stats_get(w.emm, &st);
	inside_print("storm: %lu faults, %lu waits for a page", st.faults,
		     st.waits);
	/* Else they did not meet. */
	ck_assert_uint_gt(st.waits, 0);
	bad = storm_close(&w);
	ck_assert_msg(!bad, "%s", bad);
	/* Nobody is in them: they can go. */
	ck_assert_int_eq(emm_dealloc(rt_emm(), at, a.size, NULL), 0);
	ck_assert_ptr_null(emm_check(rt_emm()));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("storm");
	TCase *t = tcase_create("storm");
	SRunner *r;

	tcase_add_test(t, eight_threads);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	srunner_free(r);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the conformance table of the leaves; with --rows, prints it. Each row
 * starts from a copy of one machine: enclave 0 is initialised, enclave 1 is
 * being built (its pages 0 to 7 are there).
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/conform.h"
#include "tests/model/conform_leaf.h"

static const struct leaf *const leaves[] = {
	&leaf_ecreate, &leaf_eadd,     &leaf_eextend,	  &leaf_einit,
	&leaf_eremove, &leaf_eaug,     &leaf_emodpr,	  &leaf_emodt,
	&leaf_etrack,  &leaf_eblock,   &leaf_epa,	  &leaf_ewb,
	&leaf_eldu,    &leaf_eldb,     &leaf_edbgrd,	  &leaf_edbgwr,
	&leaf_enclu,   &leaf_eenter,   &leaf_eresume,	  &leaf_eexit,
	&leaf_eaccept, &leaf_emodpe,   &leaf_eacceptcopy, &leaf_ereport,
	&leaf_egetkey, &leaf_edeccssa,
};

#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))

static struct kit base;

void step(struct mach_result r)
{
	if (mach_ok(r))
		return;
	fprintf(stderr, "step: kind %u vector %u code %u pfec %#x addr %#lx\n",
		r.kind, r.vector, r.code, r.pfec, (unsigned long)r.addr);
	abort();
}

/* ---- what a row expects, in words and in fact --------------------------- */

static const char *code_name(unsigned code)
{
	static const struct {
		unsigned code;
		const char *name;
	} names[] = {
		{ SGX_INVALID_SIG_STRUCT, "SGX_INVALID_SIG_STRUCT (1)" },
		{ SGX_INVALID_ATTRIBUTE, "SGX_INVALID_ATTRIBUTE (2)" },
		{ SGX_BLKSTATE, "SGX_BLKSTATE (3)" },
		{ SGX_INVALID_MEASUREMENT, "SGX_INVALID_MEASUREMENT (4)" },
		{ SGX_NOTBLOCKABLE, "SGX_NOTBLOCKABLE (5)" },
		{ SGX_PG_INVLD, "SGX_PG_INVLD (6)" },
		{ SGX_EPC_PAGE_CONFLICT, "SGX_EPC_PAGE_CONFLICT (7)" },
		{ SGX_INVALID_SIGNATURE, "SGX_INVALID_SIGNATURE (8)" },
		{ SGX_MAC_COMPARE_FAIL, "SGX_MAC_COMPARE_FAIL (9)" },
		{ SGX_PAGE_NOT_BLOCKED, "SGX_PAGE_NOT_BLOCKED (10)" },
		{ SGX_NOT_TRACKED, "SGX_NOT_TRACKED (11)" },
		{ SGX_VA_SLOT_OCCUPIED, "SGX_VA_SLOT_OCCUPIED (12)" },
		{ SGX_CHILD_PRESENT, "SGX_CHILD_PRESENT (13)" },
		{ SGX_ENCLAVE_ACT, "SGX_ENCLAVE_ACT (14)" },
		{ SGX_INVALID_EINITTOKEN, "SGX_INVALID_EINITTOKEN (16)" },
		{ SGX_PREV_TRK_INCMPL, "SGX_PREV_TRK_INCMPL (17)" },
		{ SGX_PG_IS_SECS, "SGX_PG_IS_SECS (18)" },
		{ SGX_PAGE_ATTRIBUTES_MISMATCH,
		  "SGX_PAGE_ATTRIBUTES_MISMATCH (19)" },
		{ SGX_PAGE_NOT_MODIFIABLE, "SGX_PAGE_NOT_MODIFIABLE (20)" },
		{ SGX_PAGE_NOT_DEBUGGABLE, "SGX_PAGE_NOT_DEBUGGABLE (21)" },
		{ SGX_INVALID_CPUSVN, "SGX_INVALID_CPUSVN (32)" },
		{ SGX_INVALID_ISVSVN, "SGX_INVALID_ISVSVN (64)" },
		{ SGX_INVALID_KEYNAME, "SGX_INVALID_KEYNAME (256)" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "?";
}

static const char *outcome(const struct want *w)
{
	static const char *const pf[ROLES] = {
		"#PF",	     "#PF(RBX)", "#PF(RCX)", "#PF(RDX)",
		"#PF(SECS)", "#PF(SSA)", "#PF(SSA)",
	};
	static const char *const ordinary[ROLES] = {
		"ordinary #PF",	     "ordinary #PF(RBX)",  "ordinary #PF(RCX)",
		"ordinary #PF(RDX)", "ordinary #PF(SECS)", "ordinary #PF(SSA)",
		"ordinary #PF(SSA)",
	};

	switch (w->kind) {
	case WANT_OK:
		return "succeeds";
	case WANT_GP:
		return "#GP(0)";
	case WANT_PF:
		return pf[w->arg];
	case WANT_PAGING:
		return ordinary[w->arg];
	default:
		return code_name(w->arg);
	}
}

static uint64_t pf_addr(const struct call *c, unsigned role)
{
	switch (role) {
	case ROLE_RBX:
		return c->rbx;
	case ROLE_RCX:
		return c->rcx;
	case ROLE_RDX:
		return c->rdx;
	default:
		return c->want_addr;
	}
}

static bool as_wanted(const struct call *c, const struct want *w,
		      struct mach_result r)
{
	switch (w->kind) {
	case WANT_OK:
		return r.kind == MACH_OK;
	case WANT_GP:
		return r.kind == MACH_FAULT && r.vector == SGX_VEC_GP;
	case WANT_PF:
	case WANT_PAGING:
		return r.kind == MACH_FAULT && r.vector == SGX_VEC_PF &&
		       !(r.pfec & SGX_PFEC_SGX) == (w->kind == WANT_PAGING) &&
		       (r.addr & ~0xfffull) == (pf_addr(c, w->arg) & ~0xfffull);
	default:
		return r.kind == MACH_CODE && r.code == w->arg;
	}
}

/* ---- running a row ------------------------------------------------------ */

static void apply(struct call *c, const struct row *row)
{
	uint8_t *at = (uint8_t *)c + row->poke.off;
	struct mach_epcm *e;
	uint64_t v;

	if (row->poke.add != 0) {
		memcpy(&v, at, sizeof(v));
		v += row->poke.add;
		memcpy(at, &v, sizeof(v));
	}
	if (row->tamper.role != ROLE_NONE) {
		e = &c->kit.m->epcm[c->role[row->tamper.role]];
		e->flags = (e->flags & ~row->tamper.clear) | row->tamper.set;
		e->lock += row->tamper.lock;
	}
	if (row->also)
		row->also(c);
}

/* A leaf that faults or returns a code has changed nothing but counters. */
static bool unchanged(const struct mach *a, const struct mach *b, bool pages)
{
	size_t from = offsetof(struct mach, epcm);
	size_t to = pages ? a->size : a->arena;

	return memcmp((const uint8_t *)a + from, (const uint8_t *)b + from,
		      to - from) == 0;
}

static void run_row(const struct leaf *l, const struct row *row)
{
	struct call *c = aligned_alloc(SGX_PAGE_SIZE, sizeof(*c));
	struct mach_cpu cpu;
	struct mach_result r;
	struct mach *before;

	ck_assert_ptr_nonnull(c);
	memset(c, 0, sizeof(*c));
	kit_copy(&c->kit, &base);
	l->prepare(c);
	apply(c, row);
	if (l->load)
		l->load(c);
	before = malloc(c->kit.m->size);
	ck_assert_ptr_nonnull(before);
	memcpy(before, c->kit.m, c->kit.m->size);
	cpu = c->kit.cpu[0];
	r = l->run(c);
	ck_assert_msg(as_wanted(c, &row->want, r),
		      "%s: %s: want %s, got kind %u vector %u code %u "
		      "pfec %#x addr %#lx",
		      l->name, row->condition, outcome(&row->want), r.kind,
		      r.vector, r.code, r.pfec, (unsigned long)r.addr);
	/* The one code that comes with its effect. */
	if (r.kind != MACH_OK && r.code != SGX_VA_SLOT_OCCUPIED) {
		ck_assert_msg(unchanged(c->kit.m, before, !l->scribbles),
			      "%s: %s: the machine changed", l->name,
			      row->condition);
		ck_assert_uint_eq(cpu.secs, c->kit.cpu[0].secs);
	}
	free(before);
	kit_close(&c->kit);
	free(c);
}

START_TEST(leaf_rows)
{
	const struct leaf *l = leaves[_i];
	size_t i;

	for (i = 0; i < l->count; i++)
		run_row(l, &l->rows[i]);
}
END_TEST

static void print_rows(void)
{
	size_t i, k;

	conform_begin("Leaves", "leaf");
	for (i = 0; i < LEAVES; i++)
		for (k = 0; k < leaves[i]->count; k++)
			conform_row(leaves[i]->name,
				    leaves[i]->rows[k].condition,
				    outcome(&leaves[i]->rows[k].want));
	printf("\n");
}

static void build_base(void)
{
	struct kit_spec s;

	kit_setup();
	kit_open(&base, NULL);
	kit_build(&base, 0);
	kit_spec_default(&s, 1);
	s.secs.attributes.flags |= SGX_ATTR_KSS | SGX_ATTR_AEXNOTIFY;
	s.pages = KIT_DATA;
	s.init = false;
	kit_build_spec(&base, 1, &s);
}

int main(int argc, char **argv)
{
	Suite *s;
	TCase *t;
	SRunner *r;
	int failed;

	if (conform_asked(argc, argv)) {
		print_rows();
		return EXIT_SUCCESS;
	}
	build_base();
	s = suite_create("conform");
	t = tcase_create("leaves");
	tcase_add_loop_test(t, leaf_rows, 0, (int)LEAVES);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

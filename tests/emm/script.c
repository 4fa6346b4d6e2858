/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations and their reference; see script.h. */
#include "tests/emm/script.h"

#include <stdio.h>
#include <string.h>

enum op {
	OP_ALLOC,
	OP_DEALLOC,
	OP_COMMIT,
	OP_UNCOMMIT,
	OP_PROTECT,
	OP_FAULT,
	OP_UNCOMMIT_NOW,
	OP_TCS,
	OP_TRIM,
	OP_DATA,
	OP_ANYWHERE,
	OP_COUNT,
};

static const char *const names[] = {
	"alloc",	"dealloc", "commit", "uncommit", "protect",  "fault",
	"uncommit now", "tcs",	   "trim",   "data",	 "anywhere",
};

/* An operation, decoded. */
struct act {
	enum op op;
	uint32_t a;
	uint32_t b;
	int prot;
	uint32_t access;
	struct emm_alloc alloc;
};

static const int prots[] = { EMM_NONE, EMM_R,  EMM_RW, EMM_RX,
			     EMM_RWX,  EMM_RW, EMM_RW, EMM_R };

static struct act decode(const uint8_t *o)
{
	static const uint32_t modes[] = {
		EMM_ON_DEMAND,
		EMM_ON_DEMAND | EMM_LAZY,
		EMM_COMMIT_NOW,
		EMM_RESERVE,
		EMM_ON_DEMAND | EMM_GROWSDOWN,
		EMM_ON_DEMAND | EMM_GROWSUP,
		EMM_COMMIT_NOW | EMM_LAZY,
		EMM_ON_DEMAND,
	};
	static const uint32_t access[] = { 0, SGX_PFEC_W, SGX_PFEC_I,
					   SGX_PFEC_W };
	struct act x = { .op = (enum op)(o[0] % OP_COUNT),
			 .a = o[1] % S_PAGES,
			 .prot = prots[o[3] & 7],
			 .access = access[o[3] & 3] };

	x.b = x.a + 1 + o[2] % 16;
	if (x.b > S_PAGES)
		x.b = S_PAGES;
	x.alloc = (struct emm_alloc){
		.addr = x.op == OP_ANYWHERE ? 0 : w_addr(x.a),
		.size = (uint64_t)(x.b - x.a) * EMM_PAGE,
		.flags = modes[o[3] & 7],
		.prot = prots[(o[3] >> 3) & 7],
		.policy = { 0, (o[3] >> 6) * 16384u },
	};
	if (x.op != OP_ANYWHERE)
		x.alloc.flags |= EMM_FIXED;
	if (x.alloc.flags & EMM_RESERVE)
		x.alloc.prot = EMM_NONE;
	else if (x.alloc.flags & EMM_COMMIT_NOW && !x.alloc.prot)
		x.alloc.prot = EMM_RW;
	return x;
}

static const void *source(void)
{
	return (const void *)(uintptr_t)(W_BASE + W_SRC * EMM_PAGE);
}

static void prepare_tcs(struct world *w, uint32_t page)
{
	uint8_t *b = w_bytes(w, page);

	if (b && w_rights(w, page) == (MACH_R | MACH_W)) {
		memset(b, 0, EMM_PAGE);
		((struct sgx_tcs *)(void *)b)->nssa = 1;
	}
}

static int perform(struct world *w, const struct act *x, uint64_t *at)
{
	uint64_t addr = w_addr(x->a), size = x->alloc.size;
	struct sgx_exinfo info = { .maddr = addr, .errcd = x->access };

	switch (x->op) {
	case OP_ALLOC:
	case OP_ANYWHERE:
		return emm_alloc(w->emm, &x->alloc, at);
	case OP_DEALLOC:
		return emm_dealloc(w->emm, addr, size, NULL);
	case OP_COMMIT:
		return emm_commit(w->emm, addr, size, NULL);
	case OP_UNCOMMIT:
		return emm_uncommit(w->emm, addr, size, NULL);
	case OP_UNCOMMIT_NOW:
		return emm_uncommit_now(w->emm, addr, size, NULL);
	case OP_PROTECT:
		return emm_protect(w->emm, addr, size, x->prot, NULL);
	case OP_FAULT:
		return emm_fault(w->emm, &info);
	case OP_TCS:
		prepare_tcs(w, x->a);
		return emm_make_tcs(w->emm, addr);
	case OP_TRIM:
		return emm_trim(w->emm, UINT64_MAX, NULL);
	case OP_DATA:
		return emm_commit_data(w->emm, addr, size, source(),
				       x->prot ? x->prot : EMM_R);
	case OP_COUNT:
		break;
	}
	return 0;
}

int script_do(struct world *w, const uint8_t *o)
{
	struct act x = decode(o);

	return perform(w, &x, NULL);
}

/* ---- the reference ----------------------------------------------------- */

/* The first page that such a call refuses decides its error. */
static int refuse(const struct script *s, const struct act *x, bool tcs_too)
{
	for (uint32_t i = x->a; i < x->b; i++) {
		const struct s_page *p = &s->page[i];

		if (!p->area)
			return -EDMM_EINVAL;
		if (p->state == EMM_PG_RESERVED ||
		    (tcs_too && p->state == EMM_PG_TCS))
			return -EDMM_EACCES;
	}
	return 0;
}

static void ref_area(struct script *s, const struct act *x, uint32_t at)
{
	bool grows = x->alloc.flags & (EMM_GROWSDOWN | EMM_GROWSUP);
	uint32_t id = grows ? ++s->next_id : 0;

	for (uint32_t i = at; i < at + x->b - x->a; i++) {
		struct s_page *p = &s->page[i];

		*p = (struct s_page){
			.area = true,
			.state = EMM_PG_UNCOMMITTED,
			.prot = (uint8_t)x->alloc.prot,
			.flags = x->alloc.flags & ~EMM_FIXED,
			.window = x->alloc.policy.window_max,
			.id = id,
		};
		if (x->alloc.flags & EMM_RESERVE)
			p->state = EMM_PG_RESERVED;
		if (x->alloc.flags & EMM_COMMIT_NOW)
			p->state = EMM_PG_COMMITTED;
	}
}

static int ref_alloc(struct script *s, const struct act *x)
{
	bool none = true, reserved = true;

	for (uint32_t i = x->a; i < x->b; i++) {
		none &= !s->page[i].area;
		reserved &=
			s->page[i].area && s->page[i].state == EMM_PG_RESERVED;
	}
	if (!none && !reserved)
		return -EDMM_EEXIST;
	ref_area(s, x, x->a);
	return 0;
}

static uint32_t first_fit(const struct script *s, uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t i = 0; i < S_PAGES; i++) {
		run = s->page[i].area ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return S_PAGES;
}

static int ref_dealloc(struct script *s, const struct act *x)
{
	bool any = false;

	for (uint32_t i = x->a; i < x->b; i++) {
		any |= s->page[i].area;
		s->page[i] = (struct s_page){ .area = false };
	}
	return any ? 0 : -EDMM_EINVAL;
}

static int ref_commit(struct script *s, const struct act *x)
{
	int rc = refuse(s, x, true);

	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		if (!s->page[i].prot && s->page[i].state != EMM_PG_COMMITTED)
			rc = -EDMM_EACCES;
	}
	for (uint32_t i = x->a; !rc && i < x->b; i++)
		s->page[i].state = EMM_PG_COMMITTED;
	return rc;
}

static int ref_uncommit(struct script *s, const struct act *x, bool now)
{
	int rc = refuse(s, x, false);

	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		struct s_page *p = &s->page[i];
		bool keep = p->flags & EMM_LAZY && (p->prot & EMM_RW) == EMM_RW;

		if (p->state == EMM_PG_COMMITTED && keep && !now)
			p->state = EMM_PG_IDLE;
		else if (p->state == EMM_PG_TCS)
			*p = (struct s_page){ .area = true,
					      .state = EMM_PG_UNCOMMITTED,
					      .prot = EMM_RW,
					      .flags = p->flags,
					      .window = p->window,
					      .id = p->id };
		else if (p->state == EMM_PG_COMMITTED || now)
			p->state = EMM_PG_UNCOMMITTED;
		p->stamp = 0;
	}
	return rc;
}

static int ref_protect(struct script *s, const struct act *x)
{
	int rc = refuse(s, x, true);

	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		struct s_page *p = &s->page[i];

		if (p->state == EMM_PG_IDLE && p->prot & ~x->prot & EMM_X)
			p->state = EMM_PG_UNCOMMITTED;
		p->prot = (uint8_t)x->prot;
	}
	return rc;
}

static int ref_tcs(struct script *s, const struct act *x)
{
	struct s_page *p = &s->page[x->a];

	if (!p->area)
		return -EDMM_EINVAL;
	if (p->state == EMM_PG_TCS)
		return 0;
	if (p->state != EMM_PG_COMMITTED || p->prot != EMM_RW)
		return -EDMM_EACCES;
	p->state = EMM_PG_TCS;
	p->prot = 0;
	p->stamp = 0;
	return 0;
}

static int ref_data(struct script *s, const struct act *x)
{
	int rc = refuse(s, x, false);

	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		if (s->page[i].state != EMM_PG_UNCOMMITTED)
			rc = -EDMM_EACCES;
	}
	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		if (!(s->page[i].prot & EMM_W))
			rc = -EDMM_EACCES;
		else if (!(s->page[i].flags & EMM_ON_DEMAND))
			rc = -EDMM_EINVAL;
	}
	for (uint32_t i = x->a; !rc && i < x->b; i++) {
		s->page[i].state = EMM_PG_COMMITTED;
		s->page[i].prot = (uint8_t)(x->prot ? x->prot : EMM_R);
		s->page[i].stamp = UINT64_MAX; /* not zero: data */
	}
	return rc;
}

/* A fault's result; what it commits beyond its page is for `adopt`. */
static int ref_fault(struct script *s, const struct act *x)
{
	struct s_page *p = &s->page[x->a];
	int want = x->access & SGX_PFEC_W   ? EMM_W
		   : x->access & SGX_PFEC_I ? EMM_X
					    : EMM_R;

	if (!p->area || p->state == EMM_PG_RESERVED || p->state == EMM_PG_TCS ||
	    !(p->prot & want))
		return EMM_FAULT_SEARCH;
	if (p->state != EMM_PG_COMMITTED && !(p->flags & EMM_ON_DEMAND))
		return EMM_FAULT_SEARCH;
	return EMM_FAULT_CONTINUE;
}

static int reference(struct script *s, const struct act *x)
{
	switch (x->op) {
	case OP_ALLOC:
		return ref_alloc(s, x);
	case OP_DEALLOC:
		return ref_dealloc(s, x);
	case OP_COMMIT:
		return ref_commit(s, x);
	case OP_UNCOMMIT:
		return ref_uncommit(s, x, false);
	case OP_UNCOMMIT_NOW:
		return ref_uncommit(s, x, true);
	case OP_PROTECT:
		return ref_protect(s, x);
	case OP_FAULT:
		return ref_fault(s, x);
	case OP_TCS:
		return ref_tcs(s, x);
	case OP_TRIM:
		for (uint32_t i = 0; i < S_PAGES; i++) {
			if (s->page[i].state == EMM_PG_IDLE)
				s->page[i].state = EMM_PG_UNCOMMITTED;
		}
		return 0;
	case OP_DATA:
		return ref_data(s, x);
	default:
		return 0;
	}
}

/* ---- comparing --------------------------------------------------------- */

static const char *differ(struct script *s, const char *what, uint32_t page,
			  int got, int expected)
{
	snprintf(s->text, sizeof(s->text), "%s: page %u: %d, expected %d", what,
		 page, got, expected);
	return s->text;
}

/* What a fault's window committed beside its page is right if it was free. */
static bool adopt(const struct act *x, struct s_page *p,
		  const struct emm_run *r, const struct s_page *origin)
{
	if (x->op != OP_FAULT || r->state != EMM_PG_COMMITTED ||
	    (p->state != EMM_PG_UNCOMMITTED && p->state != EMM_PG_IDLE) ||
	    !p->prot || p->flags != origin->flags || p->id != origin->id)
		return false;
	p->state = EMM_PG_COMMITTED;
	p->stamp = 0;
	return true;
}

/* Data stays, and what is new is zero (I5). Each committed page is stamped. */
static const char *check_data(struct script *s, uint32_t i)
{
	struct s_page *p = &s->page[i];
	uint64_t *data = (uint64_t *)(void *)w_bytes(&s->w, i);

	if (p->state != EMM_PG_COMMITTED ||
	    (W_RIGHTS_BIND && (p->prot & EMM_RW) != EMM_RW))
		return NULL;
	if (!data)
		return differ(s, "no page", i, 0, 1);
	if (p->stamp == UINT64_MAX ? data[0] == 0 : data[0] != p->stamp)
		return differ(s, "data", i, (int)data[0], (int)p->stamp);
	if (!p->stamp && data[511])
		return differ(s, "not zero", i, (int)data[511], 0);
	if (!p->stamp || p->stamp == UINT64_MAX) {
		p->stamp = ++s->next_stamp;
		data[0] = p->stamp;
		data[511] = p->stamp;
	}
	return NULL;
}

static bool same_area(const struct s_page *a, const struct s_page *b)
{
	return a->area && b->area && a->flags == b->flags &&
	       a->window == b->window && a->id == b->id;
}

static const char *compare(struct script *s, const struct act *x)
{
	uint32_t i = 0, areas = 0;
	struct emm_stats st;

	while (i < S_PAGES) {
		struct emm_run r;
		uint32_t end;

		if (emm_query(s->w.emm, w_addr(i), w_addr(S_PAGES), &r))
			return "emm_query failed";
		end = i + (uint32_t)(r.size / EMM_PAGE);
		for (; i < end; i++) {
			struct s_page *p = &s->page[i];
			const char *bad;

			if (r.state != (enum emm_page_state)p->state &&
			    !adopt(x, p, &r, &s->page[x->a]))
				return differ(s, "state", i, r.state, p->state);
			if (p->area && r.prot != p->prot)
				return differ(s, "prot", i, r.prot, p->prot);
			bad = check_data(s, i);
			if (bad)
				return bad;
			if (p->area && (!i || !same_area(p, p - 1)))
				areas++;
		}
	}
	emm_stats_get(s->w.emm, &st);
	if (st.areas != areas)
		return differ(s, "areas", 0, (int)st.areas, (int)areas);
	return NULL;
}

const char *script_step(struct script *s, const uint8_t *o)
{
	struct act x = decode(o);
	uint64_t at = 0;
	uint32_t fit = 0;
	int got, expected;

	s->ops++;
	if (x.op == OP_ANYWHERE) {
		fit = first_fit(s, x.b - x.a);
		got = perform(&s->w, &x, &at);
		expected = fit < S_PAGES ? 0 : -EDMM_ENOMEM;
		if (!got && at != w_addr(fit))
			return differ(s, "placed", fit,
				      (int)((at - W_RANGE) / EMM_PAGE),
				      (int)fit);
		if (!got)
			ref_area(s, &x, fit);
	} else {
		got = perform(&s->w, &x, &at);
		expected = reference(s, &x);
	}
	if (got != expected)
		return differ(s, names[x.op], x.a, got, expected);
	if (x.op == OP_FAULT && got == EMM_FAULT_CONTINUE) {
		s->page[x.a].stamp = s->page[x.a].state == EMM_PG_COMMITTED
					     ? s->page[x.a].stamp
					     : 0;
		s->page[x.a].state = EMM_PG_COMMITTED;
	}
	return compare(s, &x);
}

const char *script_check(struct script *s)
{
	return world_mirror(&s->w, false);
}

void script_open(struct script *s, bool narrow)
{
	const struct w_config cfg = { .pages = S_PAGES,
				      .narrow = narrow,
				      .populate = narrow,
				      .map = narrow,
				      .idle_max = UINT64_MAX };

	memset(s, 0, sizeof(*s));
	world_open(&s->w, &cfg);
}

void script_close(struct script *s)
{
	world_close(&s->w);
}

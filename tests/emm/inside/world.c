/* SPDX-License-Identifier: BSD-3-Clause */
/* A world inside an enclave; see inside/world.h and tests/emm/world.h. */
#include "tests/emm/world_both.h"

#include <check.h>
#include <string.h>

#include "trusted/rt/thread.h"

#define META_PAGES 8192u
#define PROT_RWX 7u

uint64_t inside_base;
static struct world *current;

/* A page of metadata: in the enclave? Of one world at a time. */
static uint8_t meta_there[META_PAGES];

int probe_read(uint64_t addr);
int probe_write(uint64_t addr);
extern const char probe_refused[], probe_end[];

/* ---- leaves and host calls --------------------------------------------- */

static int leaf_result(int64_t rax)
{
	if (rax == -EDMM_EFAULT)
		return EMM_LEAF_PF;
	return rax < 0 ? EMM_LEAF_GP : (int)rax;
}

static int eaccept(uint64_t flags, uint64_t addr)
{
	const struct sgx_secinfo si = { .flags = flags };

	return leaf_result(rt_enclu(SGX_EACCEPT, &si, addr, 0));
}

/* A new page; the kernel adds it at the fault of this very EACCEPT. */
static void accept_new(uint64_t addr)
{
	const uint64_t flags = SGX_SECINFO_R | SGX_SECINFO_W |
			       SGX_SECINFO_PENDING | SGX_SECINFO_PT(SGX_PT_REG);

	ck_assert_int_eq(eaccept(flags, addr), 0);
}

static int host(uint32_t nr, uint64_t addr, uint64_t size, uint64_t arg)
{
	const uint64_t args[WIRE_CALL_ARGS] = { addr - rt_base(), size, arg };

	return rt_host_call(nr, args, NULL);
}

static int host_modify(const struct emm_modify *m, uint64_t size)
{
	switch (m->op) {
	case EMM_HOST_PROTECT:
		return host(WIRE_CALL_MPROTECT, m->addr, size,
			    m->to & EMM_X ? PROT_RWX : EMM_RW);
	case EMM_HOST_RESTRICT:
		return host(WIRE_CALL_RESTRICT, m->addr, size, (uint64_t)m->to);
	case EMM_HOST_TO_TRIM:
		return host(WIRE_CALL_MODIFY_TYPES, m->addr, size, SGX_PT_TRIM);
	case EMM_HOST_REMOVE:
		return host(WIRE_CALL_REMOVE, m->addr, size, 0);
	case EMM_HOST_TO_TCS:
		/* Linux shows a TCS in no mapping that may execute. */
		if (host(WIRE_CALL_MPROTECT, m->addr, size, EMM_RW))
			return -EDMM_EFAULT;
		return host(WIRE_CALL_MODIFY_TYPES, m->addr, size, SGX_PT_TCS);
	}
	return -EDMM_EINVAL;
}

/* Whatever a hostile test has left of a page. */
static void sweep(uint64_t addr)
{
	struct emm_modify m = { .op = EMM_HOST_TO_TRIM, .addr = addr };

	(void)host_modify(&m, EMM_PAGE);
	(void)eaccept(SGX_SECINFO_MODIFIED | SGX_SECINFO_PT(SGX_PT_TRIM), addr);
	m.op = EMM_HOST_REMOVE;
	ck_assert_int_eq(host_modify(&m, EMM_PAGE), 0);
}

static void trim(uint64_t addr, uint64_t size)
{
	struct emm_modify m = { .op = EMM_HOST_TO_TRIM, .addr = addr };
	const uint64_t flags =
		SGX_SECINFO_MODIFIED | SGX_SECINFO_PT(SGX_PT_TRIM);

	ck_assert_int_eq(host_modify(&m, size), 0);
	for (uint64_t off = 0; off < size; off += EMM_PAGE)
		ck_assert_int_eq(eaccept(flags, addr + off), 0);
	m.op = EMM_HOST_REMOVE;
	ck_assert_int_eq(host_modify(&m, size), 0);
}

/* ---- hooks ------------------------------------------------------------- */

static uint8_t *meta_of(struct world *w, uint64_t addr)
{
	uint64_t at = addr - (uint64_t)w->meta;

	return at < w->meta_size ? &meta_there[at / EMM_PAGE] : NULL;
}

static int hook_eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "eaccept", addr);
	uint8_t *there = meta_of(w, addr);
	int rc;

	__atomic_add_fetch(&w->accepts, 1, __ATOMIC_RELAXED);
	if (f != WF_NONE)
		return world_injected(f);
	rc = leaf_result(rt_enclu(SGX_EACCEPT, si, addr, 0));
	if (there && !rc)
		*there = 1;
	return rc;
}

static int hook_emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	struct world *w = ctx;
	int64_t rax = rt_enclu(SGX_EMODPE, si, addr, 0);

	__atomic_add_fetch(&w->extends, 1, __ATOMIC_RELAXED);
	return rax < 0 ? leaf_result(rax) : 0;
}

static int hook_eacceptcopy(void *ctx, const struct sgx_secinfo *si,
			    uint64_t addr, uint64_t src)
{
	enum w_fault f = world_step(ctx, "eacceptcopy", addr);

	if (f != WF_NONE)
		return world_injected(f);
	return leaf_result(rt_enclu(SGX_EACCEPTCOPY, si, addr, src));
}

static int hook_modify(void *ctx, const struct emm_modify *m)
{
	struct world *w = ctx;
	enum w_fault f = world_step(w, "modify", m->addr);
	uint64_t size;
	int rc;

	__atomic_add_fetch(&w->modifies, !meta_of(w, m->addr),
			   __ATOMIC_RELAXED);
	if (f == WF_REFUSE)
		return -EDMM_EIO;
	if (f == WF_LIE)
		return 0;
	size = world_done(f, m->size);
	rc = host_modify(m, size);
	if (!rc && m->op == EMM_HOST_REMOVE && meta_of(w, m->addr)) {
		memset(meta_of(w, m->addr), 0, size / EMM_PAGE);
		w->meta_gone += size / EMM_PAGE;
	}
	return f == WF_NONE ? rc : -EDMM_EIO;
}

static int hook_populate(void *ctx, uint64_t addr, uint64_t size)
{
	struct world *w = ctx;

	__atomic_add_fetch(&w->populates, 1, __ATOMIC_RELAXED);
	if (world_step(w, "populate", addr) != WF_NONE)
		return -EDMM_EIO;
	return host(WIRE_CALL_POPULATE, addr, size, 0);
}

static uint32_t hook_owner(void *ctx)
{
	(void)ctx;
	return rt_context();
}

/* For the compatible interface: there is no thread pointer here. */
uint32_t sgx_mm_thread_id(void);

uint32_t sgx_mm_thread_id(void)
{
	return rt_context();
}

const struct emm_hooks *world_all_hooks(void)
{
	static const struct emm_hooks all = {
		.eaccept = hook_eaccept,
		.emodpe = hook_emodpe,
		.eacceptcopy = hook_eacceptcopy,
		.modify = hook_modify,
		.map = world_map,
	};

	return &all;
}

/* ---- opening ----------------------------------------------------------- */

/* Addresses that the runtime's own manager leaves alone. */
static uint64_t reserve(uint64_t size, uint32_t align)
{
	const struct emm_alloc a = { .size = size,
				     .align = align,
				     .flags = EMM_RESERVE };
	const struct emm_alloc heap = {
		.addr = rt_base() + rt_layout()->heap_off,
		.size = rt_layout()->heap_init,
		.flags = EMM_RESERVE | EMM_FIXED,
	};
	static bool once;
	uint64_t at = 0;

	/* Not where the loader has put pages. */
	if (!once && heap.size)
		ck_assert_int_eq(emm_alloc(rt_emm(), &heap, NULL), 0);
	once = true;
	ck_assert_int_eq(emm_alloc(rt_emm(), &a, &at), 0);
	return at;
}

static void open_emm(struct world *w)
{
	struct emm_params p = world_params(w);
	struct emm_hooks hooks = *world_all_hooks();

	hooks.owner = hook_owner;
	hooks.populate = hook_populate;
	hooks = world_wanted(w, hooks);
	w->meta_size = p.meta_init + w->cfg.meta_grow * EMM_PAGE;
	ck_assert_uint_le(w->meta_size / EMM_PAGE, META_PAGES);
	w->meta = (uint8_t *)reserve(w->meta_size, 0);
	for (uint64_t off = 0; off < p.meta_init; off += EMM_PAGE) {
		accept_new((uint64_t)w->meta + off);
		meta_there[off / EMM_PAGE] = 1;
	}
	p.meta_base = w->meta;
	p.meta_size = w->meta_size;
	ck_assert_int_eq(emm_init(&p, &hooks, &w->emm), 0);
}

/* Faults in the world are its manager's; the runtime's did not want them. */
static bool on_fault(struct rt_regs *r)
{
	const struct sgx_exinfo info = { .maddr = r->addr,
					 .errcd = r->error_code };
	int rc;

	if (r->vector != SGX_VEC_PF || !current || !current->emm)
		return false;
	rc = emm_fault(current->emm, &info);
	if (rc == EMM_FAULT_CONTINUE)
		return true;
	if (r->rip < (uint64_t)probe_read || r->rip >= (uint64_t)probe_end)
		return false;
	current->said = rc;
	r->rip = (uint64_t)probe_refused;
	return true;
}

const struct rt_hooks rt_hooks = { .fault = on_fault };

void world_open(struct world *w, const struct w_config *cfg)
{
	uint32_t log2 = 0;

	memset(w, 0, sizeof(*w));
	w->cfg = *cfg;
	w->pages = world_pages(cfg);
	while (EMM_PAGE * w->pages >> log2 > 1)
		log2++;
	w->base = reserve((uint64_t)w->pages * EMM_PAGE, log2);
	inside_base = w->base;
	current = w;
	for (uint32_t i = 0; i < 16; i++) {
		uint64_t at = W_BASE + (W_SRC + i) * EMM_PAGE;

		accept_new(at);
		memset((void *)at, (int)(0xa0 + i), EMM_PAGE);
	}
	if (!cfg->no_emm)
		open_emm(w);
	world_zero_counts(w);
}

void world_back(struct world *w)
{
	(void)w;
}

void world_close(struct world *w)
{
	uint64_t size = (uint64_t)w->cfg.pages * EMM_PAGE;

	(void)!emm_dealloc(w->emm, W_RANGE, size, NULL);
	if (!w->cfg.static_mode)
		ck_assert_uint_eq(emm_committed(w->emm), 0);
	else
		trim(W_RANGE, w->added * EMM_PAGE);
	current = NULL;
	for (uint64_t i = 0; i < w->meta_size / EMM_PAGE; i++) {
		if (meta_there[i])
			sweep((uint64_t)w->meta + i * EMM_PAGE);
		meta_there[i] = 0;
	}
	trim(W_BASE + W_SRC * EMM_PAGE, 16 * EMM_PAGE);
	ck_assert_int_eq(
		emm_dealloc(rt_emm(), (uint64_t)w->meta, w->meta_size, NULL),
		0);
	ck_assert_int_eq(emm_dealloc(rt_emm(), w->base,
				     (uint64_t)w->pages * EMM_PAGE, NULL),
			 0);
}

void world_add(struct world *w, uint32_t page, uint32_t count)
{
	for (uint32_t i = page; i < page + count; i++) {
		accept_new(w_addr(i));
		memset((void *)w_addr(i), 0x77, EMM_PAGE);
	}
	w->added = page + count;
}

void world_restrict(struct world *w, uint32_t page, int prot)
{
	struct emm_modify m = { .op = EMM_HOST_RESTRICT,
				.to = prot,
				.addr = w_addr(page) };

	(void)w;
	ck_assert_int_eq(host_modify(&m, EMM_PAGE), 0);
}

/* ---- looking ----------------------------------------------------------- */

uint8_t *w_bytes(struct world *w, uint32_t page)
{
	struct emm_run r;

	if (!w->emm)
		return (uint8_t *)w_addr(page);
	ck_assert_int_eq(emm_query(w->emm, w_addr(page), 0, &r), 0);
	return r.state >= EMM_PG_COMMITTED || w->added > page
		       ? (uint8_t *)w_addr(page)
		       : NULL;
}

/*
 * EACCEPT compares all of a page's attributes but PR: with that bit it asks of
 * a page that is neither PENDING nor MODIFIED what it is, and changes nothing.
 */
static bool proved(uint64_t addr, int rights)
{
	const uint64_t flags = SGX_SECINFO_PR | SGX_SECINFO_PT(SGX_PT_REG);

	return !eaccept(flags | (unsigned int)rights, addr);
}

unsigned int w_rights(struct world *w, uint32_t page)
{
	(void)w;
	for (unsigned int r = 0; r < 8; r++) {
		if (proved(w_addr(page), (int)r))
			return r;
	}
	return 0xff;
}

int world_touch(struct world *w, uint32_t page, uint32_t access)
{
	w->said = 0;
	if (!(access & SGX_PFEC_W ? probe_write(w_addr(page))
				  : probe_read(w_addr(page))))
		return 0;
	return w->said == EMM_FAULT_SEARCH ? 1 : w->said;
}

static const char *mirror_page(const struct emm_run *r, uint64_t addr)
{
	switch (r->state) {
	case EMM_PG_COMMITTED:
		return proved(addr, r->prot) ? NULL : "committed, but differs";
	case EMM_PG_IDLE:
		return proved(addr, r->prot | EMM_RW) ? NULL
						      : "idle, but differs";
	case EMM_PG_FREE_IDLE:
		return proved(addr, EMM_RW) ? NULL : "free idle, but differs";
	default:
		return NULL;
	}
}

const char *world_mirror(struct world *w, bool hostile)
{
	uint64_t end = w_addr(w->cfg.pages), a = w_addr(0), present = 0;
	const char *bad = emm_check(w->emm);
	struct emm_run r;

	(void)hostile;
	for (; !bad && a < end; a = r.addr + r.size) {
		if (emm_query(w->emm, a, end, &r))
			return "emm_query failed";
		for (uint64_t p = a; p < a + r.size && !bad; p += EMM_PAGE) {
			/* Long runs of what is not there tell nothing. */
			if (r.state < EMM_PG_COMMITTED)
				break;
			bad = mirror_page(&r, p);
			present++;
		}
	}
	if (!bad && !w->cfg.static_mode &&
	    emm_committed(w->emm) != present * EMM_PAGE)
		return "the account is not what is present";
	return bad;
}

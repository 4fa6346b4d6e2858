/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel's public and private interface on one EMM instance. The instance
 * manages all of ELRANGE; the public functions see the user range only, the
 * private ones what is outside of it (I6).
 */
#include "compat/sgx_mm.h"
#include "compat/emm_private.h"
#include "compat/sgx_mm_rt_abstraction.h"
#include "trusted/emm/act.h"
#include "trusted/emm/compat/glue.h"

_Static_assert(sizeof(sgx_pfinfo) == sizeof(struct sgx_exinfo), "pfinfo");

/* Flags that have a meaning, but for types and alignment. */
#define MODES (SGX_EMA_RESERVE | SGX_EMA_COMMIT_NOW | SGX_EMA_COMMIT_ON_DEMAND)
#define GROWS (SGX_EMA_GROWSDOWN | SGX_EMA_GROWSUP)
#define KNOWN                                           \
	((unsigned int)(MODES | GROWS | SGX_EMA_FIXED | \
			SGX_EMA_PAGE_TYPE_MASK | (int)SGX_EMA_ALIGNMENT_MASK))

static int result(edmm_err rc)
{
	return -rc;
}

/* Errors of calls on a range: what is not the caller's is EINVAL. */
static int range_result(edmm_err rc)
{
	return rc == -EDMM_EPERM ? EDMM_EINVAL : -rc;
}

/* Is the range on the caller's side of the user range's border? */
static bool mine(uint64_t addr, size_t length, bool user)
{
	const struct glue *g = glue_get();

	if (!g->emm || addr + length < addr)
		return false;
	if (user)
		return addr >= g->user_start && addr + length <= g->user_end;
	return addr + length <= g->user_start || addr >= g->user_end;
}

static int range_check(uint64_t addr, size_t length, bool user)
{
	const struct glue *g = glue_get();

	if (!g->emm || (addr | length) & (EMM_PAGE - 1) || !length ||
	    !mine(addr, length, user))
		return EDMM_EINVAL;
	if (addr < g->base || addr + length > g->base + g->size)
		return EDMM_EINVAL;
	return 0;
}

/* Page type and mode of an allocation. */
static int flags_check(unsigned int flags)
{
	unsigned int mode = flags & (unsigned int)MODES;
	unsigned int type = flags & (unsigned int)SGX_EMA_PAGE_TYPE_MASK;

	if (!mode || mode & (mode - 1) || (flags & GROWS) == GROWS ||
	    flags & ~KNOWN)
		return EDMM_EINVAL;
	return type && type != SGX_EMA_PAGE_TYPE_REG ? EDMM_EINVAL : 0;
}

static edmm_err plan(struct emm_alloc *a, unsigned int flags, bool user)
{
	const struct glue *g = glue_get();

	a->align = flags >> SGX_EMA_ALIGNMENT_SHIFT;
	a->flags = flags & (unsigned int)(MODES | GROWS | SGX_EMA_FIXED);
	a->prot = flags & SGX_EMA_RESERVE ? EMM_NONE : EMM_RW;
	if (!user)
		a->flags |= EMM_SYSTEM;
	if (!a->addr) {
		/* The manager chooses; FIXED says nothing then. */
		a->flags &= ~(unsigned int)EMM_FIXED;
		return 0;
	}
	if (a->align > 12 && a->align < 64 &&
	    a->addr & ((1ull << a->align) - 1))
		return -EDMM_EINVAL;
	if (a->addr < g->base || a->addr + a->size < a->addr ||
	    a->addr + a->size > g->base + g->size)
		return -EDMM_EACCES;
	if (mine(a->addr, a->size, user))
		return 0;
	if (a->flags & EMM_FIXED)
		return user ? -EDMM_EPERM : -EDMM_EINVAL;
	a->addr = 0; /* a hint that cannot be met */
	return 0;
}

static int alloc(const struct emm_alloc *req, unsigned int flags, bool user,
		 void **out_addr)
{
	const struct glue *g = glue_get();
	struct emm_alloc a = *req;
	uint64_t at = 0;
	edmm_err rc;

	if (!g->emm || flags_check(flags) ||
	    (a.addr | a.size) & (EMM_PAGE - 1) || !a.size)
		return EDMM_EINVAL;
	rc = plan(&a, flags, user);
	if (!rc && !user && !a.addr)
		rc = -EDMM_EINVAL; /* the runtime knows its addresses */
	if (!rc)
		rc = emm_alloc(g->emm, &a, &at);
	if (rc)
		return result(rc);
	if (out_addr)
		*out_addr = (void *)(uintptr_t)at;
	return 0;
}

static int uncommit(void *addr, size_t length, bool user)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int err = range_check(a, length, user);

	if (err)
		return err;
	return range_result(emm_uncommit_now(glue_get()->emm, a, length, NULL));
}

static int dealloc(void *addr, size_t length, bool user)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int err = range_check(a, length, user);

	if (err)
		return err;
	return range_result(emm_dealloc(glue_get()->emm, a, length, NULL));
}

static int commit(void *addr, size_t length, bool user)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int err = range_check(a, length, user);

	if (err)
		return err;
	return range_result(op_commit(glue_get()->emm, a, length, EMM_W, NULL));
}

static int modify_permissions(void *addr, size_t length, int prot, bool user)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int err = range_check(a, length, user);
	uint32_t done;
	struct run r;
	edmm_err rc;

	if (err)
		return err;
	emm_probe_stack();
	rc = op_range(glue_get()->emm, a, length, &r);
	if (!rc && !prot_valid(prot))
		rc = -EDMM_EINVAL;
	if (!rc)
		rc = op_protect(glue_get()->emm, &r, prot, M(PG_COMM) | M_DOUBT,
				&done);
	/* A page that is not committed. */
	return rc == -EDMM_EEXIST ? EDMM_EINVAL : range_result(rc);
}

static int modify_type(void *addr, size_t length, int type, bool user)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int err;

	if (type != SGX_EMA_PAGE_TYPE_TCS)
		return EDMM_EPERM;
	if (length != EMM_PAGE)
		return EDMM_EINVAL;
	err = range_check(a, length, user);
	if (err)
		return err;
	return range_result(emm_make_tcs(glue_get()->emm, a));
}

/*
 * Read what is to be copied, while no page is held: a fault there is an
 * ordinary one, and a handler may have to commit it. At EACCEPTCOPY it would
 * be a failure.
 */
static void read_source(const uint8_t *data, size_t length)
{
	for (size_t off = 0; off < length; off += EMM_PAGE)
		(void)*(const volatile uint8_t *)(data + off);
}

static int commit_data(void *addr, size_t length, const uint8_t *data, int prot)
{
	uint64_t a = (uint64_t)(uintptr_t)addr;
	int first = prot == EMM_NONE ? EMM_R : prot;
	edmm_err rc;

	if (!data || (uint64_t)(uintptr_t)data & (EMM_PAGE - 1) ||
	    !prot_valid(prot) || !sgx_mm_is_within_enclave(data, length))
		return EDMM_EINVAL;
	read_source(data, length);
	rc = emm_commit_data(glue_get()->emm, a, length, data, first);
	if (!rc && prot == EMM_NONE)
		rc = emm_protect(glue_get()->emm, a, length, prot, NULL);
	return range_result(rc);
}

int sgx_mm_alloc(void *addr, size_t length, int flags,
		 sgx_enclave_fault_handler_t handler, void *handler_private,
		 void **out_addr)
{
	/* sgx_pfinfo and EXINFO are one layout under two names. */
	const struct emm_alloc a = { .addr = (uint64_t)(uintptr_t)addr,
				     .size = length,
				     .handler = (emm_fault_fn)(void *)handler,
				     .priv = handler_private };

	return alloc(&a, (unsigned int)flags, true, out_addr);
}

int sgx_mm_uncommit(void *addr, size_t length)
{
	return uncommit(addr, length, true);
}

int sgx_mm_dealloc(void *addr, size_t length)
{
	return dealloc(addr, length, true);
}

int sgx_mm_commit(void *addr, size_t length)
{
	return commit(addr, length, true);
}

int sgx_mm_modify_permissions(void *addr, size_t length, int prot)
{
	return modify_permissions(addr, length, prot, true);
}

int sgx_mm_modify_type(void *addr, size_t length, int type)
{
	return modify_type(addr, length, type, true);
}

int sgx_mm_commit_data(void *addr, size_t length, uint8_t *data, int prot)
{
	int err = range_check((uint64_t)(uintptr_t)addr, length, true);

	return err ? err : commit_data(addr, length, data, prot);
}

int mm_alloc(void *addr, size_t size, uint32_t flags,
	     sgx_enclave_fault_handler_t handler, void *private_data,
	     void **out_addr)
{
	const struct emm_alloc a = { .addr = (uint64_t)(uintptr_t)addr,
				     .size = size,
				     .handler = (emm_fault_fn)(void *)handler,
				     .priv = private_data };

	flags &= ~(uint32_t)SGX_EMA_SYSTEM;
	return alloc(&a, flags, false, out_addr);
}

int mm_uncommit(void *addr, size_t size)
{
	return uncommit(addr, size, false);
}

int mm_dealloc(void *addr, size_t size)
{
	return dealloc(addr, size, false);
}

int mm_commit(void *addr, size_t size)
{
	return commit(addr, size, false);
}

int mm_modify_permissions(void *addr, size_t size, int prot)
{
	return modify_permissions(addr, size, prot, false);
}

int mm_modify_type(void *addr, size_t size, int type)
{
	return modify_type(addr, size, type, false);
}

int mm_commit_data(void *addr, size_t size, uint8_t *data, int prot)
{
	int err = range_check((uint64_t)(uintptr_t)addr, size, false);

	return err ? err : commit_data(addr, size, data, prot);
}

int mm_init_ema(void *addr, size_t size, int flags, int prot,
		sgx_enclave_fault_handler_t handler, void *handler_private)
{
	const struct glue *g = glue_get();
	unsigned int f = (unsigned int)flags & ~(unsigned int)SGX_EMA_SYSTEM;
	unsigned int type = f & (unsigned int)SGX_EMA_PAGE_TYPE_MASK;
	bool reserve = f & SGX_EMA_RESERVE;
	struct emm_alloc a = { .addr = (uint64_t)(uintptr_t)addr,
			       .size = size,
			       .flags = reserve ? EMM_RESERVE : EMM_ON_DEMAND,
			       .prot = reserve ? EMM_NONE : prot,
			       .handler = (emm_fault_fn)(void *)handler,
			       .priv = handler_private };
	enum emm_loaded how = EMM_LOADED_COMMITTED;

	if (!g->emm || (a.addr | size) & (EMM_PAGE - 1) || !size ||
	    f & ~(unsigned int)(SGX_EMA_RESERVE | SGX_EMA_PAGE_TYPE_MASK) ||
	    !((unsigned int)flags & SGX_EMA_SYSTEM))
		return EDMM_EINVAL;
	if (type && type != SGX_EMA_PAGE_TYPE_REG &&
	    type != SGX_EMA_PAGE_TYPE_TCS)
		return EDMM_EINVAL;
	if (a.addr < g->base || a.addr + size > g->base + g->size)
		return EDMM_EACCES;
	if (!mine(a.addr, size, false))
		return EDMM_EINVAL;
	if (reserve)
		how = EMM_LOADED_ABSENT;
	else if (type == SGX_EMA_PAGE_TYPE_TCS)
		how = EMM_LOADED_TCS;
	a.flags |= EMM_SYSTEM;
	return result(emm_register(g->emm, &a, how));
}

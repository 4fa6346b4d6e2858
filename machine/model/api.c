/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model as a library: include/edmm/model.h over model.h. A page table, the
 * processors and the machine's block, all of them owned here.
 */
#include "edmm/model.h"

#include <stdlib.h>
#include <string.h>

#include "machine/model/model.h"

#define SAME(ours, theirs)                                          \
	_Static_assert(offsetof(struct edmm_model_regs, ours) ==    \
			       offsetof(struct mach_frame, theirs), \
		       "public and internal registers: " #ours)
SAME(rax, rax);
SAME(rdi, rdi);
SAME(r15, r15);
SAME(rflags, rflags);
SAME(gsbase, gsbase);
SAME(xsave, xsave);
SAME(xsave_size, xsave_size);
_Static_assert(sizeof(struct edmm_model_regs) == sizeof(struct mach_frame),
	       "public and internal registers");
_Static_assert(EDMM_MODEL_ALL == MACH_F_ALL, "features");
_Static_assert(EDMM_MODEL_R == MACH_R && EDMM_MODEL_W == MACH_W &&
		       EDMM_MODEL_X == MACH_X,
	       "kinds of access");

#define MAP_MIN 64u

/* A mapping, in a table with open addressing; rights 0: free. */
struct mapping {
	uint64_t addr;
	uint32_t page;
	uint32_t rights;
};

struct edmm_model {
	struct mach *mach;
	struct mapping *map;
	uint32_t map_size; /* a power of two */
	uint32_t map_used;
	uint32_t processors;
	uint8_t lepubkeyhash[32];
	char why[160];
	struct mach_cpu cpu[];
};

/* ---- page table -------------------------------------------------------- */

/* The mapping of @addr, or the free place for it. */
static struct mapping *map_at(struct mapping *map, uint32_t size, uint64_t addr)
{
	uint64_t h = (addr >> SGX_PAGE_SHIFT) * 0x9e3779b97f4a7c15ull;
	uint32_t i = (uint32_t)(h >> 32) & (size - 1);

	while (map[i].rights != 0 && map[i].addr != addr)
		i = (i + 1) & (size - 1);
	return &map[i];
}

static bool map_grow(struct edmm_model *m)
{
	uint32_t size = 2 * m->map_size;
	struct mapping *map = calloc(size, sizeof(*map));
	uint32_t i;

	if (!map)
		return false;
	for (i = 0; i < m->map_size; i++)
		if (m->map[i].rights != 0)
			*map_at(map, size, m->map[i].addr) = m->map[i];
	free(m->map);
	m->map = map;
	m->map_size = size;
	return true;
}

/* Takes one out, and puts those after it in the run where they belong. */
static void map_remove(struct edmm_model *m, struct mapping *at)
{
	uint32_t i = (uint32_t)(at - m->map);

	at->rights = 0;
	m->map_used--;
	for (i = (i + 1) & (m->map_size - 1); m->map[i].rights != 0;
	     i = (i + 1) & (m->map_size - 1)) {
		struct mapping moved = m->map[i];

		m->map[i].rights = 0;
		*map_at(m->map, m->map_size, moved.addr) = moved;
	}
}

static enum mach_xlate translate(void *ctx, uint64_t addr, unsigned access,
				 uint32_t *out)
{
	struct edmm_model *m = ctx;
	struct mapping *at = map_at(m->map, m->map_size,
				    addr & ~(uint64_t)(SGX_PAGE_SIZE - 1));

	*out = SGX_PFEC_U;
	if (access & MACH_W)
		*out |= SGX_PFEC_W;
	if (access & MACH_X)
		*out |= SGX_PFEC_I;
	if (at->rights != 0)
		*out |= SGX_PFEC_P;
	if ((at->rights & access) != access)
		return MACH_XL_FAULT;
	*out = at->page;
	return MACH_XL_EPC;
}

edmm_err edmm_model_map(struct edmm_model *m, uint64_t addr, uint32_t page,
			unsigned rights)
{
	struct mapping *at;

	if (addr % SGX_PAGE_SIZE != 0 || rights > 7 ||
	    (rights != 0 && page >= mach_config(m->mach)->epc_pages))
		return -EDMM_EINVAL;
	if (rights != 0 && 2 * m->map_used >= m->map_size && !map_grow(m))
		return -EDMM_ENOMEM;
	at = map_at(m->map, m->map_size, addr);
	if (rights == 0) {
		if (at->rights != 0)
			map_remove(m, at);
		return 0;
	}
	m->map_used += at->rights == 0;
	*at = (struct mapping){ .addr = addr, .page = page, .rights = rights };
	return 0;
}

/* ---- machines ---------------------------------------------------------- */

static struct edmm_model *model_alloc(size_t mach_bytes, uint32_t map_size,
				      uint32_t processors)
{
	struct edmm_model *m =
		calloc(1, sizeof(*m) + sizeof(m->cpu[0]) * processors);
	void *mem;

	if (!m)
		return NULL;
	m->processors = processors;
	m->map_size = map_size;
	m->map = calloc(map_size, sizeof(*m->map));
	mem = aligned_alloc(SGX_PAGE_SIZE, mach_bytes);
	if (!m->map || !mem) {
		free(mem);
		free(m->map);
		free(m);
		return NULL;
	}
	memset(mem, 0, mach_bytes);
	m->mach = mem;
	return m;
}

edmm_err edmm_model_create(const struct edmm_model_options *o,
			   struct edmm_model **out)
{
	struct mach_hooks p = { .translate = translate };
	struct mach_config c;
	struct edmm_model *m;
	uint32_t i;

	mach_config_default(&c);
	if (o) {
		c.epc_pages = o->epc_pages ? o->epc_pages : c.epc_pages;
		c.features = o->features;
		memcpy(c.secret, o->secret, sizeof(c.secret));
	}
	if (mach_size(&c) == 0 || (c.features & ~EDMM_MODEL_ALL) ||
	    (o && o->processors > 4096))
		return -EDMM_EINVAL;
	m = model_alloc(mach_size(&c), MAP_MIN,
			o && o->processors ? o->processors : 1);
	if (!m)
		return -EDMM_ENOMEM;
	p.ctx = m;
	m->mach = mach_init(m->mach, &c, &p);
	if (o)
		memcpy(m->lepubkeyhash, o->lepubkeyhash, 32);
	for (i = 0; i < m->processors; i++)
		mach_cpu_init(&m->cpu[i]);
	*out = m;
	return 0;
}

edmm_err edmm_model_copy(const struct edmm_model *m, struct edmm_model **out)
{
	struct mach_hooks p = { .translate = translate };
	struct edmm_model *copy = model_alloc(mach_size(mach_config(m->mach)),
					      m->map_size, m->processors);

	if (!copy)
		return -EDMM_ENOMEM;
	p.ctx = copy;
	copy->mach = mach_copy(copy->mach, m->mach, &p);
	memcpy(copy->map, m->map, sizeof(*m->map) * m->map_size);
	copy->map_used = m->map_used;
	memcpy(copy->lepubkeyhash, m->lepubkeyhash, 32);
	memcpy(copy->cpu, m->cpu, sizeof(m->cpu[0]) * m->processors);
	*out = copy;
	return 0;
}

void edmm_model_destroy(struct edmm_model *m)
{
	if (!m)
		return;
	free(m->mach);
	free(m->map);
	free(m);
}

uint64_t edmm_model_epc(uint32_t page)
{
	return mach_epc_addr(page);
}

const char *edmm_model_check(struct edmm_model *m)
{
	return mach_check_cpus(m->mach, m->cpu, m->processors, m->why,
			       sizeof(m->why))
		       ? NULL
		       : m->why;
}

/* ---- leaves ------------------------------------------------------------ */

static struct edmm_model_result result(struct mach_result r)
{
	return (struct edmm_model_result){ .kind = r.kind,
					   .vector = r.vector,
					   .code = r.code,
					   .pfec = r.pfec,
					   .addr = r.addr };
}

static struct edmm_model_result gp(void)
{
	return (struct edmm_model_result){ .kind = EDMM_MODEL_FAULT,
					   .vector = SGX_VEC_GP };
}

struct edmm_model_result edmm_model_encls(struct edmm_model *m, unsigned leaf,
					  uint64_t reg[3])
{
	void *rbx = (void *)(uintptr_t)reg[0];
	uint64_t rcx = reg[1], rdx = reg[2];
	struct mach *k = m->mach;

	switch (leaf) {
	case SGX_ECREATE:
		return result(mach_ecreate(k, rbx, rcx));
	case SGX_EADD:
		return result(mach_eadd(k, rbx, rcx));
	case SGX_EINIT:
		return result(mach_einit(k, rbx, rcx, (void *)(uintptr_t)rdx,
					 m->lepubkeyhash));
	case SGX_EREMOVE:
		return result(mach_eremove(k, rcx));
	case SGX_EDBGRD:
		return result(mach_edbgrd(k, rcx, &reg[0]));
	case SGX_EDBGWR:
		return result(mach_edbgwr(k, rcx, reg[0]));
	case SGX_EEXTEND:
		return result(mach_eextend(k, reg[0], rcx));
	case SGX_ELDB:
		return result(mach_eldb(k, rbx, rcx, rdx));
	case SGX_ELDU:
		return result(mach_eldu(k, rbx, rcx, rdx));
	case SGX_EBLOCK:
		return result(mach_eblock(k, rcx));
	case SGX_EPA:
		return result(mach_epa(k, reg[0], rcx));
	case SGX_EWB:
		return result(mach_ewb(k, rbx, rcx, rdx));
	case SGX_ETRACK:
		return result(mach_etrack(k, rcx));
	case SGX_EAUG:
		return result(mach_eaug(k, rbx, rcx));
	case SGX_EMODPR:
		return result(mach_emodpr(k, rbx, rcx));
	case SGX_EMODT:
		return result(mach_emodt(k, rbx, rcx));
	default:
		return gp();
	}
}

struct edmm_model_result edmm_model_enclu(struct edmm_model *m, unsigned cpu,
					  struct edmm_model_regs *regs)
{
	struct mach_result r;
	struct mach_frame f;

	if (cpu >= m->processors)
		return gp();
	memcpy(&f, regs, sizeof(f));
	r = mach_enclu(m->mach, &m->cpu[cpu], &f);
	memcpy(regs, &f, sizeof(f));
	return result(r);
}

edmm_err edmm_model_aex(struct edmm_model *m, unsigned cpu,
			struct edmm_model_regs *regs,
			const struct edmm_model_event *e)
{
	struct mach_event event = { .exception = e->exception,
				    .vector = e->vector,
				    .errcode = e->errcode,
				    .addr = e->addr };
	struct mach_frame f;

	if (cpu >= m->processors || !mach_inside(&m->cpu[cpu]))
		return -EDMM_EINVAL;
	memcpy(&f, regs, sizeof(f));
	mach_aex(m->mach, &m->cpu[cpu], &f, &event);
	memcpy(regs, &f, sizeof(f));
	return 0;
}

struct edmm_model_result edmm_model_access(struct edmm_model *m, unsigned cpu,
					   uint64_t addr, unsigned access,
					   uint8_t **byte)
{
	struct edmm_model_result r = { .kind = EDMM_MODEL_FAULT,
				       .vector = SGX_VEC_PF,
				       .addr = addr };
	uint32_t epc;

	if (byte)
		*byte = NULL;
	if (cpu >= m->processors)
		return gp();
	if (translate(m, addr, access, &epc) == MACH_XL_FAULT) {
		r.pfec = epc;
		return r;
	}
	switch (mach_access(m->mach, &m->cpu[cpu], epc, addr, access)) {
	case MACH_DENY:
		r.pfec = mach_access_pfec(access);
		return r;
	case MACH_FETCH:
		return gp();
	case MACH_ALLOW:
		if (byte)
			*byte = mach_page(m->mach, epc) + addr % SGX_PAGE_SIZE;
		break;
	default:
		break;
	}
	r.kind = EDMM_MODEL_OK;
	r.vector = 0;
	r.addr = 0;
	return r;
}

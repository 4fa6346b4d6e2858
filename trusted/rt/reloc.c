/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Self-relocation of a static-PIE image: nothing but R_X86_64_RELATIVE. Runs
 * before anything else of C, and so needs no relocated data itself.
 */
#include "trusted/rt/thread.h"

#define DT_NULL 0
#define DT_PLTRELSZ 2
#define DT_RELA 7
#define DT_RELASZ 8
#define DT_RELAENT 9
#define DT_REL 17
#define DT_TEXTREL 22
#define DT_RELR 36
#define R_X86_64_RELATIVE 8
#define DYN_MAX 64

struct rela {
	uint64_t offset;
	uint64_t info;
	int64_t addend;
};

struct rela_table {
	uint64_t off, size, ent;
};

/* Find the table; false when there are relocations of another form. */
static bool find_table(const struct rt_dyn *dyn, struct rela_table *t)
{
	*t = (struct rela_table){ .ent = sizeof(struct rela) };
	for (int i = 0; i < DYN_MAX; i++) {
		if (dyn[i].tag == DT_NULL)
			return true;
		else if (dyn[i].tag == DT_RELA)
			t->off = dyn[i].val;
		else if (dyn[i].tag == DT_RELASZ)
			t->size = dyn[i].val;
		else if (dyn[i].tag == DT_RELAENT)
			t->ent = dyn[i].val;
		else if (dyn[i].tag == DT_REL || dyn[i].tag == DT_RELR ||
			 dyn[i].tag == DT_TEXTREL ||
			 (dyn[i].tag == DT_PLTRELSZ && dyn[i].val))
			return false;
	}
	return false;
}

bool rt_relocate(uint8_t *base, uint64_t image_size, const struct rt_dyn *dyn)
{
	const struct rela *r;
	struct rela_table t;

	if (!find_table(dyn, &t) || t.ent != sizeof(*r) || t.size % t.ent ||
	    t.off > image_size || t.size > image_size - t.off || t.off % 8)
		return false;
	r = (const struct rela *)(base + t.off);
	for (uint64_t i = 0; i < t.size / t.ent; i++) {
		if ((uint32_t)r[i].info != R_X86_64_RELATIVE ||
		    image_size < 8 || r[i].offset > image_size - 8 ||
		    r[i].offset % 8)
			return false;
		*(uint64_t *)(base + r[i].offset) =
			(uint64_t)base + (uint64_t)r[i].addend;
	}
	return true;
}

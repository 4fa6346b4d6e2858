/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Look-up in the table that fixup.S makes. A handful of entries: a walk.
 */
#include "trusted/rt/thread.h"

extern const struct rt_fixup rt_fixups_start[] __asm__("__start_edmm_fixup")
	__attribute__((visibility("hidden")));
extern const struct rt_fixup rt_fixups_stop[] __asm__("__stop_edmm_fixup")
	__attribute__((visibility("hidden")));

const struct rt_fixup *rt_fixup_find(uint64_t rip)
{
	for (const struct rt_fixup *f = rt_fixups_start; f < rt_fixups_stop;
	     f++) {
		uint64_t begin = (uint64_t)&f->begin + (uint64_t)f->begin;
		uint64_t end = (uint64_t)&f->end + (uint64_t)f->end;

		if (rip >= begin && rip < end)
			return f;
	}
	return NULL;
}

uint64_t rt_fixup_target(const struct rt_fixup *f)
{
	return (uint64_t)&f->fix + (uint64_t)f->fix;
}

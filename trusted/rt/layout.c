/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measured layout record. It is by itself in this file, so that no
 * compiler takes what stands here for its value: the image builder fills it
 * in, and takes from here how large a thread record, an exception stack and a
 * system stack this runtime wants.
 */
#include "trusted/rt/thread.h"

#define XSTACK_SIZE (10 * SGX_PAGE_SIZE)
#define SYS_SIZE (4 * SGX_PAGE_SIZE)
_Static_assert(XSTACK_SIZE >= RT_XSTACK_MIN, "own wish fails own check");
_Static_assert(SYS_SIZE >= RT_SYS_MIN, "own wish fails own check");
_Static_assert(sizeof(struct rt_thread) <= SGX_PAGE_SIZE, "thread record");

__attribute__((section(EDMM_LAYOUT_SECTION), aligned(4096), used))
const struct edmm_layout rt_layout_page = {
	.magic = EDMM_LAYOUT_MAGIC,
	.version = EDMM_LAYOUT_VERSION,
	.ctx_thread_size = SGX_PAGE_SIZE,
	.ctx_xstack_size = XSTACK_SIZE,
	.ctx_sys_size = SYS_SIZE,
};

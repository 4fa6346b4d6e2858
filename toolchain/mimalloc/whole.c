/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mimalloc as one object, as its own static.c makes it, but for what an enclave
 * wants otherwise.
 *
 * Segments are of 2 MiB, not of 32: each thread that allocates has one of its
 * own, and a small heap must have place for it. They are committed by 64 KiB,
 * so that what counts towards --heap-max is near to what is used.
 *
 * An empty segment is unmapped at once and kept in no cache.
 */

/* Each includes or uses what those before it define. */
/* clang-format off */
#include <mimalloc.h>
#include <mimalloc-types.h>

#include <sys/mman.h>

#undef MI_SEGMENT_SHIFT
#define MI_SEGMENT_SHIFT (5 + MI_SEGMENT_SLICE_SHIFT)
#undef MI_COMMIT_SIZE
#define MI_COMMIT_SIZE (MI_SEGMENT_SIZE / MI_COMMIT_MASK_FIELD_BITS)
#undef MI_MINIMAL_COMMIT_SIZE
#define MI_MINIMAL_COMMIT_SIZE MI_SEGMENT_SLICE_SIZE
#undef MAP_NORESERVE
#define MAP_NORESERVE 0 /* what is committed is there, or it is ENOMEM */

#include <mimalloc-internal.h>
#include "toolchain/mimalloc/reserve.c"
#include <stats.c>
#include <random.c>
#include <os.c>
#include <bitmap.c>
#include <arena.c>
#include "toolchain/mimalloc/no_cache.c"
#include <segment.c>
#include <page.c>
#include <heap.c>
#include <alloc.c>
#include <alloc-aligned.c>
#include <alloc-posix.c>
#include <init.c>
#include <options.c>
#include "toolchain/mimalloc/extend.c"
#include "toolchain/mimalloc/scavenge.c"
#include "toolchain/mimalloc/kin.c"
/* clang-format on */

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which pages of the heap's address range are taken, which of them count
 * towards its maximum, and which are locked: three bits a page. Free neighbours
 * need no joining, and nothing here allocates. Page indices are relative to the
 * range.
 *
 * Two sides grow towards each other: the low side from index 0 upwards, the
 * high side from @pages downwards. All between @low and @high is free, and so
 * are the bits there, in memory that need not be committed.
 *
 * Locks: none; the caller's. Nothing leaves the enclave.
 */
#ifndef TRUSTED_ELASTIC_VMAP_H
#define TRUSTED_ELASTIC_VMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMAP_NONE UINT64_MAX

struct vmap {
	uint64_t *used;
	uint64_t *charged;
	uint64_t *locked; /* all clear, and untouched, while nlocked is 0 */
	uint64_t nlocked;
	uint64_t nused;
	uint64_t pages;
	uint64_t low;	     /* one past the low side's last used page */
	uint64_t high;	     /* the high side's first used page */
	uint64_t first_free; /* no free page of the low side below this one */
};

/* Bytes of each bit map for a range of @pages pages. */
static inline uint64_t vmap_bytes(uint64_t pages)
{
	return (pages + 63) / 64 * 8;
}

/* @used, @charged and @locked: zeroed memory of vmap_bytes(). */
void vmap_init(struct vmap *m, uint64_t *const maps[3], uint64_t pages);

/*
 * The lowest run of @count free pages on the low side, or at its end; and the
 * highest on the high side. VMAP_NONE when the sides would meet.
 */
uint64_t vmap_find_low(const struct vmap *m, uint64_t count);
uint64_t vmap_find_high(const struct vmap *m, uint64_t count);

/* Take a run that is free, as one of this side. */
void vmap_take_low(struct vmap *m, uint64_t at, uint64_t count);
void vmap_take_high(struct vmap *m, uint64_t at, uint64_t count);

/* Give a run back, whatever of it was taken; returns pages it had charged. */
uint64_t vmap_drop(struct vmap *m, uint64_t at, uint64_t count);

/* Set or clear the charge of a run; returns how many pages changed. */
uint64_t vmap_charge(struct vmap *m, uint64_t at, uint64_t count, bool on);

/* How many pages of a run are not charged. */
uint64_t vmap_uncharged(const struct vmap *m, uint64_t at, uint64_t count);

/* Lock a run of taken pages, or unlock it. */
void vmap_lock(struct vmap *m, uint64_t at, uint64_t count, bool on);

/* All pages of a run are free, or all are taken. */
bool vmap_all_free(const struct vmap *m, uint64_t at, uint64_t count);
bool vmap_all_used(const struct vmap *m, uint64_t at, uint64_t count);

/*
 * Where the run ends in which all is as at @at, @end at most: taken or free,
 * and locked or not.
 */
uint64_t vmap_alike(const struct vmap *m, uint64_t at, uint64_t end, bool *used,
		    bool *locked);

/* The next run of free pages from *at on, below @end; 0 when none is left. */
uint64_t vmap_next_free(const struct vmap *m, uint64_t *at, uint64_t end);

#endif

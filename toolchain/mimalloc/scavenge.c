/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory goes back in passes of the thread whose it is: when it has freed
 * enough, what of its segments is in no page of mimalloc's is decommitted, and
 * of the free blocks in pages that others keep alive all but the page with the
 * link of the free list. mimalloc by itself does the former only when time has
 * passed and blocks are freed again, and the latter never.
 *
 * A block goes when two passes have found it free: its second word says so, and
 * that it is gone, so that the next pass leaves it alone. A program may leave
 * that word as it was: then the block goes sooner, or stays until it is used.
 */
#define PAGE 4096u
#define LEAST (2 * PAGE) /* smaller blocks have no page beside the link's */
#define PASS (4u << 20)	 /* bytes that are freed between passes */
#define WAIT 3600000	 /* milliseconds: for a pass, not for the time */
#define SEEN(block) (~(uintptr_t)(block))
#define DROPPED(block) (SEEN(block) - 1)

static _Thread_local size_t freed; /* bytes since the last pass */

/* Return: a page has gone. */
static bool drop(mi_block_t *block, size_t size)
{
	uintptr_t *words = (uintptr_t *)block, at = (uintptr_t)block;
	uintptr_t from =
		(at + 2 * sizeof(*words) + PAGE - 1) & -(uintptr_t)PAGE;
	uintptr_t end = (at + size) & -(uintptr_t)PAGE;

	if (words[1] == DROPPED(block) || from >= end)
		return false;
	if (words[1] != SEEN(block)) {
		words[1] = SEEN(block);
		return false;
	}
	words[1] = DROPPED(block);
	return syscall(CALL_NR_HEAP_TRIM, from, end - from) > 0;
}

/* What is zero has not been used yet, and must stay so. */
static bool drop_free(mi_page_t *page)
{
	mi_block_t *block;
	bool gone = false;

	_mi_page_free_collect(page, true);
	if (page->is_zero)
		return false;
	for (block = page->free; block; block = mi_block_next(page, block))
		gone |= drop(block, mi_page_block_size(page));
	return gone;
}

/* Each segment with something free has a span in one of the queues. */
static void drop_spans(mi_segments_tld_t *tld)
{
	mi_slice_t *slice;
	size_t i;

	for (i = 0; i <= MI_SEGMENT_BIN_MAX; i++)
		for (slice = tld->spans[i].first; slice; slice = slice->next)
			mi_segment_delayed_decommit(_mi_ptr_segment(slice),
						    true, tld->stats);
}

/* Full pages have nothing free. Return: a free block's page has gone. */
static bool pass(void)
{
	mi_heap_t *heap = mi_get_default_heap();
	const int was = errno;
	mi_page_t *page;
	bool gone = false;
	size_t i;

	freed = 0;
	if (!mi_heap_is_initialized(heap))
		return false;
	for (i = 0; i < MI_BIN_FULL; i++) {
		if (heap->pages[i].block_size < LEAST)
			continue;
		for (page = heap->pages[i].first; page; page = page->next)
			gone |= drop_free(page);
	}
	drop_spans(&heap->tld->segments);
	errno = was;
	return gone;
}

static void free_scavenging(void *p)
{
	size_t size;

	if (!p)
		return;
	size = _mi_ptr_page(p)->xblock_size;
	mi_free(p);
	if (size < LEAST || size > MI_LARGE_OBJ_SIZE_MAX)
		return;
	freed += size;
	if (freed >= PASS)
		(void)pass();
}

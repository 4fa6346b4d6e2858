/* SPDX-License-Identifier: BSD-3-Clause */
/* In the place of mimalloc's segment-cache.c: there is none, and no map of all
 * segments, which only its debugging reads. */
void *_mi_segment_cache_pop(size_t size, mi_commit_mask_t *committed,
			    mi_commit_mask_t *decommitted, bool *large,
			    bool *is_pinned, bool *is_zero, mi_arena_id_t arena,
			    size_t *memid, mi_os_tld_t *tld)
{
	(void)size, (void)committed, (void)decommitted, (void)large;
	(void)is_pinned, (void)is_zero, (void)arena, (void)memid, (void)tld;
	return NULL;
}

bool _mi_segment_cache_push(void *start, size_t size, size_t memid,
			    const mi_commit_mask_t *committed,
			    const mi_commit_mask_t *decommitted, bool is_large,
			    bool is_pinned, mi_os_tld_t *tld)
{
	(void)start, (void)size, (void)memid, (void)committed;
	(void)decommitted, (void)is_large, (void)is_pinned, (void)tld;
	return false;
}

void _mi_segment_cache_collect(bool force, mi_os_tld_t *tld)
{
	(void)force, (void)tld;
}

void _mi_segment_cache_free_all(mi_os_tld_t *tld)
{
	(void)tld;
}

void _mi_segment_map_allocated_at(const mi_segment_t *segment)
{
	(void)segment;
}

void _mi_segment_map_freed_at(const mi_segment_t *segment)
{
	(void)segment;
}

/* Asked by mi_cfree(), which is nobody's here. */
bool mi_is_in_heap_region(const void *p)
{
	return p != NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A block with a segment of its own grows where it is, if what follows is free:
 * mimalloc would copy it, and its pages would be there twice.
 */
static bool grow(void *p, size_t size)
{
	mi_segment_t *segment = _mi_ptr_segment(p);
	mi_page_t *page = _mi_segment_page_of(segment, p);
	const size_t old = mi_segment_size(segment);
	size_t slices;

	/* Others' segments are theirs to change. */
	if (segment->kind != MI_SEGMENT_HUGE ||
	    segment->thread_id != _mi_thread_id() ||
	    mi_page_has_aligned(page) || segment->mem_align_offset ||
	    size > PTRDIFF_MAX)
		return false;
	slices = (size + MI_SEGMENT_SLICE_SIZE - 1) / MI_SEGMENT_SLICE_SIZE;
	if (slices + segment->segment_info_slices <= segment->segment_slices ||
	    slices > UINT32_MAX)
		return false;
	size = (slices + segment->segment_info_slices) * MI_SEGMENT_SLICE_SIZE;
	/* Mapped is a rounder size than it says. */
	if (syscall(CALL_NR_HEAP_MREMAP, segment, _mi_os_good_alloc_size(old),
		    _mi_os_good_alloc_size(size),
		    0L) != (long)(uintptr_t)segment)
		return false;
	segment->segment_slices = size / MI_SEGMENT_SLICE_SIZE;
	mi_page_to_slice(page)->slice_count = (uint32_t)slices;
	size = slices * MI_SEGMENT_SLICE_SIZE;
	page->xblock_size =
		size > MI_HUGE_BLOCK_SIZE ? MI_HUGE_BLOCK_SIZE : (uint32_t)size;
	mi_get_default_heap()->tld->segments.current_size +=
		mi_segment_size(segment) - old;
	return true;
}

static void *realloc_growing(void *p, size_t size)
{
	const int was = errno;

	if (p && grow(p, size))
		return p;
	errno = was;
	return mi_realloc(p, size);
}

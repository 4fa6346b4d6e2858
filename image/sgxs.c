/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fortanix .sgxs streams: the very blocks that ECREATE, EADD and EEXTEND feed
 * to MRENCLAVE, in order, and between them blocks UNMEASRD, in the form of
 * EEXTEND, for content that is loaded but not measured.
 *
 *	64 bytes	ECREATE: u32 SSAFRAMESIZE, u64 SIZE
 *	64 bytes	EADD: u64 offset, SECINFO's first 48 bytes
 *	64 + 256 bytes	EEXTEND or UNMEASRD: u64 offset, then the chunk
 *
 * All bytes that have no meaning are 0. Source: fortanix/rust-sgx, the
 * documentation of its crate sgxs.
 */
#include <string.h>

#include "image/parts.h"

#define TAG_UNSIZED 0x0044455a49534e55ull  /* "UNSIZED" */
#define TAG_UNMEASRD 0x44525341454d4e55ull /* "UNMEASRD" */
#define HEAD 64u

struct stream {
	const uint8_t *at;
	const uint8_t *begin;
	const uint8_t *end;
	struct edmm_parts *parts;
	uint8_t *store; /* grows by a page for each page with content */
	struct edmm_part page;
	uint16_t seen;
	bool open; /* page is being read */
	bool any;  /* a page was */
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static bool zeros(const uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static const char *take_create(struct stream *s)
{
	if (s->end - s->at < HEAD)
		return "too short for ECREATE";
	if (get64(s->at) == TAG_UNSIZED)
		return "its size is not filled in (UNSIZED), so it has no "
		       "measurement";
	if (get64(s->at) != SGX_MEASURE_ECREATE || !zeros(s->at + 20, 44))
		return "does not begin with an ECREATE block";
	memcpy(&s->parts->ssa_frame_pages, s->at + 8, 4);
	s->parts->elrange_size = get64(s->at + 12);
	if (!s->parts->elrange_size ||
	    (s->parts->elrange_size & (s->parts->elrange_size - 1)))
		return "ECREATE: SIZE is no power of two";
	s->at += HEAD;
	return NULL;
}

static const char *flush(struct stream *s)
{
	if (!s->open)
		return NULL;
	s->open = false;
	if (s->page.src)
		s->store += SGX_PAGE_SIZE;
	return parts_add(s->parts, &s->page);
}

static const char *take_add(struct stream *s)
{
	uint64_t off = get64(s->at + 8), last = s->page.off;
	const char *fault = flush(s);

	if (fault)
		return fault;
	if (!zeros(s->at + 24, 40))
		return "EADD: reserved bytes of SECINFO are not 0";
	if (s->any && off <= last)
		return "EADD: pages are not in ascending order";
	s->page = (struct edmm_part){
		.name = "pages",
		.off = off,
		.size = SGX_PAGE_SIZE,
		.secinfo = get64(s->at + 16),
	};
	if ((s->page.secinfo & SGX_SECINFO_PT_MASK) ==
	    SGX_SECINFO_PT(SGX_PT_TCS)) {
		if (s->page.secinfo & SGX_SECINFO_RWX)
			return "EADD: a TCS with rights";
		memcpy(s->page.name, "TCS", 4);
	}
	s->seen = 0;
	s->open = s->any = true;
	s->at += HEAD;
	return NULL;
}

static const char *take_chunk(struct stream *s, bool measured)
{
	uint64_t off = get64(s->at + 8);
	unsigned i;

	if (s->end - s->at < HEAD + (long)SGX_EEXTEND_CHUNK)
		return "ends within a chunk";
	if (!s->open || off < s->page.off ||
	    off - s->page.off >= SGX_PAGE_SIZE || off % SGX_EEXTEND_CHUNK)
		return "a chunk that is not of the page before it";
	if (!zeros(s->at + 16, 48))
		return "a chunk whose reserved bytes are not 0";
	i = (unsigned)((off - s->page.off) / SGX_EEXTEND_CHUNK);
	if (s->seen >> i)
		return "chunks that are not in ascending order";
	s->seen |= (uint16_t)(1u << i);
	if (measured)
		s->page.chunks |= (uint16_t)(1u << i);
	s->page.src = s->store;
	memcpy(s->store + i * SGX_EEXTEND_CHUNK, s->at + HEAD,
	       SGX_EEXTEND_CHUNK);
	s->at += HEAD + SGX_EEXTEND_CHUNK;
	return NULL;
}

static const char *take_block(struct stream *s)
{
	if (s->end - s->at < HEAD)
		return "ends within a block";
	switch (get64(s->at)) {
	case SGX_MEASURE_EADD:
		return take_add(s);
	case SGX_MEASURE_EEXTEND:
		return take_chunk(s, true);
	case TAG_UNMEASRD:
		return take_chunk(s, false);
	}
	return "a block that is none of EADD, EEXTEND, UNMEASRD";
}

/* Pages that have a chunk: those need memory. */
static uint64_t pages_with_content(const struct stream *s)
{
	const uint8_t *p = s->at;
	bool fresh = false;
	uint64_t n = 0;

	while (s->end - p >= HEAD)
		if (get64(p) == SGX_MEASURE_EADD) {
			fresh = true;
			p += HEAD;
		} else {
			n += fresh;
			fresh = false;
			if (s->end - p < HEAD + (long)SGX_EEXTEND_CHUNK)
				break;
			p += HEAD + SGX_EEXTEND_CHUNK;
		}
	return n;
}

edmm_err edmm_parts_sgxs(const void *bytes, size_t size, const char *name,
			 struct edmm_parts *parts, struct edmm_diag *diag)
{
	struct stream s = { .at = bytes, .begin = bytes, .parts = parts };
	const char *fault;
	uint64_t store;

	s.end = s.begin + size;
	parts_init(parts, "sgxs");
	fault = take_create(&s);
	if (!fault) {
		store = pages_with_content(&s) << SGX_PAGE_SHIFT;
		if (store > IMG_FILE_MAX)
			fault = "over 1 GiB of pages with content";
		else if (!(s.store = parts_block(parts, store)))
			fault = PARTS_NO_MEMORY;
	}
	while (!fault && s.at < s.end)
		fault = take_block(&s);
	if (!fault)
		fault = flush(&s);
	if (!fault)
		return 0;
	edmm_parts_free(parts);
	return img_fail(diag, -EDMM_ENOEXEC, "%s: bad sgxs stream at 0x%zx: %s",
			name, (size_t)(s.at - s.begin), fault);
}

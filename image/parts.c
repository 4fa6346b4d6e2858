/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of parts: built, measured, freed.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/parts.h"

#define CHUNKS (SGX_PAGE_SIZE / SGX_EEXTEND_CHUNK)

void parts_init(struct edmm_parts *p, const char *label)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->label, sizeof(p->label), "%s", label);
}

uint8_t *parts_block(struct edmm_parts *p, uint64_t size)
{
	uint64_t bytes = size ? img_page_up(size) : SGX_PAGE_SIZE;
	uint8_t **list, *block;

	if (p->block_count == PARTS_BLOCKS_MAX || size > PARTS_STORE_MAX ||
	    bytes > PARTS_STORE_MAX - p->stored)
		return NULL;
	block = aligned_alloc(SGX_PAGE_SIZE, bytes);
	list = realloc(p->block, (p->block_count + 1) * sizeof(*list));
	if (list)
		p->block = list;
	if (!list || !block) {
		free(block);
		return NULL;
	}
	memset(block, 0, bytes);
	p->stored += bytes;
	p->block[p->block_count++] = block;
	return block;
}

static bool joins(const struct edmm_part *a, const struct edmm_part *b)
{
	if (a->off + a->size != b->off || a->secinfo != b->secinfo ||
	    a->chunks != b->chunks || strcmp(a->name, b->name))
		return false;
	if (!a->src || !b->src)
		return !a->src && !b->src;
	return !a->repeat && !b->repeat && a->src + a->size == b->src;
}

static const char *bad_part(const struct edmm_parts *p,
			    const struct edmm_part *part)
{
	if (!img_page_aligned(part->off) || !img_page_aligned(part->size))
		return "pages that are not aligned";
	if (part->size > p->elrange_size ||
	    part->off > p->elrange_size - part->size)
		return "pages outside the enclave's address range";
	if (part->secinfo & ~(SGX_SECINFO_PT_MASK | SGX_SECINFO_RWX))
		return "page flags beyond type and rights";
	return NULL;
}

static bool make_room(struct edmm_parts *p)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct edmm_part *part;

	if (p->count < p->room)
		return true;
	part = realloc(p->part, room * sizeof(*part));
	if (!part)
		return false;
	p->part = part;
	p->room = room;
	return true;
}

const char *parts_add(struct edmm_parts *p, const struct edmm_part *part)
{
	uint64_t pages = part->size >> SGX_PAGE_SHIFT;
	const char *fault;

	if (!part->size)
		return NULL;
	fault = bad_part(p, part);
	if (fault)
		return fault;
	p->pages_added += pages;
	p->chunks_measured +=
		pages * (unsigned)__builtin_popcount(part->chunks);
	if (p->pages_added > PARTS_PAGES_MAX ||
	    p->chunks_measured > PARTS_CHUNKS_MAX || p->count >= PARTS_MAX)
		return "more pages than can be measured (16 GiB; 1 TiB "
		       "unmeasured)";
	if (p->count && joins(&p->part[p->count - 1], part)) {
		p->part[p->count - 1].size += part->size;
		return NULL;
	}
	if (!make_room(p))
		return PARTS_NO_MEMORY;
	p->part[p->count++] = *part;
	return NULL;
}

static int by_offset(const void *a, const void *b, void *parts)
{
	const struct edmm_part *part = parts;
	uint64_t x = part[*(const size_t *)a].off;
	uint64_t y = part[*(const size_t *)b].off;

	return x < y ? -1 : x > y;
}

size_t *parts_sorted(const struct edmm_parts *p)
{
	size_t *index = malloc((p->count + 1) * sizeof(*index));
	size_t i;

	if (!index)
		return NULL;
	for (i = 0; i < p->count; i++)
		index[i] = i;
	qsort_r(index, p->count, sizeof(*index), by_offset, p->part);
	return index;
}

const char *parts_overlap(const struct edmm_parts *p)
{
	size_t *index = parts_sorted(p);
	const char *fault = index ? NULL : PARTS_NO_MEMORY;
	size_t i;

	for (i = 1; !fault && i < p->count; i++) {
		const struct edmm_part *a = &p->part[index[i - 1]];

		if (a->off + a->size > p->part[index[i]].off)
			fault = "one page is named twice";
	}
	free(index);
	return fault;
}

void edmm_parts_free(struct edmm_parts *p)
{
	size_t i;

	for (i = 0; i < p->block_count; i++)
		free(p->block[i]);
	free(p->block);
	free(p->part);
	memset(p, 0, sizeof(*p));
}

/* ---- measurement ------------------------------------------------------- */

static void put64(uint8_t *p, uint64_t n)
{
	memcpy(p, &n, sizeof(n));
}

static int add_page(EVP_MD_CTX *md, const struct edmm_part *part, uint64_t at)
{
	static const uint8_t zeros[SGX_PAGE_SIZE];
	const uint8_t *src = part->src ? part->src : zeros;
	uint8_t head[64] = { 0 };
	uint64_t secinfo = part->secinfo;
	unsigned i;

	/* EADD clears the rights of a TCS before it measures SECINFO. */
	if ((secinfo & SGX_SECINFO_PT_MASK) == SGX_SECINFO_PT(SGX_PT_TCS))
		secinfo &= ~SGX_SECINFO_RWX;
	if (part->src && !part->repeat)
		src += at;
	put64(head, SGX_MEASURE_EADD);
	put64(head + 8, part->off + at);
	put64(head + 16, secinfo);
	if (!EVP_DigestUpdate(md, head, sizeof(head)))
		return 0;
	memset(head, 0, sizeof(head));
	put64(head, SGX_MEASURE_EEXTEND);
	for (i = 0; i < CHUNKS; i++) {
		if (!(part->chunks & 1u << i))
			continue;
		put64(head + 8, part->off + at + i * SGX_EEXTEND_CHUNK);
		if (!EVP_DigestUpdate(md, head, sizeof(head)) ||
		    !EVP_DigestUpdate(md, src + i * SGX_EEXTEND_CHUNK,
				      SGX_EEXTEND_CHUNK))
			return 0;
	}
	return 1;
}

static int add_part(EVP_MD_CTX *md, const struct edmm_part *part)
{
	uint64_t at;

	for (at = 0; at < part->size; at += SGX_PAGE_SIZE)
		if (!add_page(md, part, at))
			return 0;
	return 1;
}

edmm_err edmm_parts_measure(const struct edmm_parts *p, uint8_t mrenclave[32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t create[64] = { 0 };
	size_t i;
	int ok;

	put64(create, SGX_MEASURE_ECREATE);
	memcpy(create + 8, &p->ssa_frame_pages, sizeof(p->ssa_frame_pages));
	put64(create + 12, p->elrange_size);
	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, create, sizeof(create));
	for (i = 0; i < p->count && ok; i++)
		ok = add_part(md, &p->part[i]);
	ok = ok && EVP_DigestFinal_ex(md, mrenclave, NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : -EDMM_EIO;
}

/* ---- images of ours ---------------------------------------------------- */

static void name_run(const struct edmm_image *im, const struct edmm_layout *l,
		     const struct edmm_page_run *run, struct edmm_part *part)
{
	const char *name = "heap";
	uint64_t in_ctx = run->off - l->ctx_off;
	unsigned i;

	if (run->off < l->image_size) {
		for (i = 0; i + 1 < im->seg_count; i++)
			if (run->off < img_page_down(im->seg[i + 1].vaddr))
				break;
		if (run->off == im->layout_off)
			snprintf(part->name, sizeof(part->name), "layout");
		else
			snprintf(part->name, sizeof(part->name), "segment %u",
				 i);
		return;
	}
	if (run->off < l->ctx_off + l->ctx_stride * l->ctx_count) {
		in_ctx %= l->ctx_stride;
		name = !in_ctx			? "TCS"
		       : in_ctx < l->ctx_thread ? "SSA"
		       : in_ctx < l->ctx_xstack ? "thread page"
		       : in_ctx < l->ctx_sys	? "exception stack"
						: "system stack";
	} else if (run->off < l->stack_off + l->stack_size) {
		name = "stack";
	} else if (run->off < l->meta_off + l->meta_size) {
		name = "metadata";
	}
	snprintf(part->name, sizeof(part->name), "%s", name);
}

edmm_err edmm_parts_plan(const struct edmm_image *image,
			 const struct edmm_plan *plan, struct edmm_parts *p)
{
	const struct edmm_layout *l = &plan->layout;
	size_t i;

	parts_init(p, l->flags & EDMM_LAYOUT_ELASTIC ? "elastic" : "static");
	p->elrange_size = l->elrange_size;
	p->ssa_frame_pages = l->ssa_frame_pages;
	for (i = 0; i < plan->run_count; i++) {
		const struct edmm_page_run *run = &plan->runs[i];
		struct edmm_part part = {
			.off = run->off,
			.size = run->size,
			.src = run->src,
			.chunks = run->measured ? EDMM_CHUNKS_ALL : 0,
			.secinfo = run->secinfo_flags,
		};

		name_run(image, l, run, &part);
		if (parts_add(p, &part)) {
			edmm_parts_free(p);
			return -EDMM_ENOMEM;
		}
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two identities, walked together by address. Stretches of zeros that both
 * have cost nothing a page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/parts.h"

struct cursor {
	const struct edmm_parts *parts;
	size_t *index;
	size_t at;
	uint64_t in; /* bytes into the part */
};

static const struct edmm_part *here(const struct cursor *c)
{
	return c->at < c->parts->count ? &c->parts->part[c->index[c->at]]
				       : NULL;
}

static uint64_t offset(const struct cursor *c)
{
	const struct edmm_part *p = here(c);

	return p ? p->off + c->in : UINT64_MAX;
}

static void advance(struct cursor *c, uint64_t size)
{
	c->in += size;
	if (c->in == here(c)->size) {
		c->in = 0;
		c->at++;
	}
}

static struct edmm_diff_area *area_of(struct edmm_diff *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->area_count; i++)
		if (!strcmp(d->area[i].name, name))
			return &d->area[i];
	if (d->area_count == EDMM_DIFF_AREAS)
		return &d->area[EDMM_DIFF_AREAS - 1];
	snprintf(d->area[d->area_count].name, sizeof(d->area->name), "%s",
		 name);
	return &d->area[d->area_count++];
}

/* @size bytes in which @what differs, from the cursors' common offset on. */
static void note(struct edmm_diff *d, struct cursor c[2],
		 enum edmm_diff_what what, uint64_t size)
{
	const struct edmm_part *p[2] = {
		what == EDMM_DIFF_ONLY_B ? NULL : here(&c[0]),
		what == EDMM_DIFF_ONLY_A ? NULL : here(&c[1]),
	};
	const struct edmm_part *named = p[0] ? p[0] : p[1];

	area_of(d, named->name)->differ[what] += size >> SGX_PAGE_SHIFT;
	if (d->first)
		return;
	d->first = what;
	d->first_off = offset(&c[p[0] ? 0 : 1]);
	memcpy(d->first_part, p, sizeof(p));
}

static const uint8_t *page_of(const struct cursor *c)
{
	static const uint8_t zeros[SGX_PAGE_SIZE];
	const struct edmm_part *p = here(c);

	if (!p->src)
		return zeros;
	return p->src + (p->repeat ? 0 : c->in);
}

/* The first measured byte that differs, or the page size. */
static uint32_t differs_at(const uint8_t *a, const uint8_t *b, unsigned chunks)
{
	uint32_t i;

	if (!memcmp(a, b, SGX_PAGE_SIZE))
		return SGX_PAGE_SIZE;
	for (i = 0; i < SGX_PAGE_SIZE; i++)
		if (chunks & 1u << i / SGX_EEXTEND_CHUNK && a[i] != b[i])
			break;
	return i;
}

/* Both have pages here; returns how many bytes it dealt with. */
static uint64_t compare(struct edmm_diff *d, struct cursor c[2])
{
	const struct edmm_part *a = here(&c[0]), *b = here(&c[1]);
	uint64_t left[2] = { a->size - c[0].in, b->size - c[1].in };
	uint64_t both = left[0] < left[1] ? left[0] : left[1];
	uint32_t byte;
	bool first = !d->first;

	if (a->secinfo != b->secinfo) {
		note(d, c, EDMM_DIFF_FLAGS, both);
		return both;
	}
	if (a->chunks != b->chunks) {
		note(d, c, EDMM_DIFF_CHUNKS, both);
		return both;
	}
	if (!a->chunks || (!a->src && !b->src))
		return both;
	byte = differs_at(page_of(&c[0]), page_of(&c[1]), a->chunks);
	if (byte < SGX_PAGE_SIZE) {
		note(d, c, EDMM_DIFF_CONTENT, SGX_PAGE_SIZE);
		if (first)
			d->first_byte = byte;
	}
	return SGX_PAGE_SIZE;
}

static void step(struct edmm_diff *d, struct cursor c[2])
{
	uint64_t at[2] = { offset(&c[0]), offset(&c[1]) }, n;
	unsigned only = at[0] < at[1] ? 0 : 1;

	if (at[0] == at[1]) {
		n = compare(d, c);
		advance(&c[0], n);
		advance(&c[1], n);
		return;
	}
	n = here(&c[only])->size - c[only].in;
	if (n > at[!only] - at[only])
		n = at[!only] - at[only];
	note(d, c, only ? EDMM_DIFF_ONLY_B : EDMM_DIFF_ONLY_A, n);
	advance(&c[only], n);
}

static void count_pages(struct edmm_diff *d, const struct cursor *c,
			unsigned which)
{
	size_t i;

	for (i = 0; i < c->parts->count; i++) {
		const struct edmm_part *p = &c->parts->part[c->index[i]];

		area_of(d, p->name)->pages[which] += p->size >> SGX_PAGE_SHIFT;
	}
}

bool edmm_diff_any(const struct edmm_diff *d)
{
	return d->first || d->elrange_size || d->ssa_frame_pages || d->order;
}

edmm_err edmm_parts_diff(const struct edmm_parts *a, const struct edmm_parts *b,
			 struct edmm_diff *diff)
{
	struct cursor c[2] = { { .parts = a, .index = parts_sorted(a) },
			       { .parts = b, .index = parts_sorted(b) } };
	uint8_t mr[2][32];
	edmm_err err = -EDMM_ENOMEM;

	memset(diff, 0, sizeof(*diff));
	if (!c[0].index || !c[1].index)
		goto out;
	diff->elrange_size = a->elrange_size != b->elrange_size;
	diff->ssa_frame_pages = a->ssa_frame_pages != b->ssa_frame_pages;
	count_pages(diff, &c[0], 0);
	count_pages(diff, &c[1], 1);
	while (here(&c[0]) || here(&c[1]))
		step(diff, c);
	err = 0;
	if (edmm_diff_any(diff))
		goto out;
	if (edmm_parts_measure(a, mr[0]) || edmm_parts_measure(b, mr[1]))
		err = -EDMM_EIO;
	else
		diff->order = memcmp(mr[0], mr[1], 32);
out:
	free(c[0].index);
	free(c[1].index);
	return err;
}

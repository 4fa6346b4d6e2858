/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's own memory: pieces of a few sizes, cut from what the front end
 * gives and recycled for ever. Pieces come zeroed.
 */
#include <string.h>

#include "machine/linux/internal.h"

#define POOL_CHUNK (64u * 1024)

static const size_t sizes[POOLS] = {
	[POOL_NODE] = sizeof(struct node),
	[POOL_VA] = (sizeof(struct va_page) + 63) & ~63ul,
	[POOL_ENCL] = (sizeof(struct drv_encl) + 63) & ~63ul,
	[POOL_PAGE] = PAGE_SIZE,
};

void *pool_get(struct drv *d, enum pool_id id)
{
	struct pool *p = &d->pools[id];
	size_t size = sizes[id];
	char *piece = p->free;

	if (piece) {
		memcpy(&p->free, piece, sizeof(p->free));
		memset(piece, 0, size);
		return piece;
	}
	if (p->left < size) {
		p->fresh = d->p.alloc(d->p.ctx, POOL_CHUNK);
		p->left = p->fresh ? POOL_CHUNK : 0;
		if (!p->fresh)
			return NULL;
	}
	piece = p->fresh;
	p->fresh += size;
	p->left -= size;
	return piece;
}

void pool_put(struct drv *d, enum pool_id id, void *piece)
{
	struct pool *p = &d->pools[id];

	memcpy(piece, &p->free, sizeof(p->free));
	p->free = piece;
}

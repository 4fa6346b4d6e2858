/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the readers of image/ build a struct edmm_parts. Bounds are kept here:
 * no part leaves ELRANGE, and the sum of all can be measured in a while.
 */
#ifndef IMAGE_PARTS_H
#define IMAGE_PARTS_H

#include "edmm/parts.h"
#include "image/internal.h"

#define PARTS_MAX (1u << 18)
#define PARTS_BLOCKS_MAX (1u << 16)
#define PARTS_CHUNKS_MAX ((16ull << 30) / SGX_EEXTEND_CHUNK)
#define PARTS_STORE_MAX (1ull << 30) /* bytes of all blocks */
#define PARTS_PAGES_MAX ((1ull << 40) >> SGX_PAGE_SHIFT)

/* The start of every reader. */
void parts_init(struct edmm_parts *p, const char *label);

/**
 * parts_block() - zeroed page-aligned memory that lives as long as the parts
 * @size: bytes; rounded up to pages
 *
 * Return: NULL without memory.
 */
uint8_t *parts_block(struct edmm_parts *p, uint64_t size);

/**
 * parts_add() - append a part
 *
 * One that goes on where the last one ends, with the same content in a row,
 * is joined to it.
 *
 * Return: NULL, or what is wrong with it.
 */
const char *parts_add(struct edmm_parts *p, const struct edmm_part *part);

/* NULL, or that two parts name one page. The end of a reader. */
const char *parts_overlap(const struct edmm_parts *p);

/**
 * parts_sorted() - indices of the parts by ascending offset
 *
 * Return: malloc()ed, or NULL without memory.
 */
size_t *parts_sorted(const struct edmm_parts *p);

#define PARTS_NO_MEMORY "out of memory, or over 1 GiB of content"

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of image/ share. An image owns one page-aligned copy of the
 * ELF file; all that is kept of the headers is copied out and checked once, in
 * elf.c, so that no other file reads the untrusted tables again.
 */
#ifndef IMAGE_INTERNAL_H
#define IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edmm/image.h"

#define IMG_SEGMENTS 16u
#define IMG_FILE_MAX (1ull << 30)
#define IMG_SPAN_MAX (1ull << 30)

/*
 * A PT_LOAD segment. Checked: memory in [0, IMG_SPAN_MAX), file bytes inside
 * the file, vaddr and file_off equal modulo the page size, segments in
 * ascending order with no page in common.
 */
struct img_segment {
	uint64_t vaddr;
	uint64_t file_off;
	uint64_t file_size;
	uint64_t mem_size;
	uint64_t rights; /* SGX_SECINFO_R, W, X */
};

struct edmm_image {
	char *name;
	uint8_t *file; /* page aligned */
	uint64_t file_size;
	struct img_segment seg[IMG_SEGMENTS];
	unsigned seg_count;
	uint64_t span;	/* end of the last segment, whole pages */
	uint64_t entry; /* inside an executable segment */
	uint64_t layout_off;
	/* A build id in page 0, whose bytes are not loaded; size 0: none. */
	uint64_t id_off;
	uint64_t id_size;
	/* The runtime's wishes, from its own copy of the layout; 0: none. */
	uint64_t thread_size;
	uint64_t xstack_size;
	uint64_t sys_size;
	/* Symbol table; counts are 0 where there is none that is sound. */
	uint64_t sym_off;
	uint64_t sym_count;
	uint64_t str_off;
	uint64_t str_size; /* the last byte of the table is 0 */
};

static inline uint64_t img_page_down(uint64_t n)
{
	return n & ~(uint64_t)(SGX_PAGE_SIZE - 1);
}

static inline uint64_t img_page_up(uint64_t n)
{
	return img_page_down(n + SGX_PAGE_SIZE - 1);
}

static inline bool img_page_aligned(uint64_t n)
{
	return n % SGX_PAGE_SIZE == 0;
}

/**
 * img_fail() - write a message and pass an error on
 * @diag: may be NULL
 * @err: returned
 */
__attribute__((format(printf, 3, 4))) edmm_err img_fail(struct edmm_diag *diag,
							edmm_err err,
							const char *format,
							...);

/**
 * img_file_read() - read a whole regular file into page-aligned memory
 * @max: bytes; a larger file is -EDMM_EFBIG
 * @bytes: free() it; never NULL on success, also for an empty file
 */
EDMM_NODISCARD edmm_err img_file_read(const char *path, uint64_t max,
				      uint8_t **bytes, size_t *size,
				      struct edmm_diag *diag);

enum img_file_kind {
	IMG_FILE_PUBLIC,      /* mode 0666 less umask; replaces */
	IMG_FILE_PRIVATE,     /* mode 0600; replaces */
	IMG_FILE_PRIVATE_NEW, /* mode 0600; an existing one is -EDMM_EEXIST */
};

/**
 * img_file_write() - write a file whole or not at all, through a temporary
 * file in the same folder
 *
 * Behind a link the file is replaced and the link stays. A device, a pipe and
 * what is a standard descriptor already are written into.
 */
EDMM_NODISCARD edmm_err img_file_write(const char *path, const void *bytes,
				       size_t size, enum img_file_kind kind,
				       struct edmm_diag *diag);

/* Why a policy cannot be; NULL if it can. Sizes against ELRANGE: plan.c. */
const char *img_policy_fault(const struct edmm_image_policy *policy);

struct edmm_key;
struct evp_pkey_st;
struct evp_pkey_st *img_key_pkey(const struct edmm_key *key);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MRENCLAVE: SHA-256 over the 64-byte blocks that ECREATE, EADD and EEXTEND
 * append, padded as SHA-256 pads at EINIT.
 *
 * Source: SDM 3D, the operation sections of these leaves.
 */
#include <openssl/evp.h>
#include <string.h>

#include "image/internal.h"

#define CHUNKS (SGX_PAGE_SIZE / SGX_EEXTEND_CHUNK)

struct create_block {
	uint64_t tag;
	uint32_t ssa_frame_pages;
	uint64_t size;
	uint8_t zero[44];
} __attribute__((packed));

struct add_block {
	uint64_t tag;
	uint64_t off;
	uint64_t secinfo_flags; /* and 40 reserved bytes of SECINFO */
	uint8_t zero[40];
};

struct extend_block {
	uint64_t tag;
	uint64_t off;
	uint8_t zero[48];
	uint8_t data[SGX_EEXTEND_CHUNK];
};

_Static_assert(sizeof(struct create_block) == 64, "a block is 64 bytes");
_Static_assert(sizeof(struct add_block) == 64, "a block is 64 bytes");
_Static_assert(sizeof(struct extend_block) == 320, "five blocks");

static int add_page(EVP_MD_CTX *md, const struct edmm_page_run *run,
		    uint64_t at)
{
	struct {
		struct add_block add;
		struct extend_block extend[CHUNKS];
	} b = { 0 };
	unsigned i;

	b.add.tag = SGX_MEASURE_EADD;
	b.add.off = run->off + at;
	b.add.secinfo_flags = run->secinfo_flags;
	/* EADD clears the rights of a TCS before it measures SECINFO. */
	if ((run->secinfo_flags & SGX_SECINFO_PT_MASK) ==
	    SGX_SECINFO_PT(SGX_PT_TCS))
		b.add.secinfo_flags &= ~SGX_SECINFO_RWX;
	if (!run->measured)
		return EVP_DigestUpdate(md, &b.add, sizeof(b.add));
	for (i = 0; i < CHUNKS; i++) {
		b.extend[i].tag = SGX_MEASURE_EEXTEND;
		b.extend[i].off = run->off + at + i * SGX_EEXTEND_CHUNK;
		if (run->src)
			memcpy(b.extend[i].data,
			       run->src + at + i * SGX_EEXTEND_CHUNK,
			       SGX_EEXTEND_CHUNK);
	}
	return EVP_DigestUpdate(md, &b, sizeof(b));
}

static int add_run(EVP_MD_CTX *md, const struct edmm_page_run *run)
{
	uint64_t at;

	for (at = 0; at < run->size; at += SGX_PAGE_SIZE)
		if (!add_page(md, run, at))
			return 0;
	return 1;
}

edmm_err edmm_measure(const struct edmm_page_run *runs, size_t count,
		      uint64_t elrange_size, uint32_t ssa_frame_pages,
		      uint8_t mrenclave[32])
{
	const struct create_block create = {
		.tag = SGX_MEASURE_ECREATE,
		.ssa_frame_pages = ssa_frame_pages,
		.size = elrange_size,
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t i;
	int ok;

	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, &create, sizeof(create));
	for (i = 0; i < count && ok; i++)
		ok = add_run(md, &runs[i]);
	ok = ok && EVP_DigestFinal_ex(md, mrenclave, NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : -EDMM_EIO;
}

edmm_err edmm_plan_measure(const struct edmm_plan *plan, uint8_t mrenclave[32])
{
	return edmm_measure(plan->runs, plan->run_count,
			    plan->layout.elrange_size,
			    plan->layout.ssa_frame_pages, mrenclave);
}

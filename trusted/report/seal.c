/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealing. Each sealing has a KEYID of 32 random bytes and so a key of its
 * own; the IV can be 0. The header is authenticated with the data.
 *
 * Which of the signer's two images of a program runs is the host's choice, and
 * MRSIGNER is the same for both. A static one has weaker guards (munmap() does
 * not take access away), so the key is derived with the mode from what EGETKEY
 * gives: neither opens what the other has sealed.
 *
 *	0	magic "EDMMSEAL"
 *	8	u16 version 2, u16 to, u16 isvsvn, u16 mode
 *	16	u64 bytes of data
 *	24	u64 0
 *	32	CPUSVN
 *	48	KEYID
 *	80	tag
 *	96	data
 */
#include "trusted/report/internal.h"
#include "trusted/rt/rt.h"

#define MAGIC 0x4c4145534d4d4445ull /* "EDMMSEAL" */
#define VERSION 2u
#define DATA_MAX ((1ull << 36) - 32)

/* A debug enclave, or one with access to platform keys, has other keys. */
#define ATTRIBUTE_MASK                                         \
	(SGX_ATTR_INIT | SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT | \
	 SGX_ATTR_PROVISIONKEY | SGX_ATTR_EINITTOKENKEY | SGX_ATTR_KSS)

struct header {
	uint64_t magic;
	uint16_t version;
	uint16_t to;
	uint16_t isvsvn;
	uint16_t mode;
	uint64_t size;
	uint64_t reserved2;
	uint8_t cpusvn[16];
	uint8_t keyid[32];
	uint8_t tag[16];
};
_Static_assert(sizeof(struct header) == EDMM_SEAL_OVERHEAD, "header");

static const uint8_t zero_iv[12];

/* enum edmm_mode of include/edmm/image.h */
static uint16_t own_mode(void)
{
	return edmm_rt_elastic() ? 1 : 2;
}

/* One block of CMAC, as a key derivation function (SP 800-108, one round). */
static void derive(uint8_t key[EDMM_KEY_SIZE])
{
	uint8_t block[16] = "EDMM seal mode ", from[EDMM_KEY_SIZE];

	block[15] = (uint8_t)own_mode();
	__builtin_memcpy(from, key, sizeof(from));
	report_cmac(from, block, sizeof(block), key);
	report_wipe(from, sizeof(from));
}

static int known(unsigned to)
{
	return to == EDMM_SEAL_ENCLAVE || to == EDMM_SEAL_SIGNER;
}

edmm_err edmm_seal_id(enum edmm_seal_to to, struct edmm_seal_id *id)
{
	struct sgx_report self;

	if (!known((unsigned)to))
		return -EDMM_EINVAL;
	edmm_report_self(&self);
	id->to = (uint16_t)to;
	id->isvsvn = self.isvsvn;
	__builtin_memcpy(id->cpusvn, self.cpusvn, sizeof(id->cpusvn));
	return edmm_random(id->keyid, sizeof(id->keyid));
}

edmm_err edmm_seal_key(const struct edmm_seal_id *id,
		       uint8_t key[EDMM_KEY_SIZE])
{
	struct sgx_keyrequest request = {
		.keyname = SGX_KEY_SEAL,
		.keypolicy = id->to,
		.isvsvn = id->isvsvn,
		.attributemask.flags = ATTRIBUTE_MASK,
	};

	report_wipe(key, EDMM_KEY_SIZE);
	if (!known(id->to))
		return -EDMM_EINVAL;
	__builtin_memcpy(request.cpusvn, id->cpusvn, sizeof(id->cpusvn));
	__builtin_memcpy(request.keyid, id->keyid, sizeof(id->keyid));
	switch (report_getkey(&request, key)) {
	case SGX_SUCCESS:
		derive(key);
		return 0;
	case SGX_INVALID_ISVSVN:
	case SGX_INVALID_CPUSVN:
		return -EDMM_EACCES;
	}
	return -EDMM_EIO;
}

edmm_err edmm_seal(enum edmm_seal_to to, const void *data, size_t size,
		   void *out)
{
	struct header h = { .magic = MAGIC, .version = VERSION, .size = size };
	uint8_t key[EDMM_KEY_SIZE];
	struct edmm_seal_id id;
	struct report_gcm g = { key, zero_iv, &h,
				offsetof(struct header, tag) };
	edmm_err err;

	if (size > DATA_MAX)
		return -EDMM_EINVAL;
	err = edmm_seal_id(to, &id);
	if (!err)
		err = edmm_seal_key(&id, key);
	if (err)
		return err;
	h.to = id.to;
	h.isvsvn = id.isvsvn;
	h.mode = own_mode();
	__builtin_memcpy(h.cpusvn, id.cpusvn, sizeof(h.cpusvn));
	__builtin_memcpy(h.keyid, id.keyid, sizeof(h.keyid));
	report_gcm_enc(&g, data, size, (uint8_t *)out + sizeof(h), h.tag);
	__builtin_memcpy(out, &h, sizeof(h));
	report_wipe(key, sizeof(key));
	return 0;
}

/* A header that this image could have a key for, of data of @size bytes. */
static int header_ok(const struct header *h, size_t size)
{
	return h->magic == MAGIC && h->version == VERSION && known(h->to) &&
	       h->mode == own_mode() && h->size == size && size <= DATA_MAX;
}

edmm_err edmm_unseal(const void *sealed, size_t size, uint16_t isvsvn_min,
		     void *data)
{
	uint8_t key[EDMM_KEY_SIZE];
	struct edmm_seal_id id;
	struct header h;
	struct report_gcm g = { key, zero_iv, &h,
				offsetof(struct header, tag) };
	edmm_err err;

	if (size < sizeof(h))
		return -EDMM_EBADMSG;
	report_wipe(data, size - sizeof(h));
	__builtin_memcpy(&h, sealed, sizeof(h));
	if (!header_ok(&h, size - sizeof(h)))
		return -EDMM_EBADMSG;
	if (h.isvsvn < isvsvn_min)
		return -EDMM_EACCES;
	id.to = h.to;
	id.isvsvn = h.isvsvn;
	__builtin_memcpy(id.cpusvn, h.cpusvn, sizeof(id.cpusvn));
	__builtin_memcpy(id.keyid, h.keyid, sizeof(id.keyid));
	err = edmm_seal_key(&id, key);
	if (!err)
		err = report_gcm_dec(&g, (const uint8_t *)sealed + sizeof(h),
				     h.size, data, h.tag);
	report_wipe(key, sizeof(key));
	return err;
}

void edmm_gcm_seal(const uint8_t key[EDMM_KEY_SIZE], const uint8_t iv[12],
		   const void *data, size_t size, void *out, uint8_t tag[16])
{
	const struct report_gcm g = { key, iv, NULL, 0 };

	report_gcm_enc(&g, data, size, out, tag);
}

edmm_err edmm_gcm_open(const uint8_t key[EDMM_KEY_SIZE], const uint8_t iv[12],
		       const void *data, size_t size, void *out,
		       const uint8_t tag[16])
{
	const struct report_gcm g = { key, iv, NULL, 0 };

	return report_gcm_dec(&g, data, size, out, tag);
}

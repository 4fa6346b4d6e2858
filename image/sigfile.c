/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The signature file PROGRAM.sig:
 *
 *	0   magic "EDMMSIG1"
 *	8   u32 version, u32 count of entries
 *	16  u64 bytes of the whole file
 *	24  entries, 1904 bytes each, elastic before static
 *
 * An entry is a policy (96 bytes, below) and a SIGSTRUCT (1808 bytes). All is
 * little-endian. Reserved bytes are 0, and nothing follows the last entry.
 */
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"

#define MAGIC 0x314749534d4d4445ull /* "EDMMSIG1" */
#define VERSION 1u
#define FILE_MAX (64ull << 10)

struct disk_header {
	uint64_t magic;
	uint32_t version;
	uint32_t count;
	uint64_t size;
};

struct disk_entry {
	uint32_t mode;
	uint32_t flags;
	uint64_t elrange_size;
	uint64_t heap_init;
	uint64_t heap_size;
	uint64_t stack_size;
	uint64_t stack_init;
	uint32_t ctx_count;
	uint32_t nssa;
	uint64_t signals;
	uint8_t reserved[32];
	struct sgx_sigstruct sig;
};

_Static_assert(sizeof(struct disk_header) == 24, "header");
_Static_assert(sizeof(struct disk_entry) == 1904, "entry");

const struct edmm_sig_entry *edmm_sig_find(const struct edmm_sig_file *file,
					   enum edmm_mode mode)
{
	uint32_t i;

	for (i = 0; i < file->count; i++)
		if (file->entry[i].policy.mode == (uint32_t)mode)
			return &file->entry[i];
	return NULL;
}

static const char *take_entry(const uint8_t *p, struct edmm_sig_entry *e)
{
	static const uint8_t zero[sizeof(((struct disk_entry *)0)->reserved)];
	struct disk_entry d;

	memcpy(&d, p, sizeof(d));
	if (memcmp(d.reserved, zero, sizeof(zero)))
		return "reserved bytes are not 0";
	e->policy = (struct edmm_image_policy){
		.mode = d.mode,
		.flags = d.flags,
		.elrange_size = d.elrange_size,
		.heap_init = d.heap_init,
		.heap_size = d.heap_size,
		.stack_size = d.stack_size,
		.stack_init = d.stack_init,
		.ctx_count = d.ctx_count,
		.nssa = d.nssa,
		.signals = d.signals,
	};
	e->sig = d.sig;
	return img_policy_fault(&e->policy);
}

/* What edmm_sig_emit() would not write; order is part of the format. */
static const char *bad_modes(const struct edmm_sig_file *file)
{
	if (!file->count || file->count > EDMM_SIG_ENTRIES)
		return "1 or 2 entries are wanted";
	if (file->count == 2 &&
	    (file->entry[0].policy.mode != EDMM_MODE_ELASTIC ||
	     file->entry[1].policy.mode != EDMM_MODE_STATIC))
		return "two entries are elastic, then static";
	return NULL;
}

edmm_err edmm_sig_parse(const void *bytes, size_t size, const char *name,
			struct edmm_sig_file *file, struct edmm_diag *diag)
{
	const char *fault = NULL;
	struct disk_header h;
	uint32_t i;

	memset(file, 0, sizeof(*file));
	if (size < sizeof(h))
		return img_fail(diag, -EDMM_EBADMSG,
				"%s: %zu bytes, too short for a signature file",
				name, size);
	memcpy(&h, bytes, sizeof(h));
	if (h.magic != MAGIC)
		return img_fail(diag, -EDMM_EBADMSG,
				"%s: not a signature file (edmm sign makes "
				"one)",
				name);
	if (h.version != VERSION)
		return img_fail(diag, -EDMM_EBADMSG,
				"%s: signature file of version %u; version %u "
				"is known: sign again",
				name, h.version, VERSION);
	if (!h.count || h.count > EDMM_SIG_ENTRIES || h.size != size ||
	    size != sizeof(h) + h.count * sizeof(struct disk_entry))
		return img_fail(diag, -EDMM_EBADMSG,
				"%s: truncated or too long: %u entries and %zu "
				"bytes",
				name, h.count, size);
	file->count = h.count;
	for (i = 0; i < h.count && !fault; i++)
		fault = take_entry((const uint8_t *)bytes + sizeof(h) +
					   i * sizeof(struct disk_entry),
				   &file->entry[i]);
	if (!fault)
		fault = bad_modes(file);
	if (!fault)
		return 0;
	memset(file, 0, sizeof(*file));
	return img_fail(diag, -EDMM_EBADMSG, "%s: bad signature file: %s", name,
			fault);
}

static void put_entry(uint8_t *p, const struct edmm_sig_entry *e)
{
	const struct disk_entry d = {
		.mode = e->policy.mode,
		.flags = e->policy.flags,
		.elrange_size = e->policy.elrange_size,
		.heap_init = e->policy.heap_init,
		.heap_size = e->policy.heap_size,
		.stack_size = e->policy.stack_size,
		.stack_init = e->policy.stack_init,
		.ctx_count = e->policy.ctx_count,
		.nssa = e->policy.nssa,
		.signals = e->policy.signals,
		.sig = e->sig,
	};

	memcpy(p, &d, sizeof(d));
}

edmm_err edmm_sig_emit(const struct edmm_sig_file *file, uint8_t **bytes,
		       size_t *size)
{
	struct disk_header h = { MAGIC, VERSION, file->count, 0 };
	uint8_t *p;
	uint32_t i;

	*bytes = NULL;
	if (bad_modes(file))
		return -EDMM_EINVAL;
	for (i = 0; i < file->count; i++)
		if (img_policy_fault(&file->entry[i].policy))
			return -EDMM_EINVAL;
	*size = sizeof(h) + file->count * sizeof(struct disk_entry);
	h.size = *size;
	p = malloc(*size);
	if (!p)
		return -EDMM_ENOMEM;
	memcpy(p, &h, sizeof(h));
	for (i = 0; i < file->count; i++)
		put_entry(p + sizeof(h) + i * sizeof(struct disk_entry),
			  &file->entry[i]);
	*bytes = p;
	return 0;
}

edmm_err edmm_sig_read(const char *path, struct edmm_sig_file *file,
		       struct edmm_diag *diag)
{
	uint8_t *bytes;
	size_t size;
	edmm_err err;

	memset(file, 0, sizeof(*file));
	err = img_file_read(path, FILE_MAX, &bytes, &size, diag);
	if (err)
		return err;
	err = edmm_sig_parse(bytes, size, path, file, diag);
	free(bytes);
	return err;
}

edmm_err edmm_sig_write(const char *path, const struct edmm_sig_file *file,
			struct edmm_diag *diag)
{
	uint8_t *bytes;
	size_t size;
	edmm_err err = edmm_sig_emit(file, &bytes, &size);

	if (err)
		return img_fail(diag, err, "%s: no valid signature file", path);
	err = img_file_write(path, bytes, size, IMG_FILE_PUBLIC, diag);
	free(bytes);
	return err;
}

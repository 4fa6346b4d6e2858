/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only door to untrusted memory (design I10). Ranges are checked against
 * ELRANGE here and nowhere else; nothing is read twice.
 *
 * INTEL-SA-00657: loads are of aligned 8-byte words only, so that no stale
 * bytes come in from a device register behind the address. INTEL-SA-00615:
 * stores are of aligned 8-byte words, or fenced one by one, so that none go
 * out. Every store looks at the end first (I16).
 */
#include "trusted/rt/thread.h"

#define LOWEST_ADDR 0x10000ull
#define HIGHEST_ADDR (1ull << 47)
#define WORD 8u

bool rt_inside(uint64_t addr, uint64_t size)
{
	uint64_t off = addr - rt_base();

	return addr >= rt_base() && size && size <= rt_layout()->elrange_size &&
	       off <= rt_layout()->elrange_size - size;
}

bool rt_outside(uint64_t addr, uint64_t size)
{
	uint64_t base = rt_base();

	if (size > UINT64_MAX - addr)
		return false;
	return addr + size <= base || addr >= base + rt_layout()->elrange_size;
}

static bool range_ok(uint64_t addr, uint64_t size)
{
	return size && addr >= LOWEST_ADDR && addr <= HIGHEST_ADDR &&
	       size <= HIGHEST_ADDR - addr && rt_outside(addr, size);
}

umem_t umem_at(uint64_t addr, uint64_t size)
{
	return range_ok(addr, size) ? (umem_t)addr : NULL;
}

uint64_t umem_addr(umem_t p)
{
	return (uint64_t)p;
}

/* @size bytes, from @skip on, of the aligned word at @addr. */
static edmm_err read_part(uint8_t *dst, uint64_t addr, size_t skip, size_t size)
{
	uint64_t word;

	if (rt_copy_words(&word, (const void *)addr, 1))
		return -EDMM_EFAULT;
	for (size_t i = 0; i < size; i++)
		dst[i] = (uint8_t)(word >> (8 * (skip + i)));
	return 0;
}

edmm_err umem_read(void *dst, umem_t src, size_t size)
{
	uint64_t addr = umem_addr(src);
	uint8_t *to = dst;
	size_t skip = addr % WORD;

	if (!size)
		return 0;
	if (!range_ok(addr, size))
		return -EDMM_EFAULT;
	if (skip) {
		size_t n = WORD - skip < size ? WORD - skip : size;

		if (read_part(to, addr - skip, skip, n))
			return -EDMM_EFAULT;
		addr += n;
		to += n;
		size -= n;
	}
	if (rt_copy_words(to, (const void *)addr, size / WORD))
		return -EDMM_EFAULT;
	if (size % WORD)
		return read_part(to + size / WORD * WORD,
				 addr + size / WORD * WORD, 0, size % WORD);
	return 0;
}

/* What a store has said; it does not come back where the end has come. */
static edmm_err stored(int64_t rc)
{
	if (rc > 0)
		rt_mute();
	return rc ? -EDMM_EFAULT : 0;
}

edmm_err umem_write(umem_t dst, const void *src, size_t size)
{
	uint64_t addr = umem_addr(dst);
	const uint8_t *from = src;
	size_t skip = addr % WORD;

	if (!size)
		return 0;
	if (!range_ok(addr, size))
		return -EDMM_EFAULT;
	if (skip) {
		size_t n = WORD - skip < size ? WORD - skip : size;

		if (stored(rt_store_bytes((void *)addr, from, n)))
			return -EDMM_EFAULT;
		addr += n;
		from += n;
		size -= n;
	}
	if (size >= WORD &&
	    stored(rt_store_words((void *)addr, from, size / WORD)))
		return -EDMM_EFAULT;
	addr += size / WORD * WORD;
	from += size / WORD * WORD;
	if (!(size % WORD))
		return 0;
	return stored(rt_store_bytes((void *)addr, from, size % WORD));
}

edmm_err umem_last_words(umem_t dst, const void *src, size_t size)
{
	uint64_t addr = umem_addr(dst);

	if (addr % WORD || size % WORD || !range_ok(addr, size))
		return -EDMM_EFAULT;
	return rt_copy_words((void *)addr, src, size / WORD) ? -EDMM_EFAULT : 0;
}

edmm_err umem_get64(uint64_t *v, umem_t src)
{
	if (umem_addr(src) % WORD)
		return -EDMM_EINVAL;
	return umem_read(v, src, sizeof(*v));
}

edmm_err umem_put64(umem_t dst, uint64_t v)
{
	if (umem_addr(dst) % WORD)
		return -EDMM_EINVAL;
	return umem_write(dst, &v, sizeof(v));
}

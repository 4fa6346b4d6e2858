/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extended state between a frame's XSAVE image and the SSA: AEX's save and
 * synthetic state, ERESUME's checks and restore (SDM 3D 37.3, 40.7). General
 * registers only.
 *
 * Of the 512-byte legacy region, bytes 416..511 are neither saved nor loaded:
 * XSAVE does not write them, and Linux keeps its own record there.
 */
#include "machine/model/state.h"

#define X87_CTL_END 24u /* FCW..FDP; then MXCSR, MXCSR_MASK, ST0 */
#define MXCSR_OFF 24u
#define ST_OFF 32u
#define XMM_OFF 160u
#define XMM_END 416u
#define HEADER_OFF 512u
#define HEADER_SIZE 64u
#define BV_X87 1ull
#define BV_SSE 2ull
#define FCW_INIT 0x037fu
#define FCW_MF 0x037eu
#define FSW_MF 0x8081u
#define MXCSR_INIT 0x1f80u
#define MXCSR_XM 0x1f01u

#define XFRM_AVX 0x4ull
#define XFRM_MPX 0x18ull
#define XFRM_AVX512 0xe0ull
#define XFRM_AMX 0x60000ull

struct xsave_header {
	uint64_t xstate_bv;
	uint64_t xcomp_bv;
	uint64_t zero[6];
};

_Static_assert(sizeof(struct xsave_header) == HEADER_SIZE, "XSAVE header");

uint32_t mach_xsave_size(const struct mach_config *c, uint64_t xfrm)
{
	uint32_t size = MACH_XSAVE_MIN;
	unsigned i;

	if (xfrm >> MACH_XCOMPS)
		return 0;
	for (i = 2; i < MACH_XCOMPS; i++) {
		uint32_t end = c->xcomp[i].off + c->xcomp[i].size;

		if (!(xfrm >> i & 1))
			continue;
		if (c->xcomp[i].size == 0 || end < c->xcomp[i].off ||
		    c->xcomp[i].off < MACH_XSAVE_MIN)
			return 0;
		if (end > size)
			size = end;
	}
	return size;
}

/* What XSETBV would take for XCR0 (SDM 1, 13.3), of what there is. */
bool xfrm_legal(const struct mach_config *c, uint64_t xfrm)
{
	if ((xfrm & SGX_XFRM_LEGACY) != SGX_XFRM_LEGACY || (xfrm & ~c->xfrm))
		return false;
	if ((xfrm & XFRM_MPX) != 0 && (xfrm & XFRM_MPX) != XFRM_MPX)
		return false;
	if ((xfrm & XFRM_AVX512) != 0 &&
	    ((xfrm & XFRM_AVX512) != XFRM_AVX512 || !(xfrm & XFRM_AVX)))
		return false;
	return (xfrm & XFRM_AMX) == 0 || (xfrm & XFRM_AMX) == XFRM_AMX;
}

/*
 * The SSA's XSAVE area lies in pages of any place. The bytes at @off, as far
 * as its page goes and no more than *@size.
 */
static uint8_t *ssa_at(const struct mach *m, const struct mach_cpu *cpu,
		       uint32_t off, uint32_t *size)
{
	uint32_t at = off & (SGX_PAGE_SIZE - 1);

	if (*size > SGX_PAGE_SIZE - at)
		*size = SGX_PAGE_SIZE - at;
	return page_of(m, cpu->xsave[off >> SGX_PAGE_SHIFT]) + at;
}

static void ssa_get(const struct mach *m, const struct mach_cpu *cpu,
		    uint32_t off, void *buf, uint32_t size)
{
	uint8_t *to = buf;
	uint32_t n;

	for (; size != 0; size -= n, off += n, to += n) {
		const uint8_t *p;

		n = size;
		p = ssa_at(m, cpu, off, &n);
		copy_bytes(to, p, n);
	}
}

/* @buf NULL: zeros. */
static void ssa_put(const struct mach *m, const struct mach_cpu *cpu,
		    uint32_t off, const void *buf, uint32_t size)
{
	const uint8_t *from = buf;
	uint32_t done, n;

	for (done = 0; done < size; done += n) {
		uint8_t *p;

		n = size - done;
		p = ssa_at(m, cpu, off + done, &n);
		if (from)
			copy_bytes(p, from + done, n);
		else
			zero_bytes(p, n);
	}
}

/* Components that the frame's image has room for, and its XSTATE_BV. */
static uint64_t frame_has(const struct mach *m, const struct mach_frame *f)
{
	uint64_t has = SGX_XFRM_LEGACY;
	unsigned i;

	if (!f->xsave)
		return 0;
	if (f->xsave_size < MACH_XSAVE_MIN)
		return has;
	for (i = 2; i < MACH_XCOMPS; i++) {
		const struct mach_xcomp *x = &m->cfg.xcomp[i];

		if (x->size != 0 && (m->cfg.xfrm >> i & 1) &&
		    x->off + x->size <= f->xsave_size)
			has |= 1ull << i;
	}
	return has;
}

static uint64_t frame_bv(const struct mach *m, const struct mach_frame *f)
{
	uint64_t bv;

	if (!f->xsave)
		return 0;
	if (f->xsave_size < MACH_XSAVE_MIN)
		return SGX_XFRM_LEGACY;
	copy_bytes(&bv, f->xsave + HEADER_OFF, sizeof(bv));
	return bv & frame_has(m, f);
}

static void save_legacy(const struct mach *m, const struct mach_cpu *cpu,
			const struct mach_frame *f, uint64_t bv)
{
	static const uint32_t fcw = FCW_INIT;
	uint32_t mxcsr[2] = { MXCSR_INIT, m->cfg.mxcsr_mask };

	if (bv & BV_X87) {
		ssa_put(m, cpu, 0, f->xsave, X87_CTL_END);
		ssa_put(m, cpu, ST_OFF, f->xsave + ST_OFF, XMM_OFF - ST_OFF);
	} else {
		ssa_put(m, cpu, 0, NULL, X87_CTL_END);
		ssa_put(m, cpu, 0, &fcw, 2);
		ssa_put(m, cpu, ST_OFF, NULL, XMM_OFF - ST_OFF);
	}
	/* MXCSR is saved with SSE or AVX whatever XSTATE_BV says. */
	if (f->xsave)
		copy_bytes(mxcsr, f->xsave + MXCSR_OFF, 4);
	ssa_put(m, cpu, MXCSR_OFF, mxcsr, 8);
	ssa_put(m, cpu, XMM_OFF, bv & BV_SSE ? f->xsave + XMM_OFF : NULL,
		XMM_END - XMM_OFF);
}

void xstate_save(const struct mach *m, const struct mach_cpu *cpu,
		 const struct mach_frame *f)
{
	uint64_t bv = frame_bv(m, f) & cpu->xfrm;
	struct xsave_header h = { .xstate_bv = bv };
	unsigned i;

	save_legacy(m, cpu, f, bv);
	ssa_put(m, cpu, HEADER_OFF, &h, sizeof(h));
	for (i = 2; i < MACH_XCOMPS; i++) {
		const struct mach_xcomp *x = &m->cfg.xcomp[i];

		if (!(cpu->xfrm >> i & 1))
			continue;
		ssa_put(m, cpu, x->off, bv >> i & 1 ? f->xsave + x->off : NULL,
			x->size);
	}
}

void xstate_init(const struct mach_cpu *cpu, struct mach_frame *f,
		 const struct mach_event *e)
{
	bool mf = e->exception && e->vector == SGX_VEC_MF;
	bool xm = e->exception && e->vector == SGX_VEC_XM;
	uint16_t ctl[2] = { mf ? FCW_MF : FCW_INIT, mf ? FSW_MF : 0 };
	uint32_t mxcsr = xm ? MXCSR_XM : MXCSR_INIT;
	uint64_t bv;

	if (!f->xsave)
		return;
	zero_bytes(f->xsave, X87_CTL_END);
	zero_bytes(f->xsave + ST_OFF, XMM_END - ST_OFF);
	copy_bytes(f->xsave, ctl, sizeof(ctl));
	copy_bytes(f->xsave + MXCSR_OFF, &mxcsr, sizeof(mxcsr));
	if (f->xsave_size < MACH_XSAVE_MIN)
		return;
	copy_bytes(&bv, f->xsave + HEADER_OFF, sizeof(bv));
	/* INIT is XSTATE_BV clear; a changed FCW needs its bit. */
	bv &= ~cpu->xfrm;
	if (mf)
		bv |= BV_X87;
	copy_bytes(f->xsave + HEADER_OFF, &bv, sizeof(bv));
}

bool xstate_legal(const struct mach *m, const struct mach_cpu *cpu)
{
	struct xsave_header h;
	uint32_t mxcsr;

	ssa_get(m, cpu, HEADER_OFF, &h, sizeof(h));
	ssa_get(m, cpu, MXCSR_OFF, &mxcsr, sizeof(mxcsr));
	/* XSTATE_BV names components outside XFRM. */
	if (h.xstate_bv & ~cpu->xfrm)
		return false;
	/* XCOMP_BV and the eight bytes after it, for the standard form. */
	if (h.xcomp_bv != 0 || h.zero[0] != 0)
		return false;
	/* Reserved bits of MXCSR. */
	return (mxcsr & ~m->cfg.mxcsr_mask) == 0;
}

static void load_component(const struct mach *m, const struct mach_cpu *cpu,
			   struct mach_frame *f, unsigned i)
{
	const struct mach_xcomp *x = &m->cfg.xcomp[i];

	ssa_get(m, cpu, x->off, f->xsave + x->off, x->size);
}

void xstate_load(const struct mach *m, const struct mach_cpu *cpu,
		 struct mach_frame *f)
{
	uint64_t has = frame_has(m, f) & cpu->xfrm;
	uint64_t bv, old;
	unsigned i;

	if (!f->xsave)
		return;
	ssa_get(m, cpu, HEADER_OFF, &bv, sizeof(bv));
	ssa_get(m, cpu, MXCSR_OFF, f->xsave + MXCSR_OFF, 4);
	zero_bytes(f->xsave, X87_CTL_END);
	*(volatile uint16_t *)(void *)f->xsave = FCW_INIT;
	zero_bytes(f->xsave + ST_OFF, XMM_END - ST_OFF);
	if (bv & BV_X87) {
		ssa_get(m, cpu, 0, f->xsave, X87_CTL_END);
		ssa_get(m, cpu, ST_OFF, f->xsave + ST_OFF, XMM_OFF - ST_OFF);
	}
	if (bv & BV_SSE)
		ssa_get(m, cpu, XMM_OFF, f->xsave + XMM_OFF, XMM_END - XMM_OFF);
	if (f->xsave_size < MACH_XSAVE_MIN)
		return;
	for (i = 2; i < MACH_XCOMPS; i++)
		if (bv & has & 1ull << i)
			load_component(m, cpu, f, i);
	copy_bytes(&old, f->xsave + HEADER_OFF, sizeof(old));
	bv = (old & ~cpu->xfrm) | (bv & has);
	copy_bytes(f->xsave + HEADER_OFF, &bv, sizeof(bv));
}

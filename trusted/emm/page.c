/* SPDX-License-Identifier: BSD-3-Clause */
/* How a page's byte changes, as tables: a byte in, a byte out. */
#include "trusted/emm/page.h"

/* An area's page with other rights; BUSY stays. */
static uint8_t lut_prot(int prot, uint8_t b)
{
	unsigned int st = pb_state(b);

	if (!(M(st) & (M_UNC | M_COMM | M_IDLE | M(ST_TRIMMED))))
		return b;
	if (M(st) & M_IDLE && prot & EMM_W && b & EMM_W && !(b & EMM_R))
		prot &= ~EMM_R; /* still known to be zero */
	return (b & PB_BUSY) | PB(st, prot);
}

static uint8_t lut_of(enum pb_lut what, uint8_t b)
{
	unsigned int st = pb_state(b);
	int prot = pb_prot(b);
	uint8_t busy = b & PB_BUSY;
	bool slow = st == ST_UNC_S || st == ST_COMM_S || st == ST_IDLE_S ||
		    st == ST_HINT_S;

	switch (what) {
	case LUT_CLAIM:
		return b | PB_BUSY;
	case LUT_RELEASE:
		return b & (uint8_t)~PB_BUSY;
	case LUT_COMMIT:
		if (M(st) & M_IDLE && (prot == EMM_W || prot == EMM_W + EMM_X))
			prot |= EMM_R;
		if (M(st) & (M_UNC | M_IDLE))
			return busy | PB(slow ? ST_COMM_S : ST_COMM, prot);
		return b;
	case LUT_FAULT:
		return lut_of(LUT_COMMIT, b) & (uint8_t)~PB_BUSY;
	case LUT_HINT:
		if (M(st) & M_ABSENT)
			return busy | PB(slow ? ST_HINT_S : ST_HINT, prot);
		return b;
	case LUT_UNHINT:
		if (M(st) & M_HINT)
			return busy | PB(slow ? ST_UNC_S : ST_UNC, prot);
		return b;
	case LUT_IDLE:
		if (M(st) & M_COMM)
			return busy | PB(slow ? ST_IDLE_S : ST_IDLE, prot);
		return b;
	case LUT_TRIM:
	case LUT_TRIMMED:
		if (M(st) & M_IDLE && (prot == EMM_W || prot == EMM_W + EMM_X))
			prot |= EMM_R;
		if (M(st) & M_TCS)
			prot = EMM_RW;
		if (st == ST_IDLE_FREE)
			return busy | (what == LUT_TRIM ? 0 : b);
		if (!(M(st) &
		      (M_COMM | M_IDLE | M_DOUBT | M(ST_TCS) | M(ST_TRIMMED))))
			return b;
		if (what == LUT_TRIMMED)
			return busy | PB(ST_TRIMMED, prot);
		if (st == ST_COMM || st == ST_IDLE)
			return busy | PB(ST_UNC, prot);
		return busy | PB(ST_UNC_S, prot);
	case LUT_DOUBT:
		if (M(st) & M_IDLE)
			return busy | PB(ST_DOUBT, prot | EMM_R);
		if (M(st) & M_COMM)
			return busy | PB(ST_DOUBT, prot);
		return st == ST_TCS ? busy | PB(ST_DOUBT_TCS, prot) : b;
	case LUT_FREE:
		if (M(st) & (M_UNC | M(ST_RESERVED)))
			return busy;
		if (M(st) & M_IDLE)
			return busy | PB(ST_IDLE_FREE, prot & EMM_R);
		return b;
	case LUT_FORGET:
		return lut_of(LUT_FREE, b) & (uint8_t)~PB_BUSY;
	default:
		return lut_prot((int)what - LUT_PROT, b);
	}
}

void page_init(uint8_t lut[LUT_COUNT][256])
{
	for (unsigned int l = 0; l < LUT_COUNT; l++) {
		for (unsigned int b = 0; b < 256; b++)
			lut[l][b] = lut_of((enum pb_lut)l, (uint8_t)b);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The raw mimic's enclave: what it does inside. Position independent, without
 * data: the code is copied as it is. It trusts its host: it is for tests.
 */
#include <wmmintrin.h>

#include "tests/mimic/layout.h"

#define PAGE 4096ull
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define RED_ZONE 128u
#define MAC_SIZE 16u
/*
 * Data to the host, which has the code from a file in the runtimes mimicked:
 * in its own text a CPUID of it could be patched. The # hides the flags that
 * the compiler would give a section of functions.
 */
#define INSIDE __attribute__((section("mimic_encl,\"a\",@progbits#")))

#define ENTRY INSIDE __attribute__((visibility("hidden")))
ENTRY void mimic_main(struct mimic_cmd *c);
ENTRY void mimic_stage1(uint64_t event);
ENTRY void mimic_fault(uint64_t addr);
extern const char mimic_stage2[] __attribute__((visibility("hidden")));

static INSIDE struct mimic_thread *self(void)
{
	uint64_t gs;

	__asm__("rdgsbase %0" : "=r"(gs));
	return (struct mimic_thread *)gs;
}

static INSIDE uint64_t enclu(uint64_t leaf, uint64_t rbx, uint64_t rcx,
			     uint64_t rdx)
{
	__asm__ volatile("enclu"
			 : "+a"(leaf)
			 : "b"(rbx), "c"(rcx), "d"(rdx)
			 : "memory", "cc");
	return leaf;
}

static INSIDE uint64_t page_op(uint64_t leaf, uint64_t flags, uint64_t addr)
{
	struct sgx_secinfo si __attribute__((aligned(64)));
	volatile uint64_t *p = (volatile uint64_t *)(void *)&si;

	for (unsigned i = 0; i < sizeof(si) / 8; i++)
		p[i] = 0;
	p[0] = flags;
	return enclu(leaf, (uint64_t)&si, addr, 0);
}

/* ---- AES-CMAC (RFC 4493), with the processor's AES --------------------- */

typedef long long v2 __attribute__((vector_size(16)));

static INSIDE v2 round_key(v2 key, v2 assist)
{
	assist = (v2)_mm_shuffle_epi32((__m128i)assist, 0xff);
	/* Each word becomes the sum of itself and those before it. */
	key ^= (v2)_mm_slli_si128((__m128i)key, 4);
	key ^= (v2)_mm_slli_si128((__m128i)key, 8);
	return key ^ assist;
}

#define ROUND(rcon, last)                                                      \
	do {                                                                   \
		k = round_key(                                                 \
			k, (v2)_mm_aeskeygenassist_si128((__m128i)k, (rcon))); \
		x = (last) ? (v2)_mm_aesenclast_si128((__m128i)x, (__m128i)k)  \
			   : (v2)_mm_aesenc_si128((__m128i)x, (__m128i)k);     \
	} while (0)

static INSIDE v2 encrypt(v2 k, v2 x)
{
	x ^= k;
	ROUND(0x01, false);
	ROUND(0x02, false);
	ROUND(0x04, false);
	ROUND(0x08, false);
	ROUND(0x10, false);
	ROUND(0x20, false);
	ROUND(0x40, false);
	ROUND(0x80, false);
	ROUND(0x1b, false);
	ROUND(0x36, true);
	return x;
}

/* The block doubled in GF(2^128), as bytes are numbered from the left. */
static INSIDE v2 doubled(v2 x)
{
	uint64_t hi = __builtin_bswap64((uint64_t)x[0]);
	uint64_t lo = __builtin_bswap64((uint64_t)x[1]);
	uint64_t carry = hi >> 63;

	hi = hi << 1 | lo >> 63;
	lo = lo << 1 ^ (carry ? 0x87 : 0);
	return (v2){ (long long)__builtin_bswap64(hi),
		     (long long)__builtin_bswap64(lo) };
}

/* Of 384 bytes: all of a report before its KEYID; whole blocks. */
static INSIDE v2 cmac(v2 key, const v2 *in, unsigned blocks)
{
	v2 zero = { 0, 0 }, x = zero;

	for (unsigned i = 0; i + 1 < blocks; i++)
		x = encrypt(key, x ^ in[i]);
	return encrypt(key, x ^ in[blocks - 1] ^ doubled(encrypt(key, zero)));
}

/* ---- identity ---------------------------------------------------------- */

static INSIDE void copy(void *dst, const void *src, unsigned size)
{
	volatile uint8_t *d = dst;
	const uint8_t *s = src;

	for (unsigned i = 0; i < size; i++)
		d[i] = s[i];
}

static INSIDE void clear(void *dst, unsigned size)
{
	volatile uint8_t *d = dst;

	for (unsigned i = 0; i < size; i++)
		d[i] = 0;
}

static INSIDE uint64_t report(const struct mimic_cmd *c)
{
	struct sgx_targetinfo target __attribute__((aligned(512)));
	uint8_t data[64] __attribute__((aligned(128)));
	struct sgx_report out __attribute__((aligned(512)));

	clear(data, sizeof(data));
	data[0] = 0x42;
	copy(&target, (const void *)c->addr, sizeof(target));
	enclu(SGX_EREPORT, (uint64_t)&target, (uint64_t)data, (uint64_t)&out);
	copy((void *)c->value, &out, sizeof(out));
	return 0;
}

static INSIDE uint64_t verify(const struct mimic_cmd *c)
{
	struct sgx_keyrequest req __attribute__((aligned(512)));
	struct sgx_report r __attribute__((aligned(512)));
	v2 key __attribute__((aligned(16))), mac, want;

	copy(&r, (const void *)c->addr, sizeof(r));
	clear(&req, sizeof(req));
	req.keyname = SGX_KEY_REPORT;
	copy(req.keyid, r.keyid, sizeof(r.keyid));
	if (enclu(SGX_EGETKEY, (uint64_t)&req, (uint64_t)&key, 0))
		return 0;
	mac = cmac(key, (const v2 *)(const void *)&r,
		   offsetof(struct sgx_report, keyid) / MAC_SIZE);
	copy(&want, r.mac, MAC_SIZE);
	return mac[0] == want[0] && mac[1] == want[1] &&
	       r.reportdata[0] == 0x42;
}

/* ---- commands ---------------------------------------------------------- */

static INSIDE uint64_t accept(const struct mimic_cmd *c)
{
	for (uint64_t i = 0; i < c->value; i++) {
		uint64_t r = page_op(SGX_EACCEPT, c->flags, c->addr + i * PAGE);

		if (r)
			return r;
	}
	return 0;
}

static INSIDE uint64_t cpuid_ebx(uint64_t leaf)
{
	uint64_t a = leaf, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b;
}

static INSIDE uint64_t system_call(void)
{
	uint64_t nr = 39;

	__asm__ volatile("syscall" : "+a"(nr) : : "rcx", "r11", "memory");
	return nr;
}

static INSIDE uint64_t divide(void)
{
	uint64_t a = 1, d = 0, zero = 0;

	__asm__ volatile("div %2" : "+a"(a), "+d"(d) : "r"(zero) : "cc");
	return a;
}

static INSIDE void spin(struct mimic_cmd *c)
{
	while (!c->stop)
		c->turns++;
}

/* Registers beyond the general ones, before and after a fault. */
static INSIDE uint64_t vectors(const struct mimic_cmd *c)
{
	uint64_t value = c->value, low = 0, high = 0;

	__asm__ volatile("vmovq %[v], %%xmm1\n\t"
			 "vpbroadcastq %%xmm1, %%ymm1\n\t"
			 "vmovdqa %%ymm1, %%ymm14\n\t"
			 "movb $7, (%[at])\n\t"
			 "vmovq %%xmm14, %[low]\n\t"
			 "vextracti128 $1, %%ymm1, %%xmm1\n\t"
			 "vmovq %%xmm1, %[high]\n\t"
			 "vzeroupper"
			 : [low] "=&r"(low), [high] "=&r"(high)
			 : [v] "r"(value), [at] "r"(c->addr)
			 : "xmm1", "xmm14", "memory");
	return low == value && high == value;
}

/* One tile of one row. */
static INSIDE uint64_t tiles(const struct mimic_cmd *c)
{
	uint8_t cfg[64] __attribute__((aligned(64)));
	uint64_t in[8] __attribute__((aligned(64)));
	uint64_t out[8] __attribute__((aligned(64)));
	uint64_t same = 0;

	clear(cfg, sizeof(cfg));
	clear(out, sizeof(out));
	for (unsigned i = 0; i < 8; i++)
		in[i] = c->value + i;
	cfg[0] = 1;
	cfg[16] = sizeof(in);
	cfg[48] = 1;
	__asm__ volatile("ldtilecfg (%[cfg])\n\t"
			 "tileloadd (%[in], %[stride], 1), %%tmm0\n\t"
			 "movb $7, (%[at])\n\t"
			 "tilestored %%tmm0, (%[out], %[stride], 1)\n\t"
			 "tilerelease"
			 :
			 : [cfg] "r"(cfg), [in] "r"(in), [out] "r"(out),
			   [stride] "r"(64ul), [at] "r"(c->addr)
			 : "memory");
	for (unsigned i = 0; i < 8; i++)
		same += out[i] == in[i];
	return same == 8;
}

static INSIDE void fill_tcs(const struct mimic_cmd *c)
{
	const struct mimic_thread *t = self();
	struct sgx_tcs *tcs = (struct sgx_tcs *)c->addr;
	uint64_t first = t->frame - t->index * MIMIC_NSSA * MIMIC_FRAME * PAGE;
	uint64_t data = (uint64_t)t - t->index * PAGE;
	uint64_t entry;

	__asm__("lea mimic_entry(%%rip), %0" : "=r"(entry));
	tcs->ossa = first + c->value * MIMIC_NSSA * MIMIC_FRAME * PAGE;
	tcs->nssa = MIMIC_NSSA;
	tcs->oentry = entry;
	tcs->ofsbase = data + c->value * PAGE;
	tcs->ogsbase = data + c->value * PAGE;
	tcs->fslimit = UINT32_MAX;
	tcs->gslimit = UINT32_MAX;
}

static INSIDE uint64_t touch(const struct mimic_cmd *c)
{
	volatile uint8_t *p = (volatile uint8_t *)c->addr;

	*p = (uint8_t)c->value;
	return *p;
}

void mimic_main(struct mimic_cmd *c)
{
	uint64_t r = 0;

	if (c->op == MIMIC_TOUCH)
		r = touch(c);
	else if (c->op == MIMIC_ACCEPT)
		r = accept(c);
	else if (c->op == MIMIC_EXTEND)
		r = page_op(SGX_EMODPE, c->flags, c->addr);
	else if (c->op == MIMIC_READ)
		r = *(volatile uint8_t *)c->addr;
	else if (c->op == MIMIC_CPUID)
		r = cpuid_ebx(c->addr);
	else if (c->op == MIMIC_SYSCALL)
		r = system_call();
	else if (c->op == MIMIC_DIVIDE)
		r = divide();
	else if (c->op == MIMIC_REPORT)
		r = report(c);
	else if (c->op == MIMIC_VERIFY)
		r = verify(c);
	else if (c->op == MIMIC_SPIN)
		spin(c);
	else if (c->op == MIMIC_VECTORS)
		r = vectors(c);
	else if (c->op == MIMIC_TILES)
		r = tiles(c);
	else if (c->op == MIMIC_TCS)
		fill_tcs(c);
	c->result = r;
}

/* ---- exceptions -------------------------------------------------------- */

/* Stage 2, on the interrupted stack: a page that is not ours yet, or that may
 * not be written. */
void mimic_fault(uint64_t addr)
{
	struct mimic_thread *t = self();

	t->faults++;
	addr &= ~(PAGE - 1);
	if (page_op(SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING, addr))
		page_op(SGX_EMODPE, REG | RW, addr);
}

static INSIDE void to_stage2(struct sgx_gprsgx *g, uint64_t addr)
{
	uint64_t *sp = (uint64_t *)(g->rsp - RED_ZONE);

	*--sp = addr;
	*--sp = g->rip;
	g->rsp = (uint64_t)sp;
	g->rip = (uint64_t)mimic_stage2;
}

/* #UD at an instruction that an enclave may not have: do it, or refuse. */
static INSIDE void illegal(struct sgx_gprsgx *g)
{
	const uint8_t *code = (const uint8_t *)g->rip;

	if (code[0] == 0x0f && code[1] == 0xa2) {
		g->rbx = 0x1dea + g->rax;
		g->rip += 2;
	} else if (code[0] == 0x0f && code[1] == 0x05) {
		g->rax = MIMIC_SYSCALL_ANSWER;
		g->rip += 2;
	}
}

/* The host's word for an event must go with what the processor says. */
static INSIDE void bad_host(void)
{
	__asm__ volatile("ud2");
}

void mimic_stage1(uint64_t event)
{
	struct mimic_thread *t = self();
	uint8_t *end = (uint8_t *)(t->frame + MIMIC_FRAME * PAGE);
	struct sgx_gprsgx *g = (void *)(end - sizeof(*g));
	struct sgx_exinfo *x = (void *)(end - sizeof(*g) - sizeof(*x));
	uint32_t info = g->exitinfo;

	t->events++;
	if (!(info & SGX_EXITINFO_VALID)) {
		if (event)
			bad_host();
		return;
	}
	if (event != (info & SGX_EXITINFO_VECTOR) + 1)
		bad_host();
	/* It is used once. */
	g->exitinfo = 0;
	switch (info & SGX_EXITINFO_VECTOR) {
	case SGX_VEC_UD:
		illegal(g);
		break;
	case SGX_VEC_PF:
		to_stage2(g, x->maddr);
		break;
	case SGX_VEC_DE:
		g->rax = MIMIC_DIVIDE_ANSWER;
		g->rip += 3;
		break;
	default:
		bad_host();
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID: the processor's own answers, with SGX in them. CPUID faulting turns
 * the instruction into a general protection fault on each thread that asked
 * for it; threads and fork inherit that, exec does not.
 */
#include "machine/trap/enclave/cpuid.h"

#include <string.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/tsc.h"
#include "machine/trap/signal/thread.h"

#define ARCH_SET_CPUID 0x1012
#define LEAF_SGX 0x12u
#define LEAF_FEATURES 7u
#define LEAF_TSC 0x15u
#define LEAF_FREQUENCY 0x16u
#define LEAF_LAST LEAF_FREQUENCY
#define CRYSTAL_KHZ 25000u		/* as on the servers that have SGX2 */
#define FEATURES_EBX_FSGSBASE (1u << 0) /* its own, or bases.c's */
#define FEATURES_EBX_SGX (1u << 2)
#define FEATURES_ECX_SGX_LC (1u << 30)
#define SECTION_EPC 1u
/* Where the EPC would be in physical memory: any page-aligned address. */
#define EPC_PHYSICAL 0x80000000ull

struct regs {
	uint32_t a, b, c, d;
};

static struct regs cpuid(uint32_t leaf, uint32_t sub)
{
	struct regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

static struct regs sgx_capabilities(const struct mach_config *c)
{
	struct regs r = { .a = 1 };

	if (c->features & MACH_F_SGX2)
		r.a |= 1u << 1;
	if (c->features & MACH_F_EDECCSSA)
		r.a |= 1u << 11;
	if (c->features & MACH_F_EXINFO)
		r.b |= SGX_MISC_EXINFO;
	r.d = (uint32_t)c->size_log2_64 << 8 | c->size_log2_32;
	return r;
}

static struct regs sgx_attributes(const struct mach_config *c)
{
	uint64_t a = SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT |
		     SGX_ATTR_PROVISIONKEY | SGX_ATTR_EINITTOKENKEY;

	if (c->features & MACH_F_KSS)
		a |= SGX_ATTR_KSS;
	if (c->features & MACH_F_AEXNOTIFY)
		a |= SGX_ATTR_AEXNOTIFY;
	return (struct regs){ .a = (uint32_t)a,
			      .b = (uint32_t)(a >> 32),
			      .c = (uint32_t)c->xfrm,
			      .d = (uint32_t)(c->xfrm >> 32) };
}

static struct regs sgx_leaf(uint32_t sub)
{
	const struct mach_config *c = mach_config(machine.m);
	uint64_t size = (uint64_t)c->epc_pages * SGX_PAGE_SIZE;

	switch (sub) {
	case 0:
		return sgx_capabilities(c);
	case 1:
		return sgx_attributes(c);
	case 2:
		return (struct regs){
			.a = (uint32_t)EPC_PHYSICAL | SECTION_EPC,
			.b = (uint32_t)(EPC_PHYSICAL >> 32),
			.c = (uint32_t)size | SECTION_EPC,
			.d = (uint32_t)(size >> 32),
		};
	default:
		return (struct regs){ 0 };
	}
}

/*
 * Leaf 15H: TSC = crystal (ECX, Hz) * EBX / EAX; 16H: base, highest and bus
 * frequency in MHz (SDM 2A, CPUID). Each processor with SGX2 tells them, and
 * runtimes take the time inside only by what they say.
 */
static struct regs clocks(uint32_t leaf, struct regs real)
{
	uint32_t khz;

	if (real.a && (leaf == LEAF_FREQUENCY || real.b))
		return real;
	khz = tsc_khz();
	if (!khz)
		return real;
	if (leaf == LEAF_TSC)
		return (struct regs){ .a = CRYSTAL_KHZ,
				      .b = khz,
				      .c = CRYSTAL_KHZ * 1000u };
	khz = (khz + 500) / 1000;
	return (struct regs){ .a = khz, .b = khz, .c = 100 };
}

/* ---- what is said not to be there ---------------------------------------- */

#define AVX 0x4ull
#define AVX512 0xe0ull
#define AMX 0x60000ull
#define LEAF_XSAVE 0xdu
#define LEAF_AMX 0x1du
#define LEAF_AMX_TMUL 0x1eu
#define LEAF_EXTENDED 0x80000000u
#define BIT(n) (1u << (n))

/* Features that need a component of XCR0: SDM 1, 13.1, and AMD's XOP, FMA4. */
static const struct needs {
	uint32_t leaf, sub;
	uint64_t component;
	struct regs bits;
} needs[] = {
	{ 1, 0, AVX, { .c = BIT(28) | BIT(12) | BIT(29) } },
	{ 7, 0, AVX, { .b = BIT(5), .c = BIT(9) | BIT(10) } },
	{ 7,
	  0,
	  AVX512,
	  { .b = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) |
		 BIT(30) | BIT(31),
	    .c = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
	    .d = BIT(2) | BIT(3) | BIT(8) | BIT(23) } },
	{ 7, 0, AMX, { .d = BIT(22) | BIT(24) | BIT(25) } },
	{ 7,
	  1,
	  AVX,
	  { .a = BIT(4) | BIT(23), .d = BIT(4) | BIT(5) | BIT(10) } },
	{ 7, 1, AVX512, { .a = BIT(5), .d = BIT(19) } },
	{ 7, 1, AMX, { .a = BIT(21), .d = BIT(8) } },
	{ 0x80000001, 0, AVX, { .c = BIT(11) | BIT(16) } },
};

/* Size of the XSAVE area for all that is left. */
static uint32_t xsave_size(const struct mach_config *c)
{
	return mach_xsave_size(c, c->xfrm);
}

static void hide_xsave(uint32_t sub, struct regs *r)
{
	const struct mach_config *c = mach_config(machine.m);

	if (sub == 0) {
		r->a &= (uint32_t)c->xfrm;
		r->d &= (uint32_t)(c->xfrm >> 32);
		r->b = r->c = xsave_size(c);
	} else if (sub > 1 && sub < 64 && (machine.opt.xfrm_off >> sub & 1)) {
		*r = (struct regs){ 0 };
	}
}

static void hide(uint32_t leaf, uint32_t sub, struct regs *r)
{
	uint64_t off = machine.opt.xfrm_off;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct needs *n = &needs[i];

		if (n->leaf != leaf || (leaf == 7 && n->sub != sub) ||
		    !(off & n->component & -n->component))
			continue;
		r->a &= ~n->bits.a;
		r->b &= ~n->bits.b;
		r->c &= ~n->bits.c;
		r->d &= ~n->bits.d;
	}
	if (leaf == LEAF_XSAVE)
		hide_xsave(sub, r);
	if ((leaf == LEAF_AMX || leaf == LEAF_AMX_TMUL) && (off & AMX))
		*r = (struct regs){ 0 };
}

static void vendor(uint32_t leaf, struct regs *r)
{
	const char *v = machine.opt.vendor;

	/* Intel's tells nobody in the second. */
	if (leaf == LEAF_EXTENDED && !r->b)
		return;
	memcpy(&r->b, v, 4);
	memcpy(&r->d, v + 4, 4);
	memcpy(&r->c, v + 8, 4);
}

void cpuid_arm(struct thread *t)
{
	t->cpuid = machine.has[FACILITY_CPUID_FAULT] &&
		   sys_call(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0;
}

bool cpuid_disarm(struct thread *t)
{
	const bool was = t->cpuid;

	if (was)
		sys_call(SYS_arch_prctl, ARCH_SET_CPUID, 1);
	t->cpuid = false;
	return was;
}

/* The processor's answer, which a hypervisor can take long over, with SGX. */
static struct regs with_sgx(struct thread *t, uint32_t leaf, uint32_t sub)
{
	struct regs r;

	if (leaf == LEAF_SGX)
		return sgx_leaf(sub);
	(void)cpuid_disarm(t);
	r = cpuid(leaf, sub);
	cpuid_arm(t);
	if (leaf == 0 && r.a < LEAF_LAST)
		r.a = LEAF_LAST;
	if (leaf == LEAF_TSC || leaf == LEAF_FREQUENCY)
		return clocks(leaf, r);
	if (leaf == LEAF_FEATURES && sub == 0) {
		r.b |= FEATURES_EBX_SGX | FEATURES_EBX_FSGSBASE;
		r.c |= FEATURES_ECX_SGX_LC;
	}
	return r;
}

void cpuid_emulate(struct thread *t, ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	const uint32_t leaf = (uint32_t)g[REG_RAX], sub = (uint32_t)g[REG_RCX];
	struct regs r = with_sgx(t, leaf, sub);

	if (machine.opt.xfrm_off)
		hide(leaf, sub, &r);
	if (*machine.opt.vendor && (leaf == 0 || leaf == LEAF_EXTENDED))
		vendor(leaf, &r);
	g[REG_RAX] = r.a;
	g[REG_RBX] = r.b;
	g[REG_RCX] = r.c;
	g[REG_RDX] = r.d;
	g[REG_RIP] += 2;
}

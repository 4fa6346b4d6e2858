/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID: the processor's own answers, with SGX in them. CPUID faulting turns
 * the instruction into a general protection fault on each thread that asked
 * for it; threads and fork inherit that, exec does not.
 */
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/signal/thread.h"

#define ARCH_SET_CPUID 0x1012
#define LEAF_SGX 0x12u
#define LEAF_FEATURES 7u
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

void cpuid_arm(struct thread *t)
{
	t->cpuid = machine.has[FACILITY_CPUID_FAULT] &&
		   sys_call(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0;
}

/* The processor's answer, which a hypervisor can take long over, with SGX. */
static struct regs with_sgx(struct thread *t, uint32_t leaf, uint32_t sub)
{
	struct regs r;

	if (leaf == LEAF_SGX)
		return sgx_leaf(sub);
	if (t->cpuid)
		sys_call(SYS_arch_prctl, ARCH_SET_CPUID, 1);
	r = cpuid(leaf, sub);
	cpuid_arm(t);
	if (leaf == 0 && r.a < LEAF_SGX)
		r.a = LEAF_SGX;
	if (leaf == LEAF_FEATURES && sub == 0) {
		r.b |= FEATURES_EBX_SGX | FEATURES_EBX_FSGSBASE;
		r.c |= FEATURES_ECX_SGX_LC;
	}
	return r;
}

void cpuid_emulate(struct thread *t, ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	struct regs r = with_sgx(t, (uint32_t)g[REG_RAX], (uint32_t)g[REG_RCX]);

	g[REG_RAX] = r.a;
	g[REG_RBX] = r.b;
	g[REG_RCX] = r.c;
	g[REG_RDX] = r.d;
	g[REG_RIP] += 2;
}

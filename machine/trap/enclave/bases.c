/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FS and GS bases: by FSGSBASE's instructions, or by system calls where the
 * processor or the kernel has none of those. Every processor with SGX has
 * them, so then the program's and the enclave's own are emulated.
 *
 * There are machines where they execute and the kernel does not know: what
 * WRFSBASE has set is gone after the next switch of threads. So those that
 * write are made to trap, too: their first byte, F3, becomes 06, which is no
 * instruction in 64-bit mode and leaves the rest as it was.
 */
#include "machine/trap/enclave/trap.h"

#include <asm/prctl.h>
#include <string.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/signal/sig.h"

#define REX 0x40
#define REX_MASK 0xf0
#define REX_W 8u
#define REX_B 1u
#define ADDRESS_SIGN 47
#define AT_AE 3 /* in an instruction that writes a base */

uint64_t bases_fs(void)
{
	uint64_t v = 0;

	if (machine.has[FACILITY_FSGSBASE])
		__asm__ volatile("rdfsbase %0" : "=r"(v));
	else
		sys_call(SYS_arch_prctl, ARCH_GET_FS, (long)&v);
	return v;
}

uint64_t bases_gs(void)
{
	uint64_t v = 0;

	if (machine.has[FACILITY_FSGSBASE])
		__asm__ volatile("rdgsbase %0" : "=r"(v));
	else
		sys_call(SYS_arch_prctl, ARCH_GET_GS, (long)&v);
	return v;
}

void bases_set(uint64_t fs, uint64_t gs)
{
	if (machine.has[FACILITY_FSGSBASE]) {
		__asm__ volatile("wrfsbase %0\n\twrgsbase %1"
				 :
				 : "r"(fs), "r"(gs));
		return;
	}
	sys_call(SYS_arch_prctl, ARCH_SET_FS, (long)fs);
	sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)gs);
}

/* Each system call that can be spared counts: a handler may be a step. */
static void change(struct thread *t, uint64_t fs, uint64_t gs)
{
	if (machine.has[FACILITY_FSGSBASE]) {
		bases_set(fs, gs);
	} else {
		if (fs != t->fs)
			sys_call(SYS_arch_prctl, ARCH_SET_FS, (long)fs);
		if (gs != t->gs)
			sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)gs);
	}
	t->fs = fs;
	t->gs = gs;
}

/* libc's thread pointer, which the ABI has at its own address. */
static uint64_t fs_of_libc(void)
{
	uint64_t v;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

void bases_outside(struct thread *t)
{
	/* Calls that are dispatched do not change them unseen. */
	if (dispatch.on && t->told && !machine.has[FACILITY_FSGSBASE])
		return;
	t->host_fs = dispatch.on ? bases_fs() : fs_of_libc();
	t->host_gs = bases_gs();
	t->told = true;
}

void bases_find(struct thread *t)
{
	if (!t->bases) {
		bases_outside(t);
	} else if (machine.has[FACILITY_FSGSBASE]) {
		/* What is emulated does not change unseen. */
		t->encl_fs = bases_fs();
		t->encl_gs = bases_gs();
	}
	t->fs = t->bases ? t->encl_fs : t->host_fs;
	t->gs = t->bases ? t->encl_gs : t->host_gs;
	t->bases = false;
}

void bases_host(struct thread *t)
{
	/* GS is nobody's outside, so that the enclave's may stay. */
	change(t, t->handler_fs ? t->handler_fs : t->host_fs, t->gs);
}

void bases_end(struct thread *t, bool inside)
{
	t->bases = inside;
	if (inside)
		change(t, t->encl_fs, t->encl_gs);
	else
		change(t, t->host_fs, t->host_gs);
}

/* By a byte that is rare, not by the first. */
uint8_t *bases_write_find(uint8_t *at, const uint8_t *end, uint8_t first)
{
	for (; end - at >= BASES_WRITE_SIZE; at++) {
		uint8_t *ae = memchr(at + AT_AE, 0xae,
				     (size_t)(end - at) - BASES_WRITE_SIZE + 1);

		if (!ae)
			return NULL;
		at = ae - AT_AE;
		/* REX with W, 0F AE, a register, /2 or /3. */
		if (at[0] == first && (at[1] & 0xf8) == (REX | REX_W) &&
		    at[2] == 0x0f && (at[4] & 0xf0) == 0xd0)
			return at;
	}
	return NULL;
}

/* F3 [REX] 0F AE /0../3 with a register: the length, 0 if it is not that. */
static unsigned decode(const uint8_t *code, unsigned *rex, unsigned *modrm)
{
	unsigned n = 1;

	*rex = 0;
	if (code[0] != BASES_WRITE && code[0] != BASES_WRITE_TRAP)
		return 0;
	if ((code[1] & REX_MASK) == REX)
		*rex = code[n++];
	*modrm = code[n + 2];
	if (code[n] != 0x0f || code[n + 1] != 0xae || *modrm < 0xc0 ||
	    (*modrm >> 3 & 7) > 3)
		return 0;
	return n + 3;
}

/* A base to be: whole or 32 bits. False: not canonical, which is #GP. */
static bool base_of(uint64_t value, unsigned rex, uint64_t *base)
{
	int64_t high = (int64_t)value >> ADDRESS_SIGN;

	*base = rex & REX_W ? value : (uint32_t)value;
	return !(rex & REX_W) || high == 0 || high == -1;
}

bool bases_emulate(struct trap *tr, const uint8_t *code, struct exception *e)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct thread *t = tr->t;
	bool inside = mach_inside(&t->cpu);
	unsigned rex, modrm, op, size = decode(code, &rex, &modrm);
	uint64_t *fs = inside ? &t->encl_fs : &t->host_fs;
	uint64_t *gs = inside ? &t->encl_gs : &t->host_gs, *base, to;
	int reg;

	*e = (struct exception){ 0 };
	if (machine.has[FACILITY_FSGSBASE] || !size)
		return false;
	reg = trap_greg(modrm % 8 + (rex & REX_B) * 8);
	op = modrm >> 3 & 7;
	base = op & 1 ? gs : fs;
	if (op < 2) {
		g[reg] = (greg_t)(rex & REX_W ? *base : (uint32_t)*base);
	} else if (base_of((uint64_t)g[reg], rex, &to)) {
		*base = to;
	} else {
		*e = (struct exception){ .vector = SGX_VEC_GP,
					 .sig = SIGSEGV,
					 .code = SI_KERNEL };
		return true;
	}
	g[REG_RIP] += size;
	return true;
}

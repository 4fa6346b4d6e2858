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
 *
 * There the machine itself sets GS by WRGSBASE all the same, since libc never
 * uses it and a system call may be as dear as a trap. The kernel has been told
 * a base where nothing can be (GS_LOST): after a switch what uses GS faults,
 * and is done again with the right one. RDGSBASE would not fault, so it traps.
 * FS is libc's, also where signals are blocked: it has to be the kernel's.
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
#define AT_AE 3 /* in an instruction of bases */
/* The last byte that a program can have: whatever comes after it faults. */
#define GS_LOST 0x7fffffffefffull
/* In a row, at one instruction: a debugger's stop at each signal would have it
 * lost for ever. */
#define GS_LOSSES 8

static uint64_t gs_read(void)
{
	uint64_t v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

static void gs_write(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v));
}

uint64_t bases_fs(void)
{
	uint64_t v = 0;

	if (machine.has[FACILITY_FSGSBASE])
		__asm__ volatile("rdfsbase %0" : "=r"(v));
	else
		sys_call(SYS_arch_prctl, ARCH_GET_FS, (long)&v);
	return v;
}

static uint64_t bases_gs(void)
{
	uint64_t v = 0;

	if (machine.has[FACILITY_FSGSBASE] || machine.has[FACILITY_WRGSBASE])
		return gs_read();
	sys_call(SYS_arch_prctl, ARCH_GET_GS, (long)&v);
	return v;
}

/* Where calls are not dispatched, a program sets its own unseen. */
static void gs_arm(struct thread *t)
{
	if (t->gs_insn || t->gs_call || machine.has[FACILITY_FSGSBASE] ||
	    !machine.has[FACILITY_WRGSBASE] || (t->host_gs && !dispatch.on))
		return;
	sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)GS_LOST);
	t->gs_insn = true;
}

static void gs_set(const struct thread *t, uint64_t gs)
{
	if (t->gs_insn)
		gs_write(gs);
	else
		sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)gs);
}

void bases_set(struct thread *t, uint64_t fs, uint64_t gs)
{
	t->fs = fs;
	t->gs = gs;
	if (machine.has[FACILITY_FSGSBASE]) {
		__asm__ volatile("wrfsbase %0" : : "r"(fs));
		gs_write(gs);
		return;
	}
	sys_call(SYS_arch_prctl, ARCH_SET_FS, (long)fs);
	gs_set(t, gs);
}

/* Each system call that can be spared counts: a handler may be a step. */
static void change(struct thread *t, uint64_t fs, uint64_t gs)
{
	if (machine.has[FACILITY_FSGSBASE]) {
		bases_set(t, fs, gs);
		return;
	}
	if (fs != t->fs)
		sys_call(SYS_arch_prctl, ARCH_SET_FS, (long)fs);
	if (t->gs_insn || gs != t->gs)
		gs_set(t, gs);
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
	uint64_t gs;

	/* Calls that are dispatched do not change them unseen. */
	if (dispatch.on && t->told && !machine.has[FACILITY_FSGSBASE])
		return;
	t->host_fs = dispatch.on ? bases_fs() : fs_of_libc();
	gs = bases_gs();
	if (!machine.has[FACILITY_WRGSBASE] || gs != GS_LOST) {
		/* Set by the program: the kernel knows it, then. */
		t->gs_insn &= gs == t->host_gs;
		t->host_gs = gs;
	}
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
	if (inside) {
		gs_arm(t);
		change(t, t->encl_fs, t->encl_gs);
	} else {
		change(t, t->host_fs, t->host_gs);
	}
}

bool bases_lost(struct thread *t, uint64_t rip)
{
	if (!t->gs_insn || gs_read() == t->gs)
		return false;
	if (t->lost_at != rip)
		t->losses = 0;
	t->lost_at = rip;
	if (++t->losses == GS_LOSSES) {
		sys_call(SYS_arch_prctl, ARCH_SET_GS, (long)t->gs);
		t->gs_insn = false;
		t->gs_call = true;
	}
	return true;
}

/* By a byte that is rare, not by the first. */
uint8_t *bases_insn_find(uint8_t *at, const uint8_t *end, uint8_t first)
{
	for (; end - at >= BASES_INSN_SIZE; at++) {
		uint8_t *ae = memchr(at + AT_AE, 0xae,
				     (size_t)(end - at) - BASES_INSN_SIZE + 1);

		if (!ae)
			return NULL;
		at = ae - AT_AE;
		/* REX with W, 0F AE, a register, /1 to /3. */
		if (at[0] == first && (at[1] & 0xf8) == (REX | REX_W) &&
		    at[2] == 0x0f && at[4] >= 0xc8 && at[4] <= 0xdf)
			return at;
	}
	return NULL;
}

/* F3 [REX] 0F AE /0../3 with a register: the length, 0 if it is not that. */
static unsigned decode(const uint8_t *code, unsigned *rex, unsigned *modrm)
{
	unsigned n = 1;

	*rex = 0;
	if (code[0] != BASES_INSN && code[0] != BASES_INSN_TRAP)
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

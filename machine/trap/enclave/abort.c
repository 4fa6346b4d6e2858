/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses from outside to enclave pages that the program may not see: loads
 * give ones, stores vanish. The instruction is executed once with its address
 * register moved so that it works on a buffer of ones instead; the trap flag
 * brings the thread back here, and the register gets its value again.
 *
 * Asynchronous signals stay blocked in between, and a string instruction goes
 * one iteration a step.
 */
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/signal/sig.h"

#define TF 0x100ll
#define BUFFER_SIZE (3u * SGX_PAGE_SIZE)
#define INSN_MAX 15

static int greg_index(ZydisRegister r)
{
	if (r < ZYDIS_REGISTER_RAX || r > ZYDIS_REGISTER_R15)
		return -1;
	return trap_greg((unsigned)(r - ZYDIS_REGISTER_RAX));
}

static bool decode(const greg_t *g, ZydisDecodedInstruction *insn,
		   ZydisDecodedOperand *ops)
{
	uint8_t code[INSN_MAX];
	ZydisDecoder dec;
	size_t n = INSN_MAX;

	while (n && ucopy(code, (const void *)g[REG_RIP], n))
		n--;
	return ZYAN_SUCCESS(ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&dec, code, n, insn, ops));
}

static uint64_t reg_value(const greg_t *g, ZydisRegister r)
{
	int i = greg_index(r);

	return i < 0 ? 0 : (uint64_t)g[i];
}

/* The register whose value moves the operand, if it is at @addr. */
static int mover(const greg_t *g, const ZydisDecodedOperand *op, uint64_t addr)
{
	uint64_t ea, size = op->size / 8u;
	int base;

	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    op->mem.segment == ZYDIS_REGISTER_FS ||
	    op->mem.segment == ZYDIS_REGISTER_GS)
		return -1;
	ea = reg_value(g, op->mem.base) +
	     reg_value(g, op->mem.index) * op->mem.scale +
	     (uint64_t)op->mem.disp.value;
	if (addr - ea >= (size ? size : 1))
		return -1;
	base = greg_index(op->mem.base);
	if (base < 0 && op->mem.scale == 1)
		base = greg_index(op->mem.index);
	return base == REG_RSP ? -1 : base;
}

static bool writes_register(const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperand *ops, int reg)
{
	for (int i = 0; i < insn->operand_count; i++) {
		ZydisRegister r;

		if (ops[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		r = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						     ops[i].reg.value);
		if (greg_index(r) == reg)
			return true;
	}
	return false;
}

static bool is_string(const ZydisDecodedInstruction *insn)
{
	return insn->meta.category == ZYDIS_CATEGORY_STRINGOP;
}

static uint8_t *buffer(struct thread *t)
{
	void *p;

	if (!t->step.buffer) {
		p = sys_mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		t->step.buffer = sys_failed(p) ? NULL : p;
	}
	if (t->step.buffer)
		memset(t->step.buffer, 0xff, BUFFER_SIZE);
	return t->step.buffer;
}

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

/*
 * MOV and MOVZX, which most accesses are, need no second trap: a load gives
 * ones, extended as the instruction does, and a store does nothing.
 */
static bool simple(greg_t *g, const ZydisDecodedInstruction *insn,
		   const ZydisDecodedOperand *ops)
{
	bool mov = insn->mnemonic == ZYDIS_MNEMONIC_MOV;
	unsigned dst = ops[0].size, src = ops[1].size;
	int reg;

	if (!mov && insn->mnemonic != ZYDIS_MNEMONIC_MOVZX)
		return false;
	if (mov && ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
		g[REG_RIP] += insn->length;
		return true;
	}
	/* The high byte registers are left to the other way. */
	if (ops[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    ops[1].type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    (ops[0].reg.value >= ZYDIS_REGISTER_AH &&
	     ops[0].reg.value <= ZYDIS_REGISTER_BH))
		return false;
	reg = greg_index(ZydisRegisterGetLargestEnclosing(
		ZYDIS_MACHINE_MODE_LONG_64, ops[0].reg.value));
	if (reg < 0)
		return false;
	/* 32-bit results clear the high half, smaller ones keep it. */
	if (dst >= 32)
		g[reg] = 0;
	g[reg] = (greg_t)(((uint64_t)g[reg] & ~ones(dst)) | ones(src));
	g[REG_RIP] += insn->length;
	return true;
}

bool abort_access(struct trap *tr, uint64_t addr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct step_state *s = &tr->t->step;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	struct step_moved *m;
	int reg = -1;

	if (s->count == STEP_MOVED_MAX || !decode(g, &insn, ops))
		return false;
	if (!s->count && simple(g, &insn, ops))
		return true;
	if (!buffer(tr->t))
		return false;
	for (int i = 0; i < insn.operand_count && reg < 0; i++)
		reg = mover(g, &ops[i], addr);
	if (reg < 0)
		return false;
	m = &s->moved[s->count];
	m->reg = reg;
	m->value = g[reg];
	m->delta = (int64_t)((uint64_t)s->buffer + addr % SGX_PAGE_SIZE - addr);
	m->keep = is_string(&insn)		     ? STEP_MOVED_BACK
		  : writes_register(&insn, ops, reg) ? STEP_MOVED_NEW
						     : STEP_MOVED_OLD;
	g[reg] += m->delta;
	if (!s->count++) {
		s->sigmask = sig_context_block(tr->uc);
		s->tf = g[REG_EFL] & TF;
		g[REG_EFL] |= TF;
	}
	return true;
}

bool abort_stepped(struct trap *tr)
{
	greg_t *g = tr->uc->uc_mcontext.gregs;
	struct step_state *s = &tr->t->step;
	bool tf = s->tf;

	if (!s->count)
		return false;
	while (s->count) {
		struct step_moved *m = &s->moved[--s->count];

		if (m->keep == STEP_MOVED_OLD)
			g[m->reg] = m->value;
		else if (m->keep == STEP_MOVED_BACK)
			g[m->reg] -= m->delta;
	}
	g[REG_EFL] &= ~TF;
	sig_context_unblock(tr->uc, s->sigmask);
	/* A debugger's own step ends here as well. */
	if (tf)
		g[REG_EFL] |= TF;
	return !tf;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages that one instruction touches, decoded: its own, its operands', the
 * stack's, and the SSA frame and TCS of an AEX there.
 */
#include "machine/trap/enclave/step.h"

#include "machine/trap/base/machine.h"

#include <string.h>

#include <Zydis/Zydis.h>

#define PAGE_MASK (~(uint64_t)(SGX_PAGE_SIZE - 1))
/* Where an operand's size is not the instruction's to tell (XSAVE). */
#define SIZE_UNKNOWN 1u
#define PUSHF 0x9c
#define OPERAND_SIZE 0x66

static void add(const struct trap *tr, struct step_insn *in, uint64_t addr,
		uint8_t what)
{
	addr &= PAGE_MASK;
	if (addr - tr->t->cpu.base >= tr->t->cpu.size)
		return;
	for (uint32_t i = 0; i < in->pages; i++)
		if (in->page[i].addr == addr && in->page[i].what == what)
			return;
	if (in->pages < STEP_PAGES)
		in->page[in->pages++] = (struct step_page){ addr, what };
}

static void add_range(const struct trap *tr, struct step_insn *in,
		      uint64_t addr, uint64_t size, uint8_t what)
{
	add(tr, in, addr, what);
	add(tr, in, addr + size - 1, what);
}

/* Its bytes, whatever the page's rights are now. */
static void fetch(const struct trap *tr, struct step_insn *in)
{
	uint64_t rip = tr->t->cpu.base + in->off;
	uint32_t first = (uint32_t)(SGX_PAGE_SIZE - rip % SGX_PAGE_SIZE);

	if (first > STEP_CODE_MAX)
		first = STEP_CODE_MAX;
	drv_lock(machine.d);
	if (drv_peek(machine.d, rip, in->code, first))
		in->size = first;
	if (in->size && first < STEP_CODE_MAX &&
	    drv_peek(machine.d, rip + first, in->code + first,
		     STEP_CODE_MAX - first))
		in->size = STEP_CODE_MAX;
	drv_unlock(machine.d);
}

static uint64_t value(const struct trap *tr, const struct step_insn *in,
		      uint32_t length, ZydisRegister r)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;

	if (r == ZYDIS_REGISTER_RIP)
		return tr->t->cpu.base + in->off + length;
	r = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
	if (r < ZYDIS_REGISTER_RAX || r > ZYDIS_REGISTER_R15)
		return 0;
	return (uint64_t)g[trap_greg((unsigned)(r - ZYDIS_REGISTER_RAX))];
}

static uint64_t segment(const struct trap *tr, ZydisRegister r)
{
	if (r == ZYDIS_REGISTER_FS)
		return tr->t->encl_fs;
	return r == ZYDIS_REGISTER_GS ? tr->t->encl_gs : 0;
}

static void add_operand(const struct trap *tr, struct step_insn *in,
			uint32_t length, const ZydisDecodedOperand *op)
{
	uint64_t size = op->size ? op->size / 8u : SIZE_UNKNOWN;
	bool stack = op->mem.base == ZYDIS_REGISTER_RSP;
	uint64_t addr;

	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    op->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
		return;
	addr = value(tr, in, length, op->mem.base) +
	       value(tr, in, length, op->mem.index) * op->mem.scale +
	       (uint64_t)op->mem.disp.value + segment(tr, op->mem.segment);
	/* A push stores below. */
	if (stack && op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	    (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		addr -= size;
	add_range(tr, in, addr, size, stack ? SCRIPT_STACK : SCRIPT_DATA);
}

/* Operands of a leaf are in registers that the decoder does not know of. */
static void add_leaf(const struct trap *tr, struct step_insn *in)
{
	const greg_t *g = tr->uc->uc_mcontext.gregs;

	if ((uint32_t)g[REG_RAX] == SGX_EEXIT)
		return;
	add(tr, in, (uint64_t)g[REG_RBX], SCRIPT_DATA);
	add(tr, in, (uint64_t)g[REG_RCX], SCRIPT_DATA);
	add(tr, in, (uint64_t)g[REG_RDX], SCRIPT_DATA);
}

static void add_frame(const struct trap *tr, struct step_insn *in)
{
	const struct mach_cpu *cpu = &tr->t->cpu;
	struct mach_epcm_info i;

	for (uint32_t n = 0; n <= cpu->xsave_count; n++) {
		mach_epcm(machine.m,
			  n < cpu->xsave_count ? cpu->xsave[n] : cpu->gpr, &i);
		add(tr, in, i.addr, SCRIPT_SSA);
	}
	add(tr, in, cpu->tcs_addr, SCRIPT_TCS);
}

void step_touch(const struct trap *tr, struct step_insn *in)
{
	uint64_t rip = tr->t->cpu.base + in->off;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisDecoder dec;

	fetch(tr, in);
	if (ZYAN_FAILED(ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, in->code, in->size, &insn,
					       ops))) {
		add(tr, in, rip, SCRIPT_CODE);
		add_frame(tr, in);
		return;
	}
	add_range(tr, in, rip, insn.length, SCRIPT_CODE);
	for (int i = 0; i < insn.operand_count; i++)
		add_operand(tr, in, insn.length, &ops[i]);
	if (insn.mnemonic == ZYDIS_MNEMONIC_ENCLU)
		add_leaf(tr, in);
	add_frame(tr, in);
}

bool step_is_pushf(const struct step_insn *in)
{
	uint32_t i = in->size && in->code[0] == OPERAND_SIZE;

	return i < in->size && in->code[i] == PUSHF;
}

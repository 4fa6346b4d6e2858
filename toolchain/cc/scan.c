/* SPDX-License-Identifier: BSD-3-Clause */
/* The decoder's half of the check: which instructions, and where. */
#include "toolchain/cc/scan.h"

#include <Zydis/Zydis.h>

/*
 * What raises #UD in an enclave, SDM 3D section 36.6.1 ("illegal
 * instructions"), and what needs ring 0 and so faults anywhere. RDTSC and
 * RDTSCP are absent: SGX2 machines execute them.
 */
static int forbidden_mnemonic(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_CPUID:
	case ZYDIS_MNEMONIC_GETSEC:
	case ZYDIS_MNEMONIC_RDPMC:
	case ZYDIS_MNEMONIC_SGDT:
	case ZYDIS_MNEMONIC_SIDT:
	case ZYDIS_MNEMONIC_SLDT:
	case ZYDIS_MNEMONIC_STR:
	case ZYDIS_MNEMONIC_SMSW:
	case ZYDIS_MNEMONIC_VMCALL:
	case ZYDIS_MNEMONIC_VMFUNC:
	case ZYDIS_MNEMONIC_IN:
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSD:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_OUT:
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSD:
	case ZYDIS_MNEMONIC_OUTSW:
	case ZYDIS_MNEMONIC_INT:
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_SYSENTER:
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
	case ZYDIS_MNEMONIC_LFS:
	case ZYDIS_MNEMONIC_LGS:
	case ZYDIS_MNEMONIC_LSS:
	case ZYDIS_MNEMONIC_ENCLS:
	case ZYDIS_MNEMONIC_ENCLV:
	case ZYDIS_MNEMONIC_RDMSR:
	case ZYDIS_MNEMONIC_WRMSR:
	case ZYDIS_MNEMONIC_CLI:
	case ZYDIS_MNEMONIC_STI:
		return 1;
	default:
		return 0;
	}
}

/* Loads of DS, ES, SS, FS or GS: MOV Sreg, r/m and POP FS, POP GS. */
static int loads_segment(const ZydisDecodedInstruction *insn)
{
	if (insn->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return 0;
	if (insn->mnemonic == ZYDIS_MNEMONIC_MOV)
		return insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		       insn->opcode == 0x8e;
	return insn->mnemonic == ZYDIS_MNEMONIC_POP &&
	       insn->opcode_map == ZYDIS_OPCODE_MAP_0F;
}

static int is_forbidden(const ZydisDecodedInstruction *insn)
{
	return forbidden_mnemonic(insn->mnemonic) || loads_segment(insn) ||
	       insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

static struct scan_hit hit_at(const struct scan_code *code, size_t off,
			      size_t next, const ZydisDecodedInstruction *insn)
{
	struct scan_hit hit = {
		.insn = ZydisMnemonicGetString(insn->mnemonic),
		.addr = code->addr + off,
	};

	if (next > 0) {
		hit.func = code->funcs[next - 1].name;
		hit.func_off = hit.addr - code->funcs[next - 1].addr;
	}
	return hit;
}

size_t scan_code(const struct scan_code *code, scan_report report, void *ctx)
{
	ZydisDecodedInstruction insn;
	ZydisDecoder dec;
	struct scan_hit hit;
	size_t hits = 0, next = 0, off = 0;

	ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	while (off < code->size) {
		size_t end = code->size;

		while (next < code->nfuncs &&
		       code->funcs[next].addr <= code->addr + off)
			next++;
		if (next < code->nfuncs &&
		    code->funcs[next].addr - code->addr < end)
			end = (size_t)(code->funcs[next].addr - code->addr);
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
			    &dec, NULL, code->bytes + off, end - off, &insn))) {
			off++;
			continue;
		}
		if (is_forbidden(&insn)) {
			hit = hit_at(code, off, next, &insn);
			report(ctx, &hit);
			hits++;
		}
		off += insn.length;
	}
	return hits;
}

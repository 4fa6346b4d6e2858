/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a program makes system calls without libc: is there a SYSCALL
 * instruction in its own file's code? Ordinary programs have none, and then
 * nothing is dispatched and nothing is slower.
 *
 * The two bytes turn up within other instructions as well, so the code before
 * them is decoded: from any byte it falls into step after a few instructions.
 */
#include "machine/trap/base/raw.h"

#include <elf.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "machine/trap/base/machine.h"

#define FIRST_BYTE 0x0f
#define SYSCALL_BYTE2 0x05
#define RUN_UP 96u

/* Is @at the start of an instruction, going by those from @from on? */
static bool reaches(const ZydisDecoder *dec, const uint8_t *from,
		    const uint8_t *at, const uint8_t *end)
{
	ZydisDecodedInstruction insn;

	while (from < at) {
		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(
			    dec, NULL, from, (size_t)(end - from), &insn)))
			from++;
		else
			from += insn.length;
	}
	return from == at;
}

/* From two places, since one may be out of step for long. */
static bool is_start(const ZydisDecoder *dec, const uint8_t *code,
		     const uint8_t *at, const uint8_t *end)
{
	size_t before = (size_t)(at - code);

	before = before < RUN_UP ? before : RUN_UP;
	return reaches(dec, at - before, at, end) &&
	       reaches(dec, at - before / 2, at, end);
}

uint8_t *raw_find(uint8_t *at, const uint8_t *code, const uint8_t *end,
		  uint8_t second)
{
	ZydisDecoder dec;

	if (ZYAN_FAILED(ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64)))
		return NULL;
	/* By the second byte: the first is in every fifth instruction. */
	for (; at + 1 < end; at++) {
		uint8_t *next = memchr(at + 1, second, (size_t)(end - 1 - at));

		if (!next)
			return NULL;
		at = next - 1;
		if (*at == FIRST_BYTE && is_start(&dec, code, at, end))
			return at;
	}
	return NULL;
}

bool raw_calls(uint64_t phdr, uint64_t count)
{
	const Elf64_Phdr *ph = (const void *)phdr;
	uint64_t bias = 0;

	if (!ph)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (ph[i].p_type == PT_PHDR)
			bias = phdr - ph[i].p_vaddr;
	for (uint64_t i = 0; i < count; i++) {
		uint8_t *p = (uint8_t *)(bias + ph[i].p_vaddr);

		if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X) &&
		    (ph[i].p_flags & PF_R) &&
		    raw_find(p, p, p + ph[i].p_filesz, SYSCALL_BYTE2))
			return true;
	}
	return false;
}

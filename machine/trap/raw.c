/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a program makes system calls without libc: is there a SYSCALL
 * instruction in its own file's code? Ordinary programs have none, and then
 * nothing is dispatched and nothing is slower.
 *
 * The two bytes turn up within other instructions as well, so the code before
 * them is decoded: from any byte it falls into step after a few instructions.
 */
#include "raw.h"

#include <elf.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "machine.h"

#define SYSCALL_BYTE 0x0f
#define SYSCALL_BYTE2 0x05
#define RUN_UP 64u

static bool reaches(const ZydisDecoder *dec, const uint8_t *from,
		    const uint8_t *at)
{
	ZydisDecodedInstruction insn;

	while (from < at) {
		size_t room = (size_t)(at + 2 - from);

		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(dec, NULL, from,
							      room, &insn)))
			from++;
		else
			from += insn.length;
	}
	return from == at;
}

static bool code_calls(const ZydisDecoder *dec, const uint8_t *p,
		       const uint8_t *end)
{
	for (const uint8_t *at = p; at + 1 < end; at++) {
		size_t before;

		at = memchr(at, SYSCALL_BYTE, (size_t)(end - 1 - at));
		if (!at)
			return false;
		if (at[1] != SYSCALL_BYTE2)
			continue;
		before = (size_t)(at - p) < RUN_UP ? (size_t)(at - p) : RUN_UP;
		if (reaches(dec, at - before, at))
			return true;
	}
	return false;
}

bool raw_calls(uint64_t phdr, uint64_t count)
{
	const Elf64_Phdr *ph = (const void *)phdr;
	uint64_t bias = 0;
	ZydisDecoder dec;

	if (!ph ||
	    ZYAN_FAILED(ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64)))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (ph[i].p_type == PT_PHDR)
			bias = phdr - ph[i].p_vaddr;
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *p = (const uint8_t *)(bias + ph[i].p_vaddr);

		if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X) &&
		    (ph[i].p_flags & PF_R) &&
		    code_calls(&dec, p, p + ph[i].p_filesz))
			return true;
	}
	return false;
}

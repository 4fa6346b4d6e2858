/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text that is made twice: once to learn how long it is, once into memory. What
 * does not fit is counted and not written.
 *
 * Locks: none; nothing leaves the enclave.
 */
#ifndef TRUSTED_SYS_PROC_PROC_TEXT_H
#define TRUSTED_SYS_PROC_PROC_TEXT_H

#include <stdint.h>

/**
 * struct proc_text - where text goes
 * @to: memory, or NULL where @room is 0
 * @room: bytes of it
 * @size: bytes of the text so far, of which those beyond @room are not there
 */
struct proc_text {
	char *to;
	uint64_t room;
	uint64_t size;
};

void text_char(struct proc_text *t, char c);
void text_str(struct proc_text *t, const char *s);
/* Decimal, right-aligned in @width. */
void text_dec(struct proc_text *t, uint64_t v, uint32_t width);
/* Hexadecimal, with zeroes up to @digits. */
void text_hex(struct proc_text *t, uint64_t v, uint32_t digits);
/* Blanks up to so many bytes since @from, which was a size. */
void text_pad(struct proc_text *t, uint64_t from, uint64_t column);
/* A line of smaps or meminfo: a label, and bytes as kB. */
void text_kib(struct proc_text *t, const char *label, uint64_t bytes);
/* A name as /proc shows it: what breaks a line is \ooo. */
void text_name(struct proc_text *t, const char *s);

#endif

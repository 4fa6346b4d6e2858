/* SPDX-License-Identifier: BSD-3-Clause */
#include "trusted/sys/proc/proc_text.h"

#define LABEL_WIDTH 16u
#define NUMBER_WIDTH 8u
#define KIB 1024u
#define DIGITS_MAX 20u /* of 64 bits, in decimal */

void text_char(struct proc_text *t, char c)
{
	if (t->size < t->room)
		t->to[t->size] = c;
	t->size++;
}

void text_str(struct proc_text *t, const char *s)
{
	while (*s != '\0')
		text_char(t, *s++);
}

static void number(struct proc_text *t, uint64_t v, uint32_t base,
		   uint32_t width, char pad)
{
	char digits[DIGITS_MAX];
	uint32_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	for (; width > n; width--)
		text_char(t, pad);
	while (n > 0)
		text_char(t, digits[--n]);
}

void text_dec(struct proc_text *t, uint64_t v, uint32_t width)
{
	number(t, v, 10, width, ' ');
}

void text_hex(struct proc_text *t, uint64_t v, uint32_t digits)
{
	number(t, v, 16, digits, '0');
}

void text_pad(struct proc_text *t, uint64_t from, uint64_t column)
{
	while (t->size - from < column)
		text_char(t, ' ');
}

void text_kib(struct proc_text *t, const char *label, uint64_t bytes)
{
	const uint64_t from = t->size;

	text_str(t, label);
	text_char(t, ':');
	text_pad(t, from, LABEL_WIDTH);
	text_dec(t, bytes / KIB, NUMBER_WIDTH);
	text_str(t, " kB\n");
}

void text_name(struct proc_text *t, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s != '\n' && *s != '\\') {
			text_char(t, *s);
			continue;
		}
		text_char(t, '\\');
		number(t, (uint8_t)*s, 8, 3, '0');
	}
}

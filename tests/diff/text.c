/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations as lines of a script, which a person can read and change. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/diff/memory.h"

#define OP_NAME(name, ...) #name,
const char *const op_names[OP_COUNT] = { OPS(OP_NAME) };

#define OP_ARGS(name, ...) { __VA_ARGS__ },
static const enum arg arguments[OP_COUNT][ARGS] = { OPS(OP_ARGS) };

const enum arg *op_args(enum op_kind kind)
{
	return arguments[kind];
}

struct word {
	const char *text;
	uint64_t value;
};

/* As Linux numbers them, on x86-64. */
static const struct word prots[] = {
	{ "r", 1 }, { "w", 2 }, { "x", 4 }, { NULL, 0 }
};
static const struct word maps[] = {
	{ "shared", 1 },
	{ "private", 2 },
	{ "fixed", 0x10 },
	{ "anon", 0x20 },
	{ "growsdown", 0x100 },
	{ "locked", 0x2000 },
	{ "noreserve", 0x4000 },
	{ "populate", 0x8000 },
	{ "nonblock", 0x10000 },
	{ "noreplace", 0x100000 },
	{ NULL, 0 },
};
static const struct word moves[] = {
	{ "maymove", 1 }, { "fixed", 2 }, { "dontunmap", 4 }, { NULL, 0 }
};
static const struct word syncs[] = {
	{ "async", 1 }, { "invalidate", 2 }, { "sync", 4 }, { NULL, 0 }
};
/* A number, not bits. */
static const struct word advices[] = {
	{ "normal", 0 },	  { "random", 1 },
	{ "sequential", 2 },	  { "willneed", 3 },
	{ "dontneed", 4 },	  { "free", 8 },
	{ "remove", 9 },	  { "dontfork", 10 },
	{ "dofork", 11 },	  { "mergeable", 12 },
	{ "unmergeable", 13 },	  { "hugepage", 14 },
	{ "nohugepage", 15 },	  { "dontdump", 16 },
	{ "dodump", 17 },	  { "wipeonfork", 18 },
	{ "keeponfork", 19 },	  { "cold", 20 },
	{ "pageout", 21 },	  { "populate_read", 22 },
	{ "populate_write", 23 }, { "dontneed_locked", 24 },
	{ "collapse", 25 },	  { NULL, 0 },
};
static const struct word file_words[] = {
	{ "rw", FILE_RW },   { "ro", FILE_RO },	    { "wo", FILE_WO },
	{ "dir", FILE_DIR }, { "pipe", FILE_PIPE }, { "null", FILE_NULL },
	{ "bad", FILE_BAD }, { NULL, 0 },
};

static const struct word *bit_words(enum arg kind)
{
	switch (kind) {
	case ARG_PROT:
		return prots;
	case ARG_MAP:
		return maps;
	case ARG_MOVE:
		return moves;
	case ARG_SYNC:
		return syncs;
	default:
		return NULL;
	}
}

static const struct word *one_word(enum arg kind)
{
	return kind == ARG_ADVICE ? advices
	       : kind == ARG_FILE ? file_words
				  : NULL;
}

struct out {
	char *to;
	size_t size;
	size_t used;
};

static void put(struct out *o, const char *text)
{
	while (*text && o->used + 1 < o->size)
		o->to[o->used++] = *text++;
	o->to[o->used] = '\0';
}

static void put_number(struct out *o, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	put(o, text);
}

static void put_bits(struct out *o, const struct word *w, uint64_t v)
{
	bool any = false;

	for (; w->text; w++) {
		if (!(v & w->value))
			continue;
		if (any)
			put(o, "|");
		put(o, w->text);
		v &= ~w->value;
		any = true;
	}
	if (v == 0 && any)
		return;
	if (any)
		put(o, "|");
	put_number(o, v);
}

static void put_addr(struct out *o, uint64_t a)
{
	static const char bases[] = "gbzh";
	unsigned int base = (unsigned int)(a >> ADDR_SHIFT);
	char text[4] = { bases[base & 3], '\0' };

	if (base >= BASE_YARD) {
		text[0] = 'y';
		text[1] = (char)('0' + base - BASE_YARD);
		text[2] = '\0';
	}
	put(o, text);
	put(o, "+");
	put_number(o, a & (((uint64_t)1 << ADDR_SHIFT) - 1));
}

static void put_arg(struct out *o, enum arg kind, uint64_t v)
{
	const struct word *w = one_word(kind);

	put(o, " ");
	if (bit_words(kind)) {
		put_bits(o, bit_words(kind), v);
	} else if (kind == ARG_ADDR) {
		put_addr(o, v);
	} else if (kind == ARG_YARD) {
		put_addr(o, ADDR(BASE_YARD + v, 0));
	} else {
		for (; w && w->text; w++) {
			if (w->value == v) {
				put(o, w->text);
				return;
			}
		}
		put_number(o, v);
	}
}

size_t op_text(const struct op *o, char *to, size_t size)
{
	const enum arg *args = arguments[o->kind];
	struct out out = { to, size, 0 };

	put(&out, op_names[o->kind]);
	for (int i = 0; i < ARGS && args[i] != ARG_NONE; i++)
		put_arg(&out, args[i], o->arg[i]);
	return out.used;
}

static bool parse_number(const char *s, uint64_t *v)
{
	char *end;

	*v = strtoull(s, &end, 0);
	return *s != '\0' && *end == '\0';
}

static bool parse_word(const struct word *w, const char *s, uint64_t *v)
{
	for (; w && w->text; w++) {
		if (!strcmp(w->text, s)) {
			*v = w->value;
			return true;
		}
	}
	return parse_number(s, v);
}

static bool parse_bits(const struct word *w, char *s, uint64_t *v)
{
	char *rest = NULL;
	uint64_t bit;

	*v = 0;
	for (s = strtok_r(s, "|", &rest); s; s = strtok_r(NULL, "|", &rest)) {
		if (!parse_word(w, s, &bit))
			return false;
		*v |= bit;
	}
	return true;
}

static bool parse_addr(const char *s, uint64_t *v)
{
	static const char bases[] = "gbzhy";
	const char *at = *s ? strchr(bases, *s) : NULL;
	uint64_t off = 0, base;

	if (!at)
		return false;
	base = (uint64_t)(at - bases);
	s++;
	if (base == BASE_YARD) {
		if (*s < '0' || *s >= '0' + (char)YARDS)
			return false;
		base += (uint64_t)(*s++ - '0');
	}
	if (*s == '+' && !parse_number(s + 1, &off))
		return false;
	*v = ADDR(base, off);
	return true;
}

static bool parse_arg(enum arg kind, char *s, uint64_t *v)
{
	if (bit_words(kind))
		return parse_bits(bit_words(kind), s, v);
	if (kind == ARG_ADDR)
		return parse_addr(s, v);
	if (kind == ARG_YARD) {
		if (!parse_addr(s, v))
			return false;
		*v = (*v >> ADDR_SHIFT) - BASE_YARD;
		return *v < YARDS;
	}
	return parse_word(one_word(kind), s, v);
}

/* Comments begin with #, or with what a transcript has behind " -> ". */
bool op_parse(const char *line, struct op *o)
{
	char text[200], *rest = NULL, *s;
	int i, kind;

	snprintf(text, sizeof(text), "%s", line);
	s = strtok_r(text, " \t\n", &rest);
	for (kind = 0; s && kind < OP_COUNT; kind++) {
		if (!strcmp(s, op_names[kind]))
			break;
	}
	if (!s || kind == OP_COUNT)
		return false;
	o->kind = (enum op_kind)kind;
	for (i = 0; i < ARGS && arguments[kind][i] != ARG_NONE; i++) {
		s = strtok_r(NULL, " \t\n", &rest);
		if (!s || !parse_arg(arguments[kind][i], s, &o->arg[i]))
			return false;
	}
	return true;
}

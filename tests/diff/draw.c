/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations from a seed alone, so that a script of an epoch needs no run. Most
 * are good ones near each other; some of each kind are wrong in some way.
 */
#include <sys/mman.h>

#include "tests/diff/memory.h"

struct dice {
	uint64_t state;
};

uint64_t mix(uint64_t v)
{
	v += 0x9e3779b97f4a7c15ul;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ul;
	v = (v ^ v >> 27) * 0x94d049bb133111ebul;
	return v ^ v >> 31;
}

static uint64_t roll(struct dice *d, uint64_t bound)
{
	d->state = mix(d->state);
	return (d->state >> 8) % bound;
}

static bool chance(struct dice *d, unsigned int percent)
{
	return roll(d, 100) < percent;
}

static uint64_t draw_addr(struct dice *d)
{
	uint64_t at = roll(d, 100), odd = chance(d, 2) ? roll(d, PAGE) : 0;

	if (at < 76)
		return ADDR(BASE_GROUND, roll(d, GROUND_PAGES) * PAGE + odd);
	if (at < 92)
		return ADDR(BASE_YARD + roll(d, YARDS),
			    roll(d, CHOSEN_MAX) * PAGE + odd);
	if (at < 99)
		return ADDR(BASE_BREAK, roll(d, BREAK_PAGES) * PAGE + odd);
	return ADDR(BASE_HIGH, roll(d, 4) * PAGE);
}

static uint64_t draw_size(struct dice *d)
{
	uint64_t at = roll(d, 100);

	if (at < 2)
		return 0;
	if (at < 3)
		return UINT64_MAX - roll(d, 2);
	if (at < 4)
		return (uint64_t)1 << (47 + roll(d, 16));
	if (at < 8)
		return 1 + roll(d, 12 * PAGE);
	return (1 + roll(d, at < 70 ? 6 : 24)) * PAGE;
}

/* Where a range begins, so that most of it is the program's. */
static uint64_t draw_place(struct dice *d, uint64_t size)
{
	uint64_t addr = draw_addr(d), base = addr >> ADDR_SHIFT;
	uint64_t room = base == BASE_GROUND  ? GROUND_PAGES * PAGE
			: base == BASE_BREAK ? BREAK_PAGES * PAGE
					     : YARD_PAGES * PAGE;
	uint64_t off = addr & (((uint64_t)1 << ADDR_SHIFT) - 1);

	if (base == BASE_HIGH || size > room || off <= room - size ||
	    chance(d, 2))
		return addr;
	return ADDR(base, (room - size) & ~(PAGE - 1));
}

static uint64_t draw_prot(struct dice *d)
{
	static const uint8_t usual[] = { 3, 3, 3, 3, 1, 1, 0, 0, 5, 5, 7, 2 };

	if (chance(d, 2))
		return roll(d, 64);
	return usual[roll(d, sizeof(usual))];
}

static void draw_mmap(struct dice *d, struct op *o)
{
	uint64_t flags = chance(d, 75) ? MAP_PRIVATE : MAP_SHARED, how;

	o->arg[0] = roll(d, YARDS);
	o->arg[2] = draw_size(d);
	o->arg[1] = draw_place(d, o->arg[2]);
	o->arg[3] = draw_prot(d);
	how = roll(d, 100);
	if (how < 70)
		flags |= MAP_FIXED;
	else if (how < 80)
		flags |= MAP_FIXED_NOREPLACE;
	else if (how < 90)
		o->arg[1] = ADDR(BASE_ZERO, 0);
	if (!chance(d, 25))
		flags |= MAP_ANONYMOUS;
	if (chance(d, 10))
		flags |= MAP_NORESERVE;
	if (chance(d, 10))
		flags |= MAP_GROWSDOWN;
	if (chance(d, 8))
		flags |= MAP_POPULATE;
	if (chance(d, 4))
		flags |= MAP_LOCKED;
	if (chance(d, 2))
		flags ^= roll(d, 4);
	o->arg[4] = flags;
	o->arg[5] = chance(d, 60)   ? FILE_RO
		    : chance(d, 60) ? FILE_RW
				    : roll(d, FILE_COUNT);
	o->arg[6] = roll(d, 10) * PAGE + (chance(d, 3) ? roll(d, PAGE) : 0);
	if (chance(d, 2))
		o->arg[6] = ~(uint64_t)0 << roll(d, 63);
}

static void draw_mremap(struct dice *d, struct op *o)
{
	static const uint8_t flags[] = { 0, 0, 1, 1, 1, 3, 3, 3, 5, 7 };

	o->arg[0] = roll(d, YARDS);
	o->arg[2] = draw_size(d);
	o->arg[3] = chance(d, 40) ? o->arg[2] : draw_size(d);
	o->arg[1] =
		draw_place(d, o->arg[2] > o->arg[3] ? o->arg[2] : o->arg[3]);
	o->arg[4] = chance(d, 3) ? roll(d, 16) : flags[roll(d, sizeof(flags))];
	o->arg[5] = draw_place(d, o->arg[3]);
}

static uint64_t draw_advice(struct dice *d)
{
	static const uint8_t usual[] = { 4, 4, 4, 8, 8, 9, 24, 3, 22, 23 };

	return chance(d, 60) ? usual[roll(d, sizeof(usual))] : roll(d, 28);
}

static void draw_rest(struct dice *d, struct op *o)
{
	const enum arg *a = op_args(o->kind);

	o->arg[0] = draw_addr(d);
	if (a[0] == ARG_NUMBER)
		o->arg[0] = roll(d, 4);
	for (int i = 1; i < ARGS && a[i] != ARG_NONE; i++) {
		if (a[i] == ARG_SIZE)
			o->arg[0] = draw_place(d, o->arg[i] = draw_size(d));
		else if (a[i] == ARG_PROT)
			o->arg[i] = draw_prot(d);
		else if (a[i] == ARG_ADVICE)
			o->arg[i] = draw_advice(d);
		else if (a[i] == ARG_SYNC)
			o->arg[i] = roll(d, chance(d, 90) ? 8 : 32);
		else
			o->arg[i] = roll(d, 4);
	}
}

/* How often each, of the sum. */
static const uint8_t weights[OP_COUNT] = {
	[OP_mmap] = 30,	  [OP_munmap] = 7,   [OP_mprotect] = 30,
	[OP_mremap] = 18, [OP_madvise] = 26, [OP_msync] = 4,
	[OP_mincore] = 4, [OP_mlock] = 4,    [OP_mlock2] = 2,
	[OP_munlock] = 6, [OP_mlockall] = 1, [OP_munlockall] = 4,
	[OP_brk] = 8,	  [OP_read] = 12,    [OP_write] = 50,
	[OP_exec] = 10,	  [OP_look] = 2,     [OP_anew] = 0,
};

static enum op_kind draw_kind(struct dice *d)
{
	uint64_t sum = 0, at;
	int i;

	for (i = 0; i < OP_COUNT; i++)
		sum += weights[i];
	at = roll(d, sum);
	for (i = 0; at >= weights[i]; i++)
		at -= weights[i];
	return (enum op_kind)i;
}

struct op draw(uint64_t seed, uint32_t step)
{
	struct dice d = { mix(seed ^ mix(step)) };
	struct op o = { 0 };

	o.kind = draw_kind(&d);
	if (o.kind == OP_mmap) {
		draw_mmap(&d, &o);
	} else if (o.kind == OP_mremap) {
		draw_mremap(&d, &o);
	} else if (o.kind == OP_brk) {
		o.arg[0] = ADDR(BASE_BREAK,
				roll(&d, BREAK_PAGES) * PAGE +
					(chance(&d, 20) ? roll(&d, PAGE) : 0));
	} else if (o.kind == OP_look) {
		o.arg[0] = chance(&d, 70)
				   ? ADDR(BASE_GROUND, 0)
				   : ADDR(BASE_YARD + roll(&d, YARDS), 0);
		o.arg[1] = GROUND_PAGES * PAGE;
	} else if (o.kind == OP_write) {
		o.arg[0] = draw_addr(&d);
		o.arg[1] = 1 + roll(&d, 0xffff);
	} else {
		draw_rest(&d, &o);
	}
	return o;
}

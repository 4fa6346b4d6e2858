/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A clock by the time stamp counter, and what a host may correct of it.
 *
 * A claim was made somewhere between leaving and coming back: what the line
 * says there may be anything between, and is corrected only as far as it is
 * outside. So a claim that took long says little, and does no harm.
 *
 * Until windows are small beside the time measured, the host is believed. That
 * is the first calibration; from then on the line's whole distance from it is
 * at most 500 ppm of the time, and 1 ms more at once where that was not used.
 * What is beyond is refused and counted.
 *
 * Nothing here is shared; who calls has the books for itself.
 */
#include "trusted/sys/time/clocks.h"

#define POINT 32
/* The host is asked once in so long. */
#define PERIOD CLOCK_NSEC
/* Of a rate that is not known well: how far it may lead astray. */
#define ASTRAY 20000
/* Windows beside the time measured: of the first calibration, of later ones. */
#define WINDOWS_FIRST (1u << 14)
#define WINDOWS_LATER (1u << 16)
#define PARTS_MOST 2000 /* 500 ppm */
#define SAVED_MOST 1000000
/* Less is a matter of rounding. */
#define TELL_FROM 1000
/* 100 MHz to 100 GHz. */
#define RATE_MOST (10ull << POINT)
#define RATE_LEAST ((1ull << POINT) / 100)
/* Years, and no overflow of what follows. */
#define TICKS_MOST (1ull << 58)
#define TICKS_FAR (1ull << 44)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int64_t ticks_ns(uint64_t ticks, uint64_t rate)
{
	return (int64_t)((unsigned __int128)least(ticks, TICKS_MOST) * rate >>
			 POINT);
}

static int64_t add(int64_t ns, int64_t more)
{
	return ns > CLOCK_NS_MAX - more ? CLOCK_NS_MAX : ns + more;
}

int64_t clock_line_at(const struct clock_line *l, uint64_t tsc)
{
	return tsc > l->tsc ? add(l->ns, ticks_ns(tsc - l->tsc, l->rate))
			    : l->ns;
}

static uint64_t window(const struct clock_sample *s)
{
	return s->after - s->before;
}

/* 0: it is none of a TSC. */
static uint64_t rate_of(uint64_t ticks, int64_t nanoseconds)
{
	uint64_t ns = nanoseconds > 0 ? (uint64_t)nanoseconds : 0, rate;

	for (; ns >> (63 - POINT); ns >>= 1)
		ticks >>= 1;
	rate = ticks ? (ns << POINT) / ticks : 0;
	return rate >= RATE_LEAST && rate <= RATE_MOST ? rate : 0;
}

/* Where the claim lies outside of its window the line goes to the near edge. */
static int64_t wanted(const struct clock_line *l, const struct clock_sample *s)
{
	const int64_t low = clock_line_at(l, s->before);
	const int64_t high = clock_line_at(l, s->after);

	if (s->ns > high)
		return s->ns;
	return s->ns < low ? high - (low - s->ns) : high;
}

/* How long the line is good for, when its rate was measured over @ticks. */
static uint64_t span(uint64_t rate, uint64_t ticks, uint64_t windows)
{
	const uint64_t period = (PERIOD << POINT) / rate;
	const uint64_t astray = ((uint64_t)ASTRAY << POINT) / rate;

	return least(least(ticks, TICKS_FAR) * astray / (windows | 1), period);
}

/* Each claim is believed; one that is no time begins anew. */
static void calibrate(struct clock_books *b, const struct clock_sample *s)
{
	const uint64_t windows = window(s) + window(&b->from);
	const uint64_t ticks = s->after - b->from.after;
	const uint64_t rate = rate_of(ticks, s->ns - b->from.ns);
	struct clock_line l = { .tsc = s->after, .ns = s->ns, .rate = rate };

	if (!rate || s->after < b->from.after) {
		l.rate = 0;
		b->from = *s;
	} else {
		if (b->line.rate)
			l.ns = wanted(&b->line, s);
		l.span = span(rate, ticks, windows);
		if (ticks / WINDOWS_FIRST >= windows) {
			b->first = rate;
			l.span = (PERIOD << POINT) / rate;
			b->from = *s;
		} else if (window(s) < window(&b->from) / 2) {
			b->from = *s;
		}
	}
	b->line = l;
}

/* The rate goes on as it was last measured, within the bound. */
static uint64_t next_rate(struct clock_books *b, const struct clock_sample *s)
{
	const uint64_t windows = window(s) + window(&b->from);
	const uint64_t ticks = s->after - b->from.after;
	const uint64_t part = b->first / PARTS_MOST;
	uint64_t rate;

	if (s->after < b->from.after) {
		b->from = *s;
		return b->line.rate;
	}
	if (ticks / WINDOWS_LATER < windows)
		return b->line.rate;
	rate = rate_of(ticks, s->ns - b->from.ns);
	b->from = *s;
	if (rate < b->first - part)
		rate = b->first - part;
	rate = least(rate, b->first + part);
	/* It is above RATE_LEAST: for who reads the division alone. */
	return rate ? rate : b->first;
}

static int64_t within(int64_t v, int64_t most)
{
	if (v > most)
		return most;
	return v < -most ? -most : v;
}

/* @off: from what the first calibration alone would say. */
static int64_t allow(struct clock_books *b, int64_t off, int64_t elapsed)
{
	const int64_t most = (b->saved < SAVED_MOST ? b->saved : SAVED_MOST) +
			     elapsed / PARTS_MOST;
	const int64_t done = within(off, most);
	const int64_t rest = off > done ? off - done : done - off;

	b->saved = most - (done < 0 ? -done : done);
	if (rest >= TELL_FROM) {
		b->refused++;
		b->refused_ns += (uint64_t)rest;
	}
	return done;
}

void clock_correct(struct clock_books *b, const struct clock_sample *s)
{
	/* Nobody knows what a TSC that went back has left out. */
	const uint64_t ticks =
		s->after > b->line.tsc ? s->after - b->line.tsc : 0;
	int64_t elapsed, plain, want;

	if (!b->known) {
		b->known = true;
		b->from = *s;
		b->line = (struct clock_line){ .tsc = s->after, .ns = s->ns };
		return;
	}
	if (!b->first) {
		calibrate(b, s);
		return;
	}
	elapsed = ticks_ns(ticks, b->first);
	plain = add(b->line.ns, elapsed);
	want = wanted(&b->line, s);
	b->line.ns = add(plain, allow(b, want - plain, elapsed));
	b->line.rate = next_rate(b, s);
	b->line.tsc = s->after;
	b->line.span = (PERIOD << POINT) / b->line.rate;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks. CLOCK_MONOTONIC is counted inside, along a line (line.c) that the
 * host's clock corrects about once in a second in which somebody looks. Wall
 * time, the boot clock and the raw one are distances from it, as the host
 * claims them. Where RDTSC is not allowed (SGX1), and for clocks of CPU time,
 * the host is asked each time, and what it says is held.
 *
 * Locks: none. A line is read as it was published; of who corrects it there is
 * one at a time, and who comes second leaves it as it is, so that a thread that
 * the host stops in between holds up nobody.
 */
#include "trusted/sys/time/clocks.h"
#include "trusted/sys/sys.h"

#include <linux/time.h>
#include <linux/time_types.h>

#define CLOCKS 12
#define UNKNOWN INT64_MIN
#define LONG_AGO (INT64_MIN / 4)
/* The host's wall clock may be set at any time. */
#define WALL_PERIOD (CLOCK_NSEC / 10)
/* Ahead by less is no setting of a clock, and nothing to go back for. */
#define AHEAD_MOST 50000

static int64_t latest[CLOCKS];

/* Two: one to read while the other is written. */
static struct {
	struct clock_line lines[2];
	uint64_t count; /* of lines; the last is lines[count % 2] */
} shown;

static struct clock_books books; /* of who has set @correcting */
static bool correcting, asking, stale, no_tsc;

static struct distance {
	uint64_t clock;
	int64_t period;
	int64_t ns;    /* UNKNOWN at first */
	int64_t asked; /* by the monotonic clock */
} distances[] = {
	{ CLOCK_REALTIME, WALL_PERIOD, UNKNOWN, LONG_AGO },
	{ CLOCK_BOOTTIME, CLOCK_NSEC, UNKNOWN, LONG_AGO },
	{ CLOCK_MONOTONIC_RAW, CLOCK_NSEC, UNKNOWN, LONG_AGO },
};

#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define SET(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

static bool never_goes_back(uint64_t clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_BOOTTIME || clock == CLOCK_PROCESS_CPUTIME_ID ||
	       clock == CLOCK_THREAD_CPUTIME_ID;
}

/* No earlier than any time given out before, to whichever thread. */
static int64_t hold(uint64_t clock, int64_t now)
{
	int64_t was = GET(latest[clock]);

	while (now > was)
		if (__atomic_compare_exchange_n(&latest[clock], &was, now, true,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return now;
	return was;
}

static long host(uint64_t clock, int64_t *ns)
{
	struct __kernel_timespec t;
	const uint64_t a[WIRE_CALL_ARGS] = { clock, (uint64_t)&t };
	long r = sys_call(CALL_clock_gettime, a);

	if (r)
		return r;
	if (t.tv_sec < 0 || t.tv_sec >= CLOCK_NS_MAX / CLOCK_NSEC)
		return -EPROTO;
	*ns = t.tv_sec * CLOCK_NSEC + t.tv_nsec;
	return 0;
}

static uint64_t ticks(void)
{
	uint64_t tsc = GET(no_tsc) ? 0 : rt_tsc();

	/* Once there is a line it is no host's to end it: the clock stands. */
	if (!tsc && GET(shown.count) == 0)
		SET(no_tsc, true);
	return tsc;
}

/* How many lines there were; the last, and the TSC while it was the last. */
static uint64_t look(struct clock_line *l, uint64_t *tsc)
{
	uint64_t n;

	do {
		const struct clock_line *from;

		n = __atomic_load_n(&shown.count, __ATOMIC_ACQUIRE);
		from = &shown.lines[n % 2];
		l->tsc = GET(from->tsc);
		l->ns = GET(from->ns);
		l->rate = GET(from->rate);
		l->span = GET(from->span);
		*tsc = ticks();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (GET(shown.count) != n);
	return n;
}

static void show(const struct clock_line *l)
{
	const uint64_t n = GET(shown.count) + 1;
	struct clock_line *to = &shown.lines[n % 2];

	/* Who still reads what is written here sees that it was not the last.
	 */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	SET(to->tsc, l->tsc);
	SET(to->ns, l->ns);
	SET(to->rate, l->rate);
	SET(to->span, l->span);
	__atomic_store_n(&shown.count, n, __ATOMIC_RELEASE);
}

/*
 * @n: lines when it was asked. A claim from beside a later line says nothing of
 * that; without a later one, the TSC has gone back.
 */
static void correct(uint64_t n, const struct clock_sample *s)
{
	uint64_t was;

	if (__atomic_exchange_n(&correcting, true, __ATOMIC_ACQUIRE))
		return;
	was = books.refused;
	if (s->before >= books.line.tsc ||
	    (GET(shown.count) == n && s->after < books.line.tsc)) {
		clock_correct(&books, s);
		show(&books.line);
	}
	if (books.refused != was)
		rt_stats_clock(books.refused, books.refused_ns);
	__atomic_store_n(&correcting, false, __ATOMIC_RELEASE);
}

static long ask(uint64_t n, struct clock_sample *s)
{
	long r;

	s->before = ticks();
	r = host(CLOCK_MONOTONIC, &s->ns);
	s->after = ticks();
	if (r == 0 && s->after >= s->before && s->after)
		correct(n, s);
	return r;
}

/* One thread asks, and others go on by the line unless that takes long. */
static bool is_due(const struct clock_line *l, uint64_t tsc)
{
	const uint64_t since = tsc - l->tsc;

	if (!l->rate || since / 2 >= l->span ||
	    (GET(stale) &&
	     __atomic_exchange_n(&stale, false, __ATOMIC_RELAXED)))
		return true;
	return since >= l->span &&
	       !__atomic_exchange_n(&asking, true, __ATOMIC_RELAXED);
}

static long monotonic(int64_t *ns)
{
	struct clock_sample s;
	struct clock_line l;
	uint64_t tsc, n = look(&l, &tsc);
	long r;

	if (GET(no_tsc)) {
		r = host(CLOCK_MONOTONIC, ns);
		*ns = r ? 0 : hold(CLOCK_MONOTONIC, *ns);
		return r;
	}
	if (is_due(&l, tsc)) {
		r = ask(n, &s);
		SET(asking, false);
		/* Who knows the time already needs no host for it. */
		if (r && !l.rate)
			return r;
		look(&l, &tsc);
		if (!l.rate) {
			*ns = hold(CLOCK_MONOTONIC, s.ns);
			return 0;
		}
	}
	*ns = hold(CLOCK_MONOTONIC, clock_line_at(&l, tsc));
	return 0;
}

/*
 * The claim was made between two readings: a distance inside of that is kept,
 * so that what does not change on the host does not flutter here.
 */
static long measure(struct distance *d)
{
	int64_t before, after, claim, ns = GET(d->ns);
	long r = monotonic(&before);

	if (r == 0)
		r = host(d->clock, &claim);
	if (r == 0)
		r = monotonic(&after);
	if (r)
		return r;
	if (ns == UNKNOWN || ns < claim - after ||
	    ns - AHEAD_MOST > claim - before)
		SET(d->ns, claim - after);
	return 0;
}

static long from_monotonic(struct distance *d, int64_t *ns)
{
	int64_t now, asked = GET(d->asked);
	long r = monotonic(&now);

	if (r)
		return r;
	if (GET(d->ns) == UNKNOWN ||
	    (now - asked >= d->period &&
	     __atomic_compare_exchange_n(&d->asked, &asked, now, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))) {
		r = measure(d);
		if (r && GET(d->ns) == UNKNOWN)
			return r;
		SET(d->asked, now);
		r = monotonic(&now);
	}
	*ns = now + GET(d->ns);
	return r;
}

static struct distance *distance_of(uint64_t clock)
{
	for (size_t i = 0; i < sizeof(distances) / sizeof(*distances); i++)
		if (distances[i].clock == clock)
			return &distances[i];
	return NULL;
}

long sys_clock_now(uint64_t clock, int64_t *ns)
{
	struct distance *d;
	long r;

	if (clock >= CLOCKS)
		return -EINVAL;
	/* As fine as the others, since that costs nothing. */
	if (clock == CLOCK_MONOTONIC_COARSE)
		clock = CLOCK_MONOTONIC;
	if (clock == CLOCK_REALTIME_COARSE)
		clock = CLOCK_REALTIME;
	if (clock == CLOCK_MONOTONIC)
		return monotonic(ns);
	d = distance_of(clock);
	r = d && !GET(no_tsc) ? from_monotonic(d, ns) : host(clock, ns);
	if (r == 0 && never_goes_back(clock))
		*ns = hold(clock, *ns);
	return r;
}

void sys_clock_stale(void)
{
	SET(stale, true);
	for (size_t i = 0; i < sizeof(distances) / sizeof(*distances); i++)
		SET(distances[i].asked, LONG_AGO);
}

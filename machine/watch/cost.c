/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cost table: what each counted event takes on hardware, by whose word.
 */
#include "machine/watch/counters.h"

#define LEAF_COSTS (EDMM_MACHINE_LEAVES * 2)
#define COST_AEX LEAF_COSTS
#define COST_IOCTL (LEAF_COSTS + 1)
#define COST_MMAP (LEAF_COSTS + 2)
#define COST_END (LEAF_COSTS + 3)

_Static_assert(COST_END <= WATCH_COSTS, "watch_costs.cycles");

/* "" for a number that no leaf has; NULL behind the last. */
const char *watch_cost_name(unsigned i)
{
	const char *name;

	if (i >= COST_END)
		return NULL;
	if (i < EDMM_MACHINE_LEAVES)
		name = watch_encls(i);
	else if (i < LEAF_COSTS)
		name = watch_enclu(i - EDMM_MACHINE_LEAVES);
	else
		name = i == COST_AEX	 ? "aex"
		       : i == COST_IOCTL ? "ioctl"
					 : "mmap";
	return name ? name : "";
}

uint64_t watch_cost_count(const struct edmm_machine_stats *s, unsigned i)
{
	uint64_t n = 0;

	if (i < EDMM_MACHINE_LEAVES)
		return s->encls[i];
	if (i < LEAF_COSTS)
		return s->enclu[i - EDMM_MACHINE_LEAVES];
	if (i == COST_AEX)
		return s->aex;
	if (i == COST_MMAP)
		return s->mmaps + s->mprotects;
	for (unsigned k = 0; k < EDMM_MACHINE_IOCTLS; k++)
		n += s->ioctls[k];
	return n;
}

/* ---- reading ----------------------------------------------------------- */

#define HZ_MIN 1000000u
#define CYCLES_MAX (1ull << 40)

struct scan {
	const char *at;
	const char *line; /* its start and end */
	const char *end;
	unsigned number;
	struct watch_error *e;
};

static bool wrong(const struct scan *s, const char *at, const char *want)
{
	s->e->line = s->number;
	s->e->column = (unsigned)(at - s->line) + 1;
	s->e->want = want;
	return false;
}

static void blank(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool is_word(char c)
{
	return c != ' ' && c != '\t' && c != '\r' && c != '#';
}

static size_t word(struct scan *s, const char **start)
{
	*start = s->at;
	while (s->at < s->end && is_word(*s->at))
		s->at++;
	return (size_t)(s->at - *start);
}

static bool same(const char *a, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && name[i] && name[i] == a[i])
		i++;
	return n && i == n && !name[i];
}

/* The place for the number, or NULL after an error. */
static uint64_t *place(const struct scan *s, const char *name, size_t n,
		       struct watch_costs *out)
{
	if (same(name, n, "clock"))
		return &out->hz;
	for (unsigned i = 0; i < COST_END; i++)
		if (same(name, n, watch_cost_name(i)))
			return &out->cycles[i];
	wrong(s, name, "a leaf, aex, ioctl, mmap or clock");
	return NULL;
}

static bool number(struct scan *s, uint64_t *out)
{
	const char *start;
	size_t n;

	blank(s);
	n = word(s, &start);
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (start[i] < '0' || start[i] > '9')
			return wrong(s, start + i, "a digit");
		*out = *out * 10 + (uint64_t)(start[i] - '0');
		if (*out > CYCLES_MAX)
			return wrong(s, start, "a smaller number");
	}
	return n ? true : wrong(s, start, "a number of cycles");
}

static bool parse_line(struct scan *s, struct watch_costs *out)
{
	const char *name;
	uint64_t *to, n;
	size_t len;

	blank(s);
	len = word(s, &name);
	if (!len)
		return true;
	to = place(s, name, len, out);
	if (!to || !number(s, &n))
		return false;
	if (to == &out->hz && n < HZ_MIN)
		return wrong(s, s->at, "a clock of 1000000 or more");
	blank(s);
	if (s->at == s->end || *s->at == '#')
		return wrong(s, s->at, "the figure's source");
	*to = n;
	return true;
}

bool watch_costs_parse(const char *text, size_t size, struct watch_costs *out,
		       struct watch_error *e)
{
	const char *end = text + size;
	struct scan s = { .at = text, .line = text, .e = e };

	*out = (struct watch_costs){ .hz = 0 };
	while (s.line < end) {
		s.number++;
		s.end = s.line;
		while (s.end < end && *s.end != '\n')
			s.end++;
		s.at = s.line;
		if (!parse_line(&s, out))
			return false;
		s.line = s.end + 1;
	}
	s.number++;
	s.line = end;
	if (!out->hz)
		return wrong(&s, end, "a line 'clock HZ SOURCE'");
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of faults, their specification, and when they are due. Pure.
 *
 * Each row is something that Linux 6.1 to 6.12 or an SGX processor does without
 * the caller's fault; codes that only a broken caller gets are not offered.
 */
#include "machine/linux/inject.h"

#include <errno.h>
#include <string.h>

#include "sgx/arch.h"

#define ENCLS(leaf) (INJECT_ENCLS + (leaf))
#define ERRNO(name, sees)                                    \
	{                                                    \
		{ INJECT_ERRNO, E##name }, "E" #name, (sees) \
	}
#define CODE(name, sees)                                   \
	{                                                  \
		{ INJECT_CODE, SGX_##name }, #name, (sees) \
	}
#define GP(sees)                                           \
	{                                                  \
		{ INJECT_FAULT, SGX_VEC_GP }, "GP", (sees) \
	}
#define PF(sees)                                           \
	{                                                  \
		{ INJECT_FAULT, SGX_VEC_PF }, "PF", (sees) \
	}
#define NONE                                   \
	{                                      \
		{ INJECT_NONE, 0 }, NULL, NULL \
	}
#define BUSY ERRNO(BUSY, "EBUSY: another ioctl runs on the file")
#define NOMEM ERRNO(NOMEM, "ENOMEM: the EPC is full of what cannot go")
#define INTR ERRNO(INTR, "EINTR: a signal while waiting for EPC")
#define OUTCOMES 4

/* What an ioctl can fail with, a macro for each row of the list. The second
 * device's ioctl is not in the driver: NONE cannot be asked for. */
#define OF_CREATE BUSY, NOMEM, INTR
#define OF_ADD_PAGES BUSY, NOMEM, INTR
#define OF_INIT BUSY, NOMEM, INTR
#define OF_PROVISION BUSY
#define OF_VEPC_REMOVE NONE
#define OF_RESTRICT_PERMISSIONS BUSY
#define OF_MODIFY_TYPES BUSY
#define OF_REMOVE_PAGES BUSY

static const struct place {
	const char *name;
	unsigned point;
	struct {
		struct inject_outcome o;
		const char *name;
		const char *sees;
	} out[OUTCOMES];
} places[] = {
	{ "ioctl", INJECT_IOCTL, { BUSY } },
/* clang-format off */
#define PLACE(number, name, old) \
	{ #name, INJECT_IOCTL_NR + EDMM_IOCTL_##number, { OF_##number } },
	EDMM_MACHINE_IOCTL_LIST(PLACE)
#undef PLACE
	/* clang-format on */
	{ "open",
	  INJECT_OPEN,
	  { ERRNO(AGAIN, "EAGAIN of open(), by who is the first to have the "
			 "device open: EUPDATESVN lacks entropy"),
	    ERRNO(IO, "EIO of open(), likewise: EUPDATESVN fails") } },
	{ "signal",
	  INJECT_SIGNAL,
	  { ERRNO(INTR, "before a page of ADD_PAGES: a short count, or EINTR "
			"at its first") } },
	{ "page",
	  INJECT_PAGE,
	  { ERRNO(AGAIN, "EAGAIN of RESTRICT_PERMISSIONS, MODIFY_TYPES or "
			 "REMOVE_PAGES, with a count: the page is being "
			 "reclaimed") } },
	{ "ecreate", ENCLS(SGX_ECREATE), { GP("EIO of CREATE") } },
	{ "eadd",
	  ENCLS(SGX_EADD),
	  { GP("EIO of ADD_PAGES, with a count"),
	    PF("EIO of ADD_PAGES, with a count") } },
	{ "eextend",
	  ENCLS(SGX_EEXTEND),
	  { GP("EIO of ADD_PAGES, with a count") } },
	{ "einit",
	  ENCLS(SGX_EINIT),
	  { CODE(UNMASKED_EVENT, "Linux repeats it, 1,000 times; then EPERM"),
	    GP("EIO of INIT") } },
	{ "epa",
	  ENCLS(SGX_EPA),
	  { GP("EFAULT of CREATE or ADD_PAGES, SIGBUS of a touch") } },
	{ "eaug",
	  ENCLS(SGX_EAUG),
	  { { { INJECT_NO_EPC, 0 },
	      "ENOMEM",
	      "SIGBUS: no EPC; the next touch adds the page" },
	    { { INJECT_RETRY, 0 },
	      "EBUSY",
	      "the touch is repeated when the EPC has room" },
	    GP("SIGBUS; the next touch adds the page"),
	    { { INJECT_RACE, 0 },
	      "race",
	      "SIGBUS although the page is there: two threads added it and "
	      "this one lost, as up to Linux 6.12" } } },
	{ "emodpr",
	  ENCLS(SGX_EMODPR),
	  { CODE(EPC_PAGE_CONFLICT, "EFAULT of RESTRICT_PERMISSIONS, result 7"),
	    PF("EFAULT of RESTRICT_PERMISSIONS, result 0") } },
	{ "emodt",
	  ENCLS(SGX_EMODT),
	  { CODE(EPC_PAGE_CONFLICT, "EFAULT of MODIFY_TYPES, result 7"),
	    PF("EFAULT of MODIFY_TYPES, result 0") } },
	{ "etrack",
	  ENCLS(SGX_ETRACK),
	  { CODE(PREV_TRK_INCMPL, "Linux interrupts all and repeats it; twice "
				  "in a row is EFAULT of "
				  "RESTRICT_PERMISSIONS or MODIFY_TYPES") } },
	{ "eblock",
	  ENCLS(SGX_EBLOCK),
	  { CODE(EPC_PAGE_CONFLICT,
		 "EWB fails too and the page is lost: SIGBUS at its touch") } },
	{ "ewb",
	  ENCLS(SGX_EWB),
	  { CODE(NOT_TRACKED, "Linux repeats it after ETRACK, then after an "
			      "interrupt; thrice in a row loses the page"),
	    CODE(VA_SLOT_OCCUPIED, "the page is lost: SIGBUS at its touch") } },
	{ "eldu",
	  ENCLS(SGX_ELDU),
	  { CODE(MAC_COMPARE_FAIL, "the page is lost: SIGBUS at its touch, "
				   "EFAULT of ioctls") } },
	{ "eremove",
	  ENCLS(SGX_EREMOVE),
	  { GP("Linux warns and leaks the EPC page; REMOVE_PAGES succeeds") } },
	{ "eaccept",
	  INJECT_EACCEPT,
	  { CODE(NOT_TRACKED, "code 11 of an EACCEPT after EMODPR or EMODT: "
			      "its interrupt has not come yet") } },
	/* Short names for two of these. */
	{ "eaug-race",
	  ENCLS(SGX_EAUG),
	  { { { INJECT_RACE, 0 }, "race", "as eaug=race" } } },
	{ "not-tracked",
	  INJECT_EACCEPT,
	  { CODE(NOT_TRACKED, "as eaccept=NOT_TRACKED") } },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

bool inject_row(size_t i, struct inject_row *out)
{
	for (size_t p = 0; p < PLACES; p++)
		for (size_t o = 0; o < OUTCOMES && places[p].out[o].name; o++)
			if (!i--) {
				out->where = places[p].name;
				out->outcome = places[p].out[o].name;
				out->sees = places[p].out[o].sees;
				return true;
			}
	return false;
}

/* ---- the specification ------------------------------------------------- */

struct scan {
	const char *text;
	size_t len;
	size_t at;
	struct inject_error *e;
};

static bool wrong(struct scan *s, size_t at, const char *want)
{
	s->e->column = at + 1;
	s->e->want = want;
	return false;
}

static bool at(const struct scan *s, const char *any)
{
	return s->at < s->len && s->text[s->at] && strchr(any, s->text[s->at]);
}

/* The characters up to one of @stop. */
static size_t word(struct scan *s, const char *stop)
{
	size_t start = s->at;

	while (s->at < s->len && !at(s, stop))
		s->at++;
	return start;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Is text[from, s->at) the name, in whatever case? */
static bool same(const struct scan *s, size_t from, const char *name)
{
	size_t n = strlen(name);

	if (s->at - from != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s->text[from + i]) != lower(name[i]))
			return false;
	return true;
}

static bool number(struct scan *s, uint64_t *out)
{
	size_t start = s->at;

	*out = 0;
	for (; at(s, "0123456789"); s->at++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(
			    *out, (uint64_t)(s->text[s->at] - '0'), out))
			return wrong(s, start, "a smaller number");
	if (s->at == start || !*out)
		return wrong(s, start, "a number from 1");
	return true;
}

static bool parse_time(struct scan *s, uint64_t *ns)
{
	uint64_t unit = 1000000;
	size_t start;

	if (!number(s, ns))
		return false;
	start = s->at;
	s->at = s->len;
	if (same(s, start, "s"))
		unit *= 1000;
	else if (!same(s, start, "ms"))
		return wrong(s, start, "ms or s");
	if (*ns > INT64_MAX / unit)
		return wrong(s, 0, "a shorter time");
	*ns *= unit;
	return true;
}

static bool is_place(const struct scan *s, size_t start, const struct place *p)
{
	static const char *const old[EDMM_MACHINE_IOCTLS] = {
#define OLD(number, name, old) old,
		EDMM_MACHINE_IOCTL_LIST(OLD)
#undef OLD
	};
	unsigned nr = p->point - INJECT_IOCTL_NR;

	if (!p->out[0].name)
		return false;
	return same(s, start, p->name) ||
	       (nr < EDMM_MACHINE_IOCTLS && same(s, start, old[nr]));
}

static const struct place *parse_place(struct scan *s)
{
	size_t start = word(s, ":%=@");

	for (size_t p = 0; p < PLACES; p++)
		if (is_place(s, start, &places[p]))
			return &places[p];
	wrong(s, start,
	      "an ioctl (create ... remove_pages, ioctl for any), a leaf "
	      "(ecreate ... eremove, eaccept), signal, page, eaug-race, "
	      "not-tracked or lose@TIME");
	return NULL;
}

static bool parse_count(struct scan *s, struct inject_rule *r)
{
	r->when = INJECT_ONCE;
	r->n = 1;
	if (!at(s, ":%"))
		return true;
	if (s->text[s->at++] == '%')
		r->when = INJECT_EVERY;
	else if (at(s, "%"))
		return wrong(s, s->at - 1,
			     "WHERE%N without a colon, as restrict%2");
	if (!number(s, &r->n))
		return false;
	if (r->when == INJECT_ONCE && at(s, "+")) {
		r->when = INJECT_FROM;
		s->at++;
	}
	return true;
}

static bool parse_outcome(struct scan *s, const struct place *p,
			  struct inject_rule *r)
{
	size_t start;

	r->outcome = p->out[0].o;
	if (s->at == s->len)
		return true;
	if (!at(s, "="))
		return wrong(s, s->at, "the end, or =OUTCOME");
	s->at++;
	start = s->at;
	s->at = s->len;
	for (size_t o = 0; o < OUTCOMES && p->out[o].name; o++)
		if (same(s, start, p->out[o].name)) {
			r->outcome = p->out[o].o;
			return true;
		}
	return wrong(s, start,
		     "an outcome that this place can have (edmm sim --faults)");
}

static bool parse_rule(struct scan *s, struct inject_rule *r)
{
	const struct place *p = parse_place(s);

	if (!p)
		return false;
	*r = (struct inject_rule){ .point = (uint8_t)p->point };
	return parse_count(s, r) && parse_outcome(s, p, r);
}

bool inject_parse(struct drv_inject *in, const char *text, size_t len,
		  struct inject_error *e)
{
	struct scan s = { .text = text, .len = len, .e = e };
	struct inject_rule r;
	uint64_t ns;

	if (len > 5 && !memcmp(text, "lose@", 5)) {
		s.at = 5;
		if (!parse_time(&s, &ns))
			return false;
		in->lose_ns = ns;
		return true;
	}
	if (!parse_rule(&s, &r))
		return false;
	if (in->count == INJECT_RULES)
		return wrong(&s, 0, "at most 16 faults");
	in->rule[in->count++] = r;
	in->points |= 1u << r.point;
	return true;
}

/* ---- when -------------------------------------------------------------- */

static bool due(const struct inject_rule *r, uint64_t seen)
{
	switch (r->when) {
	case INJECT_ONCE:
		return seen == r->n;
	case INJECT_FROM:
		return seen >= r->n;
	default:
		return seen % r->n == 0;
	}
}

struct inject_outcome inject_hit(struct drv_inject *in, unsigned point)
{
	struct inject_outcome out = { .kind = INJECT_NONE };

	for (uint32_t i = 0; i < in->count; i++) {
		struct inject_rule *r = &in->rule[i];

		if (r->point != point)
			continue;
		if (due(r, __atomic_add_fetch(&r->seen, 1, __ATOMIC_RELAXED)) &&
		    out.kind == INJECT_NONE)
			out = r->outcome;
	}
	return out;
}

struct inject_outcome inject_peek(const struct drv_inject *in, unsigned point)
{
	for (uint32_t i = 0; i < in->count; i++) {
		const struct inject_rule *r = &in->rule[i];

		if (r->point == point && due(r, r->seen + 1))
			return r->outcome;
	}
	return (struct inject_outcome){ .kind = INJECT_NONE };
}

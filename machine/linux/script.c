/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The script of a stepping host: a line a word list, # begins a comment. Pure.
 */
#include "machine/linux/script.h"

#include <signal.h>
#include <string.h>

#define WORDS 10u
#define WORD_MAX SCRIPT_PATH
#define LIMIT_MAX 86400u

struct script_parse {
	struct script *s;
	struct script_error *e;
	const struct script_reader *r;
	const char *path;
	const char *image; /* of symbols, in memory; NULL: none */
	size_t image_size;
	/* The words of this line. */
	char word[WORDS][WORD_MAX];
	uint32_t words;
	uint32_t at;
};

/* Copies as much as fits, and ends it. */
static size_t put(char *to, size_t size, size_t at, const char *from)
{
	while (*from && at < size - 1)
		to[at++] = *from++;
	to[at] = 0;
	return at;
}

/* "'WORD' REASON"; always false. An empty word is the line's end. */
static bool wrong(struct script_parse *p, const char *word, const char *reason,
		  const char *want)
{
	size_t n = sizeof(p->e->what), at = put(p->e->what, n / 2, 0, "'");

	p->e->want = want;
	if (!*word) {
		put(p->e->what, n, 0, "the line is too short");
		return false;
	}
	at = put(p->e->what, n / 2, at, word);
	at = put(p->e->what, n, at, "' ");
	put(p->e->what, n, at, reason);
	return false;
}

/* The next word; "" at the line's end. */
static const char *next(struct script_parse *p)
{
	return p->at < p->words ? p->word[p->at++] : "";
}

static bool ended(const struct script_parse *p)
{
	return p->at == p->words;
}

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool number(const char *s, uint64_t *out)
{
	unsigned base = s[0] == '0' && s[1] == 'x' ? 16 : 10;

	s += base == 16 ? 2 : 0;
	*out = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = 16;

		if (*s >= '0' && *s <= '9')
			d = (unsigned)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			d = (unsigned)(*s - 'a') + 10;
		if (d >= base || __builtin_mul_overflow(*out, base, out) ||
		    __builtin_add_overflow(*out, d, out))
			return false;
	}
	return true;
}

/* ---- places ------------------------------------------------------------ */

static const char place_want[] = "a symbol of the image, SYMBOL+N, or 0xN from "
				 "the enclave's base";

/* A place, and where its symbol ends. */
static bool place(struct script_parse *p, char *word, struct script_range *out)
{
	char *plus = strchr(word, '+');
	uint64_t more = 0;

	if (*word >= '0' && *word <= '9') {
		out->end = 0;
		return number(word, &out->start) ||
		       wrong(p, word, "is no address", place_want);
	}
	if (!*word)
		return wrong(p, word, "is no address", place_want);
	if (!p->image)
		return wrong(p, word, "is a symbol, and there is no image",
			     "a line 'image FILE' before it");
	if (plus && !number(plus + 1, &more))
		return wrong(p, word, "is no address", place_want);
	if (plus)
		*plus = 0;
	if (!symbol_find(p->image, p->image_size, word, out))
		return wrong(p, word, "is not a symbol of the image",
			     place_want);
	out->start += more;
	return true;
}

/* A symbol that has a size, or from one place to another. */
static bool span(struct script_parse *p, const char *wrongly,
		 struct script_range *out)
{
	struct script_range to = { 0 };
	char *word = p->word[ended(p) ? WORDS - 1 : p->at++];

	if (!place(p, word, out))
		return false;
	if (!ended(p)) {
		if (!place(p, p->word[p->at++], &to))
			return false;
		out->end = to.start;
	}
	return out->end > out->start ||
	       wrong(p, word, wrongly,
		     "a symbol that has a size, or a second place above it");
}

/* ---- what is done ------------------------------------------------------ */

static const struct {
	const char *name;
	uint8_t what;
} pages[] = {
	{ "code", SCRIPT_CODE },   { "data", SCRIPT_DATA },
	{ "stack", SCRIPT_STACK }, { "ssa", SCRIPT_SSA },
	{ "tcs", SCRIPT_TCS },	   { "all", SCRIPT_ALL },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool parse_what(struct script_parse *p, struct script_rule *r)
{
	char *word = p->word[p->at];
	struct script_range at;

	if (!ended(p) && *word != '0') {
		for (size_t i = 0; i < COUNT(pages); i++)
			if (is(word, pages[i].name)) {
				r->what = pages[i].what;
				p->at++;
				return true;
			}
	}
	if (ended(p))
		return wrong(p, "", "names no page",
			     "code, data, stack, ssa, tcs, all or a place");
	if (!place(p, word, &at))
		return false;
	p->at++;
	r->what = SCRIPT_ADDR;
	r->addr = at.start;
	return true;
}

static bool parse_times(struct script_parse *p, struct script_rule *r)
{
	const char *word;
	uint64_t n;

	r->times = 1;
	if (ended(p))
		return true;
	word = next(p);
	if (is(word, "ever")) {
		r->times = 0;
		return true;
	}
	if (!number(word, &n) || !n || n > UINT32_MAX)
		return wrong(p, word, "is no number of times",
			     "a number from 1, or ever");
	r->times = (uint32_t)n;
	return true;
}

static bool parse_resume(struct script_parse *p, struct script_rule *r)
{
	return parse_times(p, r) &&
	       (ended(p) || span(p, "has no exits", &r->exits));
}

static bool parse_page_times(struct script_parse *p, struct script_rule *r)
{
	return parse_what(p, r) && parse_times(p, r);
}

static bool parse_give(struct script_parse *p, struct script_rule *r)
{
	if (!ended(p) && !is(p->word[p->at], "all"))
		return parse_what(p, r);
	r->what = SCRIPT_ALL_TAKEN;
	next(p);
	return true;
}

static bool parse_enter(struct script_parse *p, struct script_rule *r)
{
	char *word = p->word[p->at];
	struct script_range at = { .start = SCRIPT_SAME };

	if (ended(p))
		return wrong(p, "", "names no TCS", "same, or a place");
	if (!is(word, "same") && !place(p, word, &at))
		return false;
	p->at++;
	r->addr = at.start;
	for (uint32_t i = 0; i < SCRIPT_REGS && !ended(p); i++) {
		const char *reg = next(p);

		if (!number(reg, &r->reg[i]))
			return wrong(p, reg, "is no value of a register",
				     "a number for RDI, RSI, RDX");
	}
	return true;
}

static bool parse_signal(struct script_parse *p, struct script_rule *r)
{
	static const struct {
		const char *name;
		int nr;
	} names[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },	  { "QUIT", SIGQUIT },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "ALRM", SIGALRM },
		{ "TERM", SIGTERM }, { "CHLD", SIGCHLD }, { "PROF", SIGPROF },
	};
	const char *word = next(p);

	for (size_t i = 0; i < COUNT(names); i++)
		if (is(word, names[i].name)) {
			r->addr = (uint64_t)names[i].nr;
			return true;
		}
	if (number(word, &r->addr) && r->addr && r->addr <= 64)
		return true;
	return wrong(p, word, "is no signal",
		     "HUP, INT, QUIT, USR1, USR2, ALRM, TERM, CHLD, PROF or a "
		     "number up to 64");
}

static bool parse_refuse(struct script_parse *p, struct script_rule *r)
{
	struct drv_inject in = { 0 };
	const char *word = next(p);
	struct inject_error e;

	if (!inject_parse(&in, word, strlen(word), &e))
		return wrong(p, word, "is no fault", e.want);
	if (!in.count)
		return wrong(p, word, "is no fault of a leaf or an ioctl",
			     "one of edmm sim --faults");
	r->fault = in.rule[0];
	return true;
}

static bool parse_nothing(struct script_parse *p, struct script_rule *r)
{
	(void)p;
	(void)r;
	return true;
}

static const struct {
	const char *name;
	uint8_t act;
	bool (*rest)(struct script_parse *p, struct script_rule *r);
} acts[] = {
	{ "take", SCRIPT_TAKE, parse_page_times },
	{ "swap", SCRIPT_SWAP, parse_page_times },
	{ "hide", SCRIPT_HIDE, parse_what },
	{ "replace", SCRIPT_REPLACE, parse_what },
	{ "give", SCRIPT_GIVE, parse_give },
	{ "enter", SCRIPT_ENTER, parse_enter },
	{ "signal", SCRIPT_SIGNAL, parse_signal },
	{ "refuse", SCRIPT_REFUSE, parse_refuse },
	{ "resume", SCRIPT_RESUME, parse_resume },
	{ "interrupt", SCRIPT_INTERRUPT, parse_nothing },
};

static bool parse_when(struct script_parse *p, struct script_rule *r)
{
	const char *word = next(p);

	if (is(word, "every")) {
		r->n = 0;
	} else if (is(word, "first")) {
		r->n = 1;
	} else if (is(word, "last")) {
		r->n = SCRIPT_LAST;
		if (!p->s->counts)
			return wrong(p, word, "is not known",
				     "a line 'counts FILE' before it, with the "
				     "log of a run before");
	} else if (!number(word, &r->n) || !r->n || r->n == SCRIPT_LAST) {
		return wrong(p, word, "is no execution",
			     "first, last, every or a number from 1");
	}
	return true;
}

static bool parse_on(struct script_parse *p)
{
	struct script_rule *r = &p->s->rule[p->s->rules];
	struct script_range at = { .start = SCRIPT_ANY };
	const char *word;

	if (p->s->rules == SCRIPT_RULES)
		return wrong(p, "on", "is one too many", "at most 2048");
	if (p->words > 1 && is(p->word[1], "*"))
		p->at++;
	else if (!place(p, ended(p) ? p->word[WORDS - 1] : p->word[p->at++],
			&at))
		return false;
	*r = (struct script_rule){ .at = at.start, .branch = p->s->branches };
	if (!parse_when(p, r))
		return false;
	word = next(p);
	for (size_t i = 0; i < COUNT(acts); i++)
		if (is(word, acts[i].name)) {
			r->act = acts[i].act;
			p->s->rules++;
			return acts[i].rest(p, r);
		}
	return wrong(p, word, "cannot be done",
		     "take, swap, hide, replace, give, enter, signal, refuse, "
		     "resume or interrupt");
}

/* ---- the other lines --------------------------------------------------- */

static bool parse_range(struct script_parse *p)
{
	if (p->s->ranges == SCRIPT_RANGES)
		return wrong(p, "range", "is one too many", "at most 64");
	return span(p, "starts no range", &p->s->range[p->s->ranges++]);
}

/* A name in the script, from its folder. */
static bool resolve(struct script_parse *p, const char *name,
		    char out[SCRIPT_PATH])
{
	const char *slash = strrchr(p->path, '/');
	size_t n = *name == '/' || !slash ? 0 : (size_t)(slash + 1 - p->path);

	if (!*name)
		return wrong(p, name, "is no file", "the file's name");
	if (n + strlen(name) >= SCRIPT_PATH)
		return wrong(p, name, "is too long", "a shorter name");
	memcpy(out, p->path, n);
	put(out, SCRIPT_PATH, n, name);
	return true;
}

static const char *load(struct script_parse *p, size_t *size)
{
	const char *name = next(p), *text;
	char path[SCRIPT_PATH];

	if (!resolve(p, name, path))
		return NULL;
	text = p->r->read(p->r->ctx, path, size);
	if (!text)
		wrong(p, name, "cannot be read", "a file that can");
	return text;
}

static bool parse_image(struct script_parse *p)
{
	p->image = load(p, &p->image_size);
	return p->image;
}

static bool parse_counts(struct script_parse *p)
{
	p->s->counts = load(p, &p->s->counts_size);
	return p->s->counts;
}

static bool parse_log(struct script_parse *p)
{
	return resolve(p, next(p), p->s->log);
}

static bool parse_out(struct script_parse *p)
{
	return resolve(p, next(p), p->s->out);
}

static bool parse_branch(struct script_parse *p)
{
	p->s->branches++;
	return true;
}

static bool parse_limit(struct script_parse *p)
{
	const char *word = next(p);
	uint64_t n;

	if (!number(word, &n) || !n || n > LIMIT_MAX)
		return wrong(p, word, "is no time", "seconds, from 1 to 86400");
	p->s->limit = (uint32_t)n;
	return true;
}

static bool parse_aex(struct script_parse *p)
{
	static const char *const names[] = {
		[SCRIPT_AEX_ACT] = "act",
		[SCRIPT_AEX_EVERY] = "every",
		[SCRIPT_AEX_NEVER] = "never",
	};
	const char *word = next(p);

	for (unsigned i = 0; i < COUNT(names); i++)
		if (is(word, names[i])) {
			p->s->aex = (enum script_aex)i;
			return true;
		}
	return wrong(p, word, "is no time of an AEX", "act, every or never");
}

static bool parse_point(struct script_parse *p, struct script_point *out)
{
	struct script_range at;
	const char *word;

	if (!place(p, ended(p) ? p->word[WORDS - 1] : p->word[p->at++], &at))
		return false;
	*out = (struct script_point){ at.start, 1 };
	if (ended(p))
		return true;
	word = next(p);
	return (number(word, &out->n) && out->n) ||
	       wrong(p, word, "is no execution", "a number from 1");
}

static bool parse_from(struct script_parse *p)
{
	return parse_point(p, &p->s->from);
}

static bool parse_to(struct script_parse *p)
{
	p->s->to_done = p->words > 1 && is(p->word[1], "done");
	if (!p->s->to_done)
		return parse_point(p, &p->s->to);
	p->at++;
	return true;
}

static const struct {
	const char *name;
	bool (*parse)(struct script_parse *p);
} lines[] = {
	{ "image", parse_image },   { "range", parse_range },
	{ "on", parse_on },	    { "log", parse_log },
	{ "counts", parse_counts }, { "aex", parse_aex },
	{ "from", parse_from },	    { "to", parse_to },
	{ "branch", parse_branch }, { "out", parse_out },
	{ "limit", parse_limit },
};

static bool parse_line(struct script_parse *p)
{
	const char *word = next(p);

	for (size_t i = 0; i < COUNT(lines); i++)
		if (is(word, lines[i].name))
			return lines[i].parse(p) &&
			       (ended(p) || wrong(p, next(p), "is too much",
						  "the line's end"));
	return wrong(p, word, "is no line of a script",
		     "image, range, from, to, on, branch, out, limit, log, "
		     "counts or aex");
}

/* Splits a line; true if there are words on it. */
static bool split(struct script_parse *p, const char *s, const char *end,
		  bool *fits)
{
	p->words = 0;
	p->at = 0;
	*fits = true;
	/* What a word that is missing reads as. */
	p->word[WORDS - 1][0] = 0;
	while (s < end) {
		size_t n = 0;

		if (*s == ' ' || *s == '\t' || *s == '\r') {
			s++;
			continue;
		}
		if (*s == '#')
			break;
		while (s + n < end && !strchr(" \t\r", s[n]))
			n++;
		if (p->words == WORDS - 1 || n >= WORD_MAX) {
			*fits = false;
			break;
		}
		memcpy(p->word[p->words], s, n);
		p->word[p->words++][n] = 0;
		s += n;
	}
	return p->words;
}

static bool parse_text(struct script_parse *p, const char *text, size_t size)
{
	const char *end = text + size;
	bool fits;

	for (p->e->line = 1; text < end; p->e->line++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl ? nl : end;

		if (memchr(text, 0, (size_t)(stop - text)))
			return wrong(p, "", "is no text", "text");
		if (split(p, text, stop, &fits) && !fits)
			return wrong(p, p->word[0], "has too many words",
				     "at most 9");
		if (p->words && !parse_line(p))
			return false;
		text = stop + 1;
	}
	return true;
}

bool script_read(struct script *out, const char *path, const char *image,
		 const struct script_reader *r, struct script_error *e)
{
	static struct script_parse p;
	const char *text;
	size_t size;

	memset(out, 0, sizeof(*out));
	out->from.at = SCRIPT_ANY;
	out->to.at = SCRIPT_ANY;
	memset(e, 0, sizeof(*e));
	p = (struct script_parse){ .s = out, .e = e, .r = r, .path = path };
	text = r->read(r->ctx, path, &size);
	if (!text)
		return wrong(&p, path, "cannot be read", "a script");
	if (image)
		p.image = r->read(r->ctx, image, &p.image_size);
	if (!parse_text(&p, text, size))
		return false;
	e->line = 0;
	return out->ranges ||
	       wrong(&p, path, "steps nothing", "a line 'range FROM TO'");
}

/* ---- counts ------------------------------------------------------------ */

static bool field(const char **s, const char *end, uint64_t *out)
{
	char word[24];
	size_t n = 0;

	while (*s < end && **s == ' ')
		++*s;
	while (*s<end &&* * s> ' ' && n < sizeof(word) - 1)
		word[n++] = *(*s)++;
	word[n] = 0;
	return number(word, out);
}

bool script_count(const char *text, size_t size, size_t *at, uint64_t *off,
		  uint64_t *count)
{
	while (*at < size) {
		const char *s = text + *at;
		const char *nl = memchr(s, '\n', size - *at);
		const char *end = nl ? nl : text + size;

		*at = (size_t)(end - text) + 1;
		if (field(&s, end, off) && field(&s, end, count))
			return true;
	}
	return false;
}

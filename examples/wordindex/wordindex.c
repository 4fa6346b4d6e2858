/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wordindex: which lines of a text corpus hold a word?
 *
 * Reads the corpus once, keeps an index of all its words in memory and answers
 * commands from standard input. It knows nothing of enclaves: gcc builds it
 * into a program, edmm-cc builds the same files into an enclave.
 */
#include "index.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define TOP_MAX 1000
#define SNIPPET_MAX 60

static const char usage_text[] =
	"Usage: wordindex [--top N] [--hits N] CORPUS\n"
	"Indexes the words of the text file CORPUS in memory, then obeys the\n"
	"commands on standard input, one a line. A line '==> NAME <==' in "
	"CORPUS\n"
	"starts a document, as in the output of head -v.\n"
	"\n"
	"  --top N   print the N most frequent words first\n"
	"  --hits N  show the first N lines found (default 3)\n"
	"  --help    print this and exit\n"
	"\n"
	"Commands:\n"
	"  top N           the N most frequent words\n"
	"  word WORD       the lines that hold WORD\n"
	"  and WORD WORD   the lines that hold both\n"
	"  drop alternate  forget every second word of the index\n"
	"  drop half       forget one half of the index\n"
	"  stats           what the index holds\n"
	"\n"
	"Each phase of the work is announced on standard error.\n"
	"Exit status: 0, 1 if something failed, 2 for wrong usage.\n";

struct app {
	struct index ix;
	FILE *corpus;
	const char *corpus_name;
	size_t top;	   /* of the command line; 0: none */
	size_t hits_shown; /* lines a query */
	const char *phase;
	bool failed;
};

static void complain(struct app *app, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct app *app, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("wordindex: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	app->failed = true;
}

static void enter_phase(struct app *app, const char *name)
{
	if (app->phase && strcmp(app->phase, name) == 0)
		return;
	app->phase = name;
	fflush(stdout);
	fprintf(stderr, "phase: %s\n", name);
}

/* Cuts "==> NAME <==" down to NAME; NULL if the line is no such header. */
static char *header_name(char *line)
{
	size_t length = strlen(line);

	if (length < 9 || strncmp(line, "==> ", 4) != 0 ||
	    strcmp(line + length - 4, " <==") != 0)
		return NULL;
	line[length - 4] = '\0';
	return line + 4;
}

/* A line without its end; its length in the file, or -1 at the end. */
static ssize_t read_line(FILE *file, char **line, size_t *capacity)
{
	ssize_t length = getline(line, capacity, file);

	if (length > 0 && (*line)[length - 1] == '\n')
		(*line)[length - 1] = '\0';
	return length;
}

static void report_full(struct app *app, struct hit where)
{
	const struct index *ix = &app->ix;

	complain(app, "out of memory at %s:%u; going on with %zu words",
		 ix->doc_count ? ix->docs[ix->doc_count - 1] : "the start",
		 (unsigned)where.line, ix->word_count);
}

static bool index_one(struct app *app, char *line, struct hit *where)
{
	struct index *ix = &app->ix;
	const char *name = header_name(line);

	if (name || ix->doc_count == 0) {
		if (!index_add_doc(ix, name ? name : app->corpus_name))
			return false;
		where->doc = (uint32_t)(ix->doc_count - 1);
		where->line = 0;
	}
	if (name)
		return true;
	where->line++;
	return index_add_line(ix, line, *where);
}

static void read_corpus(struct app *app)
{
	struct hit where = { 0 };
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	enter_phase(app, "index");
	errno = 0;
	while ((length = read_line(app->corpus, &line, &capacity)) >= 0) {
		if (!index_one(app, line, &where)) {
			report_full(app, where);
			break;
		}
		where.at += (uint64_t)length;
	}
	if (length < 0 && !feof(app->corpus))
		complain(app, "%s: %s", app->corpus_name, strerror(errno));
	free(line);
}

/* One found line: where it is, and its text without indentation. */
static void print_hit(struct app *app, const struct hit *hit)
{
	char *line = NULL, *text;
	size_t capacity = 0;

	printf("  %s:%u: ", app->ix.docs[hit->doc], (unsigned)hit->line);
	if (fseeko(app->corpus, (off_t)hit->at, SEEK_SET) != 0 ||
	    read_line(app->corpus, &line, &capacity) < 0) {
		printf("?\n");
		complain(app, "cannot read %s again", app->corpus_name);
		free(line);
		return;
	}
	text = line + strspn(line, " \t");
	for (size_t i = 0; text[i] && i < SNIPPET_MAX; i++) {
		char c = text[i] == '\t' ? ' ' : text[i];

		putchar(c < ' ' || c > '~' ? '?' : c);
	}
	putchar('\n');
	free(line);
}

static void print_hits(struct app *app, const struct hit *hits, size_t count)
{
	for (size_t i = 0; i < count && i < app->hits_shown; i++)
		print_hit(app, &hits[i]);
}

static void top(struct app *app, size_t count)
{
	const struct word **words = calloc(count, sizeof(*words));

	if (!words) {
		complain(app, "out of memory for the top %zu", count);
		return;
	}
	count = index_top(&app->ix, words, count);
	printf("top %zu:\n", count);
	for (size_t i = 0; i < count; i++)
		printf("  %8u %s\n", (unsigned)words[i]->count, words[i]->text);
	free(words);
}

static const struct word *look_up(struct app *app, const char *text)
{
	const struct word *word = index_find(&app->ix, text);

	if (!word)
		printf("%s: not in the index\n", text);
	return word;
}

static void query_word(struct app *app, const char *text)
{
	const struct word *word = look_up(app, text);

	if (!word)
		return;
	printf("%s: %u lines in %zu documents\n", text, (unsigned)word->count,
	       index_docs_in(word->hits, word->count));
	print_hits(app, word->hits, word->count);
}

static void query_and(struct app *app, const char *text1, const char *text2)
{
	const struct word *word1 = look_up(app, text1);
	const struct word *word2 = look_up(app, text2);
	struct hit *hits;
	size_t count, docs;

	if (!word1 || !word2)
		return;
	hits = calloc(app->hits_shown + 1, sizeof(*hits));
	if (!hits) {
		complain(app, "out of memory for %s and %s", text1, text2);
		return;
	}
	count = index_and(word1, word2, hits, app->hits_shown, &docs);
	printf("%s and %s: %zu lines in %zu documents\n", text1, text2, count,
	       docs);
	print_hits(app, hits, count);
	free(hits);
}

static void stats(struct app *app)
{
	const struct index *ix = &app->ix;

	printf("stats: %zu documents, %zu words, %llu hits, %llu KiB\n",
	       ix->doc_count, ix->word_count, (unsigned long long)ix->hit_count,
	       (unsigned long long)index_bytes(ix) / 1024);
}

static bool parse_count(const char *text, size_t *count)
{
	char *end;
	unsigned long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (*end || errno || value == 0 || value > TOP_MAX)
		return false;
	*count = value;
	return true;
}

static bool drop(struct app *app, const char *what)
{
	if (strcmp(what, "alternate") == 0) {
		enter_phase(app, "drop alternate");
		index_drop(&app->ix, DROP_ALTERNATE);
	} else if (strcmp(what, "half") == 0) {
		enter_phase(app, "drop half");
		index_drop(&app->ix, DROP_HALF);
	} else {
		return false;
	}
	stats(app);
	return true;
}

/* False if the line is no command. */
static bool obey(struct app *app, char *line)
{
	const char *verb = strtok(line, " \t");
	const char *arg1 = verb ? strtok(NULL, " \t") : NULL;
	const char *arg2 = arg1 ? strtok(NULL, " \t") : NULL;
	int args = !!arg1 + !!arg2;
	size_t count;

	if (!verb || verb[0] == '#')
		return true;
	if (arg2 && strtok(NULL, " \t"))
		return false;
	if (strcmp(verb, "drop") == 0 && args == 1)
		return drop(app, arg1);
	enter_phase(app, "answer");
	if (strcmp(verb, "top") == 0 && args == 1 && parse_count(arg1, &count))
		top(app, count);
	else if (strcmp(verb, "word") == 0 && args == 1)
		query_word(app, arg1);
	else if (strcmp(verb, "and") == 0 && args == 2)
		query_and(app, arg1, arg2);
	else if (strcmp(verb, "stats") == 0 && args == 0)
		stats(app);
	else
		return false;
	return true;
}

static void obey_all(struct app *app, FILE *commands)
{
	char *line = NULL;
	size_t capacity = 0;
	unsigned number = 0;

	while (read_line(commands, &line, &capacity) >= 0) {
		number++;
		if (!obey(app, line))
			complain(app, "command %u is not one; see --help",
				 number);
	}
	free(line);
}

static int usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "wordindex: %s%s; see --help\n", what, arg);
	return 2;
}

/* The exit status, or -1 to go on. */
static int parse_args(struct app *app, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		size_t *count = strcmp(arg, "--top") == 0    ? &app->top
				: strcmp(arg, "--hits") == 0 ? &app->hits_shown
							     : NULL;

		if (strcmp(arg, "--help") == 0) {
			fputs(usage_text, stdout);
			return 0;
		} else if (count) {
			if (!parse_count(argv[++i], count))
				return usage_error("1 to 1000 belongs after ",
						   arg);
		} else if (arg[0] == '-') {
			return usage_error("no such option: ", arg);
		} else if (app->corpus_name) {
			return usage_error("one corpus is enough: ", arg);
		} else {
			app->corpus_name = arg;
		}
	}
	return app->corpus_name ? -1 : usage_error("name a corpus", "");
}

int main(int argc, char **argv)
{
	static char corpus_buffer[1 << 16]; /* fewer, larger reads */
	static struct app app = { .hits_shown = 3 };
	int status = parse_args(&app, argc, argv);

	if (status >= 0)
		return status;
	app.corpus = fopen(app.corpus_name, "r");
	if (!app.corpus) {
		complain(&app, "%s: %s", app.corpus_name, strerror(errno));
		return 1;
	}
	setvbuf(app.corpus, corpus_buffer, _IOFBF, sizeof(corpus_buffer));
	if (!index_init(&app.ix)) {
		complain(&app, "out of memory at the start");
		fclose(app.corpus);
		return 1;
	}
	read_corpus(&app);
	if (app.top > 0) {
		enter_phase(&app, "answer");
		top(&app, app.top);
	}
	obey_all(&app, stdin);
	enter_phase(&app, "end");
	fclose(app.corpus);
	if (fflush(stdout) != 0)
		complain(&app, "cannot write: %s", strerror(errno));
	return app.failed ? 1 : 0;
}

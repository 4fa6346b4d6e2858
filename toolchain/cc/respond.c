/* SPDX-License-Identifier: BSD-3-Clause */
#include "toolchain/cc/respond.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 2000 /* as gcc: then it is taken for a circle */

struct words {
	char **v;
	size_t count;
};

static int put(struct words *w, char *word)
{
	char **more = realloc(w->v, (w->count + 2) * sizeof(*more));

	if (more)
		w->v = more;
	if (!more || !word)
		return -1;
	more[w->count++] = word;
	more[w->count] = NULL;
	return 0;
}

/* The file's text, or NULL when it cannot be read. */
static char *text_of(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!in)
		return NULL;
	/* Up to a NUL byte: there is none in a text. */
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = ferror(in) ? NULL : strdup("");
	}
	fclose(in);
	return text;
}

/* Takes a word off *@text in place; NULL: there are none left. */
static char *next_word(char **text)
{
	char *p = *text, *to, *word, quote = 0;

	while (isspace((unsigned char)*p))
		p++;
	if (!*p)
		return NULL;
	for (word = to = p; *p; p++) {
		if (*p == '\\' && p[1])
			*to++ = *++p;
		else if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? 0 : *p;
		else if (!quote && isspace((unsigned char)*p))
			break;
		else
			*to++ = *p;
	}
	*text = *p ? p + 1 : p;
	*to = '\0';
	return word;
}

/* Replaces word @at, a response file, by what is in it: copies, since
 * @text goes. */
static int expand(struct words *w, size_t at, char *text)
{
	struct words all = { 0 };
	char *word, *copy;
	size_t i;
	int bad = 0;

	for (i = 0; i < at && !bad; i++)
		bad = put(&all, w->v[i]);
	while (!bad && (word = next_word(&text))) {
		copy = strdup(word);
		bad = put(&all, copy);
		if (bad)
			free(copy);
	}
	for (i = at + 1; i < w->count && !bad; i++)
		bad = put(&all, w->v[i]);
	free(w->v);
	*w = all;
	return bad;
}

int cc_respond(int *argc, char ***argv)
{
	struct words w = { 0 };
	size_t i = 0;
	int files = 0, bad = 0;

	for (i = 0; i < (size_t)*argc && !bad; i++)
		bad = put(&w, (*argv)[i]);
	for (i = 1; i < w.count && !bad;) {
		char *text = w.v[i][0] == '@' ? text_of(w.v[i] + 1) : NULL;

		if (!text)
			i++;
		else
			bad = ++files > FILES_MAX || expand(&w, i, text);
		free(text);
	}
	*argc = (int)w.count;
	*argv = w.v;
	return bad ? -1 : 0;
}

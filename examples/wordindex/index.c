/* SPDX-License-Identifier: BSD-3-Clause */
/* The inverted index. See index.h. */
#include "index.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 1024u

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Words are ASCII whatever the locale, so that output is the same anywhere. */
static bool starts_word(char c)
{
	c = lower(c);
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool continues_word(char c)
{
	return starts_word(c) || is_digit(c);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash ^ hash >> 15;
}

bool index_init(struct index *ix)
{
	memset(ix, 0, sizeof(*ix));
	ix->buckets = calloc(FIRST_BUCKETS, sizeof(*ix->buckets));
	if (!ix->buckets)
		return false;
	ix->bucket_count = FIRST_BUCKETS;
	return true;
}

static void word_free(struct word *word)
{
	free(word->hits);
	free(word);
}

bool index_add_doc(struct index *ix, const char *name)
{
	char *copy;

	if (ix->doc_count == ix->doc_capacity) {
		size_t capacity = ix->doc_capacity ? 2 * ix->doc_capacity : 64;
		char **docs = realloc(ix->docs, capacity * sizeof(*docs));

		if (!docs)
			return false;
		ix->docs = docs;
		ix->doc_capacity = capacity;
	}
	copy = strdup(name);
	if (!copy)
		return false;
	ix->docs[ix->doc_count++] = copy;
	return true;
}

static bool grow_buckets(struct index *ix)
{
	size_t count = 2 * ix->bucket_count;
	struct word **buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return false;
	for (size_t i = 0; i < ix->bucket_count; i++) {
		struct word *word = ix->buckets[i];

		while (word) {
			struct word *next = word->next;
			struct word **to = &buckets[word->hash & (count - 1)];

			word->next = *to;
			*to = word;
			word = next;
		}
	}
	free(ix->buckets);
	ix->buckets = buckets;
	ix->bucket_count = count;
	return true;
}

static struct word *find(const struct index *ix, const char *text,
			 size_t length, uint32_t hash)
{
	struct word *word = ix->buckets[hash & (ix->bucket_count - 1)];

	while (word && (word->hash != hash || word->length != length ||
			memcmp(word->text, text, length) != 0))
		word = word->next;
	return word;
}

/* A word without hits yet, in its bucket; NULL if there is no memory. */
static struct word *add_word(struct index *ix, const char *text, size_t length,
			     uint32_t hash)
{
	struct word **bucket;
	struct word *word;

	if (ix->word_count == ix->bucket_count && !grow_buckets(ix))
		return NULL;
	word = malloc(sizeof(*word) + length + 1);
	if (!word)
		return NULL;
	bucket = &ix->buckets[hash & (ix->bucket_count - 1)];
	*word = (struct word){
		.next = *bucket,
		.hash = hash,
		.length = (uint32_t)length,
	};
	memcpy(word->text, text, length);
	word->text[length] = '\0';
	*bucket = word;
	ix->word_count++;
	return word;
}

static bool add_hit(struct index *ix, struct word *word, struct hit where)
{
	const struct hit *last;

	if (word->count > 0) {
		last = &word->hits[word->count - 1];
		if (last->doc == where.doc && last->line == where.line)
			return true; /* twice on one line */
	}
	if (word->count == word->capacity) {
		uint32_t capacity = word->capacity ? 2 * word->capacity : 1;
		struct hit *hits =
			realloc(word->hits, capacity * sizeof(*hits));

		if (!hits)
			return false;
		word->hits = hits;
		word->capacity = capacity;
	}
	word->hits[word->count++] = where;
	ix->hit_count++;
	return true;
}

/* A number is no word, and the x1f of 0x1f is none either. */
static const char *skip_to_word(const char *p)
{
	while (*p && !starts_word(*p)) {
		bool number = is_digit(*p++);

		while (number && continues_word(*p))
			p++;
	}
	return p;
}

/* Takes the next word of *at in lower case; its length, or 0 at the end. */
static size_t next_word(const char **at, char *word)
{
	const char *p = skip_to_word(*at);
	size_t length = 0;

	while (continues_word(*p)) {
		if (length < WORD_MAX)
			word[length++] = lower(*p);
		p++;
	}
	word[length] = '\0';
	*at = p;
	return length;
}

bool index_add_line(struct index *ix, const char *text, struct hit where)
{
	char key[WORD_MAX + 1];
	size_t length;

	while ((length = next_word(&text, key)) > 0) {
		uint32_t hash = hash_of(key, length);
		struct word *word;

		if (length < WORD_MIN)
			continue;
		word = find(ix, key, length, hash);
		if (!word)
			word = add_word(ix, key, length, hash);
		if (!word || !add_hit(ix, word, where))
			return false;
	}
	return true;
}

const struct word *index_find(const struct index *ix, const char *text)
{
	char key[WORD_MAX + 1];
	size_t length = next_word(&text, key);

	return find(ix, key, length, hash_of(key, length));
}

size_t index_docs_in(const struct hit *hits, size_t count)
{
	size_t docs = 0;

	for (size_t i = 0; i < count; i++)
		docs += i == 0 || hits[i].doc != hits[i - 1].doc;
	return docs;
}

size_t index_and(const struct word *a, const struct word *b, struct hit *out,
		 size_t max, size_t *docs)
{
	size_t i = 0, j = 0, count = 0;
	uint32_t last_doc = UINT32_MAX;

	*docs = 0;
	while (i < a->count && j < b->count) {
		const struct hit *x = &a->hits[i], *y = &b->hits[j];

		i += x->at <= y->at;
		j += y->at <= x->at;
		if (x->at != y->at)
			continue;
		if (count < max)
			out[count] = *x;
		count++;
		*docs += x->doc != last_doc;
		last_doc = x->doc;
	}
	return count;
}

static bool ranks_before(const struct word *a, const struct word *b)
{
	if (a->count != b->count)
		return a->count > b->count;
	return strcmp(a->text, b->text) < 0;
}

size_t index_top(const struct index *ix, const struct word **out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < ix->bucket_count && max > 0; i++) {
		const struct word *word = ix->buckets[i];

		for (; word; word = word->next) {
			size_t at = count < max ? count++ : max;

			while (at > 0 && ranks_before(word, out[at - 1])) {
				if (at < max)
					out[at] = out[at - 1];
				at--;
			}
			if (at < max)
				out[at] = word;
		}
	}
	return count;
}

void index_drop(struct index *ix, enum drop which)
{
	size_t seen = 0;

	for (size_t i = 0; i < ix->bucket_count; i++) {
		struct word **link = &ix->buckets[i];

		while (*link) {
			struct word *word = *link;
			bool keep = which == DROP_ALTERNATE
					    ? seen % 2 == 0
					    : i >= ix->bucket_count / 2;

			seen++;
			if (keep) {
				link = &word->next;
				continue;
			}
			*link = word->next;
			ix->word_count--;
			ix->hit_count -= word->count;
			word_free(word);
		}
	}
}

uint64_t index_bytes(const struct index *ix)
{
	uint64_t bytes = ix->bucket_count * sizeof(*ix->buckets) +
			 ix->doc_capacity * sizeof(*ix->docs);

	for (size_t i = 0; i < ix->doc_count; i++)
		bytes += strlen(ix->docs[i]) + 1;
	for (size_t i = 0; i < ix->bucket_count; i++) {
		const struct word *word = ix->buckets[i];

		for (; word; word = word->next)
			bytes += sizeof(*word) + word->length + 1 +
				 word->capacity * sizeof(*word->hits);
	}
	return bytes;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An inverted index in memory: for each word, where it stands. Ordinary C on
 * the C library alone: a chained hash table whose bucket array doubles, one
 * allocation a word, and one array of hits a word, which doubles as well.
 * Nothing is pooled, so what a dropped word held goes back to malloc.
 */
#ifndef WORDINDEX_INDEX_H
#define WORDINDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_MIN 2 /* bytes; shorter ones are not indexed */
#define WORD_MAX 63

/* One line that holds the word. */
struct hit {
	uint64_t at; /* the line's offset in the corpus */
	uint32_t doc;
	uint32_t line; /* from 1 */
};

struct word {
	struct word *next; /* in the same bucket */
	struct hit *hits;  /* in the order of the corpus */
	uint32_t hash;
	uint32_t count;
	uint32_t capacity;
	uint32_t length;
	char text[]; /* ends with a 0 */
};

struct index {
	struct word **buckets;
	size_t bucket_count; /* a power of two */
	size_t word_count;
	uint64_t hit_count;
	char **docs; /* names */
	size_t doc_count;
	size_t doc_capacity;
};

/* Which words index_drop() forgets. */
enum drop {
	DROP_ALTERNATE, /* every second word, as the table holds them */
	DROP_HALF,	/* all words in the table's first half */
};

/*
 * There is no index_free(): the end of the process frees it.
 * index_init() and the two add functions return false when malloc has no
 * memory. What is in the index by then, also of the same line, stays and can
 * be asked for.
 */
bool index_init(struct index *ix);

/* Starts the next document; the name is copied. */
bool index_add_doc(struct index *ix, const char *name);

/* Adds the words of one line of the newest document. */
bool index_add_line(struct index *ix, const char *text, struct hit where);

/* The word, in any mix of cases, or NULL. */
const struct word *index_find(const struct index *ix, const char *text);

/* How many different documents a list of hits names. */
size_t index_docs_in(const struct hit *hits, size_t count);

/*
 * The lines that hold both words, in order: the first @max go to @out. Returns
 * how many there are; @docs is told in how many documents.
 */
size_t index_and(const struct word *a, const struct word *b, struct hit *out,
		 size_t max, size_t *docs);

/*
 * The @max most frequent words, most frequent first, equals by alphabet.
 * Returns how many there are in @out.
 */
size_t index_top(const struct index *ix, const struct word **out, size_t max);

/* Forgets words and frees what they held. Needs no memory. */
void index_drop(struct index *ix, enum drop which);

/* Bytes asked of malloc that the index still holds. */
uint64_t index_bytes(const struct index *ix);

#endif

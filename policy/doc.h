/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration file as a tree, whatever its language: nodes know where in
 * the text they stand, so that every finding names a line and a column and
 * every fix is an edit of the text. All nodes and strings of a document live
 * in its arena and go with it.
 */
#ifndef POLICY_DOC_H
#define POLICY_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pol_kind {
	POL_OBJECT,
	POL_ARRAY,
	POL_STRING,
	POL_INT,
	POL_REAL, /* str is the text */
	POL_BOOL,
	POL_TIME, /* TOML's dates and times; str is the text */
	POL_NULL,
};

struct pol_span {
	uint32_t off; /* bytes from the start of the text */
	uint32_t len;
};

struct pol_node {
	enum pol_kind kind;
	bool used;	 /* a setting took it: not to be kept as it stands */
	const char *key; /* in an object */
	const char *str;
	int64_t num; /* POL_INT, POL_BOOL */
	struct pol_span key_at;
	struct pol_span at;
	struct pol_node *first; /* members or elements */
	struct pol_node *last;
	struct pol_node *next;
	struct pol_node *parent;
};

struct pol_chunk;

struct pol_doc {
	char *name; /* what messages call the file */
	char *text; /* terminated; may hold zero bytes before that */
	size_t size;
	const char *relaxed; /* what a parser sees in its place, if not NULL */
	uint32_t *lines;     /* where each starts */
	uint32_t line_count;
	bool ascii; /* every column is a byte */
	struct pol_node *root;
	struct pol_chunk *chunks;
	uint32_t values; /* nodes made so far */
	bool oom;
};

/* A new document with a copy of the text; NULL when memory is short. */
struct pol_doc *pol_doc_new(const char *text, size_t size, const char *name);
void pol_doc_free(struct pol_doc *doc);

/* Zeroed memory of the document; NULL, and doc->oom, when memory is short. */
void *pol_alloc(struct pol_doc *doc, size_t size);
const char *pol_strndup(struct pol_doc *doc, const char *s, size_t len);

/* A node under @parent (NULL: the root), at its end. @key is copied. */
struct pol_node *pol_node_new(struct pol_doc *doc, struct pol_node *parent,
			      enum pol_kind kind, const char *key);

/* The member of that name, or NULL; @obj may be NULL. */
struct pol_node *pol_member(const struct pol_node *obj, const char *key);

/* The node at a dotted path below @root, or NULL. */
struct pol_node *pol_find(const struct pol_node *root, const char *path);

/* The same, but objects on the way are made; NULL when memory is short. */
struct pol_node *pol_make(struct pol_doc *doc, struct pol_node *root,
			  const char *path, enum pol_kind kind);

/* Deep copy of @src under @parent, without nodes that are used. */
struct pol_node *pol_copy(struct pol_doc *doc, struct pol_node *parent,
			  const struct pol_node *src);

/* Whether a node still says something: not used, or a member does. */
bool pol_says(const struct pol_node *n);

/* Members sorted by where they stand; TOML tables come sorted by name. */
void pol_sort(struct pol_node *n);

/* The path of a node from the root: `a.b[2].c`; in buf, always terminated. */
const char *pol_path(const struct pol_node *n, char *buf, size_t size);

/* Line and column, from 1, of a byte; columns count code points. */
void pol_where(const struct pol_doc *doc, size_t off, uint32_t *line,
	       uint32_t *col);

/* The byte at a line and a column, from 1; the text's end beyond it. */
size_t pol_offset(const struct pol_doc *doc, uint32_t line, uint32_t col);

/* The same tree, in whatever order of members; used nodes do not count. */
bool pol_same(const struct pol_node *a, const struct pol_node *b);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees with positions: see doc.h. */
#include "policy/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64u << 10)

struct pol_chunk {
	struct pol_chunk *next;
	size_t used;
	size_t size;
	_Alignas(16) char bytes[];
};

/* Where each line starts, and whether a column is a byte. */
static bool index_lines(struct pol_doc *doc)
{
	size_t count = 1;
	uint32_t line = 1;

	doc->ascii = true;
	for (size_t i = 0; i < doc->size; i++) {
		count += doc->text[i] == '\n';
		doc->ascii &= (unsigned char)doc->text[i] < 0x80;
	}
	doc->lines = malloc(count * sizeof(*doc->lines));
	if (!doc->lines)
		return false;
	doc->line_count = (uint32_t)count;
	doc->lines[0] = 0;
	for (size_t i = 0; i < doc->size; i++)
		if (doc->text[i] == '\n')
			doc->lines[line++] = (uint32_t)i + 1;
	return true;
}

struct pol_doc *pol_doc_new(const char *text, size_t size, const char *name)
{
	struct pol_doc *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return NULL;
	doc->text = malloc(size + 1);
	doc->name = strdup(name);
	if (!doc->text || !doc->name) {
		pol_doc_free(doc);
		return NULL;
	}
	if (size > 0)
		memcpy(doc->text, text, size);
	doc->text[size] = '\0';
	doc->size = size;
	if (!index_lines(doc)) {
		pol_doc_free(doc);
		return NULL;
	}
	return doc;
}

void pol_doc_free(struct pol_doc *doc)
{
	if (!doc)
		return;
	while (doc->chunks) {
		struct pol_chunk *c = doc->chunks;

		doc->chunks = c->next;
		free(c);
	}
	free(doc->lines);
	free(doc->text);
	free(doc->name);
	free(doc);
}

void *pol_alloc(struct pol_doc *doc, size_t size)
{
	struct pol_chunk *c = doc->chunks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		c = calloc(1, sizeof(*c) + bytes);
		if (!c) {
			doc->oom = true;
			return NULL;
		}
		c->size = bytes;
		c->next = doc->chunks;
		doc->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

const char *pol_strndup(struct pol_doc *doc, const char *s, size_t len)
{
	char *copy = pol_alloc(doc, len + 1);

	if (copy && len > 0)
		memcpy(copy, s, len);
	return copy;
}

static void link_node(struct pol_node *parent, struct pol_node *n)
{
	n->parent = parent;
	if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
}

struct pol_node *pol_node_new(struct pol_doc *doc, struct pol_node *parent,
			      enum pol_kind kind, const char *key)
{
	struct pol_node *n = pol_alloc(doc, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	if (key) {
		n->key = pol_strndup(doc, key, strlen(key));
		if (!n->key)
			return NULL;
	}
	doc->values++;
	if (parent)
		link_node(parent, n);
	else
		doc->root = n;
	return n;
}

struct pol_node *pol_member(const struct pol_node *obj, const char *key)
{
	if (!obj || obj->kind != POL_OBJECT)
		return NULL;
	for (struct pol_node *n = obj->first; n; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

/* The first component of a path in buf; what follows, or NULL at the end. */
static const char *component(const char *path, char buf[64])
{
	size_t len = strcspn(path, ".");

	snprintf(buf, 64, "%.*s", (int)len, path);
	return path[len] == '.' ? path + len + 1 : NULL;
}

struct pol_node *pol_find(const struct pol_node *root, const char *path)
{
	struct pol_node *n = NULL;
	char key[64];

	while (path) {
		path = component(path, key);
		n = pol_member(root, key);
		if (!n)
			return NULL;
		root = n;
	}
	return n;
}

struct pol_node *pol_make(struct pol_doc *doc, struct pol_node *root,
			  const char *path, enum pol_kind kind)
{
	char key[64];

	while (path) {
		struct pol_node *n;

		path = component(path, key);
		n = pol_member(root, key);
		if (!n)
			n = pol_node_new(doc, root, path ? POL_OBJECT : kind,
					 key);
		if (!n)
			return NULL;
		root = n;
	}
	return root;
}

bool pol_says(const struct pol_node *n)
{
	if (n->used)
		return false;
	if (n->kind != POL_OBJECT || !n->first)
		return true;
	for (const struct pol_node *m = n->first; m; m = m->next)
		if (pol_says(m))
			return true;
	return false;
}

/* fresh: the parent is a copy itself, so that nothing is there already. */
static struct pol_node *copy(struct pol_doc *doc, struct pol_node *parent,
			     const struct pol_node *src, bool fresh)
{
	struct pol_node *n = NULL;

	if (src->key && !fresh)
		n = pol_member(parent, src->key);
	fresh = !n;
	if (fresh)
		n = pol_node_new(doc, parent, src->kind, src->key);
	if (!n)
		return NULL;
	n->num = src->num;
	if (src->str)
		n->str = pol_strndup(doc, src->str, strlen(src->str));
	for (const struct pol_node *m = src->first; m; m = m->next)
		if (pol_says(m) && !copy(doc, n, m, fresh))
			return NULL;
	return doc->oom ? NULL : n;
}

struct pol_node *pol_copy(struct pol_doc *doc, struct pol_node *parent,
			  const struct pol_node *src)
{
	return copy(doc, parent, src, false);
}

static uint32_t begin(const struct pol_node *n)
{
	return n->key_at.len > 0 ? n->key_at.off : n->at.off;
}

/* Merge two lists that are sorted by position. */
static struct pol_node *merge(struct pol_node *a, struct pol_node *b)
{
	struct pol_node *head = NULL;
	struct pol_node **end = &head;

	while (a && b) {
		struct pol_node **from = begin(b) < begin(a) ? &b : &a;

		*end = *from;
		*from = (*from)->next;
		end = &(*end)->next;
	}
	*end = a ? a : b;
	return head;
}

static struct pol_node *sort_list(struct pol_node *list)
{
	struct pol_node *slow = list;
	struct pol_node *half;

	if (!list || !list->next)
		return list;
	for (struct pol_node *fast = list->next; fast && fast->next;
	     fast = fast->next->next)
		slow = slow->next;
	half = slow->next;
	slow->next = NULL;
	return merge(sort_list(list), sort_list(half));
}

void pol_sort(struct pol_node *n)
{
	if (n->kind == POL_OBJECT) {
		n->first = sort_list(n->first);
		n->last = n->first;
		while (n->last && n->last->next)
			n->last = n->last->next;
	}
	for (struct pol_node *m = n->first; m; m = m->next)
		pol_sort(m);
}

const char *pol_path(const struct pol_node *n, char *buf, size_t size)
{
	size_t used;

	buf[0] = '\0';
	if (!n || !n->parent)
		return buf;
	pol_path(n->parent, buf, size);
	used = strlen(buf);
	if (n->key) {
		snprintf(buf + used, size - used, "%s%s", used > 0 ? "." : "",
			 n->key);
	} else {
		unsigned i = 0;

		for (const struct pol_node *m = n->parent->first; m != n;
		     m = m->next)
			i++;
		snprintf(buf + used, size - used, "[%u]", i);
	}
	return buf;
}

/* UTF-8 bytes that continue a code point take no column. */
static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void pol_where(const struct pol_doc *doc, size_t off, uint32_t *line,
	       uint32_t *col)
{
	uint32_t low = 0;
	uint32_t high = doc->line_count;

	if (off > doc->size)
		off = doc->size;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (doc->lines[mid] <= off)
			low = mid;
		else
			high = mid;
	}
	*line = low + 1;
	*col = 1;
	if (doc->ascii)
		*col += (uint32_t)off - doc->lines[low];
	else
		for (size_t i = doc->lines[low]; i < off; i++)
			*col += !continues(doc->text[i]);
}

size_t pol_offset(const struct pol_doc *doc, uint32_t line, uint32_t col)
{
	size_t end = doc->size;
	size_t off;

	if (line == 0 || line > doc->line_count || col == 0)
		return doc->size;
	off = doc->lines[line - 1];
	if (line < doc->line_count)
		end = doc->lines[line] - 1;
	if (doc->ascii)
		return col - 1 < end - off ? off + col - 1 : end;
	for (uint32_t c = 1; c < col && off < end; c++) {
		off++;
		while (off < end && continues(doc->text[off]))
			off++;
	}
	return off;
}

static bool same_text(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

static size_t count_saying(const struct pol_node *n)
{
	size_t count = 0;

	for (const struct pol_node *m = n->first; m; m = m->next)
		count += pol_says(m);
	return count;
}

static bool same_members(const struct pol_node *a, const struct pol_node *b)
{
	for (const struct pol_node *m = a->first; m; m = m->next) {
		const struct pol_node *o;

		if (!pol_says(m))
			continue;
		o = pol_member(b, m->key);
		if (!o || !pol_says(o) || !pol_same(m, o))
			return false;
	}
	return true;
}

static bool same_elements(const struct pol_node *a, const struct pol_node *b)
{
	const struct pol_node *x = a->first;
	const struct pol_node *y = b->first;

	while (x && y && pol_same(x, y)) {
		x = x->next;
		y = y->next;
	}
	return !x && !y;
}

bool pol_same(const struct pol_node *a, const struct pol_node *b)
{
	if (a->kind != b->kind || a->num != b->num ||
	    !same_text(a->str, b->str))
		return false;
	if (a->kind == POL_ARRAY)
		return same_elements(a, b);
	return count_saying(a) == count_saying(b) && same_members(a, b);
}

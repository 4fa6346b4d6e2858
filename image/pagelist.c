/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page lists: an enclave said in text, for formats that have no reader here.
 *
 *	edmm-pages 1
 *	elrange 0x100000
 *	ssaframe 1                       # optional
 *	0x0         R-X code.bin        measured
 *	0x1000      TCS tcs.bin@0x2000  measured
 *	0x2000+16K  RW- -               unmeasured
 *
 * Lines are in the order of EADD. Without +SIZE a line is one page. FILE is
 * relative to the list's folder; from @OFFSET on it fills the pages, and is
 * padded with zeros in the last one. "-" is zeros. # begins a comment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/parts.h"

#define LINE_MAX_SIZE 4096u
#define CONTENT_MAX (1ull << 30)

struct pagelist {
	struct edmm_parts *parts;
	const char *name;
	uint64_t content; /* bytes read from files */
	unsigned line;
	char fault[256];
	edmm_err err;
};

__attribute__((format(printf, 2, 3))) static bool bad(struct pagelist *l,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(l->fault, sizeof(l->fault), format, ap);
	va_end(ap);
	l->err = -EDMM_EBADMSG;
	return false;
}

/* Decimal or 0x, with K, M or G; *end is behind it. */
static bool take_number(const char *text, const char **end, uint64_t *n)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned shift;
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*n = strtoull(text, &stop, strncasecmp(text, "0x", 2) ? 10 : 16);
	unit = *stop ? strchr(units, *stop) : NULL;
	shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;
	*end = stop + (unit ? 1 : 0);
	if (errno || *n > UINT64_MAX >> shift)
		return false;
	*n <<= shift;
	return true;
}

static bool whole_number(const char *text, uint64_t *n)
{
	const char *end;

	return take_number(text, &end, n) && !*end;
}

static bool take_range(struct pagelist *l, const char *text,
		       struct edmm_part *part)
{
	const char *end;

	part->size = SGX_PAGE_SIZE;
	if (!take_number(text, &end, &part->off) ||
	    (*end && (*end != '+' || !whole_number(end + 1, &part->size))))
		return bad(l, "'%s': an offset or OFFSET+SIZE is wanted", text);
	if (!part->size || !img_page_aligned(part->off | part->size))
		return bad(l, "'%s': whole pages of 4096 bytes are wanted",
			   text);
	return true;
}

static bool take_flags(struct pagelist *l, const char *text,
		       struct edmm_part *part)
{
	static const char rwx[] = "RWX";
	unsigned i;

	if (!strcmp(text, "TCS")) {
		part->secinfo = SGX_SECINFO_PT(SGX_PT_TCS);
		memcpy(part->name, "TCS", 4);
		return true;
	}
	part->secinfo = SGX_SECINFO_PT(SGX_PT_REG);
	for (i = 0; i < 3; i++)
		if (text[i] == rwx[i])
			part->secinfo |= 1ull << i;
		else if (text[i] != '-')
			return bad(l, "'%s': TCS, or rights such as RW- or R-X",
				   text);
	if (text[3])
		return bad(l, "'%s': TCS, or rights such as RW- or R-X", text);
	return true;
}

/* The file's path, with "@OFFSET" cut off; malloc()ed. */
static char *take_path(struct pagelist *l, char *text, uint64_t *off)
{
	const char *slash = strrchr(l->name, '/');
	char *at = strrchr(text, '@'), *path;
	int folder = slash && *text != '/' ? (int)(slash - l->name + 1) : 0;

	*off = 0;
	if (at && whole_number(at + 1, off))
		*at = 0;
	if (asprintf(&path, "%.*s%s", folder, l->name, text) < 0)
		return NULL;
	return path;
}

/* Up to @size bytes from @off; at least one. */
static bool read_part(struct pagelist *l, const char *path, uint64_t off,
		      struct edmm_part *part)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint8_t *p = NULL;
	uint64_t size = part->size;
	bool ok = false;

	if (fd < 0)
		return bad(l, "%s: cannot be opened: %s", path,
			   strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		bad(l, "%s: not a regular file", path);
	else if (off >= (uint64_t)st.st_size)
		bad(l, "%s: has %lld bytes, none at 0x%llx", path,
		    (long long)st.st_size, (unsigned long long)off);
	else if (size > CONTENT_MAX - l->content)
		bad(l, "over 1 GiB of content");
	else if (!(p = parts_block(l->parts, size)))
		bad(l, PARTS_NO_MEMORY);
	else
		ok = true;
	while (ok && size) {
		ssize_t n = pread(fd, p + (part->size - size), size,
				  (off_t)(off + part->size - size));

		if (n < 0 && errno != EINTR)
			ok = bad(l, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		if (n > 0)
			size -= (uint64_t)n;
	}
	close(fd);
	if (ok && size >= SGX_PAGE_SIZE)
		ok = bad(l, "%s: ends 0x%llx bytes before the last page", path,
			 (unsigned long long)img_page_down(size));
	l->content += part->size;
	part->src = p;
	return ok;
}

static bool take_content(struct pagelist *l, char *text, struct edmm_part *part)
{
	uint64_t off;
	char *path;
	bool ok;

	if (!strcmp(text, "-"))
		return true;
	snprintf(part->name, sizeof(part->name), "%.23s", text);
	path = take_path(l, text, &off);
	ok = path ? read_part(l, path, off, part) : bad(l, PARTS_NO_MEMORY);
	free(path);
	return ok;
}

static bool take_pages(struct pagelist *l, char **word, unsigned words)
{
	struct edmm_part part = { .name = "pages" };
	const char *fault;

	if (words != 4)
		return bad(l, "OFFSET[+SIZE] FLAGS FILE[@OFFSET]|- "
			      "measured|unmeasured is wanted");
	if (!l->parts->elrange_size)
		return bad(l, "elrange SIZE must come before pages");
	if (!strcmp(word[3], "measured"))
		part.chunks = EDMM_CHUNKS_ALL;
	else if (strcmp(word[3], "unmeasured"))
		return bad(l, "'%s': measured or unmeasured", word[3]);
	if (!take_range(l, word[0], &part) || !take_flags(l, word[1], &part) ||
	    !take_content(l, word[2], &part))
		return false;
	fault = parts_add(l->parts, &part);
	return fault ? bad(l, "%s", fault) : true;
}

static bool take_setting(struct pagelist *l, char **word, unsigned words)
{
	struct edmm_parts *p = l->parts;
	uint64_t n;

	if (words != 2 || !whole_number(word[1], &n))
		return bad(l, "%s wants one number", word[0]);
	if (p->count)
		return bad(l, "%s must come before pages", word[0]);
	if (!strcmp(word[0], "elrange")) {
		if (n < 2 * SGX_PAGE_SIZE || (n & (n - 1)))
			return bad(l, "elrange: a power of two is wanted");
		p->elrange_size = n;
	} else {
		if (!n || n > 0xffff)
			return bad(l, "ssaframe: from 1 to 65535 pages");
		p->ssa_frame_pages = (uint32_t)n;
	}
	return true;
}

static bool take_line(struct pagelist *l, char *text)
{
	char *word[5], *save = NULL, *w;
	unsigned words = 0;

	text[strcspn(text, "#")] = 0;
	for (w = strtok_r(text, " \t\r", &save); w;
	     w = strtok_r(NULL, " \t\r", &save)) {
		if (words == 5)
			break;
		word[words++] = w;
	}
	if (l->line == 1)
		return words == 2 && !strcmp(word[0], "edmm-pages") &&
				       !strcmp(word[1], "1")
			       ? true
			       : bad(l, "'" EDMM_PAGELIST_MAGIC "' is wanted");
	if (!words)
		return true;
	if (!strcmp(word[0], "elrange") || !strcmp(word[0], "ssaframe"))
		return take_setting(l, word, words);
	return take_pages(l, word, words);
}

edmm_err edmm_parts_pagelist(const char *text, size_t size, const char *name,
			     struct edmm_parts *parts, struct edmm_diag *diag)
{
	struct pagelist l = { .parts = parts, .name = name };
	const char *end = text + size, *fault;
	char line[LINE_MAX_SIZE];

	parts_init(parts, "list");
	parts->ssa_frame_pages = 1;
	while (!l.err && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		l.line++;
		if (n >= sizeof(line) || memchr(text, 0, n)) {
			bad(&l, "no line of text");
			break;
		}
		memcpy(line, text, n);
		line[n] = 0;
		take_line(&l, line);
		text += n + (stop != NULL);
	}
	if (!l.err && !parts->count)
		bad(&l, "the list names no pages");
	fault = l.err ? NULL : parts_overlap(parts);
	if (fault)
		bad(&l, "%s", fault);
	if (!l.err)
		return 0;
	edmm_parts_free(parts);
	return img_fail(diag, l.err, "%s:%u: %s", name, l.line, l.fault);
}

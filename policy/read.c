/* SPDX-License-Identifier: BSD-3-Clause */
/* From a file to a policy: reading, parsing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/keys.h"

static void whole_file(struct edmm_findings *f, const char *name,
		       const char *what, const char *fix)
{
	struct edmm_finding *v =
		pol_report(f, NULL, NULL, EDMM_ERROR, "P100", "%s", what);

	free(v->file);
	v->file = strdup(name);
	if (fix)
		pol_fix(v, "%s", fix);
}

/* Bytes of the code point at s, or 0 where it is no UTF-8. */
static size_t code_point(const unsigned char *s, size_t size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	if (n > size || (s[0] >= 0x80 && s[0] < 0xc0) || s[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n > 1 && c < least[n])
		return 0;
	return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* Every format is text: a byte that is none is one finding, whatever the
 * format's own parser would make of it. */
static edmm_err check_text(const struct pol_doc *doc, struct edmm_findings *f)
{
	size_t n;

	for (size_t i = 0; i < doc->size; i += n) {
		struct pol_span at = { (uint32_t)i, 1 };

		n = code_point((const unsigned char *)doc->text + i,
			       doc->size - i);
		if (n > 0 && doc->text[i] != '\0')
			continue;
		pol_report(f, doc, &at, EDMM_ERROR, "P100",
			   n > 0 ? "a zero byte" : "not UTF-8 text");
		return -EDMM_EINVAL;
	}
	return 0;
}

static edmm_err build(struct edmm_policy *p, struct edmm_findings *f)
{
	const struct pol_format *fmt = pol_format(p->format);
	size_t errors = f->errors;
	edmm_err err = check_text(p->doc, f);

	if (!err)
		err = fmt->parse(p->doc, f);
	if (err)
		return err;
	pol_map_read(fmt, p, f);
	pol_typed_read(p, f);
	if (fmt->finish)
		fmt->finish(p, f);
	if (fmt->closed)
		pol_unknown(p, f);
	return f->errors > errors ? -EDMM_EINVAL : 0;
}

/* Of the copy, which ends with a zero byte. */
static enum edmm_format told(const struct pol_doc *doc)
{
	return pol_format_of(
		&(struct edmm_source){ doc->text, doc->size, doc->name });
}

edmm_err edmm_policy_parse(const struct edmm_source *source,
			   enum edmm_format format, struct edmm_policy **out,
			   struct edmm_findings *findings)
{
	struct edmm_policy *p;
	edmm_err err;

	*out = NULL;
	if (source->size > EDMM_POLICY_MAX_BYTES) {
		whole_file(findings, source->name, "larger than 4 MiB",
			   "no configuration is that large");
		return -EDMM_EFBIG;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -EDMM_ENOMEM;
	p->doc = pol_doc_new(source->text, source->size, source->name);
	if (!p->doc) {
		free(p);
		return -EDMM_ENOMEM;
	}
	p->format = format ? format : told(p->doc);
	if (!p->format) {
		whole_file(findings, source->name, "of no format that we know",
			   "a name such as edmm.toml or app.manifest tells it, "
			   "or --from where a verb has it");
		edmm_policy_free(p);
		return -EDMM_EINVAL;
	}
	err = build(p, findings);
	if (p->doc->oom)
		err = -EDMM_ENOMEM;
	/* Without a tree there is nothing to lint. */
	if (!p->doc->root || err == -EDMM_ENOMEM) {
		edmm_policy_free(p);
		return err ? err : -EDMM_EINVAL;
	}
	*out = p;
	return err;
}

static edmm_err of_errno(int e)
{
	if (e == ENOENT)
		return -EDMM_ENOENT;
	return e == EACCES ? -EDMM_EACCES : -EDMM_EIO;
}

/* The whole stream, or a byte more than a policy may have. */
static edmm_err slurp(FILE *in, char **text, size_t *size)
{
	size_t room = 64u << 10;
	char *buf = malloc(room);

	*size = 0;
	while (buf) {
		size_t n = fread(buf + *size, 1, room - *size, in);
		char *more;

		*size += n;
		if (*size < room || *size > EDMM_POLICY_MAX_BYTES)
			break;
		room *= 2;
		more = realloc(buf, room);
		if (!more)
			free(buf);
		buf = more;
	}
	*text = buf;
	if (!buf)
		return -EDMM_ENOMEM;
	return ferror(in) ? -EDMM_EIO : 0;
}

edmm_err edmm_policy_read(const char *path, enum edmm_format format,
			  struct edmm_policy **out,
			  struct edmm_findings *findings)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *in = standard ? stdin : fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	edmm_err err;

	*out = NULL;
	if (!in) {
		int e = errno;

		whole_file(findings, path, strerror(e), NULL);
		return of_errno(e);
	}
	errno = 0;
	err = slurp(in, &text, &size);
	if (err == -EDMM_EIO)
		whole_file(findings, path,
			   errno != 0 ? strerror(errno) : "cannot be read",
			   NULL);
	if (!standard)
		fclose(in);
	if (!err)
		err = edmm_policy_parse(
			&(struct edmm_source){ text, size,
					       standard ? "standard input"
							: path },
			format, out, findings);
	free(text);
	return err;
}

void edmm_policy_free(struct edmm_policy *policy)
{
	if (!policy)
		return;
	pol_doc_free(policy->doc);
	free(policy);
}

const char *edmm_policy_text(const struct edmm_policy *policy, size_t *size)
{
	*size = policy->doc->size;
	return policy->doc->text;
}

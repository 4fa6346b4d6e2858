/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target, once a format (-DFORMAT=): whatever is read without an error
 * can be linted, resolved, explained, written in every format, and read again;
 * in its own format and by way of edmm.toml it then says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "edmm/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A template has no values to write. */
static int is_template(const struct edmm_findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->v[i].rule, "P108") == 0)
			return 1;
	return 0;
}

static struct edmm_policy *again(const struct edmm_policy *p,
				 enum edmm_format format,
				 const struct edmm_target *t)
{
	struct edmm_findings f = { 0 };
	struct edmm_policy *q = NULL;
	struct edmm_text out;

	if (edmm_policy_write(p, format, t, &out, &f) == 0 &&
	    edmm_policy_parse(
		    &(struct edmm_source){ out.text, out.size, "again" },
		    format, &q, &f) != 0) {
		fwrite(out.text, 1, out.size, stderr);
		for (size_t i = 0; i < f.count; i++)
			edmm_finding_print(&f.v[i], stderr);
		abort();
	}
	free(out.text);
	edmm_findings_free(&f);
	return q;
}

/* Reals are printed anew by TOML's library: 1e1 is 10.0 then. */
static int may_change(const uint8_t *data, size_t size)
{
	return memchr(data, 'e', size) != NULL ||
	       memchr(data, 'E', size) != NULL ||
	       memchr(data, '.', size) != NULL ||
	       memmem(data, size, "null", 4) != NULL ||
	       memmem(data, size, "inf", 3) != NULL ||
	       memmem(data, size, "nan", 3) != NULL ||
	       memchr(data, '"', size) != NULL ||
	       memchr(data, '\'', size) != NULL || memchr(data, ':', size);
}

/* What an image takes, and from which setting. */
static void image(const struct edmm_policy *p, enum edmm_mode mode)
{
	struct edmm_findings f = { 0 };
	struct edmm_image_policy im;
	char where[256];

	if (edmm_policy_to_image(p, mode, &im, &f) != 0 && f.errors == 0)
		abort();
	for (int i = EDMM_IMAGE_ELRANGE; i <= EDMM_IMAGE_DEBUG; i++) {
		enum edmm_setting_id id =
			edmm_policy_decides(p, mode, (enum edmm_image_field)i);

		if (id != EDMM_SET_COUNT)
			edmm_policy_where(p, id, where, sizeof(where));
	}
	edmm_findings_free(&f);
}

static void use(const struct edmm_policy *p, int exact)
{
	struct edmm_target t = { .platform = EDMM_PLATFORM_SGX2 };
	struct edmm_findings f = { 0 };
	struct edmm_policy *q;
	FILE *sink = fopen("/dev/null", "w");

	q = again(p, p->format, &t);
	if (q == NULL || (exact && !edmm_policy_equal(p, q)))
		abort();
	edmm_policy_free(q);
	for (int to = EDMM_FORMAT_EDMM; to < EDMM_FORMAT_COUNT; to++)
		edmm_policy_free(again(p, (enum edmm_format)to, &t));
	image(p, EDMM_MODE_ELASTIC);
	image(p, EDMM_MODE_STATIC);
	(void)!edmm_policy_explain(p, &t, false, sink, &f);
	(void)!edmm_policy_explain(p, &t, true, sink, &f);
	edmm_findings_free(&f);
	fclose(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edmm_target t = { .platform = EDMM_PLATFORM_ASK };
	struct edmm_findings f = { 0 };
	struct edmm_policy *p = NULL;
	edmm_err err = edmm_policy_parse(
		&(struct edmm_source){ (const char *)data, size, "fuzz" },
		FORMAT, &p, &f);
	char *fixed = NULL;
	size_t fixed_size = 0;

	if (err != 0 && f.errors == 0)
		abort();
	if (p != NULL)
		(void)!edmm_policy_lint(p, &t, &f);
	edmm_findings_sort(&f);
	if (edmm_findings_fix(&f, (const char *)data, size, &fixed,
			      &fixed_size) < 0)
		abort();
	free(fixed);
	if (err == 0 && !is_template(&f))
		use(p, !may_change(data, size));
	edmm_policy_free(p);
	edmm_findings_free(&f);
	return 0;
}

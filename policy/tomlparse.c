/* SPDX-License-Identifier: BSD-3-Clause */
/* TOML, from the C side: bounds, toml.cpp, and what its errors mean here. */
#include <string.h>

#include "policy/keys.h"
#include "policy/toml.h"

static edmm_err refuse(const struct pol_doc *doc, struct edmm_findings *f,
		       const char *what)
{
	pol_report(f, doc, NULL, EDMM_ERROR, "P100", "%s", what);
	return -EDMM_EINVAL;
}

/* Before toml++ recurses: values, and the dots of one dotted key. */
static edmm_err check_bounds(const struct pol_doc *doc, struct edmm_findings *f)
{
	const char *text = doc->relaxed ? doc->relaxed : doc->text;
	size_t values = 0;
	size_t dots = 0;

	for (size_t i = 0; i < doc->size; i++) {
		bool delimiter = text[i] != '\0' && strchr(",=[]{}\n", text[i]);

		values += delimiter;
		dots = delimiter ? 0 : dots + (text[i] == '.');
		if (dots > 1000)
			return refuse(doc, f, "more than 1000 dots in a row");
	}
	if (values > EDMM_POLICY_MAX_VALUES)
		return refuse(doc, f, "more than 262144 values");
	return 0;
}

/* Dotted keys and tables nest without toml++'s own bound on values. */
static bool too_deep(const struct pol_node *n, unsigned depth)
{
	if (depth > EDMM_POLICY_MAX_DEPTH)
		return true;
	for (const struct pol_node *m = n->first; m; m = m->next)
		if (too_deep(m, depth + 1))
			return true;
	return false;
}

edmm_err pol_toml_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	struct pol_span at = { 0, 1 };
	struct edmm_finding *v;
	uint32_t line = 1;
	uint32_t col = 1;
	char what[256];
	edmm_err err = check_bounds(doc, f);

	if (err)
		return err;
	switch (pol_toml_tree(doc, &line, &col, what, sizeof(what))) {
	case 0:
		if (!too_deep(doc->root, 0))
			return 0;
		return refuse(doc, f, "nested deeper than 32 levels");
	case 1:
		break;
	default:
		return -EDMM_ENOMEM;
	}
	at.off = (uint32_t)pol_offset(doc, line, col);
	v = pol_report(f, doc, &at, EDMM_ERROR, "P100", "%s", what);
	if (pol_is_template(doc))
		pol_fix(v, "this is a template: run gramine-manifest first");
	return -EDMM_EINVAL;
}

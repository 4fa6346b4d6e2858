/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees as text: JSON, TOML, Intel's XML, and formats of lines. */
#include <ctype.h>
#include <string.h>

#include "policy/keys.h"

static void indent(FILE *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		fputs("    ", out);
}

/* Escapes that JSON and TOML share; everything above ASCII stays. */
static void quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void scalar(FILE *out, const struct pol_node *n, bool json)
{
	switch (n->kind) {
	case POL_STRING:
		quoted(out, n->str);
		break;
	case POL_TIME:
		json ? quoted(out, n->str) : (void)fputs(n->str, out);
		break;
	case POL_INT:
		fprintf(out, "%lld", (long long)n->num);
		break;
	case POL_REAL:
		fputs(n->str, out);
		break;
	case POL_BOOL:
		fputs(n->num ? "true" : "false", out);
		break;
	default:
		fputs(json ? "null" : "\"\"", out);
	}
}

static bool is_scalar(const struct pol_node *n)
{
	return n->kind != POL_OBJECT && n->kind != POL_ARRAY;
}

static void json_value(FILE *out, const struct pol_node *n, unsigned depth)
{
	bool object = n->kind == POL_OBJECT;

	if (is_scalar(n)) {
		scalar(out, n, true);
		return;
	}
	fputc(object ? '{' : '[', out);
	for (const struct pol_node *m = n->first; m; m = m->next) {
		fputc('\n', out);
		indent(out, depth + 1);
		if (object) {
			quoted(out, m->key);
			fputs(": ", out);
		}
		json_value(out, m, depth + 1);
		if (m->next)
			fputc(',', out);
	}
	if (n->first) {
		fputc('\n', out);
		indent(out, depth);
	}
	fputc(object ? '}' : ']', out);
}

void pol_json_emit(const struct pol_node *root, FILE *out)
{
	json_value(out, root, 0);
	fputc('\n', out);
}

/* ---- TOML ------------------------------------------------------------- */

static void toml_key(FILE *out, const char *key)
{
	size_t n = 0;

	while (isalnum((unsigned char)key[n]) || key[n] == '_' || key[n] == '-')
		n++;
	if (n > 0 && key[n] == '\0')
		fputs(key, out);
	else
		quoted(out, key);
}

static void toml_inline(FILE *out, const struct pol_node *n)
{
	const char *sep = "";

	if (is_scalar(n)) {
		scalar(out, n, false);
		return;
	}
	fputs(n->kind == POL_OBJECT ? "{ " : "[", out);
	for (const struct pol_node *m = n->first; m; m = m->next) {
		if (m->kind == POL_NULL && n->kind == POL_OBJECT)
			continue;
		fputs(sep, out);
		if (n->kind == POL_OBJECT) {
			toml_key(out, m->key);
			fputs(" = ", out);
		}
		toml_inline(out, m);
		sep = ", ";
	}
	fputs(n->kind == POL_OBJECT ? " }" : "]", out);
}

/* A long array goes an element a line. */
static void toml_value(FILE *out, const struct pol_node *n)
{
	if (n->kind != POL_ARRAY || !n->first ||
	    (!n->first->next && is_scalar(n->first))) {
		toml_inline(out, n);
		return;
	}
	fputs("[\n", out);
	for (const struct pol_node *m = n->first; m; m = m->next) {
		fputs("  ", out);
		toml_inline(out, m);
		fputs(",\n", out);
	}
	fputc(']', out);
}

struct toml_path {
	const struct toml_path *up;
	const char *key;
};

static void toml_header(FILE *out, const struct toml_path *p)
{
	if (p->up && p->up->key) {
		toml_header(out, p->up);
		fputc('.', out);
	}
	toml_key(out, p->key);
}

static void toml_table(FILE *out, const struct pol_node *n,
		       const struct toml_path *path)
{
	bool open = !path->key;

	for (const struct pol_node *m = n->first; m; m = m->next) {
		if (m->kind == POL_OBJECT || m->kind == POL_NULL)
			continue;
		if (!open) {
			fputs("\n[", out);
			toml_header(out, path);
			fputs("]\n", out);
			open = true;
		}
		toml_key(out, m->key);
		fputs(" = ", out);
		toml_value(out, m);
		fputc('\n', out);
	}
	if (!open && !n->first) {
		fputs("\n[", out);
		toml_header(out, path);
		fputs("]\n", out);
	}
	for (const struct pol_node *m = n->first; m; m = m->next) {
		struct toml_path below = { path, m->key };

		if (m->kind == POL_OBJECT)
			toml_table(out, m, &below);
	}
}

void pol_toml_emit(const struct pol_node *root, FILE *out)
{
	struct toml_path top = { NULL, NULL };

	toml_table(out, root, &top);
}

/* ---- XML and lines ---------------------------------------------------- */

static void xml_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else
			fputc(*s, out);
	}
}

void pol_xml_emit(const struct pol_node *root, FILE *out)
{
	fputs("<EnclaveConfiguration>\n", out);
	for (const struct pol_node *m = root->first; m; m = m->next) {
		fprintf(out, "    <%s>", m->key);
		xml_text(out, m->str);
		fprintf(out, "</%s>\n", m->key);
	}
	fputs("</EnclaveConfiguration>\n", out);
}

/* What the shell expands stays so; the rest is taken literally. */
static const char *shell_quote(const char *s)
{
	if (strpbrk(s, "$`'") && !strchr(s, '"'))
		return "\"";
	return strpbrk(s, " \t#'\"$\\;&|<>()*?`") ? "'" : "";
}

void pol_env_emit(const struct pol_node *root, FILE *out)
{
	for (const struct pol_node *m = root->first; m; m = m->next) {
		const char *quote = shell_quote(m->str);

		fprintf(out, "export %s=%s%s%s\n", m->key, quote, m->str,
			quote);
	}
}

void pol_oe_emit(const struct pol_node *root, FILE *out)
{
	for (const struct pol_node *m = root->first; m; m = m->next)
		fprintf(out, "%s=%s\n", m->key, m->str);
}

void pol_conf_emit(const struct pol_node *root, FILE *out)
{
	const struct pol_node *lines = pol_member(root, "lines");

	for (const struct pol_node *m = root->first; m; m = m->next)
		if (m->kind == POL_STRING)
			fprintf(out, "%s %s\n", m->key, m->str);
	for (const struct pol_node *m = lines ? lines->first : NULL; m;
	     m = m->next)
		fprintf(out, "%s\n", m->str);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Enclave.config.xml: expat, then two levels: the root and its elements, each
 * of which holds text. As in Intel's signing tool there are no attributes, no
 * element comes twice, and the root is EnclaveConfiguration. A DTD, and with
 * it every entity of a file's own, is refused.
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "policy/keys.h"

#define ROOT "EnclaveConfiguration"

struct walk {
	struct pol_doc *doc;
	struct edmm_findings *f;
	XML_Parser p;
	struct pol_node *n; /* the element we are in; NULL outside */
	unsigned depth;
	size_t text_off;
	char *text;
	size_t used;
	bool failed;
};

static void fail(struct walk *w, size_t off, size_t len, const char *fmt,
		 const char *name)
{
	struct pol_span at = { (uint32_t)off, (uint32_t)len };
	struct edmm_finding *v;

	if (w->failed)
		return;
	w->failed = true;
	v = pol_report(w->f, w->doc, &at, EDMM_ERROR, "P100", fmt, name);
	pol_effect(v, "sgx_sign refuses the file");
	XML_StopParser(w->p, XML_FALSE);
}

static size_t here(const struct walk *w)
{
	long at = (long)XML_GetCurrentByteIndex(w->p);

	return at > 0 ? (size_t)at : 0;
}

static void XMLCALL on_start(void *user, const XML_Char *name,
			     const XML_Char **attrs)
{
	struct walk *w = user;
	size_t off = here(w);
	size_t len = strlen(name);

	w->depth++;
	if (w->depth == 1 && strcmp(name, ROOT) != 0) {
		fail(w, off + 1, len, "the root is '%.60s', not " ROOT, name);
	} else if (attrs[0]) {
		fail(w, off + 1, len, "'%.60s' has an attribute", name);
	} else if (w->depth > 2) {
		fail(w, off + 1, len, "'%.60s' lies within an element", name);
	} else if (w->depth == 2 && pol_member(w->doc->root, name)) {
		fail(w, off + 1, len, "'%.60s' comes twice", name);
	} else if (w->doc->values > 1000) {
		fail(w, off + 1, len, "too many elements at '%.60s'", name);
	}
	if (w->failed || w->depth == 1)
		return;
	w->n = pol_node_new(w->doc, w->doc->root, POL_STRING, name);
	if (!w->n)
		return;
	w->n->key_at = (struct pol_span){ (uint32_t)off + 1, (uint32_t)len };
	w->used = 0;
	w->text_off = off + (size_t)XML_GetCurrentByteCount(w->p);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct walk *w = user;
	size_t end = here(w);

	(void)name;
	w->depth--;
	if (!w->n)
		return;
	w->n->str = pol_strndup(w->doc, w->text, w->used);
	/* <X/>: expat gives its start for both ends. */
	if (end < w->text_off)
		end = w->text_off;
	w->n->at = (struct pol_span){ (uint32_t)w->text_off,
				      (uint32_t)(end - w->text_off) };
	if (w->used == 0)
		fail(w, w->n->key_at.off, w->n->key_at.len,
		     "'%.60s' has no value", w->n->key);
	w->n = NULL;
}

static void XMLCALL on_text(void *user, const XML_Char *s, int len)
{
	struct walk *w = user;

	if (!w->n) {
		if (w->depth > 0 && !w->failed)
			for (int i = 0; i < len; i++)
				if (!strchr(" \t\r\n", s[i])) {
					fail(w, here(w), (size_t)len,
					     "text outside an element%s", "");
					return;
				}
		return;
	}
	memcpy(w->text + w->used, s, (size_t)len);
	w->used += (size_t)len;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name,
			       const XML_Char *sysid, const XML_Char *pubid,
			       int has_subset)
{
	struct walk *w = user;

	(void)sysid;
	(void)pubid;
	(void)has_subset;
	/* expat is past the name by now. */
	const char *at = memmem(w->doc->text, w->doc->size, "<!DOCTYPE", 9);

	fail(w, at ? (size_t)(at - w->doc->text) : here(w), 9,
	     "a document type ('%.60s') is not allowed", name);
}

static edmm_err syntax_error(const struct walk *w)
{
	struct pol_span at = { (uint32_t)here(w), 1 };

	pol_report(w->f, w->doc, &at, EDMM_ERROR, "P100", "%s",
		   XML_ErrorString(XML_GetErrorCode(w->p)));
	return -EDMM_EINVAL;
}

edmm_err pol_xml_parse(struct pol_doc *doc, struct edmm_findings *f)
{
	struct walk w = { .doc = doc, .f = f };
	edmm_err err = 0;

	w.p = XML_ParserCreate("UTF-8");
	/* Text cannot be longer than the file: no entity of its own exists. */
	w.text = malloc(doc->size + 1);
	if (!w.p || !w.text || !pol_node_new(doc, NULL, POL_OBJECT, NULL)) {
		err = -EDMM_ENOMEM;
		goto out;
	}
	XML_SetUserData(w.p, &w);
	XML_SetElementHandler(w.p, on_start, on_end);
	XML_SetCharacterDataHandler(w.p, on_text);
	XML_SetStartDoctypeDeclHandler(w.p, on_doctype);
	if (XML_Parse(w.p, doc->text, (int)doc->size, XML_TRUE) !=
	    XML_STATUS_OK)
		err = w.failed ? -EDMM_EINVAL : syntax_error(&w);
	if (doc->oom)
		err = -EDMM_ENOMEM;
out:
	free(w.text);
	if (w.p)
		XML_ParserFree(w.p);
	return err;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The one reader and the one writer behind every format's table: format.h. */
#ifndef POLICY_KEYS_H
#define POLICY_KEYS_H

#include "policy/format.h"

/* The row of a setting in a format's table, or NULL. */
const struct pol_map *pol_row(const struct pol_format *fmt,
			      enum edmm_setting_id id);

/* Settings out of a tree; what is wrong becomes findings. */
void pol_map_read(const struct pol_format *fmt, struct edmm_policy *p,
		  struct edmm_findings *f);

/* Rule P102: a row's setting is not there. */
void pol_missing(const struct edmm_policy *p, const struct pol_map *m,
		 struct edmm_findings *f);

/* Whether a setting's value is no less than the format has it at least; an
 * error P104 where it is. */
bool pol_enough(const struct pol_format *fmt, const struct edmm_policy *p,
		const struct edmm_setting *s, enum edmm_setting_id id,
		struct edmm_findings *f);

/* One setting into a tree, as the format spells it. */
struct pol_node *pol_map_put(struct pol_doc *doc, const struct pol_format *fmt,
			     const struct pol_map *m, uint64_t value);

/* The name that edmm.toml, and messages about no one format, give it. */
const char *pol_setting_name(enum edmm_setting_id id);

/* A setting's value in a format's spelling, for messages. */
const char *pol_spell(const struct pol_format *fmt, const struct pol_map *m,
		      uint64_t value, char buf[64]);

/* The number that stands for a value: whole pages, whole MiB, or itself. */
uint64_t pol_number(const struct pol_map *m, uint64_t value);

/* Edits between two names; a swap of neighbours is one edit. ~0u: too long. */
unsigned pol_edits(const char *a, const char *b);
/* Names in the tree that the format does not know: rule P101. */
void pol_unknown(const struct edmm_policy *p, struct edmm_findings *f);

/* Whether a format has this path; its typed names are not asked. */
bool pol_known(const struct pol_format *fmt, const char *path);

/*
 * typed.c: values of names that are no settings, also of what edmm.toml keeps
 * for another format: rule P104.
 */
void pol_typed_read(const struct edmm_policy *p, struct edmm_findings *f);

/* typed.c: whether the format's typed names have this one, or, of a container,
 * one in it. */
bool pol_typed_knows(const struct edmm_policy *p, const struct pol_node *n,
		     bool container);

/* template.c: whether a text has marks of Jinja; what it says to TOML, at the
 * same places, into doc->relaxed; whether a value then is a template's. */
bool pol_is_template(const struct pol_doc *doc);
edmm_err pol_template_relax(struct pol_doc *doc);
bool pol_templated(const struct pol_doc *doc, const struct pol_node *n);

/* What is left for a format when its settings are taken; NULL for nothing. */
const struct pol_node *pol_kept(const struct edmm_policy *p,
				enum edmm_format format);

/* Parsers and emitters: json.c, toml.cpp, xml.c, env.c, emit.c */
edmm_err pol_json_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_jsonc_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_toml_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_xml_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_env_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_oe_parse(struct pol_doc *doc, struct edmm_findings *f);
edmm_err pol_conf_parse(struct pol_doc *doc, struct edmm_findings *f);
void pol_json_emit(const struct pol_node *root, FILE *out);
void pol_toml_emit(const struct pol_node *root, FILE *out);
void pol_xml_emit(const struct pol_node *root, FILE *out);
void pol_env_emit(const struct pol_node *root, FILE *out);
void pol_oe_emit(const struct pol_node *root, FILE *out);
void pol_conf_emit(const struct pol_node *root, FILE *out);

#endif

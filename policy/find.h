/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings, as this room makes them. */
#ifndef POLICY_FIND_H
#define POLICY_FIND_H

#include "edmm/policy.h"
#include "policy/doc.h"

/*
 * pol_report() - add a finding
 * @doc: the file; NULL: no file is to be named
 * @at: where; NULL: the file as a whole
 * @level, @rule: of the finding; the rule's string is kept as it is
 * @fmt: what is wrong
 *
 * Return: the finding, valid until the next one is added; its effect, fix and
 * repl may be set with the functions below. A finding of no use to anyone when
 * memory is short: then the level is still counted.
 */
struct pol_place {
	const struct pol_doc *doc;
	const struct pol_span *at;
};

struct edmm_finding *pol_report_at(struct edmm_findings *f,
				   struct pol_place place,
				   enum edmm_level level, const char *rule,
				   const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#define pol_report(f, doc, at, level, ...) \
	pol_report_at(f, (struct pol_place){ doc, at }, level, __VA_ARGS__)

void pol_effect(struct edmm_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pol_fix(struct edmm_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --fix replaces the bytes [off, off + len) of the text. */
void pol_repl(struct edmm_finding *f, size_t off, size_t len, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

/* Where a setting's value stands. */
static inline struct pol_span pol_at(const struct edmm_policy *p,
				     enum edmm_setting_id id)
{
	return (struct pol_span){ p->s[id].off, p->s[id].len };
}

#endif

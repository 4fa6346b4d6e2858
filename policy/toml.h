/* SPDX-License-Identifier: BSD-3-Clause */
/* What toml.cpp gives to C. */
#ifndef POLICY_TOML_H
#define POLICY_TOML_H

#include "policy/doc.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The document's text as a tree. Return: 0; 1 for a syntax error, with its
 * place and a description in @what (@size bytes); -1 when memory is short.
 */
int pol_toml_tree(struct pol_doc *doc, uint32_t *line, uint32_t *col,
		  char *what, size_t size);

#ifdef __cplusplus
}
#endif

#endif

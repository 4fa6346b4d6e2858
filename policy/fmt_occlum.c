/* SPDX-License-Identifier: BSD-3-Clause */
/* Occlum.json: which key is which setting, and what else it may hold. */
#include <ctype.h>
#include <string.h>

#include "policy/keys.h"

#define U32 0xffffffffull

static const struct pol_map map[] = {
	{ "resource_limits.kernel_space_heap_size", EDMM_SET_HEAP_INIT,
	  POL_SIZE, 0, NULL, true },
	{ "resource_limits.kernel_space_heap_max_size", EDMM_SET_HEAP_MAX,
	  POL_SIZE, 0, NULL, false },
	{ "resource_limits.kernel_space_stack_size", EDMM_SET_STACK_MAX,
	  POL_SIZE, 0, NULL, true },
	{ "resource_limits.user_space_size", EDMM_SET_USER_INIT, POL_SIZE, 0,
	  NULL, true },
	{ "resource_limits.user_space_max_size", EDMM_SET_USER_MAX, POL_SIZE, 0,
	  NULL, false },
	{ "resource_limits.init_num_of_threads", EDMM_SET_THREADS_INIT,
	  POL_UINT, U32, NULL, false },
	{ "resource_limits.max_num_of_threads", EDMM_SET_THREADS_MAX, POL_UINT,
	  U32, NULL, true },
	{ "process.default_stack_size", EDMM_SET_PROC_STACK, POL_SIZE, 0, NULL,
	  true },
	{ "process.default_heap_size", EDMM_SET_PROC_BRK, POL_SIZE, 0, NULL,
	  true },
	{ "process.default_mmap_size", EDMM_SET_PROC_MMAP, POL_SIZE, 0, NULL,
	  true },
	{ "metadata.product_id", EDMM_SET_PRODID, POL_UINT, U32, NULL, false },
	{ "metadata.version_number", EDMM_SET_SVN, POL_UINT, U32, NULL, false },
	{ "metadata.debuggable", EDMM_SET_DEBUG, POL_FLAG, 0, NULL, false },
	{ "metadata.enable_kss", EDMM_SET_KSS, POL_FLAG, 0, NULL, false },
	{ "metadata.family_id.high", EDMM_SET_FAMILY_H, POL_HEX, 0, NULL,
	  false },
	{ "metadata.family_id.low", EDMM_SET_FAMILY_L, POL_HEX, 0, NULL,
	  false },
	{ "metadata.ext_prod_id.high", EDMM_SET_EXTPROD_H, POL_HEX, 0, NULL,
	  false },
	{ "metadata.ext_prod_id.low", EDMM_SET_EXTPROD_L, POL_HEX, 0, NULL,
	  false },
	{ "feature.amx", EDMM_SET_AMX, POL_UINT, 2, NULL, false },
	{ "feature.pkru", EDMM_SET_PKRU, POL_UINT, 2, NULL, false },
	{ "feature.enable_edmm", EDMM_SET_EDMM, POL_FLAG, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

static const char *const known[] = {
	"resource_limits.marshal_buffer_size",
	"entry_points.*",
	"env.default.*",
	"env.untrusted.*",
	"metadata.disable_log",
	"feature.io_uring",
	"feature.enable_posix_shm",
	"mount[].type",
	"mount[].target",
	"mount[].source",
	"mount[].options.*",
	NULL,
};

/* ---- sizes ------------------------------------------------------------ */

static const struct pol_unit units[] = {
	{ "TB", 40 }, { "GB", 30 }, { "MB", 20 },
	{ "KB", 10 }, { "B", 0 },   { NULL, 0 },
};

/* Blanks around the number and the unit, and a plus sign, are allowed. */
static edmm_err parse_size(const char *s, uint64_t *value)
{
	char unit[4] = "";
	uint64_t n;
	edmm_err err;
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '+')
		s++;
	err = pol_digits(&s, &n);
	if (err != 0)
		return err;
	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	if (len == 0 || len > 3)
		return -EDMM_EINVAL;
	memcpy(unit, s, len);
	return pol_in_units(units, unit, n, value);
}

static const struct pol_sizes sizes = {
	.units = units,
	.parse = parse_size,
	.example = "a number and one of B, KB, MB, GB, TB, as in \"4MB\"",
};

/* ---- the file --------------------------------------------------------- */

static const char *const files[] = { "*.json", NULL };

static enum pol_sure sniff(const struct pol_sample *t)
{
	return *t->start == '{' ? POL_BY_START : POL_NOT;
}

/* Required by the tool, not by its documentation; the linter says so. */
static const char *const sections[] = { "entry_points", "env",	 "metadata",
					"feature",	"mount", NULL };

static void finish(struct edmm_policy *p, struct edmm_findings *f)
{
	struct pol_span at = { 0, 1 };
	struct edmm_finding *v;
	char names[128] = "";
	size_t used = 0;

	for (const char *const *s = sections; *s; s++)
		if (!pol_member(p->doc->root, *s))
			used += (size_t)snprintf(names + used,
						 sizeof(names) - used, "%s%s",
						 used > 0 ? ", " : "", *s);
	if (used == 0)
		return;
	v = pol_report(f, p->doc, &at, EDMM_WARNING, "P102", "not there: %s",
		       names);
	pol_effect(v, "occlum build of release 0.31 fails");
}

const struct pol_format pol_occlum = {
	.id = EDMM_FORMAT_OCCLUM,
	.parse = pol_json_parse,
	.emit = pol_json_emit,
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.sizes = &sizes,
	.finish = finish,
};

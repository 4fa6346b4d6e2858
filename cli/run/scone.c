/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SCONE's variables on edmm run: what they mean there they mean here, as far
 * as it is a setting of memory, of EDMM or of the machine. With any of them in
 * the environment SCONE's defaults hold, and EDMM is off unless
 * SCONE_EDMM_MODE says otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/config/config.h"
#include "cli/run/run.h"
#include "edmm/version.h"

#define SCONE_FILE "/etc/sgx-musl.conf"

static bool any_variable(void)
{
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, "SCONE_", 6))
			return true;
	return false;
}

/* A policy out of @path into a layer; false after a line a mistake. */
static bool read_layer(struct edmm_policy **to, const char *path,
		       enum edmm_format format)
{
	struct edmm_findings f = { 0 };
	edmm_err err = cli_policy_read(path, format, to, &f);

	if (err)
		cli_findings(&f, EDMM_ERROR, stderr);
	edmm_findings_free(&f);
	return !err;
}

/* A file that SCONE_CONFIG names must be there; the usual one may. */
static bool read_file(struct edmm_policy **to)
{
	const char *path = getenv("SCONE_CONFIG");

	if ((!path || !*path) && access(SCONE_FILE, R_OK))
		return true;
	return read_layer(to, path && *path ? path : SCONE_FILE,
			  EDMM_FORMAT_SCONE_CONF);
}

/* 0 or 1; anything else is a mistake. */
static bool flag(const char *name, bool *on)
{
	const char *v = getenv(name);

	*on = v && !strcmp(v, "1");
	if (!v || *on || !*v || !strcmp(v, "0"))
		return true;
	cli_error("%s: '%s' is neither 0 nor 1", name, v);
	return false;
}

static bool take_machine(struct cli_run_options *o)
{
	static const struct {
		const char *word;
		enum cli_machine machine;
	} modes[] = { { "hw", CLI_MACHINE_HW },
		      { "sim", CLI_MACHINE_SOFT },
		      { "auto", CLI_MACHINE_AUTO } };
	const char *v = getenv("SCONE_MODE");

	if (!v || !*v || o->machine_said)
		return true;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcasecmp(v, modes[i].word)) {
			o->machine = modes[i].machine;
			return true;
		}
	cli_error("SCONE_MODE: '%s' is no mode; hw, sim or auto", v);
	return false;
}

static void wish_of(struct cli_run_options *o, uint64_t wish)
{
	o->edmm = wish == EDMM_WISH_ENABLE ? CLI_WISH_ENABLE
		  : wish == EDMM_WISH_AUTO ? CLI_WISH_AUTO
					   : CLI_WISH_DISABLE;
}

static void take_mode(struct cli_run_options *o, const struct edmm_policy *p)
{
	static const char *const words[] = { "disable", "enable", "auto" };
	const struct edmm_setting *s = &p->s[EDMM_SET_EDMM];

	if (o->edmm != CLI_WISH_NONE)
		return;
	wish_of(o, s->set ? s->value : EDMM_WISH_DISABLE);
	o->edmm_scone = true;
	if (s->set)
		snprintf(o->edmm_by, sizeof(o->edmm_by), "SCONE_EDMM_MODE=%s",
			 words[s->value]);
	else
		snprintf(o->edmm_by, sizeof(o->edmm_by),
			 "SCONE's default (SCONE_EDMM_MODE is not set)");
}

/* Settings that SCONE would act on and this runtime cannot. */
static void say_ignored(const struct edmm_policy *p)
{
	if (p->s[EDMM_SET_QUEUES].set && !cli_machine_restarted())
		cli_error("%s has no effect here: calls leave the enclave",
			  edmm_policy_name(p, EDMM_SET_QUEUES));
}

int cli_scone(struct cli_run *r)
{
	struct edmm_policy **layer = r->o.settings.layer;
	bool hash, edmm_hash;

	/* Not for advise.c's child, which knows what it wants. */
	if (!any_variable() || r->o.figures_fd >= 0)
		return -1;
	if (!read_file(&layer[CLI_LAYER_SCONE_CONF]) ||
	    !read_layer(&layer[CLI_LAYER_SCONE], "env:", EDMM_FORMAT_SCONE) ||
	    !take_machine(&r->o) || !flag("SCONE_HASH", &hash) ||
	    !flag("SCONE_EDMM_HASH", &edmm_hash))
		return CLI_RUN_FAIL;
	take_mode(&r->o, layer[CLI_LAYER_SCONE]);
	say_ignored(layer[CLI_LAYER_SCONE]);
	return -1;
}

static void config_wish(struct cli_run *r, const struct edmm_policy *p)
{
	const struct edmm_setting *s = &p->s[EDMM_SET_EDMM];

	if (r->o.edmm != CLI_WISH_NONE)
		return;
	if (s->set) {
		wish_of(&r->o, s->value);
		edmm_policy_where(p, EDMM_SET_EDMM, r->o.edmm_by,
				  sizeof(r->o.edmm_by));
	} else if (edmm_policy_rules(p) == EDMM_FORMAT_SCONE) {
		wish_of(&r->o, EDMM_WISH_DISABLE);
		snprintf(r->o.edmm_by, sizeof(r->o.edmm_by),
			 "%.120s (SCONE's default)", r->o.settings.config);
	}
}

bool cli_window_ok(const char *what, uint64_t window)
{
	if (window && window % SGX_PAGE_SIZE == 0 && window <= WIRE_WINDOW_MAX)
		return true;
	cli_error("%s: whole pages of %u bytes are wanted, up to %u MiB", what,
		  SGX_PAGE_SIZE, WIRE_WINDOW_MAX >> 20);
	return false;
}

/*
 * Does the file say how many threads there may be? In edmm.toml one word does,
 * in others also that of how many contexts there are; not in SCONE's, whose
 * threads take turns on them.
 */
static bool says_threads(const struct edmm_policy *p)
{
	const enum edmm_format rules = edmm_policy_rules(p);

	if (p->s[EDMM_SET_THREADS_MAX].set)
		return true;
	return p->s[EDMM_SET_THREADS_INIT].set && rules != EDMM_FORMAT_EDMM &&
	       rules != EDMM_FORMAT_SCONE;
}

/* By the file's own rules: Occlum's maximum is 4,096 at least. */
static void config_threads(struct cli_run_options *o,
			   const struct edmm_policy *p)
{
	const struct edmm_target t = { .platform = EDMM_PLATFORM_SGX2 };
	struct edmm_findings f = { 0 };
	struct edmm_resolved r;

	if (edmm_policy_resolve(p, &t, &r, &f) == 0) {
		if (says_threads(p))
			o->threads_file = r.tcs_max;
		if (o->threads_pool == UINT64_MAX &&
		    p->s[EDMM_SET_THREADS_POOL].set)
			o->threads_pool = r.tcs_pool;
	}
	if (o->threads_idle == UINT64_MAX)
		o->threads_idle =
			edmm_policy_get(p, EDMM_SET_THREADS_IDLE, UINT64_MAX);
	edmm_findings_free(&f);
}

int cli_config_run(struct cli_run *r)
{
	const struct edmm_policy *p = r->o.settings.layer[CLI_LAYER_CONFIG];
	struct cli_run_options *o = &r->o;
	char where[256];

	if (!p)
		return -1;
	config_wish(r, p);
	config_threads(o, p);
	o->heap_idle =
		o->heap_idle != UINT64_MAX
			? o->heap_idle
			: edmm_policy_get(p, EDMM_SET_HEAP_IDLE, UINT64_MAX);
	o->heap_idle_percent =
		o->heap_idle_percent != UINT64_MAX
			? o->heap_idle_percent
			: edmm_policy_get(p, EDMM_SET_HEAP_IDLE_PERCENT,
					  UINT64_MAX);
	if (o->heap_window || !p->s[EDMM_SET_HEAP_WINDOW].set)
		return -1;
	o->heap_window = p->s[EDMM_SET_HEAP_WINDOW].value;
	edmm_policy_where(p, EDMM_SET_HEAP_WINDOW, where, sizeof(where));
	return cli_window_ok(where, o->heap_window) ? -1 : CLI_RUN_FAIL;
}

/* ---- hashes and version ------------------------------------------------ */

static int print_hash(struct cli_run *r, uint32_t mode)
{
	uint8_t mr[32];
	char hex[65];
	int status;

	r->hash_mode = mode;
	status = cli_identity(r);
	if (!status && edmm_plan_measure(&r->plan, mr)) {
		cli_error("%s: the crypto library failed", r->o.program);
		status = CLI_RUN_FAIL;
	} else if (!status && r->from_file &&
		   memcmp(mr, r->entry.sig.enclavehash, 32) != 0) {
		cli_identity_explain(r, "");
		status = CLI_RUN_REFUSED;
	} else if (!status) {
		cli_hex(mr, 32, hex);
		puts(hex);
	}
	edmm_plan_free(&r->plan);
	edmm_image_free(r->image);
	memset(&r->plan, 0, sizeof(r->plan));
	r->image = NULL;
	return status;
}

int cli_scone_hash(struct cli_run *r)
{
	bool without, with;
	int status = 0;

	if (!flag("SCONE_HASH", &without) || !flag("SCONE_EDMM_HASH", &with))
		return CLI_RUN_FAIL;
	if ((!without && !with) || r->o.figures_fd >= 0)
		return -1;
	if (!cli_settings_load(&r->o.settings))
		return CLI_RUN_FAIL;
	if (without)
		status = print_hash(r, EDMM_MODE_STATIC);
	if (!status && with)
		status = print_hash(r, EDMM_MODE_ELASTIC);
	return status;
}

/* In SCONE's own words, so that its scripts find them. */
void cli_scone_version(const struct cli_run *r)
{
	const struct edmm_image_policy *p = &r->entry.policy;
	bool elastic = p->mode == EDMM_MODE_ELASTIC;
	uint64_t heap = elastic ? r->heap_max : p->heap_size;
	char hex[65];
	bool on;

	if (!flag("SCONE_VERSION", &on) || !on || r->o.figures_fd >= 0)
		return;
	if (!heap)
		heap = r->plan.layout.heap_bound;
	cli_hex(r->entry.sig.enclavehash, 32, hex);
	fprintf(stderr,
		"export SCONE_TCS=%u\nexport SCONE_HEAP=%llu\n"
		"export SCONE_STACK=%llu\n",
		p->ctx_count, (unsigned long long)heap,
		(unsigned long long)p->stack_size);
	if (elastic)
		fprintf(stderr, "export SCONE_MIN_HEAP=%llu\n",
			(unsigned long long)p->heap_init);
	fprintf(stderr,
		"export SCONE_EDMM_MODE=%s\nexport SCONE_MODE=%s\n"
		"edmm version: " EDMM_VERSION_STRING "\nEnclave hash: %s\n",
		elastic ? "enable" : "disable", r->soft ? "sim" : "hw", hex);
}

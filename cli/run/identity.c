/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which identity a run has: that of the signature file, or one made here for
 * an unsigned image, in memory only.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/run/run.h"

static int refuse(const char *text)
{
	cli_error("%s", text);
	return CLI_RUN_REFUSED;
}

/* What the wish and the machine leave: a mode, or 0 where either may be. */
static int allowed_mode(struct cli_run *r, uint32_t *mode)
{
	*mode = r->hash_mode;
	if (*mode)
		return 0;
	if (!cli_device_has_edmm(&r->has_edmm))
		return CLI_RUN_FAIL;
	*mode = r->o.edmm == CLI_WISH_DISABLE || !r->has_edmm ? EDMM_MODE_STATIC
							      : 0;
	if (r->o.edmm != CLI_WISH_ENABLE)
		return 0;
	*mode = EDMM_MODE_ELASTIC;
	if (r->has_edmm)
		return 0;
	cli_error("%s: this machine cannot change an enclave's pages (SGX2 and "
		  "Linux 6.0 are wanted); %s runs the static identity",
		  r->o.edmm_by,
		  r->o.edmm_scone ? "SCONE_EDMM_MODE=auto" : "--edmm auto");
	return CLI_RUN_FAIL;
}

/* A static identity where nobody asked for one is worth a line. */
static void say_fallback(const struct cli_run *r)
{
	if (r->hash_mode || r->entry.policy.mode != EDMM_MODE_STATIC ||
	    r->o.edmm == CLI_WISH_DISABLE)
		return;
	cli_error("%s runs with its static identity: %s", r->o.program,
		  r->has_edmm ? "it has no elastic signature"
			      : "this machine has no EDMM");
}

static void other_mode(const struct cli_run *r, uint32_t mode)
{
	const char *by = r->hash_mode	 ? "the hash asked for"
			 : *r->o.edmm_by ? r->o.edmm_by
					 : "this machine, without EDMM,";

	cli_error("%s: signed, but not for %s memory, which %s wants: sign it "
		  "with --edmm auto",
		  r->o.program, cli_mode_name(mode), by);
}

static int pick_entry(struct cli_run *r, const struct edmm_sig_file *file)
{
	const struct edmm_sig_entry *e;
	uint32_t mode;
	int status = allowed_mode(r, &mode);

	if (status)
		return status;
	e = edmm_sig_find(file, mode ? mode : EDMM_MODE_ELASTIC);
	if (!e && !mode)
		e = edmm_sig_find(file, EDMM_MODE_STATIC);
	if (!e) {
		other_mode(r, mode);
		return CLI_RUN_REFUSED;
	}
	r->entry = *e;
	return 0;
}

/* Settings that the signature fixes cannot be had otherwise. */
static int check_settings(struct cli_run *r)
{
	struct edmm_image_policy want = r->entry.policy;

	if (!cli_settings_over(&r->o.settings, &want) ||
	    cli_settings_clash(&r->o.settings, r->o.program, &r->entry.policy,
			       &want))
		return CLI_RUN_REFUSED;
	r->heap_max = want.mode == EDMM_MODE_ELASTIC ? want.heap_size : 0;
	return 0;
}

/* What INIT would say, before anything is loaded. */
static int check_mark(const struct cli_run *r)
{
	if (!r->soft || !cli_machine_refuses(r->entry.sig.swdefined))
		return 0;
	cli_error("%s: signed for production; the software machine protects "
		  "nothing and refuses it: use --machine hw, or --unsigned to "
		  "try it with a development key",
		  r->o.program);
	return CLI_RUN_REFUSED;
}

static int from_file(struct cli_run *r, const struct edmm_sig_file *file)
{
	struct edmm_diag diag;
	int status = pick_entry(r, file);

	r->from_file = true;
	if (!status)
		status = check_settings(r);
	if (!status)
		status = check_mark(r);
	if (!status && edmm_sigstruct_verify(&r->entry.sig, &diag)) {
		cli_error("%s: %s", r->o.sig ? r->o.sig : r->o.program,
			  diag.text);
		status = CLI_RUN_REFUSED;
	}
	if (!status &&
	    edmm_plan_make(r->image, &r->entry.policy, &r->plan, &diag))
		status = refuse(diag.text);
	return status;
}

/* ---- unsigned images --------------------------------------------------- */

/*
 * The development key of this user: read, or made at the first use. Where no
 * file can be, a key that lives as long as this process.
 */
static struct edmm_key *development_key(const char **where)
{
	static const char *const nowhere = "of this run only";
	char *path = cli_config_path("development-key.pem");
	struct edmm_key *key = NULL;
	struct edmm_diag diag;

	*where = path ? path : nowhere;
	if (path && cli_exists(path) && !edmm_key_read(path, &key, &diag))
		return key;
	if (edmm_key_generate(EDMM_KEY_DEVELOPMENT, &key, &diag)) {
		cli_error("%s", diag.text);
		return NULL;
	}
	if (path && !cli_exists(path) && cli_make_folders(path) &&
	    !edmm_key_write(key, path, 0, &diag))
		return key;
	/* Another first run may have been quicker, or nothing can be kept. */
	if (path && cli_exists(path)) {
		struct edmm_key *theirs;

		if (!edmm_key_read(path, &theirs, &diag)) {
			edmm_key_free(key);
			return theirs;
		}
	}
	*where = nowhere;
	return key;
}

static struct edmm_key *find_key(struct cli_run *r)
{
	struct edmm_key *key = NULL;
	struct edmm_diag diag;
	const char *where;

	if (r->o.key) {
		if (edmm_key_read(r->o.key, &key, &diag))
			cli_error("%s", diag.text);
		return key;
	}
	key = development_key(&where);
	if (key && r->o.probe_fd < 0 && r->o.figures_fd < 0)
		cli_error("%s is not signed: signed for this run with the "
			  "development key %s",
			  r->o.program, where);
	return key;
}

static uint32_t mark_of(const struct edmm_key *key)
{
	switch (edmm_key_kind(key)) {
	case EDMM_KEY_PRODUCTION:
		return EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_PRODUCTION;
	case EDMM_KEY_DEVELOPMENT:
		return EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_DEVELOPMENT;
	default:
		return 0;
	}
}

static int sign_now(struct cli_run *r)
{
	struct edmm_identity id = { 0 };
	struct edmm_diag diag;
	struct edmm_key *key;
	uint32_t mode;
	int status = allowed_mode(r, &mode);

	if (status)
		return status;
	mode = mode == EDMM_MODE_STATIC ? EDMM_MODE_STATIC : EDMM_MODE_ELASTIC;
	if (!cli_settings_policy(&r->o.settings, (enum edmm_mode)mode,
				 &r->entry.policy))
		return CLI_RUN_FAIL;
	if (mode == EDMM_MODE_ELASTIC)
		r->heap_max = r->entry.policy.heap_size;
	if (edmm_plan_make(r->image, &r->entry.policy, &r->plan, &diag))
		return refuse(diag.text);
	if (r->hash_mode)
		return 0;
	if (!cli_today(&id.date))
		return CLI_RUN_FAIL;
	key = find_key(r);
	if (!key)
		return CLI_RUN_REFUSED;
	id.swdefined = mark_of(key);
	status = edmm_sign(&r->plan, key, &id, &r->entry.sig, &diag)
			 ? refuse(diag.text)
			 : check_mark(r);
	edmm_key_free(key);
	return status;
}

/* Of an elastic image the maximum is no setting, but it has its bounds. */
static int check_heap_max(const struct cli_run *r)
{
	uint64_t max = r->heap_max;
	uint64_t bound = r->plan.layout.heap_bound;
	char text[32];

	if (max % SGX_PAGE_SIZE) {
		cli_error("heap maximum: %llu bytes are no whole pages of %u",
			  (unsigned long long)max, SGX_PAGE_SIZE);
		return CLI_RUN_FAIL;
	}
	if (max > bound) {
		cli_error("heap maximum: the image's address range holds %s of "
			  "heap",
			  cli_bytes(bound, text));
		return CLI_RUN_FAIL;
	}
	return 0;
}

int cli_identity(struct cli_run *r)
{
	struct edmm_sig_file file;
	struct edmm_diag diag;
	edmm_err err = edmm_image_read(r->o.program, &r->image, &diag);
	int found = 0, status;

	if (err) {
		cli_error("%s", diag.text);
		return err == -EDMM_ENOENT ? CLI_RUN_NOT_FOUND
					   : CLI_RUN_REFUSED;
	}
	if (!r->o.unsigned_image)
		found = cli_load_sig(r->o.program, r->o.sig, &file);
	if (found < 0)
		return CLI_RUN_REFUSED;
	status = found ? from_file(r, &file) : sign_now(r);
	if (!status)
		status = check_heap_max(r);
	if (!status)
		say_fallback(r);
	return status;
}

void cli_identity_explain(const struct cli_run *r, const char *why)
{
	char is[65], want[65];
	uint8_t mr[32];

	if (edmm_plan_measure(&r->plan, mr) ||
	    !memcmp(mr, r->entry.sig.enclavehash, 32)) {
		cli_error("%s", why);
		return;
	}
	cli_hex(mr, 32, is);
	cli_hex(r->entry.sig.enclavehash, 32, want);
	cli_error("%s: measures %s, but its signature is for %s: changed since "
		  "it was signed, or the signature of another image",
		  r->o.program, is, want);
}

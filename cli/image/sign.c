/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sign: an image's signatures, elastic and static, into PROGRAM.sig.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config/config.h"
#include "image/internal.h"

enum {
	OPT_KEY = CLI_OPT_VERB,
	OPT_OUT,
	OPT_MODE,
	OPT_EDMM,
	OPT_PROD_ID,
	OPT_SVN,
	OPT_DATE,
	OPT_PRODUCTION,
	OPT_DIGEST_OUT,
	OPT_SIGNATURE_IN,
	OPT_PUBLIC_KEY,
};

static const struct option options[] = {
	CLI_SETTING_OPTIONS,
	{ "key", required_argument, NULL, OPT_KEY },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "edmm", required_argument, NULL, OPT_EDMM },
	{ "isv-prod-id", required_argument, NULL, OPT_PROD_ID },
	{ "isv-svn", required_argument, NULL, OPT_SVN },
	{ "date", required_argument, NULL, OPT_DATE },
	{ "production", no_argument, NULL, OPT_PRODUCTION },
	{ "digest-out", required_argument, NULL, OPT_DIGEST_OUT },
	{ "signature-in", required_argument, NULL, OPT_SIGNATURE_IN },
	{ "public-key", required_argument, NULL, OPT_PUBLIC_KEY },
	{ 0 },
};

static const char help[] =
	"usage: edmm sign [OPTION]... PROGRAM\n\n"
	"Signs an image of edmm-cc for elastic memory, and for static where\n"
	"that is asked for, into PROGRAM.sig, which edmm run finds there.\n\n"
	"  -k, --key FILE      private key (default: the one of edmm keygen)\n"
	"  -o, --out FILE      signature file\n"
	"  --edmm W            enable: elastic memory (default); disable: "
	"static;\n"
	"                      auto: both, and the host chooses at each run\n"
	"  --mode MODE         the same: elastic, static or both\n"
	"  --isv-prod-id N     product number (0)\n"
	"  --isv-svn N         security version (0)\n"
	"  --date YYYY-MM-DD   default: today, or SOURCE_DATE_EPOCH\n"
	"  --production        no debugging, and a mark: the software machine\n"
	"                      refuses it; implied by a production key\n"
	"  --digest-out FILE   for a key kept elsewhere, step 1: write what "
	"is\n"
	"                      to be signed to FILE.elastic and FILE.static\n"
	"                      (of one mode, to FILE)\n"
	"  --signature-in FILE step 2: signatures in files of such names\n"
	"  --public-key FILE   step 2: the key's public "
	"half\n" CLI_SETTING_HELP;

struct job {
	struct cli_settings settings;
	const char *program;
	const char *key;
	const char *out;
	uint32_t mode; /* 0: both */
	bool has_mode, production, has_prod_id, has_svn, has_date;
	const char *digest_out;
	const char *signature_in;
	const char *public_key;
	struct edmm_identity id;
};

/* The words of edmm run's option, as modes. */
static bool take_wish(const char *text, uint32_t *mode)
{
	if (!strcmp(text, "enable"))
		*mode = EDMM_MODE_ELASTIC;
	else if (!strcmp(text, "disable"))
		*mode = EDMM_MODE_STATIC;
	else if (!strcmp(text, "auto"))
		*mode = 0;
	else {
		cli_error("--edmm: '%s' is none of enable, disable, auto",
			  text);
		return false;
	}
	return true;
}

static bool take_option(struct job *j, int c)
{
	uint64_t n = 0;

	switch (c) {
	case 'k':
	case OPT_KEY:
		j->key = optarg;
		return true;
	case 'o':
	case OPT_OUT:
		j->out = optarg;
		return true;
	case OPT_MODE:
		j->has_mode = true;
		return cli_mode(optarg, &j->mode);
	case OPT_EDMM:
		j->has_mode = true;
		return take_wish(optarg, &j->mode);
	case OPT_PROD_ID:
		if (!cli_number("--isv-prod-id", optarg, 0xffff, &n))
			return false;
		j->id.isv_prod_id = (uint16_t)n;
		j->has_prod_id = true;
		return true;
	case OPT_SVN:
		if (!cli_number("--isv-svn", optarg, 0xffff, &n))
			return false;
		j->id.isv_svn = (uint16_t)n;
		j->has_svn = true;
		return true;
	case OPT_DATE:
		j->has_date = strcmp(optarg, "today") != 0;
		return !j->has_date || cli_day(optarg, &j->id.date);
	case OPT_PRODUCTION:
		j->production = true;
		return true;
	case OPT_DIGEST_OUT:
		j->digest_out = optarg;
		return true;
	case OPT_SIGNATURE_IN:
		j->signature_in = optarg;
		return true;
	case OPT_PUBLIC_KEY:
		j->public_key = optarg;
		return true;
	}
	return cli_setting(&j->settings, c, optarg);
}

/* FILE.MODE, or FILE where one mode was asked for; malloc()ed. */
static char *step_path(const struct job *j, const char *file,
		       enum edmm_mode mode)
{
	char *path;

	if (asprintf(&path, "%s%s%s", file, j->mode ? "" : ".",
		     j->mode ? "" : cli_mode_name((uint32_t)mode)) < 0)
		return NULL;
	return path;
}

/* Step 1: what is to be signed. */
static edmm_err write_digest(const struct job *j, const char *path,
			     const struct edmm_plan *plan,
			     struct sgx_sigstruct *sig, struct edmm_diag *diag)
{
	uint8_t bytes[EDMM_SIGNED_SIZE];
	edmm_err err = edmm_sign_begin(plan, &j->id, sig, diag);

	if (err)
		return err;
	edmm_sign_bytes(sig, bytes);
	return img_file_write(path, bytes, sizeof(bytes), IMG_FILE_PUBLIC,
			      diag);
}

/* Step 2: what the holder of the key made of it. */
static edmm_err read_signature(const struct job *j, const char *path,
			       const struct edmm_plan *plan,
			       const struct edmm_key *key,
			       struct sgx_sigstruct *sig,
			       struct edmm_diag *diag)
{
	uint8_t *bytes;
	size_t size;
	edmm_err err = edmm_sign_begin(plan, &j->id, sig, diag);

	if (!err)
		err = img_file_read(path, 4096, &bytes, &size, diag);
	if (err)
		return err;
	if (size != SGX_KEY_SIZE)
		err = img_fail(diag, -EDMM_EBADMSG,
			       "%s: %zu bytes; a raw RSA-3072 signature has "
			       "%u",
			       path, size, SGX_KEY_SIZE);
	else if (edmm_sign_finish(sig, key, bytes, diag))
		err = img_fail(diag, -EDMM_EKEYREJECTED,
			       "%s: no signature of these bytes by this key; "
			       "both steps want the same image, options and "
			       "--date",
			       path);
	free(bytes);
	return err;
}

static edmm_err sign_plan(const struct job *j, const struct edmm_plan *plan,
			  const struct edmm_key *key, enum edmm_mode mode,
			  struct sgx_sigstruct *sig, struct edmm_diag *diag)
{
	const char *file = j->digest_out ? j->digest_out : j->signature_in;
	edmm_err err;
	char *path;

	if (!file)
		return edmm_sign(plan, key, &j->id, sig, diag);
	path = step_path(j, file, mode);
	if (!path)
		return img_fail(diag, -EDMM_ENOMEM, "out of memory");
	err = j->digest_out ? write_digest(j, path, plan, sig, diag)
			    : read_signature(j, path, plan, key, sig, diag);
	free(path);
	return err;
}

static bool sign_mode(const struct job *j, const struct edmm_image *image,
		      const struct edmm_key *key, enum edmm_mode mode,
		      struct edmm_sig_file *file)
{
	struct edmm_sig_entry *e = &file->entry[file->count];
	struct edmm_plan plan;
	struct edmm_diag diag;
	edmm_err err;

	if (!cli_settings_policy(&j->settings, mode, &e->policy))
		return false;
	if (j->id.swdefined ==
	    (EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_PRODUCTION))
		e->policy.flags &= ~EDMM_POLICY_DEBUG;
	err = edmm_plan_make(image, &e->policy, &plan, &diag);
	if (!err)
		err = sign_plan(j, &plan, key, mode, &e->sig, &diag);
	edmm_plan_free(&plan);
	if (err)
		cli_error("%s (%s)", diag.text, cli_mode_name(mode));
	else
		file->count++;
	return !err;
}

static void print_result(const char *out, const char *what,
			 const struct edmm_sig_file *file)
{
	char hex[65];
	uint32_t i;

	for (i = 0; i < file->count; i++) {
		cli_hex(file->entry[i].sig.enclavehash, 32, hex);
		printf("%s  %s\n", hex,
		       cli_mode_name(file->entry[i].policy.mode));
	}
	fprintf(stderr, "edmm: %s in %s\n", what, out);
	/* Intel's and Occlum's files allow it unless they forbid it. */
	if (file->count && (file->entry[0].policy.flags & EDMM_POLICY_DEBUG))
		fprintf(stderr, "edmm: debugging is on: the host may look into "
				"the enclave\n");
}

static int sign_with(struct job *j, const struct edmm_image *image,
		     const struct edmm_key *key)
{
	struct edmm_sig_file file = { 0 };
	struct edmm_diag diag;

	if (j->production || (key && edmm_key_kind(key) == EDMM_KEY_PRODUCTION))
		j->id.swdefined =
			EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_PRODUCTION;
	else if (key && edmm_key_kind(key) == EDMM_KEY_DEVELOPMENT)
		j->id.swdefined =
			EDMM_SWDEFINED_MARK | EDMM_SWDEFINED_DEVELOPMENT;
	if (j->id.swdefined & EDMM_SWDEFINED_PRODUCTION && j->settings.debug) {
		cli_error("--debug: no enclave for production may be debugged");
		return CLI_FAIL;
	}
	if (j->mode != EDMM_MODE_STATIC &&
	    !sign_mode(j, image, key, EDMM_MODE_ELASTIC, &file))
		return CLI_FAIL;
	if (j->mode != EDMM_MODE_ELASTIC &&
	    !sign_mode(j, image, key, EDMM_MODE_STATIC, &file))
		return CLI_FAIL;
	if (j->digest_out) {
		print_result(j->digest_out, "to be signed", &file);
		return 0;
	}
	if (edmm_sig_write(j->out, &file, &diag)) {
		cli_error("%s", diag.text);
		return CLI_FAIL;
	}
	print_result(j->out, "signature", &file);
	return 0;
}

static edmm_err read_key(const struct job *j, struct edmm_key **key,
			 struct edmm_diag *diag)
{
	if (j->digest_out)
		return 0;
	if (j->public_key)
		return edmm_key_read_public(j->public_key, key, diag);
	return edmm_key_read(j->key, key, diag);
}

static int do_sign(struct job *j)
{
	struct edmm_image *image = NULL;
	struct edmm_key *key = NULL;
	struct edmm_diag diag;
	int status = CLI_FAIL;

	if (edmm_image_read(j->program, &image, &diag) ||
	    read_key(j, &key, &diag))
		cli_error("%s", diag.text);
	else
		status = sign_with(j, image, key);
	edmm_key_free(key);
	edmm_image_free(image);
	return status;
}

/*
 * The host chooses among what is signed, and a static image has weaker guards:
 * it is there only where somebody wants it. SCONE and Occlum start one program
 * on machines with EDMM and without.
 */
static uint32_t mode_of(const struct edmm_policy *file)
{
	uint64_t wish;

	if (!file)
		return EDMM_MODE_ELASTIC;
	wish = edmm_policy_get(file, EDMM_SET_EDMM, UINT64_MAX);
	if (wish == EDMM_WISH_AUTO ||
	    (wish == EDMM_WISH_ENABLE &&
	     edmm_policy_rules(file) == EDMM_FORMAT_OCCLUM))
		return 0;
	return wish == EDMM_WISH_DISABLE ? EDMM_MODE_STATIC : EDMM_MODE_ELASTIC;
}

/* --config, and the mode and the numbers of the product in it. */
static bool with_config(struct job *j)
{
	const struct edmm_policy *file;
	uint64_t id, svn;

	if (!cli_settings_load(&j->settings))
		return false;
	file = j->settings.layer[CLI_LAYER_CONFIG];
	if (!j->has_mode)
		j->mode = mode_of(file);
	if (!file)
		return true;
	id = edmm_policy_get(file, EDMM_SET_PRODID, 0);
	svn = edmm_policy_get(file, EDMM_SET_SVN, 0);
	if ((!j->has_prod_id && id > 0xffff) || (!j->has_svn && svn > 0xffff)) {
		cli_error("%s: product and version numbers are at most 65535",
			  j->settings.config);
		return false;
	}
	if (!j->has_prod_id)
		j->id.isv_prod_id = (uint16_t)id;
	if (!j->has_svn)
		j->id.isv_svn = (uint16_t)svn;
	return true;
}

/* Fills in the names that were not given; both are the caller's to free. */
static int with_names(struct job *j)
{
	char *key = NULL, *out = NULL;
	int status = CLI_FAIL;

	if (!j->out)
		j->out = out = cli_sig_path(j->program);
	if (!j->key && !j->digest_out && !j->public_key)
		j->key = key = cli_config_path("enclave-key.pem");
	if (!j->digest_out && !j->public_key &&
	    (!j->key || (key && !cli_exists(key))))
		cli_error("no signing key: make one with edmm keygen, or say "
			  "--key FILE");
	else
		status = do_sign(j);
	free(key);
	free(out);
	return status;
}

int verb_sign(int argc, char **argv)
{
	struct job j = { 0 };
	int c, status;

	while ((c = getopt_long_only(argc, argv, "k:o:", options, NULL)) !=
	       -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?' || !take_option(&j, c))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("sign", "one PROGRAM is wanted");
	if (!j.signature_in != !j.public_key)
		return cli_usage("sign", "--signature-in and --public-key go "
					 "together");
	if ((j.digest_out && (j.signature_in || j.key || j.out)) ||
	    (j.key && j.public_key))
		return cli_usage("sign", "--key, --digest-out and "
					 "--signature-in exclude each other");
	j.program = argv[optind];
	if (!j.has_date && !cli_today(&j.id.date))
		return CLI_FAIL;
	status = with_config(&j) ? with_names(&j) : CLI_FAIL;
	cli_settings_drop(&j.settings);
	return status;
}

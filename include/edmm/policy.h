/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory policies: the numbers that Occlum.json, a Gramine manifest, SCONE's
 * variables, the Intel SDK's Enclave.config.xml, Open Enclave's .conf, EGo's
 * enclave.json, Mystikos' config.json, Fortanix EDP's part of a Cargo.toml and
 * edmm.toml all say in their own words. A policy holds what a file says, setting by setting, with the
 * place that says it; edmm_policy_resolve() applies the rules and defaults of
 * the runtime that the file was written for, on one platform.
 *
 * The order of calls is read or parse -> lint, resolve, write -> free.
 *
 * Context: no function takes a lock, keeps a global or reads the environment;
 * different policies may be used by different threads at once.
 * Trust: files are untrusted input. Size, depth and number of values are
 * bounded (POLICY_MAX_*), and every error names file, line and column.
 */
#ifndef EDMM_POLICY_H
#define EDMM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "edmm/err.h"
#include "edmm/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds of every reader: bytes, nesting, values of one file. */
#define EDMM_POLICY_MAX_BYTES (4u << 20)
#define EDMM_POLICY_MAX_DEPTH 32u
#define EDMM_POLICY_MAX_VALUES (256u << 10)

/*
 * The formats of others, a row each: constant, struct pol_NAME of
 * policy/fmt_*.c, name. The name is that of the command line, of `rules` and
 * of [keep.NAME] in edmm.toml. Numbers go nowhere but into this process.
 */
#define EDMM_FORMATS(X)                         \
	X(OCCLUM, occlum, "occlum")             \
	X(GRAMINE, gramine, "gramine")          \
	X(SCONE, scone, "scone")                \
	X(SCONE_CONF, scone_conf, "scone-conf") \
	X(SGX_XML, sgx_xml, "sgx-xml")          \
	X(OPEN_ENCLAVE, oe, "open-enclave")     \
	X(EGO, ego, "ego")                      \
	X(MYSTIKOS, mystikos, "mystikos")       \
	X(EDP, edp, "edp")

#define EDMM_FORMAT_NUMBER(id, format, name) EDMM_FORMAT_##id,
enum edmm_format {
	EDMM_FORMAT_NONE, /* to be found out from name and content */
	EDMM_FORMAT_EDMM, /* ours, which holds all that the others say */
	EDMM_FORMATS(EDMM_FORMAT_NUMBER) EDMM_FORMAT_COUNT,
};
#undef EDMM_FORMAT_NUMBER

/*
 * Settings. Sizes are bytes. policy/fmt_edmm.c has the name that edmm.toml
 * gives each, and its kind; docs/configuration.md the name in each other
 * format.
 */
enum edmm_setting_id {
	EDMM_SET_RULES, /* enum edmm_format: whose rules and defaults hold */
	EDMM_SET_EDMM,	/* enum edmm_wish */
	EDMM_SET_ENCLAVE_SIZE, /* ELRANGE */
	EDMM_SET_HEAP_MIN,     /* committed at start, with EDMM */
	EDMM_SET_HEAP_INIT,    /* EADDed */
	EDMM_SET_HEAP_MAX,
	EDMM_SET_HEAP_WINDOW, /* largest window of commit-ahead */
	EDMM_SET_HEAP_IDLE,   /* bytes kept after free, at most */
	EDMM_SET_HEAP_IDLE_PERCENT,
	EDMM_SET_STACK_MIN,
	EDMM_SET_STACK_MAX,
	EDMM_SET_USER_INIT, /* a library OS's user space */
	EDMM_SET_USER_MAX,
	EDMM_SET_RSRV_MIN, /* Intel's reserved memory */
	EDMM_SET_RSRV_INIT,
	EDMM_SET_RSRV_MAX,
	EDMM_SET_RSRV_EXEC,
	EDMM_SET_REGION,       /* Intel's UserRegionSize */
	EDMM_SET_THREADS_INIT, /* contexts EADDed */
	EDMM_SET_THREADS_POOL, /* contexts kept, at least */
	EDMM_SET_THREADS_MAX,
	EDMM_SET_THREADS_IDLE, /* seconds that they are kept; 0: for ever */
	EDMM_SET_THREADS_BOUND, /* bool: Intel's TCSPolicy 0 */
	EDMM_SET_PROC_STACK,	/* a process's main stack in a library OS */
	EDMM_SET_PROC_BRK,
	EDMM_SET_PROC_MMAP,
	EDMM_SET_PREHEAT,
	EDMM_SET_EXINFO,
	EDMM_SET_MEMFAULTS, /* host-reported faults are believed */
	EDMM_SET_WX,	    /* pages may be writable and executable */
	EDMM_SET_DEBUG,
	EDMM_SET_SIGNALS, /* that the host may send: 1 << (number - 1) */
	EDMM_SET_PRODID,
	EDMM_SET_SVN,
	EDMM_SET_KSS,
	EDMM_SET_FAMILY_H,
	EDMM_SET_FAMILY_L,
	EDMM_SET_EXTPROD_H,
	EDMM_SET_EXTPROD_L,
	EDMM_SET_MISC_SELECT,
	EDMM_SET_MISC_MASK,
	EDMM_SET_PKRU, /* enum edmm_feature */
	EDMM_SET_AMX,  /* enum edmm_feature */
	EDMM_SET_AEXNOTIFY,
	EDMM_SET_IMAGE_ADDR, /* Intel's EnclaveImageAddress */
	EDMM_SET_ELRANGE_START,
	EDMM_SET_ELRANGE_SIZE,
	EDMM_SET_RPC_THREADS,
	EDMM_SET_QUEUES,
	EDMM_SET_COUNT,
};

enum edmm_wish {
	EDMM_WISH_DISABLE,
	EDMM_WISH_ENABLE,
	EDMM_WISH_AUTO
};
enum edmm_feature {
	EDMM_FEATURE_OFF,
	EDMM_FEATURE_ON,
	EDMM_FEATURE_ANY
};

struct edmm_setting {
	uint64_t value;
	bool set;
	uint32_t off; /* of the value in the file's text, bytes; for findings */
	uint32_t len;
};

struct pol_doc; /* the file as a tree with positions: policy/doc.h */

struct edmm_policy {
	enum edmm_format format; /* of the file */
	struct edmm_setting s[EDMM_SET_COUNT];
	struct pol_doc *doc;
};

/** edmm_policy_get() - a setting's value, or @otherwise where none is set. */
static inline uint64_t edmm_policy_get(const struct edmm_policy *p,
				       enum edmm_setting_id id,
				       uint64_t otherwise)
{
	return p->s[id].set ? p->s[id].value : otherwise;
}

/* ---- findings: what readers, converters and the linter have to say ---- */

enum edmm_level {
	EDMM_NOTE,
	EDMM_WARNING,
	EDMM_ERROR
};

struct edmm_finding {
	enum edmm_level level;
	const char *rule; /* id, such as "P203"; static */
	char *file;
	uint32_t line; /* from 1; 0: the file as a whole */
	uint32_t col;  /* from 1, in code points */
	uint32_t end_line;
	uint32_t end_col; /* one past the last */
	char *text;	  /* what is wrong */
	char *effect;	  /* what happens, and on which platform; or NULL */
	char *fix;	  /* what would be right; or NULL */
	/* --fix: replace these bytes of the file; repl is NULL for none. */
	size_t off;
	size_t len;
	char *repl;
};

struct edmm_findings {
	struct edmm_finding *v;
	size_t count;
	size_t capacity;
	size_t errors; /* findings of that level */
	size_t warnings;
};

/** edmm_findings_free() - free what findings hold, not the struct itself. */
void edmm_findings_free(struct edmm_findings *f);

/** edmm_findings_sort() - by file, line, column, rule; equal ones are merged.
 */
void edmm_findings_sort(struct edmm_findings *f);

/** edmm_finding_print() - `FILE:LINE:COL: LEVEL: TEXT; FIX [RULE]`, one line.
 */
void edmm_finding_print(const struct edmm_finding *f, FILE *out);

/**
 * edmm_findings_json() - all findings as one JSON document
 * edmm_findings_sarif() - the same as SARIF 2.1.0
 */
void edmm_findings_json(const struct edmm_findings *f, FILE *out);
void edmm_findings_sarif(const struct edmm_findings *f, FILE *out);

/**
 * edmm_findings_fix() - apply the textual fixes of findings to a file's text
 * @f: sorted findings of one file
 * @text: the file, @size bytes
 * @out: receives the new text, malloc()ed and terminated; the caller's
 * @out_size: its bytes without the terminator
 *
 * Overlapping fixes: the first wins.
 * Return: number of fixes made, or -EDMM_ENOMEM.
 */
int edmm_findings_fix(const struct edmm_findings *f, const char *text,
		      size_t size, char **out, size_t *out_size);

/* ---- formats ---------------------------------------------------------- */

/** edmm_format_name() - `edmm`, `occlum`, `gramine`, `scone`, ... */
const char *edmm_format_name(enum edmm_format format);

/** edmm_format_by_name() - its inverse; EDMM_FORMAT_NONE for no format. */
enum edmm_format edmm_format_by_name(const char *name);

/** edmm_format_list() - every name, for messages: `edmm, occlum ... or NAME` */
const char *edmm_format_list(char *text, size_t size);

/** edmm_format_of_file() - a format by a known file name, or NONE. */
enum edmm_format edmm_format_of_file(const char *path);

/**
 * edmm_size_parse() - a size in one format's own syntax
 * @format: whose syntax
 * @text: the whole value
 * @value: bytes
 * @fix: receives the right spelling or a hint, one line; 96 bytes
 *
 * Return: 0, -EDMM_EINVAL (@fix says what would be right), -EDMM_ERANGE.
 */
EDMM_NODISCARD edmm_err edmm_size_parse(enum edmm_format format,
					const char *text, uint64_t *value,
					char fix[96]);

/** edmm_size_format() - bytes in the shortest exact spelling of a format. */
const char *edmm_size_format(enum edmm_format format, uint64_t value,
			     char buf[32]);

/**
 * edmm_signals_parse() - signals that a host may send, by their names
 * @text: as "TERM INT 40": blanks or commas between, numbers from 32 on
 * @mask: gets a bit 1 << (number - 1) for each
 *
 * Return: false where a word is no such name.
 */
bool edmm_signals_parse(const char *text, uint64_t *mask);

/* All names and numbers. */
#define EDMM_SIGNALS_TEXT 256

/** edmm_signals_text() - its inverse; of signals that have no name, nothing. */
const char *edmm_signals_text(uint64_t mask, char text[EDMM_SIGNALS_TEXT]);

/* ---- reading and writing ---------------------------------------------- */

/* A file in memory: @size bytes, and what findings call it. */
struct edmm_source {
	const char *text;
	size_t size;
	const char *name;
};

/**
 * edmm_policy_parse() - read a policy from memory
 * @source: the file; copied. Its format may be known by its name
 * @format: its format, or EDMM_FORMAT_NONE
 * @out: the policy; freed with edmm_policy_free()
 * @findings: told what is wrong or surprising; added to
 *
 * A policy is returned whenever the file's syntax holds, so that it can be
 * linted; values that could not be understood are unset.
 *
 * Return: 0; -EDMM_EINVAL (an error is among the new findings; *out may be
 * set), -EDMM_EFBIG, -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_policy_parse(const struct edmm_source *source,
					  enum edmm_format format,
					  struct edmm_policy **out,
					  struct edmm_findings *findings);

/**
 * edmm_policy_read() - edmm_policy_parse() of a file; `-` is standard input
 *
 * Return: as edmm_policy_parse(), or -EDMM_ENOENT, -EDMM_EACCES, -EDMM_EIO,
 * each with its finding.
 */
EDMM_NODISCARD edmm_err edmm_policy_read(const char *path,
					 enum edmm_format format,
					 struct edmm_policy **out,
					 struct edmm_findings *findings);

void edmm_policy_free(struct edmm_policy *policy);

/** edmm_policy_text() - the text that the policy was read from. */
const char *edmm_policy_text(const struct edmm_policy *policy, size_t *size);

/** edmm_policy_equal() - the same settings, and the same kept values. */
bool edmm_policy_equal(const struct edmm_policy *a,
		       const struct edmm_policy *b);

enum edmm_platform {
	EDMM_PLATFORM_ASK, /* SGX_MODE, ENABLE_EDMM and the file decide */
	EDMM_PLATFORM_SGX1,
	EDMM_PLATFORM_SGX2,
};

enum edmm_compat {
	EDMM_COMPAT_TEXT, /* the rules as Occlum's documentation has them */
	EDMM_COMPAT_OCCLUM_031, /* the values of that release's tool */
};

/* What a policy is resolved, converted or linted for. Zero is a default. */
struct edmm_target {
	enum edmm_platform platform;
	enum edmm_compat compat;
	const char *sgx_mode;	 /* the variable's value, or NULL */
	const char *enable_edmm; /* the variable's value, or NULL */
	uint64_t epc;		 /* bytes; 0: not known */
	uint32_t threads;	 /* that the program needs; 0: not known */
};

/* What a platform makes of a policy. Sizes are bytes. */
struct edmm_resolved {
	enum edmm_format rules;
	bool refused;	       /* an enclave that does not start here */
	bool elastic;	       /* pages are added after EINIT */
	uint64_t enclave_size; /* asked for; 0: what the layout needs */
	uint64_t stack_min, stack_max;
	uint64_t heap_min, heap_init, heap_max;
	uint64_t user_init, user_max; /* Occlum's own figures; 0: none */
	uint64_t rsrv_min, rsrv_init, rsrv_max;
	uint64_t region;
	uint64_t tcs_init, tcs_pool, tcs_max;
	bool rsrv_exec, bound, debug, kss;
	uint32_t misc_select, misc_mask;
};

/**
 * edmm_policy_resolve() - a policy's figures on one platform
 * @policy: the policy
 * @target: platform and compatibility
 * @out: filled in
 * @findings: contradictions, and values that a rule changed; added to
 *
 * Return: 0, -EDMM_EINVAL (a contradiction; among the findings).
 */
EDMM_NODISCARD edmm_err edmm_policy_resolve(const struct edmm_policy *policy,
					    const struct edmm_target *target,
					    struct edmm_resolved *out,
					    struct edmm_findings *findings);

/* malloc()ed text, terminated; size is without the terminator. */
struct edmm_text {
	char *text;
	size_t size;
};

/**
 * edmm_policy_write() - a policy in a format's own words
 * @policy: the policy
 * @format: the format to write
 * @target: platform and compatibility, for values that a rule derives
 * @out: the text, for free(@out->text)
 * @findings: what was lost (P7xx) or assumed; added to
 *
 * Return: 0, -EDMM_EINVAL (among the findings), -EDMM_ENOMEM. On an error
 * its text is NULL.
 */
EDMM_NODISCARD edmm_err edmm_policy_write(const struct edmm_policy *policy,
					  enum edmm_format format,
					  const struct edmm_target *target,
					  struct edmm_text *out,
					  struct edmm_findings *findings);

/**
 * edmm_policy_lint() - every rule of docs/configuration.md
 * @policy: the policy, as edmm_policy_parse() gave it
 * @target: what it is to run on
 * @findings: added to
 *
 * Return: 0, or -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_policy_lint(const struct edmm_policy *policy,
					 const struct edmm_target *target,
					 struct edmm_findings *findings);

/**
 * edmm_policy_explain() - what an enclave of this policy will look like
 * @policy: the policy
 * @target: EPC size; the platform is each of SGX1, SGX2, software in turn
 * @json: a JSON document, not text
 * @out: where to
 * @findings: contradictions; added to
 *
 * Return: 0, -EDMM_EINVAL.
 */
EDMM_NODISCARD edmm_err edmm_policy_explain(const struct edmm_policy *policy,
					    const struct edmm_target *target,
					    bool json, FILE *out,
					    struct edmm_findings *findings);

/**
 * edmm_policy_to_image() - the part of a policy that `edmm sign` needs
 * @policy: the policy; of any format
 * @mode: elastic or static
 * @image: filled in, starting from edmm_policy_default(@mode)'s figures
 * @findings: contradictions; added to
 *
 * Return: 0, -EDMM_EINVAL.
 */
EDMM_NODISCARD edmm_err edmm_policy_to_image(const struct edmm_policy *policy,
					     enum edmm_mode mode,
					     struct edmm_image_policy *image,
					     struct edmm_findings *findings);

/* What edmm_policy_to_image() fills in. */
enum edmm_image_field {
	EDMM_IMAGE_ELRANGE,
	EDMM_IMAGE_HEAP_INIT,
	EDMM_IMAGE_HEAP_SIZE,
	EDMM_IMAGE_STACK_SIZE,
	EDMM_IMAGE_STACK_INIT,
	EDMM_IMAGE_CONTEXTS,
	EDMM_IMAGE_WX,
	EDMM_IMAGE_DEBUG,
	EDMM_IMAGE_SIGNALS,
};

/**
 * edmm_policy_decides() - the setting of a file that decides a field
 *
 * Return: its id, or EDMM_SET_COUNT where the file leaves it to a default.
 */
enum edmm_setting_id edmm_policy_decides(const struct edmm_policy *policy,
					 enum edmm_mode mode,
					 enum edmm_image_field field);

/** edmm_policy_idle() - warnings: settings of ours that images do not take. */
void edmm_policy_idle(const struct edmm_policy *policy,
		      struct edmm_findings *findings);

/** edmm_policy_where() - `FILE:LINE:COLUMN: NAME` of a setting that is set. */
const char *edmm_policy_where(const struct edmm_policy *policy,
			      enum edmm_setting_id id, char *text, size_t size);

/** edmm_policy_name() - what the file's format calls a setting. */
const char *edmm_policy_name(const struct edmm_policy *policy,
			     enum edmm_setting_id id);

/** edmm_policy_rules() - whose rules hold: the format's, or those it names. */
enum edmm_format edmm_policy_rules(const struct edmm_policy *policy);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration format is to the rest of the room. A file has a
 * language (struct pol_format) and is written for a runtime, whose rules hold
 * (struct pol_family): SCONE's two files share one. No code outside fmt_*.c
 * compares a format's number; it asks these structs.
 *
 * A new format is a file fmt_NAME.c with a `const struct pol_format pol_NAME`
 * and its row in EDMM_FORMATS (edmm/policy.h). A pointer may be left out where
 * it says what NULL means; the others are looked at by test_policy_formats.
 */
#ifndef POLICY_FORMAT_H
#define POLICY_FORMAT_H

#include "policy/find.h"

enum pol_type {
	POL_SIZE,   /* a size in the format's syntax */
	POL_UINT,   /* a whole number up to .max */
	POL_BYTES,  /* the same, of bytes; no unit, no quotes */
	POL_PAGES,  /* the same, of 4 KiB each; the value is bytes */
	POL_MIBS,   /* the same, of 1 MiB each */
	POL_FLAG,   /* true or false; in XML and variables 0 or 1 */
	POL_UNFLAG, /* the same, the other way round */
	POL_HEX,    /* "0x..." */
	POL_WORD,   /* one of .words; the value is its index */
	POL_SIGNALS, /* "TERM INT"; the value has a bit for each */
	POL_SIGTERM, /* true or false: TERM alone, or none */
};

/* SIGTERM in a set of signals. */
#define POL_TERM (1ull << 14)

/* A row: which path of a file is which setting, and in what spelling. */
struct pol_map {
	const char *path;
	enum edmm_setting_id id;
	enum pol_type type;
	uint64_t max;		  /* of a number as it stands; 0: no bound */
	const char *const *words; /* POL_WORD; NULL-terminated */
	bool required;
};

/* What a value may be that is no setting: bits of struct pol_typed.as. */
enum {
	POL_AS_TEXT = 1,
	POL_AS_INT = 2,
	POL_AS_BOOL = 4,
	POL_AS_TABLE = 8,
	POL_AS_LIST = 16,
	POL_AS_SIZE = 32,
	POL_AS_WORD = 64,     /* one of .words */
	POL_AS_ANYCASE = 128, /* .words in capital or small letters; or "" */
	POL_AS_NULL = 256,    /* JSON's null, for "not there" */
	POL_AS_UUID = 512,
};

/* A name that is no setting, and what its value must be. */
struct pol_typed {
	const char *path; /* `*`: any name there; `[]`: any element */
	unsigned as;
	const char *const *words; /* NULL-terminated */
	const char *what;	  /* another text is, "none of its values" */
};

/* A setting below which nothing starts, and how that is written. */
struct pol_least {
	enum edmm_setting_id id;
	uint64_t value;
	const char *spelled;
};

struct pol_unit {
	const char *name;
	unsigned shift; /* times 2^shift bytes */
};

/**
 * struct pol_sizes - a format's syntax of sizes: the runtime's own, no wider
 * @units: ends with a NULL name; what is written has the first that divides
 *	it, so the largest come first; zero, and what none divides, has the last
 * @also: units that are read as well, or NULL
 * @parse: a whole value; NULL: digits and a unit, nothing else.
 *	Return: 0, -EDMM_EINVAL, -EDMM_ERANGE
 * @example: what would be right, behind "write "
 */
struct pol_sizes {
	const struct pol_unit *units;
	const struct pol_unit *also;
	edmm_err (*parse)(const char *text, uint64_t *value);
	const char *example;
};

/*
 * How sure it is that a text is of a format; the surest one gets it. A file's
 * name is one of the reasons (formats.c), and the weaker one: names of the
 * format that stand where a file has its names are surer, the more of them.
 */
enum pol_sure {
	POL_NOT,
	POL_BY_TOML,   /* the name ends as that of many formats */
	POL_BY_PREFIX, /* a word that nobody else has stands somewhere */
	POL_BY_ENDING, /* the name ends as that of this format's files */
	POL_BY_START,  /* no other begins like this */
	POL_BY_NAME,   /* the whole name is this format's */
	POL_BY_KEYS,   /* and for each name of it one more */
};

/* JSON, and the comments that some have before it. */
#define POL_JSON_OPENS "{[/"

/* A text: for pol_format.sniff. */
struct pol_sample {
	const char *name;  /* of the file */
	const char *start; /* first character that is no blank; there is one */
	const char *text;  /* ends with a zero byte behind its size */
	size_t size;
};

struct pol_rules;
struct pol_layout;
struct pol_lint;
struct pol_writing;
struct pol_app;

/**
 * struct pol_family - a runtime whose rules hold for one format or several
 * @rules: what struct edmm_resolved.rules and edmm_policy_rules() call it: the
 *	first of its formats
 *
 * Figures:
 * @resolve: fill in *c->r, which is zero but for .rules, .debug and .kss, from
 *	the settings of c->p, for the platform of c->t. Contradictions are
 *	errors in c->f; c->unread where a value is there that the reader
 *	refused. Called on any set of settings, also of edmm.toml with `rules`
 *
 * With EDMM, for a file that has it off (explain.c):
 * @fixed: the runtime has no EDMM
 * @turn_on: change the settings of *p to those with EDMM; NULL: EDMM_SET_EDMM
 *	is enabled. Return: what to write into the file, in words
 *
 * Layout:
 * @layout: the areas of what resolve() gave, from address 0 up; NULL: those of
 *	the Intel SDK
 * @assumed: bytes that the program itself is taken to have; l->assumed for
 *	layout(). With a library OS: its loader, and what that brings
 * @layout_note: a line, newline included, below what explain shows; NULL: none
 *
 * An image of ours with these settings (image.c):
 * @own_range: the file says the address range, and that bounds the heap; else
 *	ours is made for the heap and the stack
 * @image: change the figures of resolve() to what an image needs: a library
 *	OS puts the program's heap and stack in place of its own. Return: 0, or
 *	-EDMM_EINVAL with a finding; NULL: nothing to change
 * @decides: id[] has the settings that decide a field for the Intel SDK, the
 *	strongest first, EDMM_SET_COUNT for none: change them where the family
 *	has others, namely those that resolve() reads; NULL: it has the same
 * @idle: settings that such an image does not take, EDMM_SET_COUNT at the end:
 *	warnings P204; NULL: nothing is said of them
 *
 * The linter; operations add findings to l->f and change nothing:
 * @effect: settings that do not fit or change nothing, P201 to P207; l->sgx1
 *	and l->sgx2 hold where their _ok says so; NULL: none
 * @measured: whether a setting is part of MRENCLAVE (P305); NULL: those of the
 *	Intel SDK and of a process in a library OS are
 * @all_measured: what the file is called, where every byte of it is part of
 *	MRENCLAVE, not single settings; NULL: they are
 * @platform: what happens on a platform that the policy was not written for:
 *	P303 (at @level), P304, P306. Called only where l->here is resolved;
 *	NULL: pol_lint_refused()
 * @one_file: the same file is built with EDMM and without, so a slow start
 *	without EDMM (P301) is told even where this build has it
 * @own_threads: how many of the threads that the file asks for the runtime
 *	takes itself
 * @own_threads_said: the same in words: P501 has it behind the file's number,
 *	so it begins with a comma
 * @other_threads: the program's threads are not the enclave's: no P501
 * @one_stack: one stack is loaded at start, not one a thread
 *
 * Conversion (write_cross.c):
 * @app: the application's memory: *a has the enclave's heap and stack on
 *	entry; change what differs, and mark the settings that say it as told.
 *	NULL: heap and stack are the application's
 */
struct pol_family {
	enum edmm_format rules;

	void (*resolve)(struct pol_rules *c);

	bool fixed;
	const char *(*turn_on)(struct edmm_policy *p);

	void (*layout)(const struct edmm_resolved *r, struct pol_layout *l);
	uint64_t assumed;
	const char *layout_note;

	bool own_range;
	edmm_err (*image)(const struct edmm_policy *p, struct edmm_resolved *r,
			  struct edmm_findings *f);
	void (*decides)(bool elastic, enum edmm_image_field field,
			enum edmm_setting_id id[2]);
	const enum edmm_setting_id *idle;

	void (*effect)(const struct pol_lint *l);
	bool (*measured)(const struct pol_lint *l, enum edmm_setting_id id);
	const char *all_measured;
	void (*platform)(const struct pol_lint *l, enum edmm_level level);
	bool one_file;
	unsigned own_threads;
	const char *own_threads_said;
	bool other_threads;
	bool one_stack;

	void (*app)(struct pol_writing *w, const struct edmm_resolved *r,
		    struct pol_app *a);
};

/**
 * struct pol_format - a language of configuration files
 * @id: its number, EDMM_FORMAT_NAME
 * @family: whose rules hold for its files
 *
 * The text:
 * @parse: text to a tree at doc->root, places included; what is wrong becomes
 *	findings, P100. Return: 0, -EDMM_EINVAL with a finding, -EDMM_ENOMEM
 * @emit: a tree to text, which parse() reads as the same tree
 * @comment: how a line of comment begins, so that a lost one is told (P703);
 *	NULL: that is not told
 * @files: names that are its own, NULL-terminated: "*END" is any name with
 *	that end, in either case, all else the whole name; no two formats may
 *	take one name
 * @opens: the characters with which its text can begin; NULL: with any
 * @sniff: how sure it is of a text, whatever its name: enum pol_sure. NULL: not
 *
 * The values:
 * @map: which path is which setting; ends with a NULL path
 * @known: other paths that it knows, NULL-terminated; ".*" ends one below
 *	which all is open; NULL: none
 * @typed: more paths that it knows, and what stands there (typed.c); ends with
 *	a NULL path; NULL: none
 * @least: what is read and written is no less than this; ends with a NULL
 *	.spelled; NULL: any value will do
 * @sizes: its syntax of sizes
 * @within: the table that is its; names beside it are others'. NULL: all of it
 * @closed: unknown names are refused, not ignored
 * @unlisted: it has names that it tells nobody of: one that is like no other
 *	is a note, no warning
 * @flat: every value is text, as in XML and variables
 * @bytes: a number without quotes is a size, too
 * @number_flags: a number is a flag, too: false where it is 0
 * @any_base: whole numbers are strtoull's with base 0: 010 is 8
 * @shell: a value may be an expansion by a shell, unknown here (P107)
 * @common: ours: has a word for every setting, and keeps what is left of the
 *	others in [keep.NAME]; settings go into it as they are written
 * @finish: after the table, what a table cannot say: findings, or settings
 *	changed; NULL: nothing
 * @lint: what the linter has to say of its names alone; NULL: nothing
 * @cross: from the figures @r of other rules: fill in w->want, mark as told
 *	what is in it by another name, and say what is assumed (P702); settings
 *	that mean the same everywhere are there already. Where two runtimes
 *	correspond more nearly than by pol_app_of(), it may look at r->rules.
 *	Return: 0, -EDMM_EINVAL with a finding, -EDMM_ENOMEM. NULL only where
 *	.common is set
 */
struct pol_format {
	enum edmm_format id;
	const struct pol_family *family;

	edmm_err (*parse)(struct pol_doc *doc, struct edmm_findings *f);
	void (*emit)(const struct pol_node *root, FILE *out);
	const char *comment;
	const char *const *files;
	const char *opens;
	unsigned (*sniff)(const struct pol_sample *t);

	const struct pol_map *map;
	const char *const *known;
	const struct pol_typed *typed;
	const struct pol_least *least;
	const struct pol_sizes *sizes;
	const char *within;
	bool closed;
	bool unlisted;
	bool flat;
	bool bytes;
	bool number_flags;
	bool any_base;
	bool shell;
	bool common;
	void (*finish)(struct edmm_policy *p, struct edmm_findings *f);
	void (*lint)(const struct pol_lint *l);
	edmm_err (*cross)(struct pol_writing *w, struct edmm_resolved *r);
};

#define POL_DECLARE(id, format, name) \
	extern const struct pol_format pol_##format;
POL_DECLARE(EDMM, edmm, "edmm")
EDMM_FORMATS(POL_DECLARE)
#undef POL_DECLARE

/* Every format, ours first; NULL-terminated. */
extern const struct pol_format *const pol_formats[];

/* The format of that number; NULL for EDMM_FORMAT_NONE. */
const struct pol_format *pol_format(enum edmm_format id);

/* Whose rules hold for a policy: its file's, or those that it names. */
const struct pol_family *pol_family_of(const struct edmm_policy *p);

/* Whose rules gave these figures. */
const struct pol_family *pol_family(const struct edmm_resolved *r);

/* The format that a text is most surely of, by what is in it and by its name;
 * EDMM_FORMAT_NONE where nothing tells. */
enum edmm_format pol_format_of(const struct edmm_source *source);

/*
 * sniff.c, for pol_format.sniff: names of the format that stand where a file
 * in its language has its outermost ones. Return: POL_BY_KEYS and their
 * number, POL_NOT for none.
 */
unsigned pol_json_names(const struct pol_format *fmt,
			const struct pol_sample *t);
unsigned pol_toml_names(const struct pol_format *fmt,
			const struct pol_sample *t);
unsigned pol_line_names(const struct pol_format *fmt,
			const struct pol_sample *t);

/* ---- what the syntaxes of sizes share: size.c ------------------------- */

/* Digits at *s, all that there are. -EDMM_EINVAL, -EDMM_ERANGE. */
edmm_err pol_digits(const char **s, uint64_t *value);

/* What someone may have meant: a number with or without fraction, a unit. */
bool pol_guess(const char *text, uint64_t *value);

/* @n of the unit of that name; -EDMM_EINVAL without one, -EDMM_ERANGE. */
edmm_err pol_in_units(const struct pol_unit *units, const char *name,
		      uint64_t n, uint64_t *value);

#endif

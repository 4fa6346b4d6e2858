/* SPDX-License-Identifier: BSD-3-Clause */
#include "toolchain/cc/args.h"

#include <stdlib.h>
#include <string.h>

#define MALLOC_OPT "--malloc="
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An image has its own way for these, so they are taken and dropped. */
static const char *const dropped[] = {
	"-static",
	"-static-pie",
	"-pie",
	"-no-pie",
	"-fno-pie",
	"-fno-PIE",
	"-fno-pic",
	"-fno-PIC",
	"-rdynamic",
	"-nopie",
	"-static-libgcc",
	"-fcf-protection",
	"-fno-stack-clash-protection",
};

struct refusal {
	const char *opt;
	int compiling; /* refused also where nothing is linked */
	const char *why;
};

#define WHY_64BIT "an enclave's code is 64-bit"
#define WHY_RUNTIME "an image needs our runtime and C library"
#define WHY_PROFILE "there is no profiling runtime for enclaves"

static const struct refusal refused[] = {
	{ "-shared", 0,
	  "an image is one static program: link objects or a "
	  "static archive instead" },
	{ "-nostdlib", 0, WHY_RUNTIME },
	{ "-nostartfiles", 0, WHY_RUNTIME },
	{ "-nodefaultlibs", 0, WHY_RUNTIME },
	{ "-m16", 1, WHY_64BIT },
	{ "-m32", 1, WHY_64BIT },
	{ "-mx32", 1, WHY_64BIT },
	{ "-p", 1, WHY_PROFILE },
	{ "-pg", 1, WHY_PROFILE },
	{ "--coverage", 1, WHY_PROFILE },
	{ "-fprofile-arcs", 1, WHY_PROFILE },
	{ "-fsplit-stack", 1, "stacks are reserved whole and grow by faults" },
	{ "-fopenmp", 1, "there is no OpenMP runtime for enclaves" },
};

/* Options whose value is the next argument. */
static const char *const valued[] = {
	"-D",
	"-U",
	"-I",
	"-L",
	"-l",
	"-T",
	"-u",
	"-z",
	"-e",
	"-x",
	"-MF",
	"-MT",
	"-MQ",
	"-include",
	"-imacros",
	"-isystem",
	"-iquote",
	"-idirafter",
	"-iprefix",
	"-isysroot",
	"-Xlinker",
	"-Xassembler",
	"-Xpreprocessor",
	"-B",
	"-A",
	"-aux-info",
	"--param",
	"-dumpbase",
	"-dumpdir",
	"-wrapper",
	"-specs",
};

static const char *const compile_only[] = {
	"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only",
};

static int in_list(const char *arg, const char *const *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(arg, list[i]) == 0)
			return 1;
	return 0;
}

static int starts(const char *arg, const char *with)
{
	return strncmp(arg, with, strlen(with)) == 0;
}

static const struct refusal *find_refusal(const char *arg)
{
	static const struct refusal sanitizer = {
		"-fsanitize=", 1, "there is no sanitizer runtime for enclaves"
	};
	size_t i;

	for (i = 0; i < COUNT(refused); i++)
		if (strcmp(arg, refused[i].opt) == 0)
			return &refused[i];
	return starts(arg, sanitizer.opt) ? &sanitizer : NULL;
}

/* Questions that gcc answers without an input file. */
static int is_query(const char *arg)
{
	return starts(arg, "-print-") || starts(arg, "--print-") ||
	       strcmp(arg, "-dumpversion") == 0 ||
	       strcmp(arg, "-dumpmachine") == 0 ||
	       strcmp(arg, "-dumpspecs") == 0 ||
	       strcmp(arg, "-dumpfullversion") == 0 ||
	       strcmp(arg, "-###") == 0 || strcmp(arg, "--version") == 0 ||
	       starts(arg, "--help=");
}

struct parse {
	struct cc_args *out;
	const struct refusal *no; /* the first of them */
	const char *no_arg;
	size_t inputs;
};

static void pass(struct parse *p, const char *arg)
{
	p->out->pass[p->out->npass++] = arg;
}

static void set_mode(struct parse *p, enum cc_mode mode)
{
	if (p->out->mode < mode)
		p->out->mode = mode;
}

static void parse_malloc(struct parse *p, const char *arg)
{
	static const struct refusal unknown = { MALLOC_OPT, 1,
						"there are auto, musl and mimalloc" };
	const char *name = arg + sizeof(MALLOC_OPT) - 1;

	if (strcmp(name, "auto") == 0) {
		p->out->malloc = CC_MALLOC_AUTO;
	} else if (strcmp(name, "mimalloc") == 0) {
		p->out->malloc = CC_MALLOC_MIMALLOC;
	} else if (strcmp(name, "musl") == 0) {
		p->out->malloc = CC_MALLOC_MUSL;
	} else {
		p->no = &unknown;
		p->no_arg = arg;
	}
}

static void parse_flag(struct parse *p, const char *arg)
{
	const struct refusal *no = find_refusal(arg);

	if (no && (!p->no || no->compiling)) {
		p->no = no;
		p->no_arg = arg;
	}
	if (strcmp(arg, "-s") == 0) {
		p->out->strip = 1;
		return;
	}
	if (starts(arg, MALLOC_OPT)) {
		parse_malloc(p, arg);
		return;
	}
	if (in_list(arg, dropped, COUNT(dropped)) ||
	    starts(arg, "-fcf-protection="))
		return;
	if (strcmp(arg, "--help") == 0)
		set_mode(p, CC_HELP);
	else if (is_query(arg))
		set_mode(p, CC_QUERY);
	else if (in_list(arg, compile_only, COUNT(compile_only)))
		set_mode(p, CC_COMPILE);
	else if (strcmp(arg, "-r") == 0)
		set_mode(p, CC_RELINK);
	p->out->nostdinc |= strcmp(arg, "-nostdinc") == 0;
	p->out->version |= strcmp(arg, "--version") == 0;
	pass(p, arg);
}

/* Handles argument @i; returns how many arguments it took. */
static int parse_one(struct parse *p, int argc, char **argv, int i)
{
	const char *arg = argv[i];

	if (strcmp(arg, "-o") == 0 && i + 1 < argc) {
		p->out->output = argv[i + 1];
		pass(p, arg);
		pass(p, argv[i + 1]);
		return 2;
	}
	if (starts(arg, "-o") && arg[2] != '\0' && arg[2] != '-') {
		p->out->output = arg + 2;
		pass(p, arg);
		return 1;
	}
	if (in_list(arg, valued, COUNT(valued)) && i + 1 < argc) {
		p->inputs += strcmp(arg, "-l") == 0;
		pass(p, arg);
		pass(p, argv[i + 1]);
		return 2;
	}
	if (arg[0] != '-' || strcmp(arg, "-") == 0) {
		p->inputs++;
		pass(p, arg);
		return 1;
	}
	parse_flag(p, arg);
	return 1;
}

const char *cc_parse(struct cc_args *out, int argc, char **argv,
		     const char **bad)
{
	struct parse p = { .out = out };
	int i = 1;

	*out = (struct cc_args){ .mode = CC_LINK, .output = "a.out" };
	out->pass = calloc((size_t)argc + 1, sizeof(*out->pass));
	if (!out->pass) {
		*bad = argv[0];
		return "out of memory";
	}
	while (i < argc)
		i += parse_one(&p, argc, argv, i);
	/* "gcc -v" alone asks for the version; without files gcc complains. */
	if (out->mode == CC_LINK && p.inputs == 0)
		set_mode(&p, CC_QUERY);
	if (p.no && (out->mode == CC_LINK ||
		     (out->mode == CC_COMPILE && p.no->compiling))) {
		*bad = p.no_arg;
		return p.no->why;
	}
	return NULL;
}

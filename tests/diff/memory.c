/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory --dir DIR [--native] [--no-x] [--no-wx] [--all] [--print]
 *	[--seed N] [--epochs N] [--first N] [--emit] | [--script FILE]
 *
 * Runs epochs of operations drawn from a seed, and prints a hash of each one's
 * transcript; with --print the transcript. --emit prints the epoch's script
 * instead, and --script runs one. See memory.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/diff/memory.h"

struct option_set options;
static char line[32768];
static size_t used;
static uint64_t hash;

void say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	if (n > 0 && used + (size_t)n < sizeof(line))
		used += (size_t)n;
}

void say_result(long r)
{
	if (r < 0)
		say("E%ld", -r);
	else
		say("%ld", r);
}

/* The kernel's own answer, whatever a C library would make of it. */
/* NOLINTNEXTLINE(readability-function-size): as many as a call has. */
long call(long n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
	  uint64_t f)
{
	long r;

	errno = 0;
	r = syscall(n, a, b, c, d, e, f);
	return r == -1 && errno ? -errno : r;
}

static void flush(void)
{
	if (options.printed && write(1, line, used) != (ssize_t)used)
		_Exit(1);
	for (size_t i = 0; i < used; i++)
		hash = (hash ^ (uint8_t)line[i]) * 0x100000001b3ul;
	used = 0;
}

static void run(const struct op *o, uint64_t at)
{
	const char *why;
	long r;

	if (options.printed) {
		say("%" PRIu64 " ", at);
		used += op_text(o, line + used, sizeof(line) - used);
		say(" -> ");
		flush();
	}
	why = open_skips(o);
	if (why) {
		say("(%s)", why);
	} else if (open_answers(o, &r)) {
		say_result(r);
		act_refused(o);
	} else {
		act(o);
	}
	say("\n");
	flush();
}

static void reserve(void)
{
	void *at = mmap(NULL, RANGE_PAGES * PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t end = (uint64_t)call(SYS_brk, 0, 0, 0, 0, 0, 0);

	if (at == MAP_FAILED)
		abort();
	ground_base = (uint64_t)at + GROUND_AT * PAGE;
	break_base = pages_up(end);
	probe_start(ground_base - PAGE);
}

static void run_epoch(uint64_t seed, uint64_t epoch)
{
	const struct op anew = { .kind = OP_anew };
	struct op o;

	seed = mix(seed ^ mix(epoch));
	hash = 0xcbf29ce484222325ul;
	run(&anew, 0);
	for (uint32_t i = 0; i < EPOCH; i++) {
		o = draw(seed, i);
		run(&o, i + 1);
	}
	printf("epoch %" PRIu64 " %016" PRIx64 "\n", epoch, hash);
	fflush(stdout);
}

static void emit(uint64_t seed, uint64_t epoch)
{
	char text[256];
	struct op o;

	seed = mix(seed ^ mix(epoch));
	for (uint32_t i = 0; i < EPOCH; i++) {
		o = draw(seed, i);
		op_text(&o, text, sizeof(text));
		puts(text);
	}
}

/* Without malloc(), whose memory the break would be. */
static char *read_script(const char *name)
{
	static char text[1u << 20];
	ssize_t n, size = 0;
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0)
		size += n;
	close(fd);
	return n < 0 ? NULL : text;
}

static int run_script(const char *name)
{
	const struct op anew = { .kind = OP_anew };
	char *text = read_script(name), *end;
	struct op o;

	if (!text) {
		perror(name);
		return 2;
	}
	run(&anew, 0);
	for (uint64_t at = 1; *text; at++, text = end) {
		end = text + strcspn(text, "\n");
		if (*end)
			*end++ = '\0';
		if (text[0] == '#' || text[0] == '\0')
			continue;
		o = (struct op){ 0 };
		if (!op_parse(text, &o)) {
			fprintf(stderr, "%s:%" PRIu64 ": no operation: %s\n",
				name, at, text);
			return 2;
		}
		run(&o, at);
	}
	return 0;
}

struct arguments {
	const char *dir;
	const char *script;
	uint64_t seed;
	uint64_t epochs;
	uint64_t first;
	bool emit;
};

static bool *flag_of(const char *name, struct arguments *a)
{
	return !strcmp(name, "--native")  ? &options.native
	       : !strcmp(name, "--no-x")  ? &options.no_x
	       : !strcmp(name, "--no-wx") ? &options.no_wx
	       : !strcmp(name, "--all")	  ? &options.all
	       : !strcmp(name, "--print") ? &options.printed
	       : !strcmp(name, "--emit")  ? &a->emit
					  : NULL;
}

static uint64_t *number_of(const char *name, struct arguments *a)
{
	return !strcmp(name, "--seed")	   ? &a->seed
	       : !strcmp(name, "--epochs") ? &a->epochs
	       : !strcmp(name, "--first")  ? &a->first
					   : NULL;
}

static bool parse(struct arguments *a, char **v)
{
	for (; *v; v++) {
		if (flag_of(*v, a)) {
			*flag_of(*v, a) = true;
			continue;
		}
		if (!v[1])
			return false;
		if (number_of(*v, a))
			*number_of(*v, a) = strtoull(v[1], NULL, 0);
		else if (!strcmp(*v, "--dir"))
			a->dir = v[1];
		else if (!strcmp(*v, "--script"))
			a->script = v[1];
		else
			return false;
		v++;
	}
	return a->dir || a->emit;
}

int main(int argc, char **argv)
{
	static char buffer[1024];
	struct arguments a = { .seed = 1, .epochs = 1 };

	(void)argc;
	if (!parse(&a, argv + 1)) {
		fprintf(stderr, "memory: see memory.c for its arguments\n");
		return 2;
	}
	if (a.emit) {
		emit(a.seed, a.first);
		return 0;
	}
	setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
	act_start(a.dir);
	reserve();
	if (a.script)
		return run_script(a.script);
	for (uint64_t e = a.first; e < a.first + a.epochs; e++)
		run_epoch(a.seed, e);
	return 0;
}

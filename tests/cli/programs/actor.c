/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a test asks for: built for the enclave and natively, so that the one
 * says what the other must do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define MIB (1u << 20)

static int show_args(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		printf("%d '%s'\n", i, i ? argv[i] : "program");
	return 0;
}

static int show_environment(void)
{
	char **e;

	for (e = environ; *e; e++)
		puts(*e);
	return 0;
}

static int copy_input(void)
{
	char line[256];
	unsigned long n = 0;

	while (fgets(line, sizeof(line), stdin)) {
		fputs(line, stdout);
		n++;
	}
	fprintf(stderr, "%lu lines\n", n);
	return 0;
}

/* Grows to so many MiB or to the limit, then lets half of it go. */
static int grow(unsigned long count)
{
	unsigned char **p = calloc(count, sizeof(*p));
	unsigned long i, got, bad = 0;

	if (!p)
		return 1;
	fputs("phase: grow\n", stderr);
	for (got = 0; got < count; got++) {
		p[got] = malloc(MIB);
		if (!p[got])
			break;
		memset(p[got], (int)(got & 255), MIB);
	}
	if (got < count)
		printf("%s after the limit\n",
		       errno == ENOMEM ? "ENOMEM" : strerror(errno));
	fputs("phase: drop\n", stderr);
	for (i = 0; i < got; i += 2)
		free(p[i]);
	for (i = 1; i < got; i += 2) {
		bad += p[i][0] != (i & 255) || p[i][MIB - 1] != (i & 255);
		free(p[i]);
	}
	free(p);
	printf("%s, %lu bad\n", got == count ? "all" : "some", bad);
	return bad != 0;
}

static int poke(const char *where)
{
	volatile int *p = (int *)strtoul(where, NULL, 0);

	puts("before");
	fflush(stdout);
	*p = 1;
	return 0;
}

/* Mappings of 48 GiB, each touched at its ends and in between. */
static int far_apart(unsigned long count)
{
	const size_t size = 48ul << 30;
	unsigned long i, bad = 0;
	volatile char *p[16];
	size_t at;

	if (count > 16)
		return 2;
	for (i = 0; i < count; i++) {
		p[i] = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p[i] == MAP_FAILED)
			return 1;
		for (at = 0; at < size; at += size / 5) {
			bad += p[i][at] != 0;
			p[i][at] = (char)(i + 1);
		}
	}
	for (i = 0; i < count; i++) {
		for (at = 0; at < size; at += size / 5)
			bad += p[i][at] != (char)(i + 1);
		bad += munmap((void *)(uintptr_t)p[i], size) != 0;
	}
	printf("%lu bad\n", bad);
	return bad != 0;
}

/* What is not there inside, and what every C library tries. */
static int missing(void)
{
	char record[256];
	int i;

	for (i = 0; i < 3; i++)
		syscall(SYS_socket, 2, 1, 0);
	syscall(SYS_statx, -100, "/", 0, 0, record);
	syscall(SYS_rseq, NULL, 0, 0, 0);
	syscall(SYS_clone3, NULL, 0);
	return open("/nonexistent", O_RDONLY) >= 0;
}

static volatile unsigned long depth;

__attribute__((noinline)) static unsigned long deep(void)
{
	volatile char page[4096];

	page[0] = (char)++depth;
	return depth < 1000000 ? deep() + (unsigned long)page[0] : depth;
}

static int nap(const char *seconds)
{
	struct timespec ts = { .tv_sec = atoi(seconds) };

	puts("sleeping");
	fflush(stdout);
	nanosleep(&ts, NULL);
	return 0;
}

/* As programs do that look at what malloc() says. */
static int too_much(void)
{
	char *volatile p = malloc(64ul << 20);

	if (!p)
		abort();
	free(p);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "args";
	const char *value = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "args"))
		return show_args(argc, argv);
	if (!strcmp(what, "env"))
		return show_environment();
	if (!strcmp(what, "exit"))
		return atoi(value);
	if (!strcmp(what, "raise"))
		return raise(atoi(value)) ? 1 : 7;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "cat"))
		return copy_input();
	if (!strcmp(what, "grow"))
		return grow(strtoul(value, NULL, 0));
	if (!strcmp(what, "far"))
		return far_apart(strtoul(value, NULL, 0));
	if (!strcmp(what, "short"))
		return too_much();
	if (!strcmp(what, "deep"))
		return deep() == 0;
	if (!strcmp(what, "missing"))
		return missing();
	if (!strcmp(what, "poke"))
		return poke(value);
	if (!strcmp(what, "sleep"))
		return nap(value);
	fprintf(stderr, "unknown: %s\n", what);
	return 1;
}

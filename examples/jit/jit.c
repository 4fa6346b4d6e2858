/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Code made at run time, under W^X: edmm-cc jit.c -o jit && edmm run ./jit
 *
 * A calculator for postfix expressions of one variable, that makes a function
 * of each. Its memory is either to be written or to be executed, never both,
 * as the loader's rules of an enclave want it: write, make executable, run,
 * make writable, patch, run again. It knows nothing of enclaves; a static
 * image, whose pages can never run, says so.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CODE_SIZE 65536u

typedef int64_t (*function)(int64_t x);

struct code {
	uint8_t *base;
	size_t size;
	size_t constant; /* where the last constant is, to be patched */
};

static void protect(const struct code *c, int prot)
{
	if (mprotect(c->base, CODE_SIZE, prot) != 0) {
		perror("jit: mprotect");
		exit(EXIT_FAILURE);
	}
}

static void put(struct code *c, const void *bytes, size_t size)
{
	if (c->size + size > CODE_SIZE) {
		fputs("jit: the expression is too long\n", stderr);
		exit(EXIT_FAILURE);
	}
	memcpy(c->base + c->size, bytes, size);
	c->size += size;
}

#define PUT(c, ...)                                \
	put((c), (const uint8_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Operands are on the stack: pop rax, pop rcx, operate, push. */
static void put_operator(struct code *c, char op)
{
	PUT(c, 0x58, 0x59); /* pop rax; pop rcx */
	switch (op) {
	case '+':
		PUT(c, 0x48, 0x01, 0xc8); /* add rax, rcx */
		break;
	case '-':
		PUT(c, 0x48, 0x29, 0xc1); /* sub rcx, rax */
		PUT(c, 0x48, 0x89, 0xc8); /* mov rax, rcx */
		break;
	case '*':
		PUT(c, 0x48, 0x0f, 0xaf, 0xc1); /* imul rax, rcx */
		break;
	default:
		fprintf(stderr, "jit: '%c' is no operator\n", op);
		exit(EXIT_FAILURE);
	}
	PUT(c, 0x50); /* push rax */
}

static void put_constant(struct code *c, int64_t v)
{
	PUT(c, 0x48, 0xb8); /* movabs rax, v */
	c->constant = c->size;
	put(c, &v, sizeof(v));
	PUT(c, 0x50);
}

/* One word: x, a number, or an operator. */
static void put_word(struct code *c, const char *word)
{
	char *end;
	int64_t v = strtoll(word, &end, 10);

	if (strcmp(word, "x") == 0)
		PUT(c, 0x57); /* push rdi */
	else if (end != word && *end == '\0')
		put_constant(c, v);
	else
		put_operator(c, word[0]);
}

static void compile(struct code *c, const char *text)
{
	char *copy = strdup(text), *word;

	protect(c, PROT_READ | PROT_WRITE);
	c->size = 0;
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		put_word(c, word);
	PUT(c, 0x58, 0xc3); /* pop rax; ret */
	protect(c, PROT_READ | PROT_EXEC);
	free(copy);
}

/* The last constant is another one: the code is written to once more. */
static void patch(struct code *c, int64_t v)
{
	protect(c, PROT_READ | PROT_WRITE);
	memcpy(c->base + c->constant, &v, sizeof(v));
	protect(c, PROT_READ | PROT_EXEC);
}

static int64_t run(const struct code *c, int64_t x)
{
	function f;

	memcpy(&f, &c->base, sizeof(f));
	return f(x);
}

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "x x * 3 x * + 7 -";
	int rounds = argc > 2 ? atoi(argv[2]) : 3;
	struct code c = { 0 };

	c.base = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c.base == MAP_FAILED) {
		perror("jit: mmap");
		return EXIT_FAILURE;
	}
	compile(&c, text);
	printf("%s, of 5: %lld\n", text, (long long)run(&c, 5));
	for (int i = 1; i <= rounds; i++) {
		patch(&c, 7 * i);
		printf("with %d: %lld\n", 7 * i, (long long)run(&c, 5));
	}
	compile(&c, "x 1 +");
	printf("another one: %lld\n", (long long)run(&c, 41));
	return EXIT_SUCCESS;
}

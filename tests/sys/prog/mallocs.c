/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * malloc(3) and its kin, by one thread and by several that free one another's
 * blocks: contents, alignment, errors. A native run prints the same.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define BLOCKS 256
#define ROUNDS 20000

static void say(const char *what, int good)
{
	printf("%s: %s\n", what, good ? "good" : "bad");
}

static int filled(const unsigned char *p, int with, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != with)
			return 0;
	return 1;
}

/* Aligned, usable as far as it says, and freed. */
static int aligned(void *p, size_t alignment, size_t size)
{
	size_t usable = malloc_usable_size(p);
	int good = p && (uintptr_t)p % alignment == 0 && usable >= size;

	if (p)
		memset(p, 1, usable);
	free(p);
	return good;
}

/* The first block of a page may be aligned by chance. */
static int many_aligned(size_t alignment)
{
	void *p[8];
	int good = 1;

	for (int i = 0; i < 8; i++)
		p[i] = memalign(alignment, alignment);
	for (int i = 0; i < 8; i++)
		good &= aligned(p[i], alignment, alignment);
	return good;
}

static void alignments(void)
{
	void *p = NULL;

	for (size_t a = 16; a <= 1u << 21; a *= 2) {
		printf("%zu: ", a);
		say("aligned_alloc", aligned(aligned_alloc(a, a), a, a));
		say("memalign of many", many_aligned(a));
		say("memalign", aligned(memalign(a, 100), a, 100));
		if (posix_memalign(&p, a, 3 * a))
			p = NULL;
		say("posix_memalign", aligned(p, a, 3 * a));
	}
	say("valloc", aligned(valloc(100), 4096, 100));
	printf("posix_memalign by 3: %d\n", posix_memalign(&p, 3, 1));
}

static void zeros(void)
{
	int good = 1;

	for (size_t size = 1; size < 1u << 22; size = size * 3 + 1) {
		unsigned char *p = calloc(1, size);

		good &= p && filled(p, 0, size);
		if (p)
			memset(p, 0xa5, size);
		free(p);
	}
	say("calloc", good);
}

static void growth(void)
{
	unsigned char *p = NULL, *q;
	int good = 1;
	size_t size;

	for (size = 1; size < 3u << 20; size = size * 5 / 4 + 1) {
		q = realloc(p, size);
		good &= q && filled(q, 7, size > 1 ? (size - 1) * 4 / 5 : 0);
		if (!q)
			break;
		p = q;
		memset(p, 7, size);
	}
	for (; size > 64; size /= 3) {
		q = realloc(p, size / 3);
		good &= q && filled(q, 7, size / 3 < 1000 ? size / 3 : 1000);
		if (!q)
			break;
		p = q;
	}
	free(p);
	say("realloc", good);
}

static bool refused(void *given)
{
	bool good = !given && errno == ENOMEM;

	free(given);
	errno = 0;
	return good;
}

static void errors(void)
{
	volatile size_t most = PTRDIFF_MAX, half = (size_t)1 << 33;
	unsigned char *p = malloc(10), *q;

	errno = 0;
	say("malloc of too much", refused(malloc(most + 1)));
	say("calloc over the top", refused(calloc(half, half)));
	say("reallocarray over the top",
	    refused(reallocarray(NULL, half, half)));
	memset(p, 3, 10);
	q = realloc(p, most);
	say("realloc of too much", !q && errno == ENOMEM && filled(p, 3, 10));
	free(q ? q : p);
	free(NULL);
	p = (unsigned char *)strdup("text");
	say("strdup", p && !memcmp(p, "text", 5));
	free(p);
}

/* ---- threads ------------------------------------------------------------ */

struct block {
	uint32_t size;
	unsigned char tag;
};

static struct block *shared[BLOCKS];

/* What another has left, whole, goes; a new one is left. */
static void *trader(void *arg)
{
	uint64_t r = 0x9e3779b97f4a7c15u * ((uintptr_t)arg + 1), bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct block *b;
		size_t size;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		size = sizeof(*b) + (r % 61 ? r % 700 : r % 200000);
		b = malloc(size);
		if (!b)
			return (void *)1;
		b->size = (uint32_t)size;
		b->tag = (unsigned char)r;
		memset(b + 1, b->tag, size - sizeof(*b));
		b = __atomic_exchange_n(&shared[r % BLOCKS], b,
					__ATOMIC_ACQ_REL);
		if (b)
			bad += !filled((unsigned char *)(b + 1), b->tag,
				       b->size - sizeof(*b));
		free(b);
	}
	return (void *)(uintptr_t)bad;
}

static void threads(void)
{
	pthread_t t[THREADS];
	uintptr_t bad = 0;
	void *one;

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, trader, (void *)i))
			bad++;
	for (int i = 0; i < THREADS && !bad; i++) {
		pthread_join(t[i], &one);
		bad += (uintptr_t)one;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(shared[i]);
	say("threads", !bad);
}

int main(void)
{
	alignments();
	zeros();
	growth();
	errors();
	threads();
	malloc_trim(0);
	return 0;
}

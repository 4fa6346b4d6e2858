/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of several threads at a time. */
#include "tests/sys/threads/cases.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 4

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void *churn(void *arg)
{
	uint32_t seed = (uint32_t)(intptr_t)arg;
	unsigned char *p[32] = { NULL };
	size_t size[32] = { 0 };

	for (int i = 0; i < 3000; i++) {
		unsigned int k = next(&seed) % 32;

		for (size_t n = 0; n < size[k]; n += 97)
			EXPECT(p[k][n] == (unsigned char)(k + n));
		free(p[k]);
		size[k] = next(&seed) % (i % 50 == 0 ? 300000 : 3000);
		p[k] = malloc(size[k]);
		for (size_t n = 0; n < size[k]; n++)
			p[k][n] = (unsigned char)(k + n);
	}
	for (int k = 0; k < 32; k++)
		free(p[k]);
	return NULL;
}

static void together(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		t[i] = begin(fn, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		end(t[i]);
	printf("ok");
}

static void mallocs(void)
{
	together(churn);
}

static void *map_and_protect(void *arg)
{
	uint32_t seed = (uint32_t)(intptr_t)arg;

	for (int i = 0; i < 150; i++) {
		size_t size = (next(&seed) % 16 + 1) * 4096;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		EXPECT(p != MAP_FAILED);
		EXPECT(p[size - 1] == 0);
		memset(p, (int)seed, size);
		EXPECT(mprotect(p, size, PROT_READ) == 0);
		EXPECT(p[size / 2] == (char)seed);
		EXPECT(mprotect(p, size, PROT_READ | PROT_WRITE) == 0);
		EXPECT(madvise(p, size, MADV_DONTNEED) == 0);
		EXPECT(p[0] == 0);
		EXPECT(munmap(p, size) == 0);
	}
	return NULL;
}

static void maps(void)
{
	together(map_and_protect);
}

#define PAGES 256
static unsigned char *shared;
static pthread_barrier_t all;

static void *touch_all(void *arg)
{
	pthread_barrier_wait(&all);
	for (int i = 0; i < PAGES; i++)
		__atomic_fetch_add(&shared[i * 4096], 1, __ATOMIC_SEQ_CST);
	return arg;
}

/* All touch the same fresh pages at once: each is there once. */
static void first_touch(void)
{
	pthread_t t[THREADS];
	int sum = 0;

	pthread_barrier_init(&all, NULL, THREADS);
	shared = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < THREADS; i++)
		t[i] = begin(touch_all, NULL);
	for (int i = 0; i < THREADS; i++)
		end(t[i]);
	for (int i = 0; i < PAGES; i++)
		sum += shared[i * 4096];
	printf("%d", sum);
	munmap(shared, PAGES * 4096);
}

static int deep(int n)
{
	volatile char room[3000];

	room[0] = (char)n;
	return n ? deep(n - 1) + (room[0] != (char)n) : 0;
}

static void *use_stack(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)deep(300);
}

static void deep_stacks(void)
{
	pthread_attr_t attr;
	pthread_t t[THREADS];

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 2 << 20);
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&t[i], &attr, use_stack, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT(end(t[i]) == NULL);
	printf("ok");
}

static void *read_self(void *arg)
{
	char line[64];

	for (int i = 0; i < 50; i++) {
		FILE *f = fopen(arg, "r");

		EXPECT(f && fgets(line, sizeof(line), f));
		EXPECT(f && strcmp(line, "twenty bytes of text\n") == 0);
		if (f)
			fclose(f);
	}
	return NULL;
}

/* stdio and descriptors: each thread its own file, one table. */
static void files(void)
{
	char name[] = "/tmp/edmm-threads-XXXXXX";
	int fd = mkstemp(name);
	pthread_t t[THREADS];

	EXPECT(fd >= 0 && write(fd, "twenty bytes of text\n", 21) == 21);
	close(fd);
	for (int i = 0; i < THREADS; i++)
		t[i] = begin(read_self, name);
	for (int i = 0; i < THREADS; i++)
		end(t[i]);
	unlink(name);
	printf("ok");
}

const struct threads_case threads_memory[] = {
	{ "mallocs", mallocs },
	{ "maps", maps },
	{ "first_touch", first_touch },
	{ "deep_stacks", deep_stacks },
	{ "files", files },
	{ NULL, NULL },
};

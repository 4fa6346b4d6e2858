/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frees much, and then ends, or sleeps for some seconds, or trims. Or frees
 * within malloc's groups: for good, or to have the same again at once. Or lets
 * a block grow to most of the heap, which two of it would not fit.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 16

#define SLOTS 1024
#define SLOT (24 << 10)

static char *slots[SLOTS];

static char *slot(int i)
{
	char *p = malloc(SLOT);

	if (p)
		memset(p, i, SLOT);
	return p;
}

static int wrong(int i)
{
	for (int at = 0; at < SLOT; at++)
		if (slots[i][at] != (char)i)
			return 1;
	return 0;
}

/* Every second slot goes; the others stay as they are. */
static int thin(void)
{
	int bad = 0;

	for (int i = 0; i < SLOTS; i++)
		slots[i] = slot(i);
	for (int i = 0; i < SLOTS; i += 2)
		free(slots[i]);
	for (int i = 1; i < SLOTS; i += 2)
		bad += wrong(i);
	for (int i = 0; i < SLOTS; i += 2)
		slots[i] = slot(i);
	for (int i = 0; i < SLOTS; i++)
		bad += wrong(i);
	for (int i = 0; i < SLOTS; i += 2)
		free(slots[i]);
	return bad;
}

/* A slot goes and comes, over and over. */
static int churn(void)
{
	int bad = 0;

	for (int i = 0; i < 64; i++)
		slots[i] = slot(i);
	for (int i = 0; i < 2000; i++) {
		bad += wrong(i % 63);
		free(slots[i % 63]);
		slots[i % 63] = slot(i % 63);
	}
	return bad;
}

static int grow(void)
{
	char *p = NULL, *q;
	size_t size;

	for (size = 1 << 20; size <= 48u << 20; size += 1 << 20) {
		q = realloc(p, size);
		if (!q || (p && q[size - (1 << 20) - 1] != 1))
			return 1;
		memset(q + size - (1 << 20), 1, 1 << 20);
		p = q;
	}
	free(p);
	return 0;
}

/* There is something to give back once. */
static int trims(void)
{
	int first = malloc_trim(0);

	return first == 1 && malloc_trim(0) == 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	char *p[BLOCKS];
	int i;

	if (strcmp(how, "thin") == 0)
		return thin() != 0;
	if (strcmp(how, "churn") == 0)
		return churn() != 0;
	if (strcmp(how, "grow") == 0)
		return grow();
	for (i = 0; i < BLOCKS; i++) {
		p[i] = malloc(1 << 20);
		memset(p[i], 1, 1 << 20);
	}
	for (i = 0; i < BLOCKS; i++)
		free(p[i]);
	for (i = 0; i < 8 && strcmp(how, "sleep") == 0; i++)
		sleep(1);
	if (strcmp(how, "trim") == 0)
		return !trims();
	return 0;
}

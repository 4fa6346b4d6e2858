/* SPDX-License-Identifier: BSD-3-Clause */
/* Frees much, and then ends, or sleeps for some seconds, or trims. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 16

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	char *p[BLOCKS];
	int i;

	for (i = 0; i < BLOCKS; i++) {
		p[i] = malloc(1 << 20);
		memset(p[i], 1, 1 << 20);
	}
	for (i = 0; i < BLOCKS; i++)
		free(p[i]);
	for (i = 0; i < 8 && strcmp(how, "sleep") == 0; i++)
		sleep(1);
	if (strcmp(how, "trim") == 0)
		return malloc_trim(0) == 1 && malloc_trim(0) == 0 ? 0 : 1;
	return 0;
}

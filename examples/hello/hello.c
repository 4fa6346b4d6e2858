/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest program: edmm-cc hello.c -o hello && edmm run ./hello [SIZE]
 * It takes SIZE MiB of memory (16), uses it, and says what it has done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
	char *p = malloc(size << 20);

	if (p == NULL) {
		fprintf(stderr, "hello: no %zu MiB: raise --heap-max\n", size);
		return EXIT_FAILURE;
	}
	memset(p, 'x', size << 20);
	printf("hello from an enclave, with %zu MiB of memory\n", size);
	free(p);
	return EXIT_SUCCESS;
}

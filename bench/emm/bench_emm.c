/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the memory manager itself costs: leaves and host calls are stubs that
 * return at once. Figures of one thread are its CPU time, medians of rounds
 * after a warm-up round; those of two threads are wall time. JSON goes to the
 * file named, or to standard output.
 *
 *	bench_emm [FILE [AREAS_MAX]]	AREAS_MAX 0: threads only
 *
 * Areas are 64 KiB, with holes or alternating attributes between, so that
 * none can merge.
 */
#include "bench/emm/bed.h"

int main(int argc, char **argv)
{
	uint32_t most =
		argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000000;
	FILE *out = argc > 1 ? fopen(argv[1], "w") : stdout;

	if (!out) {
		perror(argv[1]);
		return 1;
	}
	fprintf(out, "{\n");
	if (most) {
		bench_growth(out, most);
		bench_gib(out);
		bench_calls(out);
		bench_meta(out);
	}
	bench_floor(out);
	bench_threads(out);
	fprintf(out, "}\n");
	return fclose(out) != 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random operations against the reference. Every operation is compared; the
 * mirror check runs after each of the first ones and now and then later.
 *
 *	test_emm_random [SEED [OPS]]	OPS 0: for ever
 *
 * Prints the seed; a failure prints the operations that led to it, shrunk to
 * those that matter, and the command that replays it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/emm/script.h"

#define ROUND 2000u /* operations on one world */

static uint64_t state;

static uint32_t random32(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Run operations on a fresh world. Return: how many passed. */
static uint32_t run(const uint8_t *ops, uint32_t count, bool narrow, bool all,
		    char *text)
{
	static struct script s;
	const char *bad = NULL;
	uint32_t i;

	script_open(&s, narrow);
	for (i = 0; i < count && !bad; i++) {
		bad = script_step(&s, ops + i * S_OP_BYTES);
		if (!bad && (all || i % 64 == 0))
			bad = script_check(&s);
	}
	if (bad)
		snprintf(text, 300, "%s", bad);
	script_close(&s);
	return bad ? i - 1 : count;
}

/* Leave out what is not needed to fail, then print. */
static void report(uint8_t *ops, uint32_t count, bool narrow)
{
	char text[300] = "";
	uint8_t *less = malloc(count * S_OP_BYTES);

	for (uint32_t cut = count; cut-- > 0;) {
		memcpy(less, ops, cut * S_OP_BYTES);
		memcpy(less + cut * S_OP_BYTES, ops + (cut + 1) * S_OP_BYTES,
		       (count - cut - 1) * S_OP_BYTES);
		if (run(less, count - 1, narrow, true, text) < count - 1) {
			count--;
			memcpy(ops, less, count * S_OP_BYTES);
		}
	}
	run(ops, count, narrow, true, text);
	printf("%s; operations (%s):\n", text, narrow ? "narrow" : "wide");
	for (uint32_t i = 0; i < count; i++)
		printf("  %u %u %u %u\n", ops[4 * i] % 11, ops[4 * i + 1] % 96,
		       1 + ops[4 * i + 2] % 16, ops[4 * i + 3]);
	free(less);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20261121;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000000;
	static uint8_t ops[ROUND * S_OP_BYTES];
	uint64_t done = 0;

	if (!seed)
		seed = (uint64_t)time(NULL) | 1;
	state = seed * 0x9e3779b97f4a7c15ull | 1;
	printf("seed %llu\n", (unsigned long long)seed);
	while (!count || done < count) {
		char text[300];
		bool narrow = (done / ROUND) & 1;
		uint32_t passed;

		for (uint32_t i = 0; i < sizeof(ops); i += 4) {
			uint32_t v = random32();

			memcpy(ops + i, &v, 4);
		}
		passed = run(ops, ROUND, narrow, done < 4 * ROUND, text);
		if (passed < ROUND) {
			report(ops, passed + 1, narrow);
			printf("replay: test_emm_random %llu %llu\n",
			       (unsigned long long)seed,
			       (unsigned long long)done + ROUND);
			return 1;
		}
		done += ROUND;
	}
	printf("%llu operations\n", (unsigned long long)done);
	return 0;
}

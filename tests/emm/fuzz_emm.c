/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer: a string is a list of operations, checked by the reference. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/emm/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script s;
	const char *bad = NULL;

	if (!size)
		return 0;
	script_open(&s, data[0] & 1);
	for (size_t i = 1; i + S_OP_BYTES <= size && !bad; i += S_OP_BYTES) {
		bad = script_step(&s, data + i);
		if (!bad)
			bad = script_check(&s);
	}
	if (bad) {
		fprintf(stderr, "%s\n", bad);
		abort();
	}
	script_close(&s);
	return 0;
}

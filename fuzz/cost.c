/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: cost tables. What is taken has a clock; what is refused
 * names a line and column of the text.
 */
#include "machine/watch/counters.h"
#include "tests/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct watch_costs c;
	struct watch_error e = { 0 };

	if (watch_costs_parse((const char *)data, size, &c, &e))
		MUST(c.hz >= 1000000);
	else
		MUST(e.line && e.column && e.column <= size + 1 && e.want);
	return 0;
}

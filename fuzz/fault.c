/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: specifications of faults. What is taken is due at some
 * time and only at points that exist; what is refused names a place in the
 * text and changes nothing.
 */
#include <string.h>

#include "machine/linux/inject.h"
#include "tests/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drv_inject in = { .count = 0 }, before;
	struct inject_error e = { 0 };
	const char *text = (const char *)data;

	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t len = end ? (size_t)(end - text) : size;

		before = in;
		if (inject_parse(&in, text, len, &e)) {
			MUST(in.count <= INJECT_RULES);
		} else {
			MUST(!memcmp(&in, &before, sizeof(in)));
			MUST(e.column >= 1 && e.column <= len + 1 && e.want);
		}
		text += len + (end != NULL);
		size -= len + (end != NULL);
	}
	MUST(!(in.points >> INJECT_POINTS));
	for (unsigned i = 0; i < 4 * INJECT_POINTS; i++) {
		unsigned p = i % INJECT_POINTS;
		struct inject_outcome next = inject_peek(&in, p);

		MUST(next.kind == inject_fire(&in, p).kind);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: traces. What is taken can be summed and printed; what is
 * refused names a byte of the file.
 */
#include <string.h>

#include "machine/watch/counters.h"
#include "tests/must.h"

static void drop(void *ctx, const char *text, size_t size)
{
	(void)text;
	*(size_t *)ctx += size;
}

static void sum(const struct trace_record *r, size_t count)
{
	struct edmm_machine_stats s = { 0 };
	size_t printed = 0;
	struct watch_out out = { .write = drop, .ctx = &printed };
	struct watch_print p = { .stats = &s, .json = count & 1 };

	for (size_t i = 0; i < count; i++)
		watch_add(&s, &r[i]);
	watch_print(&out, &p);
	MUST(printed > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trace_header good = { .magic = TRACE_MAGIC,
						  .order = TRACE_ORDER,
						  .version = TRACE_VERSION,
						  .record = 32 };
	uint64_t *file = malloc(size + sizeof(good) + 8);
	bool head = size && (data[0] & 1);
	size_t at = head ? sizeof(good) : 0, count;
	struct trace_error e = { .off = UINT64_MAX };

	MUST(file);
	/* Mostly behind a header that is right. */
	memcpy(file, &good, sizeof(good));
	memcpy((char *)file + at, data + (size > 0), size - (size > 0));
	size = at + size - (size > 0);
	if (trace_check(file, size, &count, &e)) {
		MUST(e.off <= size && e.what);
	} else {
		MUST(count <= (size - sizeof(good)) / 32);
		sum((const void *)(file + sizeof(good) / 8), count);
	}
	free(file);
	return 0;
}

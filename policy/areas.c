/* SPDX-License-Identifier: BSD-3-Clause */
/* Layouts of the four runtimes and ours: areas.h. */
#include "policy/areas.h"

#include <string.h>

#define PAGE 4096u
#define GUARD KIB(64)

/* Cycles a page and a clock to turn them into time: PIE (ISCA 2021), table of
 * leaf costs; EEXTEND is 16 times 5.5K. A clock of 2.6 GHz as measured there.
 */
#define CYCLES_EADD 12500ull
#define CYCLES_EEXTEND 88000ull
#define CYCLES_FIXED 116500ull /* ECREATE and EINIT */
#define CYCLES_NS 26u	       /* tenths of a cycle a nanosecond */

/* Measured with `edmm run --report` of a program that does nothing, 600 to
 * 134,000 pages, elastic and static, on a virtual machine of two busy cores. */
#define SOFT_ADD_NS 13000ull
#define SOFT_MEASURE_NS 5000ull
#define SOFT_FIXED_NS 4000000ull

/* Sizes of programs that are not known here. */
#define IMAGE_OCCLUM MIB(16)
#define IMAGE_GRAMINE MIB(1)
#define IMAGE_OTHER MIB(2)

/* Sums that may not fit stay at the most there is. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

/* One area, @count times over; @added and @measured are bytes a copy. */
static void area(struct pol_layout *l, const char *name, uint64_t count,
		 uint64_t size, const uint64_t part[2])
{
	struct pol_area *a = &l->v[l->count];

	if (count == 0 || size == 0 || l->count == POL_AREAS)
		return;
	a->name = name;
	a->off = l->elrange;
	a->size = times(size, count);
	a->count = count;
	a->added = times(part[0] / PAGE, count);
	a->measured = times(part[1] / PAGE, count);
	l->elrange = plus(l->elrange, a->size);
	l->added = plus(l->added, a->added);
	l->measured = plus(l->measured, a->measured);
	l->count++;
}

#define AREA(l, name, count, size, added, measured) \
	area(l, name, count, size, (const uint64_t[]){ added, measured })

static void power_of_two(struct pol_layout *l)
{
	uint64_t size = PAGE;

	while (size < l->elrange && size < 1ull << 63)
		size *= 2;
	l->elrange = size < l->elrange ? UINT64_MAX : size;
}

/* Guards around stack, TCS with two SSA pages, and the thread's data. */
static uint64_t thread_size(uint64_t stack)
{
	return plus(stack, 3 * GUARD + 4 * PAGE);
}

/* sections | heap | threads | reserved memory | user region */
static void intel(const struct edmm_resolved *r, struct pol_layout *l)
{
	uint64_t stack = r->elastic ? r->stack_min : r->stack_max;
	uint64_t image =
		r->rules == EDMM_FORMAT_OCCLUM ? IMAGE_OCCLUM : IMAGE_OTHER;
	uint64_t more = r->tcs_max > r->tcs_init ? r->tcs_max - r->tcs_init : 0;

	l->assumed = image;
	AREA(l, "image", 1, image, image, image);
	AREA(l, "heap at start", 1, r->heap_init, r->heap_init, 0);
	AREA(l, "heap, grown", 1, r->heap_max - r->heap_init, 0, 0);
	AREA(l, "threads at start", r->tcs_init, thread_size(r->stack_max),
	     plus(stack, 4 * PAGE), plus(stack, 4 * PAGE));
	AREA(l, "threads, made later", r->elastic ? more : 0,
	     thread_size(r->stack_max), 0, 0);
	AREA(l, "reserved memory", 1, r->rsrv_init, r->rsrv_init, 0);
	AREA(l, "reserved memory, grown", 1, r->rsrv_max - r->rsrv_init, 0, 0);
	/* What the SDK needs to keep account of it is in there. */
	AREA(l, "user region", 1,
	     r->region > 0 ? plus(r->region, r->region / 32768 + 3 * GUARD) : 0,
	     0, 0);
	power_of_two(l);
}

/* Everything from the top down; what is left below is the program's. */
static void gramine(const struct edmm_resolved *r, struct pol_layout *l)
{
	/* SSA 2 x 4 pages, TCS, TLS, stack 64, signal stack 16. */
	const uint64_t thread = 90 * PAGE;
	uint64_t own =
		plus(IMAGE_GRAMINE + 4 * PAGE, times(thread, r->tcs_init));
	uint64_t heap = r->enclave_size > own ? r->enclave_size - own : 0;

	l->assumed = IMAGE_GRAMINE;
	AREA(l, "program and heap", 1, heap, r->elastic ? 0 : heap, 0);
	AREA(l, "threads at start", r->tcs_init, thread, thread, thread);
	AREA(l, "loader and manifest", 1, IMAGE_GRAMINE + 4 * PAGE,
	     IMAGE_GRAMINE + 4 * PAGE, IMAGE_GRAMINE + 4 * PAGE);
	l->elrange = r->enclave_size;
}

/* ELF | contexts | main stack | metadata | heap: common/layout.h */
static void ours(const struct edmm_resolved *r, struct pol_layout *l)
{
	const uint64_t context = (2 + 3 * EDMM_SSA_FRAME_PAGES + 4) * PAGE;
	const uint64_t meta = KIB(64);
	uint64_t range = plus(r->heap_max, 0);

	l->assumed = IMAGE_OTHER;
	AREA(l, "image", 1, IMAGE_OTHER, IMAGE_OTHER, IMAGE_OTHER);
	AREA(l, "threads at start", r->tcs_init, context + GUARD, context,
	     context);
	AREA(l, "main stack", 1, r->stack_max,
	     r->elastic ? r->stack_min : r->stack_max,
	     r->elastic ? r->stack_min : r->stack_max);
	AREA(l, "metadata", 1, MIB(1), meta, meta);
	/* The heap's bound is the range; a maximum is the host's to give. */
	if (r->elastic && r->enclave_size > l->elrange)
		range = r->enclave_size - l->elrange;
	AREA(l, "heap at start", 1, r->heap_init, r->heap_init,
	     r->elastic ? r->heap_init : 0);
	AREA(l, "heap, grown", 1,
	     range > r->heap_init ? range - r->heap_init : 0, 0, 0);
	power_of_two(l);
}

void pol_areas(const struct edmm_resolved *r, struct pol_layout *out)
{
	memset(out, 0, sizeof(*out));
	if (r->rules == EDMM_FORMAT_GRAMINE)
		gramine(r, out);
	else if (r->rules == EDMM_FORMAT_EDMM)
		ours(r, out);
	else
		intel(r, out);
}

uint64_t pol_startup_ns(const struct pol_layout *l)
{
	uint64_t cycles = plus(times(l->added, CYCLES_EADD),
			       times(l->measured, CYCLES_EEXTEND));

	return plus(cycles, CYCLES_FIXED) / CYCLES_NS * 10;
}

uint64_t pol_startup_soft_ns(const struct pol_layout *l)
{
	return plus(SOFT_FIXED_NS, plus(times(l->added, SOFT_ADD_NS),
					times(l->measured, SOFT_MEASURE_NS)));
}

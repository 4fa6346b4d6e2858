/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of an enclave of the Intel SDK, and what layouts share. */
#include "policy/areas.h"

#include <string.h>

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

uint64_t pol_plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t pol_times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

void pol_area(struct pol_layout *l, const char *name, uint64_t count,
	      uint64_t size, const uint64_t part[2])
{
	struct pol_area *a = &l->v[l->count];

	if (count == 0 || size == 0 || l->count == POL_AREAS)
		return;
	a->name = name;
	a->off = l->elrange;
	a->size = pol_times(size, count);
	a->count = count;
	a->added = pol_times(part[0] / POL_PAGE, count);
	a->measured = pol_times(part[1] / POL_PAGE, count);
	l->elrange = pol_plus(l->elrange, a->size);
	l->added = pol_plus(l->added, a->added);
	l->measured = pol_plus(l->measured, a->measured);
	l->count++;
}

void pol_range_up(struct pol_layout *l)
{
	uint64_t size = POL_PAGE;

	while (size < l->elrange && size < 1ull << 63)
		size *= 2;
	l->elrange = size < l->elrange ? UINT64_MAX : size;
}

/* Guards around stack, TCS with two SSA pages, and the thread's data. */
static uint64_t thread_size(uint64_t stack)
{
	return pol_plus(stack, 3 * POL_GUARD + 4 * POL_PAGE);
}

/* sections | heap | threads | reserved memory | user region */
static void intel(const struct edmm_resolved *r, struct pol_layout *l)
{
	uint64_t stack = r->elastic ? r->stack_min : r->stack_max;
	uint64_t image = l->assumed;
	uint64_t more = r->tcs_max > r->tcs_init ? r->tcs_max - r->tcs_init : 0;

	POL_AREA(l, "image", 1, image, image, image);
	POL_AREA(l, "heap at start", 1, r->heap_init, r->heap_init, 0);
	POL_AREA(l, "heap, grown", 1, r->heap_max - r->heap_init, 0, 0);
	POL_AREA(l, "threads at start", r->tcs_init, thread_size(r->stack_max),
		 pol_plus(stack, 4 * POL_PAGE), pol_plus(stack, 4 * POL_PAGE));
	POL_AREA(l, "threads, made later", r->elastic ? more : 0,
		 thread_size(r->stack_max), 0, 0);
	POL_AREA(l, "reserved memory", 1, r->rsrv_init, r->rsrv_init, 0);
	POL_AREA(l, "reserved memory, grown", 1, r->rsrv_max - r->rsrv_init, 0,
		 0);
	/* What the SDK needs to keep account of it is in there. */
	POL_AREA(l, "user region", 1,
		 r->region > 0 ? pol_plus(r->region,
					  r->region / 32768 + 3 * POL_GUARD)
			       : 0,
		 0, 0);
	pol_range_up(l);
}

void pol_areas(const struct edmm_resolved *r, struct pol_layout *out)
{
	memset(out, 0, sizeof(*out));
	out->assumed = pol_family(r)->assumed;
	if (pol_family(r)->layout)
		pol_family(r)->layout(r, out);
	else
		intel(r, out);
}

uint64_t pol_startup_ns(const struct pol_layout *l)
{
	uint64_t cycles = pol_plus(pol_times(l->added, CYCLES_EADD),
				   pol_times(l->measured, CYCLES_EEXTEND));

	return pol_plus(cycles, CYCLES_FIXED) / CYCLES_NS * 10;
}

uint64_t pol_startup_soft_ns(const struct pol_layout *l)
{
	return pol_plus(SOFT_FIXED_NS,
			pol_plus(pol_times(l->added, SOFT_ADD_NS),
				 pol_times(l->measured, SOFT_MEASURE_NS)));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: an ELF file that is accepted can be laid out, and every byte
 * that its runs name can be read.
 */
#include <stdlib.h>

#include "edmm/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct edmm_image *image, enum edmm_mode mode)
{
	struct edmm_image_policy p;
	struct edmm_plan plan;
	struct edmm_diag diag;
	volatile uint8_t sink;
	uint64_t end = 0, delta, k;
	size_t i;

	edmm_policy_default(mode, &p);
	p.flags = EDMM_POLICY_WX;
	if (edmm_plan_make(image, &p, &plan, &diag))
		abort();
	for (i = 0; i < plan.run_count; i++) {
		const struct edmm_page_run *r = &plan.runs[i];

		if (r->off < end || !r->size || (r->off | r->size) % 4096)
			abort();
		end = r->off + r->size;
		for (k = 0; r->src && k < r->size; k++)
			sink = r->src[k];
	}
	(void)sink;
	if (end > plan.layout.elrange_size)
		abort();
	(void)edmm_image_symbol(image, plan.oentry, &delta);
	edmm_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edmm_image *image;
	struct edmm_diag diag;

	if (edmm_image_parse(data, size, "fuzz", &image, &diag))
		return 0;
	walk(image, EDMM_MODE_ELASTIC);
	walk(image, EDMM_MODE_STATIC);
	edmm_image_free(image);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a signature file that is accepted comes out byte for byte as it
 * went in, and its SIGSTRUCTs can be verified without harm.
 */
#include <stdlib.h>
#include <string.h>

#include "edmm/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edmm_sig_file file;
	struct edmm_diag diag;
	uint8_t *out;
	size_t out_size;
	uint32_t i;

	if (edmm_sig_parse(data, size, "fuzz", &file, &diag))
		return 0;
	if (edmm_sig_emit(&file, &out, &out_size) || out_size != size ||
	    memcmp(out, data, size))
		abort();
	free(out);
	for (i = 0; i < file.count; i++)
		(void)!edmm_sigstruct_verify(&file.entry[i].sig, &diag);
	return 0;
}

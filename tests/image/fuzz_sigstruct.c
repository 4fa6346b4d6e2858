/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: any 1808 bytes can be verified as a SIGSTRUCT without harm, and
 * one that passes still does when it is verified again.
 */
#include <stdlib.h>
#include <string.h>

#include "edmm/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sgx_sigstruct sig = { 0 };
	struct edmm_diag diag;
	uint8_t mrsigner[32];

	memcpy(&sig, data, size < sizeof(sig) ? size : sizeof(sig));
	edmm_mrsigner(&sig, mrsigner);
	if (!edmm_sigstruct_verify(&sig, &diag) &&
	    edmm_sigstruct_verify(&sig, &diag))
		abort();
	return 0;
}

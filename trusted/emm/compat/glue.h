/* SPDX-License-Identifier: BSD-3-Clause */
/* The one instance behind Intel's interface, which has no instance pointer. */
#ifndef TRUSTED_EMM_COMPAT_GLUE_H
#define TRUSTED_EMM_COMPAT_GLUE_H

#include "edmm/emm.h"

struct glue {
	struct emm *emm;
	uint64_t base; /* of what it manages */
	uint64_t size;
	uint64_t user_start; /* metadata first */
	uint64_t user_end;
	uint64_t meta_own;  /* bytes that are always metadata's */
	uint64_t meta_size; /* and that can become so */
};

const struct glue *glue_get(void);

#endif

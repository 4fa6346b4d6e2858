/* SPDX-License-Identifier: BSD-3-Clause */
/* Metadata objects: an op takes them into its slot before its first effect. */
#ifndef TRUSTED_EMM_META_H
#define TRUSTED_EMM_META_H

#include "edmm/emm.h"
#include "trusted/emm/lock.h"

struct op;

EDMM_NODISCARD edmm_err meta_reserve(struct op *op, uint32_t cells,
				     uint32_t tables);
EDMM_NODISCARD uint32_t meta_cell(struct op *op);
void meta_cell_free(struct op *op, uint32_t cell);
EDMM_NODISCARD uint32_t meta_table(struct op *op);
void meta_table_free(struct op *op, uint32_t table);
void meta_settle(struct op *op);

#endif

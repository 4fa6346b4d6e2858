/* SPDX-License-Identifier: BSD-3-Clause */
/* What operations do to pages [a, b) that they have claimed. */
#ifndef TRUSTED_EMM_ACT_H
#define TRUSTED_EMM_ACT_H

#include "trusted/emm/instance.h"

EDMM_NODISCARD edmm_err act_commit(struct op *op, uint32_t a, uint32_t b,
				   uint32_t *done);
EDMM_NODISCARD edmm_err act_uncommit(struct op *op, uint32_t a, uint32_t b,
				     uint32_t *done);
EDMM_NODISCARD edmm_err act_resolve(struct op *op, uint32_t pg, uint8_t byte);
EDMM_NODISCARD edmm_err act_remove(struct op *op, struct run *r);
EDMM_NODISCARD edmm_err act_trim(struct op *op, struct run *r);
EDMM_NODISCARD edmm_err accept_one(struct op *op, uint32_t pg);
edmm_err act_rights(struct op *op, struct run *r, int from, int to);
edmm_err host_modify(struct op *op, enum emm_host_op what, const struct run *r,
		     int to);
EDMM_NODISCARD edmm_err act_show(struct op *op, struct run *r);
EDMM_NODISCARD bool area_is_lazy(struct emm *emm, struct run *r);
EDMM_NODISCARD edmm_err map_storable(struct op *op, const struct run *r,
				     int prot);
int leaf_new(struct emm *emm, int prot, uint32_t pg);
int leaf_accept(struct emm *emm, uint64_t flags, uint32_t pg);
int leaf_extend(struct emm *emm, int prot, uint32_t pg);
void ahead_of(struct emm *emm, const struct run *r);
edmm_err idle_limit(struct emm *emm);
void idle_fewer(struct emm *emm, uint64_t pages);

/* For the compatible interface: with rights that all pages must have; on pages
 * of the states `ok` only. */
EDMM_NODISCARD edmm_err op_commit(struct emm *emm, uint64_t addr, uint64_t size,
				  int need, uint64_t *done);
EDMM_NODISCARD edmm_err op_protect(struct emm *emm, const struct run *r,
				   int prot, uint32_t ok, uint32_t *done);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structures of the kernel's on their way through the data buffer, by their
 * fields (I17): what is no field does not leave, and what comes in is in the
 * field's range.
 */
#ifndef TRUSTED_SYS_RECORD_H
#define TRUSTED_SYS_RECORD_H

#include "common/calls.h"
#include "trusted/rt/rt.h"

/**
 * record_out() - write one structure for the host
 * @arg: the row's argument, of common/calls.h
 * @to: where, call_size(arg) bytes
 * @from: the program's, owned by the enclave
 *
 * Fields that the kernel reads go; all other bytes are zero.
 */
EDMM_NODISCARD edmm_err record_out(uint16_t arg, umem_t to, uint64_t from);

/**
 * record_in() - take one structure from the host
 * @arg: the row's argument, of common/calls.h
 * @to: the program's, owned by the enclave
 * @from: the host's; read once
 *
 * Fields that the kernel writes come in, into zeros or, where the program has
 * said something there as well, beside that.
 *
 * Return: 0; -EPROTO when a field is out of range, and @to is as it was.
 */
EDMM_NODISCARD edmm_err record_in(uint16_t arg, uint64_t to, umem_t from);

#endif

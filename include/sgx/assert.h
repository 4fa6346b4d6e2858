/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assertions of the compiler's in headers that C and C++ read: freestanding
 * code has no <assert.h>, and g++ not C's word.
 */
#ifndef SGX_ASSERT_H
#define SGX_ASSERT_H

#ifdef __cplusplus
#define SGX_ASSERT(condition, text) static_assert(condition, text)
#else
#define SGX_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#endif

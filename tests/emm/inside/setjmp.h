/* SPDX-License-Identifier: BSD-3-Clause */
/* For an enclave without a C library. */
#ifndef TESTS_EMM_INSIDE_SETJMP_H
#define TESTS_EMM_INSIDE_SETJMP_H

typedef void *jmp_buf[5];

#define setjmp(buf) __builtin_setjmp(buf)
#define longjmp(buf, value) ((void)(value), __builtin_longjmp(buf, 1))

#endif

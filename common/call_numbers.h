/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of calls that Linux does not have: forms of one that it has, for
 * another shape of arguments or another meaning inside. The build of musl
 * copies this file, so it includes nothing.
 */
#ifndef COMMON_CALL_NUMBERS_H
#define COMMON_CALL_NUMBERS_H

#define CALL_FORM_SHIFT 9
#define CALL_FORM(form, linux_nr) ((form) << CALL_FORM_SHIFT | (linux_nr))
/* Of a number of ours or of Linux's: what Linux calls it. */
#define CALL_LINUX(number) ((number) & ((1 << CALL_FORM_SHIFT) - 1))

/* musl's malloc: its memory is the heap's arena, not a program's mapping. */
#define CALL_NR_HEAP_MMAP CALL_FORM(1, 9)
#define CALL_NR_HEAP_MUNMAP CALL_FORM(1, 11)
#define CALL_NR_HEAP_MREMAP CALL_FORM(1, 25)
/* malloc_trim(), which Linux has no call for. */
#define CALL_NR_HEAP_TRIM CALL_FORM(2, 11)
/* musl's __clone(): one argument, the address of its seven. */
#define CALL_NR_THREAD CALL_FORM(1, 56)
/* Its __unmapself(): the thread's end, and its stack's. */
#define CALL_NR_THREAD_END CALL_FORM(1, 60)

#endif

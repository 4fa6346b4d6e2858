/* SPDX-License-Identifier: BSD-3-Clause */
/* What the enclave with eight threads and its host agree on. */
#ifndef TESTS_EMM_INSIDE_THREADS_H
#define TESTS_EMM_INSIDE_THREADS_H

#define THREADS 8
/* Host call: enter these TCSs, each on a thread, until all have left.
 * Arguments: offset of the first, distance, how many. */
#define CALL_ENTER 0x90

#endif

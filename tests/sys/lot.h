/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the halves of test_lot: the kernel's headers go with no libc's. */
#ifndef TESTS_SYS_LOT_H
#define TESTS_SYS_LOT_H

#include <stdint.h>

/* Few enough that a list of them goes out inline. */
#define LOT_THREADS 5

/* What context @me does; then what all have counted. */
void lot_thread(uint32_t me, int rounds);
uint64_t lot_sum(void);

int lot_park(uint32_t context, uint64_t nanoseconds);
void lot_unpark(uint32_t context);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The C library's host calls: one row a Linux system call that may leave the
 * enclave, read by both sides. The trusted side copies arguments out and
 * results in by it, and refuses results out of bounds; the host side checks
 * every range against the data buffer by it, and makes the call.
 *
 * On the wire a call's number is WIRE_CALL_LIBC plus Linux's number on x86-64,
 * and an argument in memory is its offset in the thread's data buffer, or
 * CALL_NULL. A call that is not in this list cannot be asked for.
 */
#ifndef COMMON_CALLS_H
#define COMMON_CALLS_H

#include <stdint.h>

#include "common/wire.h"

#define CALL_NULL UINT64_MAX
#define CALL_PATH_MAX 4096u /* with its NUL */
#define CALL_FD_MAX 1024u   /* descriptors of a program: 0 to this less one */
#define CALL_SIZE_MASK 0x0fffu

enum call_arg {
	CALL_ARG_NONE = 0x0000,
	CALL_ARG_VALUE = 0x1000, /* a number, as it is */
	CALL_ARG_FD = 0x2000,	 /* a descriptor, or AT_FDCWD */
	CALL_ARG_PATH = 0x3000,	 /* in: a string with its NUL */
	CALL_ARG_IN = 0x4000,	/* in: bytes, the next argument says how many */
	CALL_ARG_OUT = 0x5000,	/* out: the same */
	CALL_ARG_FIN = 0x6000,	/* in: a structure, size in the low bits */
	CALL_ARG_FOUT = 0x7000, /* out: the same */
	CALL_ARG_FIO = 0x8000,	/* in and out: the same */
	CALL_ARG_ARRAY = 0x9000, /* in and out: elements, next: how many */
};

enum call_ret {
	CALL_RET_ZERO,	/* 0 */
	CALL_RET_LEN,	/* 0 to the length of its IN or OUT argument */
	CALL_RET_FD,	/* a descriptor of the program */
	CALL_RET_OFF,	/* 0 to INT64_MAX */
	CALL_RET_INT,	/* 0 to INT32_MAX */
	CALL_RET_ARRAY, /* 0 to the number of elements */
};

struct call_row {
	uint16_t nr;   /* Linux's number, or one of ours beyond it */
	uint8_t ret;   /* enum call_ret */
	uint8_t known; /* 0: no such row */
	uint16_t args[WIRE_CALL_ARGS];
};

/* Sizes of the kernel's structures on x86-64. */
#define CALL_SIZE_STAT 144
#define CALL_SIZE_STATFS 120
#define CALL_SIZE_TIMESPEC 16
#define CALL_SIZE_FLOCK 32
#define CALL_SIZE_POLLFD 8
#define CALL_SIZE_RUSAGE 144
#define CALL_SIZE_TMS 32
#define CALL_SIZE_IOCTL 64 /* the largest argument of the ioctls allowed */

#define CALL_V CALL_ARG_VALUE
#define CALL_D CALL_ARG_FD
#define CALL_P CALL_ARG_PATH
#define CALL_N 0
#define CALL_TIMES CALL_ARG_FIN | (2 * CALL_SIZE_TIMESPEC)
#define CALL_TIME_IN CALL_ARG_FIN | CALL_SIZE_TIMESPEC
#define CALL_TIME_OUT CALL_ARG_FOUT | CALL_SIZE_TIMESPEC
#define CALL_STAT CALL_ARG_FOUT | CALL_SIZE_STAT

/*
 * X(name, number, result, up to six arguments). Calls that Linux has in an
 * older and an "at" form are one row here: the trusted side turns the older
 * into the newer. fcntl and ioctl have rows by the kind of their argument,
 * at numbers beyond Linux's.
 */
/* clang-format off */
#define CALL_LIST(X) \
X(read, 0, LEN, CALL_D, CALL_ARG_OUT, CALL_V, 0, 0, 0) \
X(write, 1, LEN, CALL_D, CALL_ARG_IN, CALL_V, 0, 0, 0) \
X(close, 3, ZERO, CALL_D, 0, 0, 0, 0, 0) \
X(fstat, 5, ZERO, CALL_D, CALL_STAT, 0, 0, 0, 0) \
X(poll, 7, ARRAY, CALL_ARG_ARRAY | CALL_SIZE_POLLFD, CALL_V, CALL_V, 0, 0, 0) \
X(lseek, 8, OFF, CALL_D, CALL_V, CALL_V, 0, 0, 0) \
X(pread64, 17, LEN, CALL_D, CALL_ARG_OUT, CALL_V, CALL_V, 0, 0) \
X(pwrite64, 18, LEN, CALL_D, CALL_ARG_IN, CALL_V, CALL_V, 0, 0) \
X(dup, 32, FD, CALL_D, 0, 0, 0, 0, 0) \
X(getpid, 39, INT, 0, 0, 0, 0, 0, 0) \
X(fcntl, 72, INT, CALL_D, CALL_V, CALL_V, 0, 0, 0) \
X(flock, 73, ZERO, CALL_D, CALL_V, 0, 0, 0, 0) \
X(fsync, 74, ZERO, CALL_D, 0, 0, 0, 0, 0) \
X(fdatasync, 75, ZERO, CALL_D, 0, 0, 0, 0, 0) \
X(truncate, 76, ZERO, CALL_P, CALL_V, 0, 0, 0, 0) \
X(ftruncate, 77, ZERO, CALL_D, CALL_V, 0, 0, 0, 0) \
X(getcwd, 79, LEN, CALL_ARG_OUT, CALL_V, 0, 0, 0, 0) \
X(chdir, 80, ZERO, CALL_P, 0, 0, 0, 0, 0) \
X(fchdir, 81, ZERO, CALL_D, 0, 0, 0, 0, 0) \
X(fchmod, 91, ZERO, CALL_D, CALL_V, 0, 0, 0, 0) \
X(umask, 95, INT, CALL_V, 0, 0, 0, 0, 0) \
X(getrusage, 98, ZERO, CALL_V, CALL_ARG_FOUT | CALL_SIZE_RUSAGE, 0, 0, 0, 0) \
X(times, 100, OFF, CALL_ARG_FOUT | CALL_SIZE_TMS, 0, 0, 0, 0, 0) \
X(getuid, 102, INT, 0, 0, 0, 0, 0, 0) \
X(getgid, 104, INT, 0, 0, 0, 0, 0, 0) \
X(geteuid, 107, INT, 0, 0, 0, 0, 0, 0) \
X(getegid, 108, INT, 0, 0, 0, 0, 0, 0) \
X(getppid, 110, INT, 0, 0, 0, 0, 0, 0) \
X(getpgrp, 111, INT, 0, 0, 0, 0, 0, 0) \
X(statfs, 137, ZERO, CALL_P, CALL_ARG_FOUT | CALL_SIZE_STATFS, 0, 0, 0, 0) \
X(fstatfs, 138, ZERO, CALL_D, CALL_ARG_FOUT | CALL_SIZE_STATFS, 0, 0, 0, 0) \
X(getdents64, 217, LEN, CALL_D, CALL_ARG_OUT, CALL_V, 0, 0, 0) \
X(fadvise64, 221, ZERO, CALL_D, CALL_V, CALL_V, CALL_V, 0, 0) \
X(clock_gettime, 228, ZERO, CALL_V, CALL_TIME_OUT, 0, 0, 0, 0) \
X(clock_getres, 229, ZERO, CALL_V, CALL_TIME_OUT, 0, 0, 0, 0) \
X(clock_nanosleep, 230, ZERO, CALL_V, CALL_V, CALL_TIME_IN, CALL_TIME_OUT, 0, 0) \
X(openat, 257, FD, CALL_D, CALL_P, CALL_V, CALL_V, 0, 0) \
X(mkdirat, 258, ZERO, CALL_D, CALL_P, CALL_V, 0, 0, 0) \
X(newfstatat, 262, ZERO, CALL_D, CALL_P, CALL_STAT, CALL_V, 0, 0) \
X(unlinkat, 263, ZERO, CALL_D, CALL_P, CALL_V, 0, 0, 0) \
X(linkat, 265, ZERO, CALL_D, CALL_P, CALL_D, CALL_P, CALL_V, 0) \
X(symlinkat, 266, ZERO, CALL_P, CALL_D, CALL_P, 0, 0, 0) \
X(readlinkat, 267, LEN, CALL_D, CALL_P, CALL_ARG_OUT, CALL_V, 0, 0) \
X(fchmodat, 268, ZERO, CALL_D, CALL_P, CALL_V, 0, 0, 0) \
X(faccessat, 269, ZERO, CALL_D, CALL_P, CALL_V, 0, 0, 0) \
X(utimensat, 280, ZERO, CALL_D, CALL_P, CALL_TIMES, CALL_V, 0, 0) \
X(fallocate, 285, ZERO, CALL_D, CALL_V, CALL_V, CALL_V, 0, 0) \
X(dup3, 292, FD, CALL_D, CALL_V, CALL_V, 0, 0, 0) \
X(pipe2, 293, ZERO, CALL_ARG_FOUT | 8, CALL_V, 0, 0, 0, 0) \
X(renameat2, 316, ZERO, CALL_D, CALL_P, CALL_D, CALL_P, CALL_V, 0) \
X(faccessat2, 439, ZERO, CALL_D, CALL_P, CALL_V, CALL_V, 0, 0) \
X(fcntl_dup, 480, FD, CALL_D, CALL_V, CALL_V, 0, 0, 0) \
X(fcntl_lock, 481, ZERO, CALL_D, CALL_V, CALL_ARG_FIO | CALL_SIZE_FLOCK, 0, 0, 0) \
X(ioctl_none, 482, INT, CALL_D, CALL_V, CALL_V, 0, 0, 0) \
X(ioctl_io, 483, INT, CALL_D, CALL_V, CALL_ARG_FIO | CALL_SIZE_IOCTL, 0, 0, 0)
/* clang-format on */

#define CALL_ENUM(name, number, ret, a, b, c, d, e, f) CALL_##name = (number),
enum call_nr {
	CALL_LIST(CALL_ENUM) CALL_COUNT
};
#undef CALL_ENUM

#define CALL_TABLE_ROW(name, number, ret, a, b, c, d, e, f) \
	[CALL_##name] = { (number), CALL_RET_##ret, 1, { a, b, c, d, e, f } },
/* For the one table that each side defines. */
#define CALL_TABLE(table)                                             \
	static const struct call_row table[CALL_COUNT] = { CALL_LIST( \
		CALL_TABLE_ROW) }

#define CALL_ARG_KIND(a) ((uint16_t)((a)&0xf000u))
#define CALL_ARG_SIZE(a) ((a)&CALL_SIZE_MASK)

#endif

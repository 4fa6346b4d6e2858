/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls: one row each, the only list of them. The enclave serves a
 * program's call by its row, copies arguments out and results in by it, and
 * refuses a result that the row does not have; the host serves a call of the
 * enclave by it, checks every range against the data buffer, and enters every
 * descriptor that Linux makes into the program's table.
 *
 * On the wire a call's number is WIRE_CALL_SYS plus the row's, and an argument
 * in memory is its offset in the thread's data buffer, or CALL_NULL. Only rows
 * of which the host has a part can be asked for.
 */
#ifndef COMMON_CALLS_H
#define COMMON_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call_numbers.h"
#include "edmm/err.h"
#include "edmm/wire.h"

#define CALL_NULL UINT64_MAX
#define CALL_PATH_MAX 4096u /* with its NUL */
#define CALL_FD_MAX 1024u   /* descriptors of a program: 0 to this less one */
#define CALL_KEPT_MAX 1024u /* the runtime's own, in a table that is apart */

/* Column "who": who serves the call. */
enum call_who {
	/* The host, as the program asks: the row says all there is to know. */
	CALL_HOST,
	/* sys_NAME() in trusted/sys, which asks the host by this row. */
	CALL_BOTH,
	/* sys_NAME() in trusted/sys; no row of this name goes out. */
	CALL_INSIDE,
	/* The host, for functions in trusted/sys; a program cannot ask. */
	CALL_PART,
	/* Nobody. Column "result" is the answer, the last one says why. One
	 * that is ENOSYS is told to the user, once; QUIET is the same without,
	 * for what every C library tries and does without. */
	CALL_NONE,
};

/*
 * Column "result": what the enclave believes; anything else is -EPROTO. The
 * host enters results of the kinds FD into the program's table.
 */
enum call_ret {
	CALL_RET_ZERO,	/* 0 */
	CALL_RET_LEN,	/* 0 to the length of its CALL_IN or CALL_OUT */
	CALL_RET_ARRAY, /* 0 to the number of elements of its array */
	CALL_RET_INT,	/* 0 to INT32_MAX */
	CALL_RET_MODE,	/* 0 to 0777 */
	CALL_RET_OFF,	/* 0 to INT64_MAX */
	CALL_RET_FD,	/* a descriptor: the lowest number that is free */
	CALL_RET_FD_AT, /* a copy of argument 1, as the number in argument 2 */
	CALL_RET_FD_FROM, /* the same, as the lowest free from argument 3 on */
	CALL_RET_KEPT,	  /* a descriptor of the runtime's own */
};

/*
 * Structures of the kernel's on x86-64 that arguments point to: X(name, size).
 * The host moves their bytes; trusted/sys/record.c knows their fields.
 */
#define CALL_STRUCTS(X) \
	X(byte, 1)      \
	X(pair, 8)      \
	X(pollfd, 8)    \
	X(stat, 144)    \
	X(statfs, 120)  \
	X(timespec, 16) \
	X(times, 32)    \
	X(flock, 32)    \
	X(rusage, 144)  \
	X(tms, 32)      \
	X(termios, 36)  \
	X(winsize, 8)   \
	X(itimer, 32)   \
	X(timer, 32)    \
	X(event, 64)    \
	X(integer, 4)

#define CALL_STRUCT_SIZE_MAX 144

#define CALL_ENUM(name, size) CALL_STRUCT_##name,
enum call_struct {
	CALL_STRUCTS(CALL_ENUM) CALL_STRUCT_COUNT
};
#undef CALL_ENUM

/*
 * Columns of arguments: what one is, and for one in memory which way bytes of
 * it go. Flags, and enum call_struct in the low bits.
 */
#define CALL_TO 0x8000u	     /* bytes go to the host */
#define CALL_FROM 0x4000u    /* bytes come from the host */
#define CALL_COUNTED 0x2000u /* the next argument says how many of them */
#define CALL_STRING 0x1000u  /* to its NUL, CALL_PATH_MAX bytes at most */
#define CALL_HAS_FD 0x0800u  /* a descriptor, or begins with one */
#define CALL_NUMBER 0x0400u  /* not in memory */
#define CALL_INT 0x0200u     /* of 32 bits: the others are anything */
#define CALL_LATE 0x0100u    /* comes when the call is cut short: -EINTR */
#define CALL_WHOLE 0x0080u   /* no stream: all that has come, or EFAULT */
#define CALL_STRUCT_MASK 0x007fu

#define CALL_TIMERS 64 /* that a program can have at a time */

#define CALL_0 0u	   /* no argument: 0 is sent */
#define CALL_V CALL_NUMBER /* as it is */
#define CALL_I (CALL_NUMBER | CALL_INT)
#define CALL_D (CALL_I | CALL_HAS_FD)	 /* a descriptor, or AT_FDCWD */
#define CALL_K (CALL_D | 1u)		 /* one of the runtime's own */
#define CALL_P (CALL_TO | CALL_STRING)	 /* a path */
#define CALL_IN (CALL_TO | CALL_COUNTED) /* bytes, may be cut short */
#define CALL_OUT (CALL_FROM | CALL_COUNTED)
#define CALL_ANSWER (CALL_OUT | CALL_WHOLE)
#define CALL_GIVE(name) (CALL_TO | CALL_STRUCT_##name) /* may be NULL */
#define CALL_TAKE(name) (CALL_FROM | CALL_STRUCT_##name)
#define CALL_SWAP(name) (CALL_TO | CALL_TAKE(name))
#define CALL_PAIR (CALL_TAKE(pair) | CALL_HAS_FD) /* two new descriptors */
#define CALL_POLLFDS (CALL_SWAP(pollfd) | CALL_COUNTED | CALL_HAS_FD)

#define CALL_TIME_IN CALL_GIVE(timespec)
#define CALL_TIME_OUT CALL_TAKE(timespec)
#define CALL_TIME_LEFT (CALL_TIME_OUT | CALL_LATE)
#define CALL_TIMES CALL_GIVE(times)
#define CALL_ITIMER_IN CALL_GIVE(itimer)
#define CALL_ITIMER_OUT CALL_TAKE(itimer)
#define CALL_TIMER_IN CALL_GIVE(timer)
#define CALL_TIMER_OUT CALL_TAKE(timer)
#define CALL_EVENT CALL_GIVE(event)
#define CALL_STAT CALL_TAKE(stat)
#define CALL_STATFS CALL_TAKE(statfs)
#define CALL_USAGE CALL_TAKE(rusage)
#define CALL_TMS CALL_TAKE(tms)
#define CALL_FLOCK CALL_SWAP(flock)
#define CALL_TERMIOS CALL_SWAP(termios)
#define CALL_WINSIZE CALL_SWAP(winsize)
#define CALL_INTEGER CALL_SWAP(integer)

/*
 * X(name, number, who, result, arguments...), by Linux's number:
 *
 * name: Linux's; trusted/sys serves BOTH and INSIDE by sys_NAME()
 * number: Linux's, or a form of it (call_numbers.h); the program's and the
 *	wire's number in one
 * who: enum call_who without CALL_
 * result: enum call_ret without CALL_RET_; of NONE: OK, QUIET, or an errno less
 *	its E
 * arguments: what the host gets, one to six, CALL_0 if none; of NONE: why
 *
 * "-" is a column that has no meaning for that who. A number that is not here
 * is ENOSYS. Calls that Linux has in an older and an "at" form go out as one:
 * the older is INSIDE. A new column goes before the arguments.
 */
/* clang-format off */
#define CALL_LIST(X) \
X(read, 0, BOTH, LEN, CALL_D, CALL_OUT, CALL_V) \
X(write, 1, BOTH, LEN, CALL_D, CALL_IN, CALL_V) \
X(open, 2, INSIDE, -, -) \
X(close, 3, BOTH, ZERO, CALL_D) \
X(kept_close, CALL_FORM(1, 3), PART, ZERO, CALL_K) \
X(stat, 4, INSIDE, -, -) \
X(fstat, 5, BOTH, ZERO, CALL_D, CALL_STAT) \
X(lstat, 6, INSIDE, -, -) \
X(poll, 7, BOTH, ARRAY, CALL_POLLFDS, CALL_V, CALL_I) \
X(lseek, 8, BOTH, OFF, CALL_D, CALL_V, CALL_I) \
X(mmap, 9, INSIDE, -, -) \
X(mprotect, 10, INSIDE, -, -) \
X(munmap, 11, INSIDE, -, -) \
X(brk, 12, INSIDE, -, -) \
X(rt_sigaction, 13, INSIDE, -, -) \
X(rt_sigprocmask, 14, INSIDE, -, -) \
X(rt_sigreturn, 15, INSIDE, -, -) \
X(ioctl, 16, INSIDE, -, -) \
X(ioctl_none, CALL_FORM(1, 16), PART, ZERO, CALL_D, CALL_I, CALL_I) \
X(ioctl_int, CALL_FORM(2, 16), PART, ZERO, CALL_D, CALL_I, CALL_INTEGER) \
X(ioctl_size, CALL_FORM(3, 16), PART, ZERO, CALL_D, CALL_I, CALL_WINSIZE) \
X(ioctl_tty, CALL_FORM(4, 16), PART, ZERO, CALL_D, CALL_I, CALL_TERMIOS) \
X(pread64, 17, BOTH, LEN, CALL_D, CALL_OUT, CALL_V, CALL_V) \
X(kept_read, CALL_FORM(1, 17), PART, LEN, CALL_K, CALL_OUT, CALL_V, CALL_V) \
X(pwrite64, 18, BOTH, LEN, CALL_D, CALL_IN, CALL_V, CALL_V) \
X(readv, 19, INSIDE, -, -) \
X(writev, 20, INSIDE, -, -) \
X(access, 21, INSIDE, -, -) \
X(pipe, 22, INSIDE, -, -) \
X(select, 23, INSIDE, -, -) \
X(sched_yield, 24, NONE, OK, "there is one thread") \
X(mremap, 25, INSIDE, -, -) \
X(msync, 26, INSIDE, -, -) \
X(mincore, 27, INSIDE, -, -) \
X(madvise, 28, INSIDE, -, -) \
X(dup, 32, BOTH, FD, CALL_D) \
X(kept_dup, CALL_FORM(1, 32), PART, KEPT, CALL_D) \
X(dup2, 33, INSIDE, -, -) \
X(pause, 34, INSIDE, -, -) \
X(nanosleep, 35, INSIDE, -, -) \
X(getitimer, 36, HOST, ZERO, CALL_I, CALL_ITIMER_OUT) \
X(alarm, 37, BOTH, INT, CALL_I) \
X(setitimer, 38, BOTH, ZERO, CALL_I, CALL_ITIMER_IN, CALL_ITIMER_OUT) \
X(getpid, 39, HOST, INT, CALL_0) \
X(clone, 56, NONE, NOSYS, "as fork(); musl's threads come as thread") \
X(fork, 57, NONE, NOSYS, "an enclave cannot be copied") \
X(vfork, 58, NONE, NOSYS, "as fork()") \
X(exit, 60, INSIDE, -, -) \
X(wait4, 61, NONE, CHILD, "there are no children") \
X(kill, 62, INSIDE, -, -) \
X(uname, 63, INSIDE, -, -) \
X(semget, 64, NONE, NOSYS, "System V IPC would be the host's: use sem_open()") \
X(semop, 65, NONE, NOSYS, "as semget()") \
X(semctl, 66, NONE, NOSYS, "as semget()") \
X(msgget, 68, NONE, NOSYS, "as semget()") \
X(fcntl, 72, BOTH, INT, CALL_D, CALL_I, CALL_I) \
X(fcntl_dup, CALL_FORM(1, 72), PART, FD_FROM, CALL_D, CALL_I, CALL_I) \
X(fcntl_lock, CALL_FORM(2, 72), PART, ZERO, CALL_D, CALL_I, CALL_FLOCK) \
X(flock, 73, HOST, ZERO, CALL_D, CALL_I) \
X(fsync, 74, HOST, ZERO, CALL_D) \
X(fdatasync, 75, HOST, ZERO, CALL_D) \
X(truncate, 76, HOST, ZERO, CALL_P, CALL_V) \
X(ftruncate, 77, HOST, ZERO, CALL_D, CALL_V) \
X(getcwd, 79, BOTH, LEN, CALL_ANSWER, CALL_V) \
X(chdir, 80, HOST, ZERO, CALL_P) \
X(fchdir, 81, HOST, ZERO, CALL_D) \
X(rename, 82, INSIDE, -, -) \
X(mkdir, 83, INSIDE, -, -) \
X(rmdir, 84, INSIDE, -, -) \
X(creat, 85, INSIDE, -, -) \
X(link, 86, INSIDE, -, -) \
X(unlink, 87, INSIDE, -, -) \
X(symlink, 88, INSIDE, -, -) \
X(readlink, 89, INSIDE, -, -) \
X(chmod, 90, INSIDE, -, -) \
X(fchmod, 91, HOST, ZERO, CALL_D, CALL_I) \
X(chown, 92, INSIDE, -, -) \
X(fchown, 93, HOST, ZERO, CALL_D, CALL_I, CALL_I) \
X(lchown, 94, INSIDE, -, -) \
X(umask, 95, HOST, MODE, CALL_I) \
X(gettimeofday, 96, INSIDE, -, -) \
X(getrlimit, 97, INSIDE, -, -) \
X(getrusage, 98, HOST, ZERO, CALL_I, CALL_USAGE) \
X(sysinfo, 99, INSIDE, -, -) \
X(times, 100, HOST, OFF, CALL_TMS) \
X(getuid, 102, HOST, INT, CALL_0) \
X(getgid, 104, HOST, INT, CALL_0) \
X(geteuid, 107, HOST, INT, CALL_0) \
X(getegid, 108, HOST, INT, CALL_0) \
X(getppid, 110, HOST, INT, CALL_0) \
X(getpgrp, 111, HOST, INT, CALL_0) \
X(getgroups, 115, NONE, OK, "no supplementary groups are told") \
X(getresuid, 118, INSIDE, -, -) \
X(getresgid, 120, INSIDE, -, -) \
X(rt_sigpending, 127, INSIDE, -, -) \
X(rt_sigtimedwait, 128, INSIDE, -, -) \
X(rt_sigqueueinfo, 129, INSIDE, -, -) \
X(rt_sigsuspend, 130, INSIDE, -, -) \
X(sigaltstack, 131, INSIDE, -, -) \
X(statfs, 137, HOST, ZERO, CALL_P, CALL_STATFS) \
X(fstatfs, 138, HOST, ZERO, CALL_D, CALL_STATFS) \
X(getpriority, 140, INSIDE, -, -) \
X(setpriority, 141, INSIDE, -, -) \
X(sched_setparam, 142, NONE, OK, "the host decides who runs") \
X(sched_getparam, 143, INSIDE, -, -) \
X(sched_setscheduler, 144, NONE, OK, "as sched_setparam()") \
X(sched_getscheduler, 145, NONE, OK, "SCHED_OTHER, which is 0") \
X(sched_get_priority_max, 146, INSIDE, -, -) \
X(sched_get_priority_min, 147, INSIDE, -, -) \
X(mlock, 149, INSIDE, -, -) \
X(munlock, 150, INSIDE, -, -) \
X(mlockall, 151, INSIDE, -, -) \
X(munlockall, 152, INSIDE, -, -) \
X(prctl, 157, INSIDE, -, -) \
X(arch_prctl, 158, INSIDE, -, -) \
X(setrlimit, 160, INSIDE, -, -) \
X(sync, 162, NONE, OK, "the host decides when it writes") \
X(gettid, 186, INSIDE, -, -) \
X(tkill, 200, INSIDE, -, -) \
X(time, 201, INSIDE, -, -) \
X(futex, 202, INSIDE, -, -) \
X(sched_setaffinity, 203, INSIDE, -, -) \
X(sched_getaffinity, 204, INSIDE, -, -) \
X(getdents64, 217, BOTH, LEN, CALL_D, CALL_ANSWER, CALL_V) \
X(set_tid_address, 218, INSIDE, -, -) \
X(fadvise64, 221, HOST, ZERO, CALL_D, CALL_V, CALL_V, CALL_I) \
X(timer_create, 222, BOTH, ZERO, CALL_I, CALL_EVENT, CALL_TAKE(integer)) \
X(timer_settime, 223, BOTH, ZERO, CALL_I, CALL_I, CALL_TIMER_IN, \
	CALL_TIMER_OUT) \
X(timer_gettime, 224, HOST, ZERO, CALL_I, CALL_TIMER_OUT) \
X(timer_getoverrun, 225, HOST, INT, CALL_I) \
X(timer_delete, 226, BOTH, ZERO, CALL_I) \
X(clock_settime, 227, INSIDE, -, -) \
X(clock_gettime, 228, BOTH, ZERO, CALL_I, CALL_TIME_OUT) \
X(clock_getres, 229, BOTH, ZERO, CALL_I, CALL_TIME_OUT) \
X(clock_nanosleep, 230, BOTH, ZERO, CALL_I, CALL_I, CALL_TIME_IN, \
	CALL_TIME_LEFT) \
X(exit_group, 231, INSIDE, -, -) \
X(tgkill, 234, INSIDE, -, -) \
X(openat, 257, BOTH, FD, CALL_D, CALL_P, CALL_I, CALL_I) \
X(mkdirat, 258, HOST, ZERO, CALL_D, CALL_P, CALL_I) \
X(fchownat, 260, HOST, ZERO, CALL_D, CALL_P, CALL_I, CALL_I, CALL_I) \
X(newfstatat, 262, BOTH, ZERO, CALL_D, CALL_P, CALL_STAT, CALL_I) \
X(unlinkat, 263, HOST, ZERO, CALL_D, CALL_P, CALL_I) \
X(renameat, 264, INSIDE, -, -) \
X(linkat, 265, HOST, ZERO, CALL_D, CALL_P, CALL_D, CALL_P, CALL_I) \
X(symlinkat, 266, HOST, ZERO, CALL_P, CALL_D, CALL_P) \
X(readlinkat, 267, BOTH, LEN, CALL_D, CALL_P, CALL_ANSWER, CALL_V) \
X(fchmodat, 268, HOST, ZERO, CALL_D, CALL_P, CALL_I) \
X(faccessat, 269, BOTH, ZERO, CALL_D, CALL_P, CALL_I) \
X(pselect6, 270, INSIDE, -, -) \
X(ppoll, 271, INSIDE, -, -) \
X(set_robust_list, 273, INSIDE, -, -) \
X(get_robust_list, 274, INSIDE, -, -) \
X(utimensat, 280, BOTH, ZERO, CALL_D, CALL_P, CALL_TIMES, CALL_I) \
X(fallocate, 285, HOST, ZERO, CALL_D, CALL_I, CALL_V, CALL_V) \
X(dup3, 292, BOTH, FD_AT, CALL_D, CALL_I, CALL_I) \
X(pipe2, 293, HOST, ZERO, CALL_PAIR, CALL_I) \
X(preadv, 295, INSIDE, -, -) \
X(pwritev, 296, INSIDE, -, -) \
X(rt_tgsigqueueinfo, 297, INSIDE, -, -) \
X(prlimit64, 302, INSIDE, -, -) \
X(getcpu, 309, INSIDE, -, -) \
X(renameat2, 316, HOST, ZERO, CALL_D, CALL_P, CALL_D, CALL_P, CALL_I) \
X(getrandom, 318, INSIDE, -, -) \
X(mlock2, 325, INSIDE, -, -) \
X(statx, 332, NONE, QUIET, "newfstatat() serves") \
X(rseq, 334, NONE, QUIET, "the host moves threads as it likes") \
X(clone3, 435, NONE, QUIET, "clone() is tried next") \
X(faccessat2, 439, BOTH, ZERO, CALL_D, CALL_P, CALL_I, CALL_I) \
X(heap_mmap, CALL_NR_HEAP_MMAP, INSIDE, -, -) \
X(heap_munmap, CALL_NR_HEAP_MUNMAP, INSIDE, -, -) \
X(heap_mremap, CALL_NR_HEAP_MREMAP, INSIDE, -, -) \
X(heap_trim, CALL_NR_HEAP_TRIM, INSIDE, -, -) \
X(thread, CALL_NR_THREAD, INSIDE, -, -) \
X(thread_end, CALL_NR_THREAD_END, INSIDE, -, -)
/* clang-format on */

/*
 * An argument that brings descriptors from the host is one of the two kinds
 * that the host's side knows how to turn (host/calls.c).
 */
#define CALL_ARG_OK(a)                                                     \
	(((a) & (CALL_FROM | CALL_HAS_FD)) != (CALL_FROM | CALL_HAS_FD) || \
	 (a) == CALL_PAIR || (a) == CALL_POLLFDS)
#define CALL_ARGS_OK(a, b, c, d, e, f, ...)                    \
	(CALL_ARG_OK(a) && CALL_ARG_OK(b) && CALL_ARG_OK(c) && \
	 CALL_ARG_OK(d) && CALL_ARG_OK(e) && CALL_ARG_OK(f))
#define CALL_CHECK_HOST(name, result, ...)                          \
	_Static_assert(CALL_ARGS_OK(__VA_ARGS__, 0, 0, 0, 0, 0, 0), \
		       #name ": descriptors come in, in no known way");
#define CALL_CHECK_BOTH CALL_CHECK_HOST
#define CALL_CHECK_PART CALL_CHECK_HOST
#define CALL_CHECK_INSIDE(...)
#define CALL_CHECK_NONE(...)
#define CALL_CHECK(name, number, who, ...) CALL_CHECK_##who(name, __VA_ARGS__)
CALL_LIST(CALL_CHECK)
#undef CALL_CHECK

#define CALL_ENUM(name, number, ...) CALL_##name = (number),
enum call_nr {
	CALL_LIST(CALL_ENUM)
};
#undef CALL_ENUM

/* Places in the table, and their count. */
#define CALL_ENUM(name, ...) CALL_AT_##name,
enum call_at {
	CALL_LIST(CALL_ENUM) CALL_COUNT
};
#undef CALL_ENUM

/**
 * struct call_row - a row as the code sees it
 * @at: enum call_at, for tables beside this one
 * @who: enum call_who
 * @ret: enum call_ret, if the host has a part; of CALL_NONE: CALL_QUIET or 0
 * @linux_nr: the call that the host makes
 * @answer: of CALL_NONE: 0 or a negated errno
 * @args: flags and sizes as above; 0 from the first that there is not
 */
struct call_row {
	uint8_t at;
	uint8_t who;
	uint8_t ret;
	uint16_t linux_nr;
	int16_t answer;
	uint16_t args[WIRE_CALL_ARGS];
};

/* "ret" of CALL_NONE. */
#define CALL_QUIET 1
#define CALL_NOTE_OK 0
#define CALL_NOTE_NOSYS 0
#define CALL_NOTE_AGAIN 0
#define CALL_NOTE_CHILD 0
#define CALL_NOTE_QUIET CALL_QUIET

#define CALL_ANSWER_OK 0
#define CALL_ANSWER_NOSYS (-EDMM_ENOSYS)
#define CALL_ANSWER_QUIET (-EDMM_ENOSYS)
#define CALL_ANSWER_AGAIN (-EDMM_EAGAIN)
#define CALL_ANSWER_CHILD (-EDMM_ECHILD)

/* The columns behind "who", by who. */
#define CALL_COLS_HOST(result, ...) \
	.ret = CALL_RET_##result, .args = { __VA_ARGS__ }
#define CALL_COLS_BOTH(result, ...) \
	.ret = CALL_RET_##result, .args = { __VA_ARGS__ }
#define CALL_COLS_PART(result, ...) \
	.ret = CALL_RET_##result, .args = { __VA_ARGS__ }
#define CALL_COLS_INSIDE(result, why) .answer = 0
#define CALL_COLS_NONE(result, why) \
	.answer = CALL_ANSWER_##result, .ret = CALL_NOTE_##result

#define CALL_ROW(name, number, who_, ...)                    \
	[CALL_AT_##name] = { .at = CALL_AT_##name,           \
			     .who = CALL_##who_,             \
			     .linux_nr = CALL_LINUX(number), \
			     CALL_COLS_##who_(__VA_ARGS__) },
#define CALL_PLACE(name, number, ...) [number] = CALL_AT_##name + 1,

/**
 * call_row() - the row of a number, or NULL
 *
 * The tables are here, so each side calls it in one file.
 */
static inline const struct call_row *call_row(uint64_t number)
{
	static const struct call_row rows[] = { CALL_LIST(CALL_ROW) };
	static const uint8_t place[] = { CALL_LIST(CALL_PLACE) };

	_Static_assert(CALL_COUNT < UINT8_MAX, "a place is a byte");
	if (number >= sizeof(place) || place[number] == 0)
		return NULL;
	return &rows[place[number] - 1];
}

/* The host may be asked for it. */
static inline bool call_goes_out(const struct call_row *row)
{
	return row->who == CALL_HOST || row->who == CALL_BOTH ||
	       row->who == CALL_PART;
}

static inline bool call_in_memory(uint16_t arg)
{
	return (arg & (CALL_TO | CALL_FROM)) != 0;
}

/* Bytes of one element of an argument in memory. */
static inline uint64_t call_size(uint16_t arg)
{
#define CALL_SIZE(name, size) size,
	static const uint8_t sizes[] = { CALL_STRUCTS(CALL_SIZE) };
#undef CALL_SIZE

	return sizes[arg & CALL_STRUCT_MASK];
}

/* Bytes as read() has them: fewer can be moved than were asked for. */
static inline bool call_can_be_cut(uint16_t arg)
{
	return (arg & CALL_COUNTED) &&
	       (arg & CALL_STRUCT_MASK) == CALL_STRUCT_byte;
}

#endif

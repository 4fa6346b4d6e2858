/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of each structure that a call moves, once for both ways (I17). A
 * range is what a program may index, size or divide by without a look; where
 * another value is an honest one elsewhere, the nearest is taken instead.
 */
#include "trusted/sys/record.h"

#include "trusted/sys/proc/proc.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/resource.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <stddef.h>

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)
#define NSEC 1000000000

/* What may come in. */
enum rule {
	ANY,
	NEVER,	/* only goes out */
	COUNT,	/* not negative */
	AMOUNT, /* the same, or the nearest */
	FD,
	PID,	/* -1: nobody's in particular */
	SECOND, /* of a time that fits 64 bits of nanoseconds */
	NANO,
	MICRO,
	BLOCK,	/* of a file: to allocate; nearest */
	UNIT,	/* of a file system: to divide by; nearest */
	NAME,	/* length of a name; nearest */
	SMALL,	/* one of the first three: lock types, origins */
	EVENTS, /* of struct pollfd: what was asked for, and ALWAYS */
};

struct range {
	int64_t low, high;
	bool nearest;
};

static const struct range ranges[] = {
	[COUNT] = { 0, INT64_MAX, false },
	[AMOUNT] = { 0, INT64_MAX, true },
	[FD] = { 0, CALL_FD_MAX - 1, false },
	[PID] = { -1, INT32_MAX, false },
	[SECOND] = { 0, INT64_MAX / NSEC - 1, false },
	[NANO] = { 0, NSEC - 1, false },
	[MICRO] = { 0, 1000000 - 1, false },
	[BLOCK] = { 512, 1 << 20, true },
	[UNIT] = { 1, 1 << 30, true },
	[NAME] = { 1, CALL_PATH_MAX, true },
	[SMALL] = { 0, 2, false },
};

/**
 * struct record_field - a piece of a structure
 * @off, @size: bytes; those with a range are signed, of 2, 4 or 8
 * @goes: the kernel reads it, where the row's argument goes out at all
 * @rule: of what the kernel writes
 */
struct record_field {
	uint8_t off;
	uint8_t size;
	bool goes;
	uint8_t rule;
};

struct pair {
	int32_t fd[2];
};

struct times {
	struct __kernel_timespec at[2];
};

/* The kernel's struct itimerval and struct __kernel_itimerspec. */
struct kernel_itimer {
	int64_t every_sec, every_usec, next_sec, next_usec;
};

struct kernel_timer {
	int64_t every_sec, every_nsec, next_sec, next_nsec;
};

/* As trusted/sys/signal/timer.c fills it in. */
struct kernel_event {
	uint64_t value;
	int32_t signo, notify;
	uint8_t rest[48];
};

#define TYPE_itimer struct kernel_itimer
#define TYPE_timer struct kernel_timer
#define TYPE_event struct kernel_event
#define TYPE_pair struct pair
#define TYPE_pollfd struct pollfd
#define TYPE_stat struct stat
#define TYPE_statfs struct statfs
#define TYPE_timespec struct __kernel_timespec
#define TYPE_times struct times
#define TYPE_flock struct flock
#define TYPE_rusage struct rusage
#define TYPE_tms struct tms
#define TYPE_termios struct termios
#define TYPE_winsize struct winsize
#define TYPE_integer int32_t
#define TYPE_byte uint8_t

#define CHECK_SIZE(name, size) \
	_Static_assert(sizeof(TYPE_##name) == (size), #name);
CALL_STRUCTS(CHECK_SIZE)
#undef CHECK_SIZE

#define FIELD(name, member, goes, rule)                                \
	{                                                              \
		offsetof(TYPE_##name, member),                         \
			sizeof(((TYPE_##name *)0)->member), goes, rule \
	}
#define IN(name, member, rule) FIELD(name, member, false, rule)
#define BOTH(name, member, rule) FIELD(name, member, true, rule)

static const struct record_field fields_byte[] = { { 0, 1, true, ANY } };
static const struct record_field fields_integer[] = { { 0, 4, true, ANY } };

static const struct record_field fields_pair[] = {
	IN(pair, fd[0], FD),
	IN(pair, fd[1], FD),
};

static const struct record_field fields_pollfd[] = {
	BOTH(pollfd, fd, NEVER),
	BOTH(pollfd, events, NEVER),
	IN(pollfd, revents, EVENTS),
};

static const struct record_field fields_stat[] = {
	IN(stat, st_dev, ANY),	     IN(stat, st_ino, ANY),
	IN(stat, st_nlink, ANY),     IN(stat, st_mode, ANY),
	IN(stat, st_uid, ANY),	     IN(stat, st_gid, ANY),
	IN(stat, st_rdev, ANY),	     IN(stat, st_size, COUNT),
	IN(stat, st_blksize, BLOCK), IN(stat, st_blocks, COUNT),
	IN(stat, st_atime, ANY),     IN(stat, st_atime_nsec, NANO),
	IN(stat, st_mtime, ANY),     IN(stat, st_mtime_nsec, NANO),
	IN(stat, st_ctime, ANY),     IN(stat, st_ctime_nsec, NANO),
};

static const struct record_field fields_statfs[] = {
	IN(statfs, f_type, ANY),      IN(statfs, f_bsize, UNIT),
	IN(statfs, f_blocks, AMOUNT), IN(statfs, f_bfree, AMOUNT),
	IN(statfs, f_bavail, AMOUNT), IN(statfs, f_files, AMOUNT),
	IN(statfs, f_ffree, AMOUNT),  IN(statfs, f_fsid, ANY),
	IN(statfs, f_namelen, NAME),  IN(statfs, f_frsize, UNIT),
	IN(statfs, f_flags, ANY),
};

static const struct record_field fields_timespec[] = {
	BOTH(timespec, tv_sec, SECOND),
	BOTH(timespec, tv_nsec, NANO),
};

static const struct record_field fields_times[] = {
	BOTH(times, at[0].tv_sec, NEVER),
	BOTH(times, at[0].tv_nsec, NEVER),
	BOTH(times, at[1].tv_sec, NEVER),
	BOTH(times, at[1].tv_nsec, NEVER),
};

/* The owner is the kernel's to say; it is asked for zero there, or nothing. */
static const struct record_field fields_flock[] = {
	BOTH(flock, l_type, SMALL), BOTH(flock, l_whence, SMALL),
	BOTH(flock, l_start, ANY),  BOTH(flock, l_len, ANY),
	IN(flock, l_pid, PID),
};

static const struct record_field fields_rusage[] = {
	IN(rusage, ru_utime.tv_sec, SECOND),
	IN(rusage, ru_utime.tv_usec, MICRO),
	IN(rusage, ru_stime.tv_sec, SECOND),
	IN(rusage, ru_stime.tv_usec, MICRO),
	IN(rusage, ru_maxrss, COUNT),
	IN(rusage, ru_ixrss, COUNT),
	IN(rusage, ru_idrss, COUNT),
	IN(rusage, ru_isrss, COUNT),
	IN(rusage, ru_minflt, COUNT),
	IN(rusage, ru_majflt, COUNT),
	IN(rusage, ru_nswap, COUNT),
	IN(rusage, ru_inblock, COUNT),
	IN(rusage, ru_oublock, COUNT),
	IN(rusage, ru_msgsnd, COUNT),
	IN(rusage, ru_msgrcv, COUNT),
	IN(rusage, ru_nsignals, COUNT),
	IN(rusage, ru_nvcsw, COUNT),
	IN(rusage, ru_nivcsw, COUNT),
};

static const struct record_field fields_tms[] = {
	IN(tms, tms_utime, COUNT),
	IN(tms, tms_stime, COUNT),
	IN(tms, tms_cutime, COUNT),
	IN(tms, tms_cstime, COUNT),
};

static const struct record_field fields_termios[] = {
	BOTH(termios, c_iflag, ANY), BOTH(termios, c_oflag, ANY),
	BOTH(termios, c_cflag, ANY), BOTH(termios, c_lflag, ANY),
	BOTH(termios, c_line, ANY),  BOTH(termios, c_cc, ANY),
};

static const struct record_field fields_winsize[] = {
	BOTH(winsize, ws_row, ANY),
	BOTH(winsize, ws_col, ANY),
	BOTH(winsize, ws_xpixel, ANY),
	BOTH(winsize, ws_ypixel, ANY),
};

static const struct record_field fields_itimer[] = {
	BOTH(itimer, every_sec, SECOND),
	BOTH(itimer, every_usec, MICRO),
	BOTH(itimer, next_sec, SECOND),
	BOTH(itimer, next_usec, MICRO),
};

static const struct record_field fields_timer[] = {
	BOTH(timer, every_sec, SECOND),
	BOTH(timer, every_nsec, NANO),
	BOTH(timer, next_sec, SECOND),
	BOTH(timer, next_nsec, NANO),
};

static const struct record_field fields_event[] = {
	BOTH(event, value, NEVER),
	BOTH(event, signo, NEVER),
	BOTH(event, notify, NEVER),
};

struct record {
	const struct record_field *fields;
	uint8_t count;
};

#define RECORD(name, size)               \
	[CALL_STRUCT_##                  \
		name] = { fields_##name, \
			  sizeof(fields_##name) / sizeof(*fields_##name) },
static const struct record records[] = { CALL_STRUCTS(RECORD) };
#undef RECORD

static const struct record *record_of(uint16_t arg)
{
	return &records[arg & CALL_STRUCT_MASK];
}

static int64_t get(const uint8_t *p, uint8_t size)
{
	int64_t v = 0;
	int shift = 64 - 8 * size;

	__builtin_memcpy(&v, p, size);
	return (int64_t)((uint64_t)v << shift) >> shift;
}

/* Brings the field at @p into its range; false where it may not be. */
static bool in_range(const struct record_field *f, uint8_t *p)
{
	const struct range *r = &ranges[f->rule];
	int64_t v = get(p, f->size);

	if (v >= r->low && v <= r->high)
		return true;
	if (!r->nearest)
		return false;
	v = v < r->low ? r->low : r->high;
	__builtin_memcpy(p, &v, f->size);
	return true;
}

/* @said beside what was asked, which is the program's and still there. */
static void take_events(struct pollfd *asked, const uint8_t *said)
{
	short events;

	__builtin_memcpy(&events, said, sizeof(events));
	events &= (short)(asked->events | ALWAYS);
	asked->revents = (short)(asked->fd >= 0 ? events : 0);
}

edmm_err record_out(uint16_t arg, umem_t to, uint64_t from)
{
	const struct record *r = record_of(arg);
	uint8_t image[CALL_STRUCT_SIZE_MAX] = { 0 };
	const struct record_field *f;

	for (f = r->fields; f < r->fields + r->count; f++)
		if (f->goes)
			__builtin_memcpy(image + f->off,
					 (const void *)(from + f->off),
					 f->size);
	return umem_write(to, image, call_size(arg));
}

edmm_err record_in(uint16_t arg, uint64_t to, umem_t from)
{
	const struct record *r = record_of(arg);
	_Alignas(8) uint8_t image[CALL_STRUCT_SIZE_MAX] = { 0 };
	uint8_t said[CALL_STRUCT_SIZE_MAX];
	const struct record_field *f;
	edmm_err err = umem_read(said, from, call_size(arg));

	if (err)
		return err;
	if (arg & CALL_TO)
		__builtin_memcpy(image, (const void *)to, call_size(arg));
	for (f = r->fields; f < r->fields + r->count; f++) {
		if (f->rule == NEVER)
			continue;
		if (f->rule == EVENTS) {
			take_events((struct pollfd *)(void *)image,
				    said + f->off);
			continue;
		}
		if (f->rule != ANY && !in_range(f, said + f->off))
			return -EPROTO;
		if (f->rule == FD &&
		    proc_has((uint64_t)get(said + f->off, f->size)))
			return -EPROTO; /* a new one that we have already */
		__builtin_memcpy(image + f->off, said + f->off, f->size);
	}
	__builtin_memcpy((void *)to, image, call_size(arg));
	return 0;
}

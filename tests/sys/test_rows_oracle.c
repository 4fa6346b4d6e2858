/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sys/test_rows.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/times.h>

bool oracle_leaves(enum call_struct s, uint64_t i)
{
	switch (s) {
	case CALL_STRUCT_pollfd:
		return i < offsetof(struct pollfd, revents);
	case CALL_STRUCT_flock:
		return i < 2 * sizeof(short) ||
		       (i >= offsetof(struct flock, l_start) &&
			i < offsetof(struct flock, l_pid));
	case CALL_STRUCT_event:
		return i < 16; /* value, number and way; the rest is zero */
	case CALL_STRUCT_timespec:
	case CALL_STRUCT_itimer:
	case CALL_STRUCT_timer:
	case CALL_STRUCT_times:
	case CALL_STRUCT_termios:
	case CALL_STRUCT_winsize:
	case CALL_STRUCT_integer:
	case CALL_STRUCT_byte:
		return true;
	default:
		return false;
	}
}

static bool time_is_fine(long sec, long part, long unit)
{
	return sec >= 0 && sec < INT64_MAX / 1000000000 && part >= 0 &&
	       part < unit;
}

static bool stat_is_fine(const void *p)
{
	static const struct stat zero;
	struct stat s;

	memcpy(&s, p, sizeof(s));
	return s.st_size >= 0 && s.st_blocks >= 0 && s.st_blksize >= 512 &&
	       s.st_blksize <= 1 << 20 &&
	       time_is_fine(0, s.st_atim.tv_nsec, 1000000000) &&
	       time_is_fine(0, s.st_mtim.tv_nsec, 1000000000) &&
	       time_is_fine(0, s.st_ctim.tv_nsec, 1000000000) &&
	       s.__pad0 == 0 &&
	       memcmp(s.__glibc_reserved, zero.__glibc_reserved,
		      sizeof(s.__glibc_reserved)) == 0;
}

static bool statfs_is_fine(const void *p)
{
	static const struct statfs zero;
	struct statfs s;

	memcpy(&s, p, sizeof(s));
	return s.f_bsize > 0 && s.f_bsize <= 1 << 30 && s.f_frsize > 0 &&
	       s.f_frsize <= 1 << 30 && s.f_namelen > 0 &&
	       s.f_namelen <= 4096 && s.f_blocks <= INT64_MAX &&
	       s.f_bfree <= INT64_MAX && s.f_bavail <= INT64_MAX &&
	       memcmp(s.f_spare, zero.f_spare, sizeof(s.f_spare)) == 0;
}

static bool usage_is_fine(const void *p)
{
	struct rusage u;
	const long *v = (const long *)&u;
	size_t i;

	memcpy(&u, p, sizeof(u));
	for (i = 0; i < sizeof(u) / sizeof(*v); i++)
		if (v[i] < 0)
			return false;
	return time_is_fine(u.ru_utime.tv_sec, u.ru_utime.tv_usec, 1000000) &&
	       time_is_fine(u.ru_stime.tv_sec, u.ru_stime.tv_usec, 1000000);
}

static bool times_are_fine(const void *p)
{
	struct tms t;

	memcpy(&t, p, sizeof(t));
	return t.tms_utime >= 0 && t.tms_stime >= 0 && t.tms_cutime >= 0 &&
	       t.tms_cstime >= 0;
}

static bool lock_is_fine(const void *p, const void *asked)
{
	struct flock f;

	memcpy(&f, p, sizeof(f));
	return f.l_type >= 0 && f.l_type <= 2 && f.l_whence >= 0 &&
	       f.l_whence <= 2 && f.l_pid >= -1 &&
	       memcmp((const char *)p + 4, (const char *)asked + 4, 4) == 0 &&
	       memcmp((const char *)p + 28, (const char *)asked + 28, 4) == 0;
}

static bool events_are_fine(const void *p, const void *asked)
{
	const short always = POLLERR | POLLHUP | POLLNVAL;
	struct pollfd was, is;

	memcpy(&was, asked, sizeof(was));
	memcpy(&is, p, sizeof(is));
	return was.fd == is.fd && was.events == is.events &&
	       (is.revents & ~(was.events | always)) == 0 &&
	       (is.fd >= 0 || is.revents == 0);
}

static bool pair_is_fine(const void *p)
{
	int fd[2];

	memcpy(fd, p, sizeof(fd));
	return fd[0] >= 0 && fd[0] < (int)CALL_FD_MAX && fd[1] >= 0 &&
	       fd[1] < (int)CALL_FD_MAX;
}

static bool pair_of_times_is_fine(const void *p, long unit)
{
	long v[4];

	memcpy(v, p, sizeof(v));
	return time_is_fine(v[0], v[1], unit) && time_is_fine(v[2], v[3], unit);
}

bool oracle_is_fine(enum call_struct s, const void *p, const void *asked)
{
	struct timespec t;

	switch (s) {
	case CALL_STRUCT_stat:
		return stat_is_fine(p);
	case CALL_STRUCT_statfs:
		return statfs_is_fine(p);
	case CALL_STRUCT_rusage:
		return usage_is_fine(p);
	case CALL_STRUCT_tms:
		return times_are_fine(p);
	case CALL_STRUCT_flock:
		return lock_is_fine(p, asked);
	case CALL_STRUCT_pollfd:
		return events_are_fine(p, asked);
	case CALL_STRUCT_pair:
		return pair_is_fine(p);
	case CALL_STRUCT_timespec:
		memcpy(&t, p, sizeof(t));
		return time_is_fine(t.tv_sec, t.tv_nsec, 1000000000);
	case CALL_STRUCT_itimer:
		return pair_of_times_is_fine(p, 1000000);
	case CALL_STRUCT_timer:
		return pair_of_times_is_fine(p, 1000000000);
	default:
		return true;
	}
}

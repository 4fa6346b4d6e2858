/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every kind of argument in memory at addresses that the program cannot touch:
 * an unmapped one, one without rights, one for reading only, a string and a
 * structure that run into such a page, and one that is partly there. What each
 * call says is printed; a native run prints the same. Nothing else is wrong
 * with a call: which of two errors comes first is not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define GAP ((size_t)16 << 20)

enum {
	GONE,
	NONE,
	READ,
	EDGE,
	PLACES
};
static const char *const place_names[PLACES] = { "gone", "none", "read",
						 "edge" };
static char *place[PLACES];
static int fd, pipe_fd[2], dir;

static char *map(size_t size, int prot)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	memset(p, 'x', size);
	if (mprotect(p, size, prot))
		exit(1);
	return p;
}

static void make_places(void)
{
	/* What comes later is mapped at the end of such a gap, if at all. */
	place[GONE] = map(GAP, PROT_READ);
	munmap(place[GONE], GAP);
	place[NONE] = map(PAGE, PROT_NONE);
	place[READ] = map(PAGE, PROT_READ);
	place[EDGE] = map(2 * PAGE, PROT_READ | PROT_WRITE);
	munmap(place[EDGE] + PAGE, PAGE);
	place[EDGE] += PAGE - 6;
}

static void say(const char *call, long r)
{
	if (r < 0)
		printf("  %-16s errno %d\n", call, errno);
	else
		printf("  %-16s %ld\n", call, r);
}

#define TRY(name, ...) say(#name, syscall(SYS_##name, __VA_ARGS__))

static void paths(char *p)
{
	TRY(open, p, O_RDONLY);
	TRY(openat, AT_FDCWD, p, O_RDONLY, 0);
	TRY(creat, p, 0600);
	TRY(access, p, F_OK);
	TRY(mkdir, p, 0700);
	TRY(rmdir, p);
	TRY(unlink, p);
	TRY(rename, "/a", p);
	TRY(rename, p, "/nonexistent/a");
	TRY(link, "/etc/hostname", p);
	TRY(symlink, p, "/nonexistent/a");
	TRY(chmod, p, 0600);
	TRY(chown, p, 0, 0);
	TRY(lchown, p, 0, 0);
	TRY(chdir, p);
	TRY(truncate, p, 0);
	TRY(readlinkat, AT_FDCWD, "/proc/self/exe", p, 8);
	TRY(utimensat, AT_FDCWD, "/nonexistent/a", p, 0);
}

static void structures(char *p)
{
	static struct timeval now;

	TRY(stat, "/", p);
	TRY(fstat, fd, p);
	TRY(statfs, "/", p);
	TRY(fstatfs, fd, p);
	TRY(uname, p);
	TRY(times, p);
	TRY(getrusage, 0, p);
	TRY(getrlimit, 7, p);
	TRY(setrlimit, 7, p);
	TRY(sysinfo, p);
	TRY(gettimeofday, p, NULL);
	TRY(time, p);
	TRY(clock_gettime, 0, p);
	TRY(clock_getres, 0, p);
	TRY(nanosleep, p, NULL);
	TRY(getresuid, p, p, p);
	TRY(pipe, p);
	TRY(pipe2, p, 0);
	TRY(fcntl, fd, F_SETLK, p);
	TRY(sched_getaffinity, 0, 8, p);
	TRY(getcpu, p, NULL, NULL);
	TRY(ppoll, NULL, 0, p, NULL, 8);
	TRY(pselect6, 0, NULL, NULL, NULL, p, NULL);
	TRY(poll, p, 1, 0);
	TRY(select, 8, p, NULL, NULL, &now);
	TRY(rt_sigaction, 10, p, NULL, 8);
	TRY(rt_sigprocmask, 0, p, NULL, 8);
	TRY(prctl, 15, p);
	TRY(prctl, 16, p);
}

static void buffers(char *p)
{
	const struct iovec v[2] = { { "ab", 2 }, { p, 100 } };
	const struct iovec w = { p, 100 };

	lseek(fd, 0, SEEK_SET);
	TRY(read, fd, p, 100);
	TRY(pread64, fd, p, 100, 0);
	TRY(write, fd, p, 100);
	TRY(readv, fd, &w, 1);
	TRY(writev, fd, v, 2);
	TRY(writev, pipe_fd[1], p, 1);
	TRY(getcwd, p, 100);
	TRY(getrandom, p, 4, 0);
	TRY(getdents64, dir, p, 100);
}

/* Descriptors have the same numbers whoever has started us. */
static void close_inherited(void)
{
	for (int i = 3; i < 256; i++)
		close(i);
}

int main(void)
{
	static char text[200];
	char name[] = "efault.XXXXXX";
	int i;

	close_inherited();
	fd = mkstemp(name);
	unlink(name);
	memset(text, 'y', sizeof(text));
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text) ||
	    pipe(pipe_fd))
		return 1;
	dir = open("/", O_RDONLY | O_DIRECTORY);
	make_places();
	for (i = 0; i < PLACES; i++) {
		printf("%s\n", place_names[i]);
		/* Such a path is one: then there is no such file. */
		if (i != READ)
			paths(place[i]);
		if (i != READ)
			buffers(place[i]);
		else
			TRY(read, fd, place[i], 100);
		structures(place[i]);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program with a secret on its stack, which then makes calls as programs do:
 * structures filled in as far as is needed, arguments that a call does not
 * have left to the registers. No byte of the secret may leave (test_leaves.c
 * looks). What each call says is not looked at here.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECRET 0xc3
#define DEEP 40000

/* In this frame and in nearly all registers, for whoever comes next. */
__attribute__((noinline)) static void keep_secret(void)
{
	volatile uint8_t frame[DEEP];

	memset((void *)(uintptr_t)frame, SECRET, sizeof(frame));
	__asm__ volatile("movq %0, %%rdx; movq %0, %%rsi; movq %0, %%r8\n\t"
			 "movq %0, %%r9; movq %0, %%r10; movq %0, %%r11"
			 :
			 : "r"(0x0101010101010101ull * SECRET)
			 : "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
}

__attribute__((noinline)) static void lock(int cmd)
{
	struct flock f;

	f.l_type = F_RDLCK;
	f.l_whence = SEEK_SET;
	f.l_start = 0;
	f.l_len = 0;
	fcntl(0, cmd, &f);
}

__attribute__((noinline)) static void wait_for_input(void)
{
	struct pollfd p[4];

	for (int i = 0; i < 4; i++) {
		p[i].fd = 0;
		p[i].events = POLLIN;
	}
	poll(p, 4, 0);
}

__attribute__((noinline)) static void wait_in_sets(void)
{
	struct timeval none = { 0, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	select(1, &set, NULL, NULL, &none);
}

__attribute__((noinline)) static void ask_for_structures(void)
{
	struct statfs fs;
	struct rusage usage;
	struct stat st;
	struct tms t;

	fstat(0, &st);
	stat("/", &st);
	fstatfs(0, &fs);
	getrusage(RUSAGE_SELF, &usage);
	times(&t);
}

__attribute__((noinline)) static void ask_a_terminal(void)
{
	struct termios tty;
	struct winsize w;
	int n;

	tcgetattr(0, &tty);
	ioctl(0, TIOCGWINSZ, &w);
	ioctl(0, FIONREAD, &n);
	ioctl(0, FIOCLEX);
}

__attribute__((noinline)) static void ask_for_time(void)
{
	struct timespec t, nap = { 0, 1 }, left;

	clock_gettime(CLOCK_REALTIME, &t);
	clock_getres(CLOCK_REALTIME, &t);
	nanosleep(&nap, &left);
}

__attribute__((noinline)) static void keep_times(void)
{
	struct timespec t[2];

	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_OMIT;
	utimensat(AT_FDCWD, "/", t, 0);
}

__attribute__((noinline)) static void leave_arguments_out(void)
{
	fcntl(0, F_GETFL);
	fcntl(0, F_GETFD);
	syscall(SYS_getpid);
	keep_secret();
	syscall(SYS_fsync, 0);
	keep_secret();
	syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
}

__attribute__((noinline)) static void make_a_pipe(void)
{
	int fd[2];

	pipe(fd);
}

int main(void)
{
	void (*const calls[])(void) = {
		wait_for_input,	     wait_in_sets, ask_for_structures,
		ask_a_terminal,	     ask_for_time, keep_times,
		leave_arguments_out, make_a_pipe,
	};
	const int locks[] = { F_SETLK, F_GETLK };

	for (int i = 0; i < 2; i++) {
		keep_secret();
		lock(locks[i]);
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		keep_secret();
		calls[i]();
	}
	return 0;
}

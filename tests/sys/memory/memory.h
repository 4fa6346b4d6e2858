/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What programs about memory need, that run natively and in an enclave and must
 * say the same: attempts that may fault, results with their errno's number
 * (C libraries have their own words), a place of one's own.
 */
#ifndef TESTS_SYS_MEMORY_H
#define TESTS_SYS_MEMORY_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

static sigjmp_buf jump;
static volatile int fault_code;
static volatile int fault_signal;

static void on_fault(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	fault_signal = signo;
	fault_code = si->si_code;
	siglongjmp(jump, 1);
}

static inline void catch_faults(void)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_fault;
	act.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* r, w, x: 0, or the fault's signal and code as one number. */
static inline int try_at(volatile unsigned char *p, char how)
{
	if (sigsetjmp(jump, 1) != 0)
		return fault_signal * 10 + fault_code;
	if (how == 'r')
		(void)*p;
	else if (how == 'w')
		*p = *p;
	else
		((void (*)(void))(uintptr_t)p)();
	return 0;
}

static inline void say(const char *what, int rc)
{
	printf("%s: %d\n", what, rc == 0 ? 0 : errno);
}

static inline void can(const char *what, unsigned char *p)
{
	int r = try_at(p, 'r'), w = try_at(p, 'w');

	printf("%s: read %d, write %d\n", what, r, w);
}

static inline void zeros(const char *what, const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] == 0)
		i++;
	printf("%s: %s\n", what, i == n ? "zeros" : "not zeros");
}

static inline unsigned char *map(size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		printf("mmap: %d\n", errno);
		exit(1);
	}
	return p;
}

/* Addresses that nothing else is in, and that are free again. */
static inline unsigned char *place(size_t size)
{
	unsigned char *p = map(size + 32 * P, PROT_NONE);

	munmap(p + 16 * P, size);
	return p + 16 * P;
}

/* A file of so many pages, each of which begins with its number. */
static inline int file_of(size_t pages)
{
	char name[] = "/tmp/edmm-memory-XXXXXX", page[P];
	int fd = mkstemp(name);

	if (fd < 0) {
		printf("mkstemp: %d\n", errno);
		exit(1);
	}
	unlink(name);
	for (size_t i = 0; i < pages; i++) {
		memset(page, 'a' + (int)i, sizeof(page));
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			exit(1);
	}
	return fd;
}

#endif

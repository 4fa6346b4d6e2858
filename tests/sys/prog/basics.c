/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an ordinary program does with its C library, inside an enclave. Each
 * check prints a line when it fails; the last line tells how it went. The
 * first argument chooses how the program ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int failed;

#define CHECK(c)                                                       \
	do {                                                           \
		if (!(c)) {                                            \
			printf("line %d: " #c " is false, errno %d\n", \
			       __LINE__, errno);                       \
			failed++;                                      \
		}                                                      \
	} while (0)

static _Thread_local int local = 42;

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void text_and_numbers(void)
{
	char s[64];
	int v[500];
	jmp_buf back;
	volatile int n = 0;
	int i;

	snprintf(s, sizeof(s), "%d %5.2f %s %a", 7, 2.5, "x", 0.5);
	CHECK(strcmp(s, "7  2.50 x 0x1p-1") == 0);
	CHECK(strtod("1e-3", NULL) == 0.001 && strtol("-12", NULL, 10) == -12);
	CHECK(fabs(sin(1.0) - 0.8414709848) < 1e-9);
	CHECK(local == 42);
	for (i = 0; i < 500; i++)
		v[i] = i * 7919 % 500;
	qsort(v, 500, sizeof(*v), by_value);
	for (i = 0; i < 500; i++)
		n += v[i] != i;
	CHECK(n == 0);
	if (setjmp(back) < 3) {
		n++;
		longjmp(back, n);
	}
	CHECK(n == 3);
}

static int deep(int n)
{
	volatile char frame[4096];

	frame[n % 4096] = 1;
	return n == 0 ? 0 : deep(n - 1) + frame[n % 4096];
}

static void files(const char *dir)
{
	char name[256], line[64];
	struct stat st;
	char *big, *map;
	int fd, i, n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "%s/file", dir);
	f = fopen(name, "w+");
	CHECK(f != NULL);
	for (i = 0; i < 100000; i++)
		fprintf(f, "%06d\n", i);
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += atoi(line) == n;
	CHECK(n == 100000);
	CHECK(fclose(f) == 0);
	CHECK(stat(name, &st) == 0 && st.st_size == 700000);
	fd = open(name, O_RDWR);
	big = malloc(1 << 20);
	CHECK(read(fd, big, 1 << 20) == 700000);
	CHECK(memcmp(big + 7 * 99999, "099999\n", 7) == 0);
	map = mmap(NULL, 700000, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED && memcmp(map, big, 700000) == 0);
	CHECK(munmap(map, 700000) == 0);
	CHECK(ftruncate(fd, 10) == 0 && lseek(fd, 0, SEEK_END) == 10);
	CHECK(close(fd) == 0 && unlink(name) == 0);
	CHECK(open(name, O_RDONLY) == -1 && errno == ENOENT);
	free(big);
}

static void directories(const char *dir)
{
	char name[300];
	DIR *d;
	int n = 0;

	snprintf(name, sizeof(name), "%s/sub", dir);
	CHECK(mkdir(name, 0700) == 0 && access(name, W_OK) == 0);
	d = opendir(dir);
	CHECK(d != NULL);
	while (readdir(d) != NULL)
		n++;
	CHECK(n == 3 && closedir(d) == 0);
	CHECK(rmdir(name) == 0);
	CHECK(getcwd(name, sizeof(name)) == name && name[0] == '/');
}

static void memory_has_an_end(void)
{
	static void *blocks[1024];
	int i, n = 0;
	char *p;

	/* 64 MiB at most: the caller has said so. */
	while (n < 1024 && (p = malloc(1 << 20)) != NULL) {
		memset(p, n, 1 << 20);
		blocks[n++] = p;
	}
	CHECK(n > 48 && n < 64 && errno == ENOMEM);
	for (i = 0; i < n; i++)
		CHECK(((char *)blocks[i])[12345] == (char)i);
	for (i = 0; i < n; i++)
		free(blocks[i]);
	p = calloc(1, 40 << 20);
	CHECK(p != NULL);
	for (i = 0; i < 40 << 20; i += 4096)
		failed += p[i] != 0;
	p = realloc(p, 50 << 20);
	CHECK(p != NULL);
	free(p);
}

/* Before anyone has used the break: from its first page on (I5). */
static void the_break_comes_back_zero(void)
{
	char *low = (char *)syscall(SYS_brk, 0);
	long end = (long)low + 8192;

	CHECK(syscall(SYS_brk, end) == end);
	memset(low, 7, 8192);
	CHECK(syscall(SYS_brk, low) == (long)low);
	CHECK(syscall(SYS_brk, end) == end);
	CHECK(low[0] == 0 && memcmp(low, low + 1, 8191) == 0);
	CHECK(syscall(SYS_brk, low) == (long)low);
}

static sigjmp_buf out;
static char *page;
static volatile sig_atomic_t handled;

static void leave(int signo)
{
	siglongjmp(out, signo);
}

static void mend(int signo, siginfo_t *info, void *context)
{
	(void)context;
	handled += signo == SIGSEGV && info->si_addr == page + 3;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void count(int signo)
{
	handled += signo;
}

static void signals(void)
{
	struct sigaction act = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };
	volatile double d = 1.5;
	int signo = sigsetjmp(out, 1);

	if (signo == 0) {
		signal(SIGSEGV, leave);
		*(volatile char *)8 = 1;
	}
	CHECK(signo == SIGSEGV);
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	sigaction(SIGSEGV, &act, NULL);
	page[3] = 7;
	CHECK(handled == 1 && page[3] == 7 && d * 2 == 3);
	handled = 0;
	signal(SIGUSR1, count);
	CHECK(raise(SIGUSR1) == 0 && handled == SIGUSR1);
	signal(SIGSEGV, SIG_DFL);
}

static void surroundings(int argc, char **argv)
{
	const unsigned char *random = (void *)getauxval(AT_RANDOM);
	struct timespec t, nap = { 0, 1000000 };
	char line[32] = "";

	CHECK(argc == 3 && argv[argc] == NULL);
	CHECK(strcmp(getenv("EDMM_TEST"), "a value") == 0);
	CHECK(getenv("EDMM_NOT_SET") == NULL);
	CHECK(fgets(line, sizeof(line), stdin) && strcmp(line, "input\n") == 0);
	CHECK(random != NULL && (random[0] | random[1] | random[2]) != 0);
	CHECK(sysconf(_SC_PAGESIZE) == 4096 && getpid() > 0);
	CHECK(time(NULL) > 1600000000 && nanosleep(&nap, NULL) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0 && t.tv_sec > 0);
	CHECK(isatty(0) == 0);
}

static void goodbye(void)
{
	puts(failed == 0 ? "all is well" : "not well");
}

int main(int argc, char **argv)
{
	the_break_comes_back_zero();
	surroundings(argc, argv);
	text_and_numbers();
	CHECK(deep(1500) == 1500);
	files(argv[2]);
	directories(argv[2]);
	memory_has_an_end();
	signals();
	atexit(goodbye);
	if (strcmp(argv[1], "abort") == 0) {
		goodbye();
		fflush(stdout);
		abort();
	}
	if (strcmp(argv[1], "wild") == 0) {
		goodbye();
		fflush(stdout);
		*(volatile char *)(page + (1ul << 40)) = 1;
	}
	return failed == 0 ? 42 : 1;
}

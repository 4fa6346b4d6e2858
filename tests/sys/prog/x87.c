/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A system call keeps the x87 state: control word, flags, stack, tags, also as
 * MMX registers, and exceptions that wait for the next instruction. What is
 * printed is the same natively.
 *
 * The compiler uses none of it here (no long double), so that what assembly
 * leaves lies there across calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fx {
	uint16_t fcw, fsw;
	uint8_t ftw, zero;
	uint16_t fop;
	uint64_t fip, fdp; /* some processors keep them, some do not */
	uint32_t mxcsr, mask;
	uint8_t st[8][16];
	uint8_t xmm[352];
};

static struct fx before, after;
static int spoilt; /* a handler found something else */
static sigjmp_buf out;

static void look(struct fx *fx)
{
	__attribute__((aligned(16))) struct fx now;

	__asm__ volatile("fxsave64 %0" : "=m"(now));
	memcpy(fx, &now, sizeof(now));
}

static void print(const char *what)
{
	size_t i, k;

	__asm__ volatile("fninit");
	printf("%s: fcw %x fsw %x ftw %x mxcsr %x%s\n", what, after.fcw,
	       after.fsw, after.ftw, after.mxcsr,
	       spoilt ? ", not in the handler" : "");
	for (i = 0; i < 8; i++) {
		printf("  st%zu ", i);
		for (k = 0; k < 10; k++)
			printf("%02x", after.st[i][9 - k]);
		printf("\n");
	}
	if (before.fcw != after.fcw || before.fsw != after.fsw ||
	    before.ftw != after.ftw || before.mxcsr != after.mxcsr ||
	    memcmp(before.st, after.st, sizeof(after.st)) != 0)
		printf("  was fcw %x fsw %x ftw %x mxcsr %x\n", before.fcw,
		       before.fsw, before.ftw, before.mxcsr);
}

/* The states. */
static void fresh(void)
{
}

static void control(void)
{
	static const uint16_t fcw = 0x0e7f; /* 53 bits, towards zero */
	static const uint32_t mxcsr = 0xdf80;

	__asm__ volatile("fldcw %0; ldmxcsr %1" : : "m"(fcw), "m"(mxcsr));
}

static void flags(void)
{
	static const uint32_t mxcsr = 0x1fbd;

	__asm__ volatile("fldz; fld1; fdivp; fstp %%st(0); ldmxcsr %0"
			 :
			 : "m"(mxcsr));
}

static void three(void)
{
	__asm__ volatile("fldpi; fld1; fldl2e");
}

/* TOP is 0 again, and no flag is up: only the tags tell. */
static void eight(void)
{
	__asm__ volatile("fldpi; fld1; fldl2e; fldl2t; fldlg2; fldln2; fldz; "
			 "fldpi");
}

static void hole(void)
{
	eight();
	__asm__ volatile("ffree %st(0); ffree %st(3); ffree %st(7)");
}

static void overflow(void)
{
	eight();
	__asm__ volatile("fld1");
}

static void mmx(void)
{
	static const uint64_t v[8] = { 0x1111, 0x2222, 0x3333, 0x4444,
				       0x5555, 0x6666, 0x7777, 0x8888 };

	__asm__ volatile("movq (%0), %%mm0; movq 8(%0), %%mm1;"
			 "movq 16(%0), %%mm2; movq 24(%0), %%mm3;"
			 "movq 32(%0), %%mm4; movq 40(%0), %%mm5;"
			 "movq 48(%0), %%mm6; movq 56(%0), %%mm7"
			 :
			 : "r"(v));
}

static const struct {
	const char *name;
	void (*make)(void);
} states[] = {
	{ "fresh", fresh }, { "control", control },   { "flags", flags },
	{ "three", three }, { "eight", eight },	      { "hole", hole },
	{ "mmx", mmx },	    { "overflow", overflow },
};

/* The calls: without the host, short, with data, with pages, with a wait. */
static void call_getpid(void)
{
	syscall(SYS_getpid);
}

static void call_write(void)
{
	static char data[100000];
	int fd = open("/dev/null", O_WRONLY);

	syscall(SYS_write, fd, data, sizeof(data));
	close(fd);
}

static void call_mmap(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[12345] = 1;
	munmap(p, 1 << 20);
}

static void call_sleep(void)
{
	const struct timespec t = { .tv_nsec = 1000 };

	nanosleep(&t, NULL);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	struct fx mine;

	(void)signo;
	(void)info;
	look(&mine);
	/* The frame has what was there, and a handler starts anew. */
	if (uc->uc_mcontext.fpregs->swd != before.fsw ||
	    uc->uc_mcontext.fpregs->cwd != before.fcw || mine.fsw != 0 ||
	    mine.fcw != 0x37f || mine.ftw != 0)
		spoilt = 1;
	__asm__ volatile("fldz; fldz; fdivp");
}

static void call_raise(void)
{
	raise(SIGUSR1);
}

static const struct {
	const char *name;
	void (*make)(void);
} calls[] = {
	{ "getpid", call_getpid }, { "write", call_write },
	{ "mmap", call_mmap },	   { "sleep", call_sleep },
	{ "raise", call_raise },
};

static void on_fpe(int signo, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	(void)signo;
	printf("SIGFPE: code %d fsw %x\n", info->si_code,
	       uc->uc_mcontext.fpregs->swd);
	siglongjmp(out, 1);
}

/* An unmasked exception waits for the next instruction of the x87. */
static void pending(void (*call)(void))
{
	static const uint16_t fcw = 0x037b;

	if (sigsetjmp(out, 1) == 0) {
		__asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp"
				 :
				 : "m"(fcw));
		call();
		puts("still waits");
		__asm__ volatile("fwait");
		puts("lost");
	}
	__asm__ volatile("fninit");
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO };
	static const uint32_t mxcsr = 0x1f80;
	char what[40];
	size_t i, k;

	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_sigaction = on_fpe;
	sigaction(SIGFPE, &sa, NULL);
	for (i = 0; i < COUNT(states); i++)
		for (k = 0; k < COUNT(calls); k++) {
			__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
			states[i].make();
			look(&before);
			calls[k].make();
			look(&after);
			__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
			snprintf(what, sizeof(what), "%s, %s", states[i].name,
				 calls[k].name);
			print(what);
		}
	for (k = 0; k < COUNT(calls); k++)
		pending(calls[k].make);
	return 0;
}

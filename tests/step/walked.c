/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tools/step walks through, in an enclave: memory that comes at a touch, a
 * handler for a page without rights on the thread's own stack, on another one,
 * and left by siglongjmp(), one for what it sends to itself, calls of the host
 * with data both ways. It looks at everything itself: status 0 and all its
 * lines is right, 3 an error that a call has returned; 9 is wrong data, which
 * must never be. A SIGUSR2 from outside, whenever it comes, is told at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define PAGES 6u
#define PATTERN 0x5a17c0de00000000ull
#define ERROR 3
#define WRONG 9

static char *fixed; /* page without rights */
static volatile int handled;
static sigjmp_buf out;
static volatile int jumps;

static void say(const char *text)
{
	size_t n = strlen(text);

	if (write(1, text, n) != (ssize_t)n)
		_exit(ERROR);
}

static void error(const char *what)
{
	say("error: ");
	say(what);
	say("\n");
	_exit(ERROR);
}

static void wrong(const char *what)
{
	say("wrong: ");
	say(what);
	say("\n");
	_exit(WRONG);
}

/* Every register that a program could keep something in, over a store. */
static void store(char *at)
{
	uint64_t bad = 0, seed = PATTERN, flags = 0;

	__asm__ volatile("mov %[seed], %%rax\n\t"
			 "movq %%rax, %%xmm3\n\t"
			 "lea 1(%%rax), %%rbx\n\t"
			 "movq %%rbx, %%xmm12\n\t"
			 "lea 2(%%rax), %%r8\n\t"
			 "lea 3(%%rax), %%r11\n\t"
			 "lea 4(%%rax), %%r12\n\t"
			 "lea 5(%%rax), %%r15\n\t"
			 "stc\n\t"
			 "movb $1, (%[at])\n\t"
			 "setnc %b[flags]\n\t"
			 "sub %[seed], %%rax\n\t"
			 "or %%rax, %[bad]\n\t"
			 "movq %%xmm3, %%rax\n\t"
			 "sub %[seed], %%rax\n\t"
			 "or %%rax, %[bad]\n\t"
			 "movq %%xmm12, %%rax\n\t"
			 "sub %%rbx, %%rax\n\t"
			 "or %%rax, %[bad]\n\t"
			 "sub %[seed], %%rbx\n\t"
			 "sub $1, %%rbx\n\t"
			 "or %%rbx, %[bad]\n\t"
			 "sub %[seed], %%r8\n\t"
			 "sub $2, %%r8\n\t"
			 "or %%r8, %[bad]\n\t"
			 "sub %[seed], %%r11\n\t"
			 "sub $3, %%r11\n\t"
			 "or %%r11, %[bad]\n\t"
			 "sub %[seed], %%r12\n\t"
			 "sub $4, %%r12\n\t"
			 "or %%r12, %[bad]\n\t"
			 "sub %[seed], %%r15\n\t"
			 "sub $5, %%r15\n\t"
			 "or %%r15, %[bad]\n\t"
			 : [bad] "+r"(bad), [flags] "+r"(flags)
			 : [at] "r"(at), [seed] "r"(seed)
			 : "rax", "rbx", "r8", "r11", "r12", "r15", "xmm3",
			   "xmm12", "memory", "cc");
	if (bad || flags)
		wrong("a register");
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	if (sig != SIGSEGV || (char *)info->si_addr - fixed < 0 ||
	    (char *)info->si_addr - fixed >= (long)PAGE)
		wrong("a handler without a fault of the program's");
	if (jumps)
		siglongjmp(out, 1);
	if (mprotect(fixed, PAGE, PROT_READ | PROT_WRITE))
		error("mprotect");
}

static volatile int raised, came;

static void on_raise(int sig)
{
	if (sig != SIGUSR1)
		wrong("another signal");
	raised++;
}

static void on_other(int sig)
{
	if (sig != SIGUSR2)
		wrong("another signal");
	came++;
}

static void handle(int flags)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | flags };
	struct sigaction usr = { .sa_handler = on_raise, .sa_flags = flags };
	struct sigaction other = { .sa_handler = on_other,
				   .sa_flags = SA_RESTART | flags };

	if (sigaction(SIGSEGV, &sa, NULL) || sigaction(SIGUSR1, &usr, NULL) ||
	    sigaction(SIGUSR2, &other, NULL))
		error("sigaction");
}

/* The handler runs at the end of the call, and then the call returns. */
static void raise_once(void)
{
	int before = raised;

	if (raise(SIGUSR1))
		error("raise");
	if (raised != before + 1)
		wrong("not one signal");
	say("raised\n");
}

/* A store to the page that the handler allows, or leaves by a jump. */
static void fault_once(const char *how)
{
	int before = handled;

	if (mprotect(fixed, PAGE, PROT_READ))
		error("mprotect");
	if (!sigsetjmp(out, 1))
		store(fixed + 64);
	if (handled != before + 1)
		wrong("not one fault");
	say(how);
}

static void touch(void)
{
	char *p = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		error("mmap");
	for (unsigned i = 0; i < PAGES; i++) {
		if (p[i * PAGE + 9])
			wrong("memory that is not zero");
		store(p + (size_t)i * PAGE);
	}
	for (unsigned i = 0; i < PAGES; i++)
		if (p[(size_t)i * PAGE] != 1)
			wrong("memory");
	if (munmap(p, (size_t)PAGES * PAGE))
		error("munmap");
	say("memory\n");
}

/* By offsets in a file: what a copy of the process does with it (edmm-step(5))
 * leaves all as it is for the next. */
static void call(void)
{
	char in[64], expect[64];
	int p[2], fd;

	if (pipe(p))
		error("pipe");
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		error("open");
	for (unsigned i = 0; i < sizeof(expect); i++)
		expect[i] = (char)(i * 7 + 1);
	if (pwrite(fd, expect, sizeof(expect), 0) != sizeof(expect))
		error("pwrite");
	if (pread(fd, in, sizeof(in), 0) != sizeof(in))
		error("pread");
	if (memcmp(in, expect, sizeof(in)) != 0)
		wrong("what was read");
	if (close(p[0]) || close(p[1]) || close(fd))
		error("close");
	say("calls\n");
}

int main(void)
{
	static char stack[65536];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	say("started\n");
	fixed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fixed == MAP_FAILED)
		error("mmap");
	handle(0);
	touch();
	call();
	raise_once();
	fault_once("own stack\n");
	if (sigaltstack(&alternate, NULL))
		error("sigaltstack");
	handle(SA_ONSTACK);
	fault_once("alternate stack\n");
	raise_once();
	touch();
	jumps = 1;
	fault_once("jump\n");
	if (came > 1)
		wrong("a signal came twice");
	if (came)
		say("a signal\n");
	return 0;
}

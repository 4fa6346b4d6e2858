/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program with a SIGSEGV handler, for hosts that take pages away.
 *
 * prog_signal.c VERB STACK:
 *	forge	no fault of its own, but demand faults: its handler never runs
 *	back	one fault of its own, after whose handler all is as before
 *	recur	a handler that faults again, for ever
 *	code	an access that its rights forbid, and what the handler is told
 *	raise	a raised signal's handler has the stack that it asks for, and
 *		may leave by siglongjmp()
 * STACK is `alt' for an alternate stack, `small' for one without room for a
 * frame, `least' for one with just that (AT_MINSIGSTKSZ), else the main one.
 *
 * "FORGE" to descriptor 1 tells the host to begin. Status 0: all right; 1: a
 * handler that nothing of ours caused ran; 2: wrong data; 3: a wrong register.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096
#define MIB (1 << 20)
#define VALUE(k) (0x0101010101010101ull * ((k) + 1))

static volatile char *guard, *fresh;
static volatile int runs;
static char room[65536];

static void tell(void)
{
	if (write(1, "FORGE\n", 6) != 6)
		_exit(4);
}

static void on_forged(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)si;
	(void)uc;
	_exit(1);
}

/* Makes a demand fault of its own, below which everything must survive. */
static void on_guard(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	if (++runs > 1 || si->si_addr != (void *)guard)
		_exit(1);
	if (mprotect((void *)guard, PAGE, PROT_READ | PROT_WRITE))
		_exit(4);
	tell();
	fresh[8 * MIB] = 1;
}

static void on_any(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	(void)si;
	*guard = 1;
}

/* Natively: SEGV_ACCERR, by a write of a user's; PROT_NONE: nothing there. */
static void on_code(int sig, siginfo_t *si, void *uc)
{
	const ucontext_t *u = uc;

	(void)sig;
	if (si->si_addr != (void *)guard || si->si_code != SEGV_ACCERR)
		_exit(1);
	_exit(u->uc_mcontext.gregs[REG_ERR] == 6 ? 0 : 3);
}

static sigjmp_buf out;

static void on_raised(int sig, siginfo_t *si, void *uc)
{
	const char here = 0;

	if (sig != SIGUSR1 || si->si_signo != SIGUSR1 || !uc)
		_exit(4);
	if (sizeof(room) - (size_t)(&here - room) <= sizeof(room))
		runs++;
	siglongjmp(out, 1);
}

static int raised(size_t alt)
{
	const stack_t st = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction sa = { .sa_sigaction = on_raised,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (alt)
		sigaltstack(&st, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 100; i++)
		if (!sigsetjmp(out, 1))
			raise(SIGUSR1);
	return runs != (alt ? 100 : 0);
}

static void set_handler(void (*fn)(int, siginfo_t *, void *), size_t alt)
{
	const stack_t st = { .ss_sp = room, .ss_size = alt };
	struct sigaction sa = { .sa_sigaction = fn,
				.sa_flags = SA_SIGINFO | SA_NODEFER };

	if (alt) {
		sa.sa_flags |= SA_ONSTACK;
		sigaltstack(&st, NULL);
	}
	sigaction(SIGSEGV, &sa, NULL);
}

static int forge(size_t alt)
{
	set_handler(on_forged, alt);
	tell();
	fresh[PAGE] = 7;
	for (int i = 1; i < 4; i++)
		fresh[i * MIB] = (char)i;
	return fresh[PAGE] != 7 || fresh[0] || fresh[2 * MIB] != 2 ? 2 : 0;
}

static int back(size_t alt)
{
	uint64_t r[8], x[2];

	set_handler(on_guard, alt);
	fresh[0] = 1;
	__asm__ volatile(
		"movq %[v], %%r8\n\t"
		"leaq (%%r8, %%r8), %%r9\n\t"
		"leaq (%%r9, %%r8), %%r10\n\t"
		"leaq (%%r10, %%r8), %%r11\n\t"
		"leaq (%%r11, %%r8), %%r12\n\t"
		"leaq (%%r12, %%r8), %%r13\n\t"
		"leaq (%%r13, %%r8), %%r14\n\t"
		"leaq (%%r14, %%r8), %%r15\n\t"
		"movq %%r11, %%xmm15\n\t"
		"movb $1, (%[guard])\n\t"
		"movq %%r8, (%[r])\n\tmovq %%r9, 8(%[r])\n\t"
		"movq %%r10, 16(%[r])\n\tmovq %%r11, 24(%[r])\n\t"
		"movq %%r12, 32(%[r])\n\tmovq %%r13, 40(%[r])\n\t"
		"movq %%r14, 48(%[r])\n\tmovq %%r15, 56(%[r])\n\t"
		"movups %%xmm15, (%[x])"
		:
		: [guard] "D"(guard), [r] "S"(r), [x] "d"(x), [v] "a"(VALUE(0))
		: "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm15",
		  "memory");
	for (unsigned int i = 0; i < 8; i++)
		if (r[i] != VALUE(i))
			return 3;
	if (x[0] != VALUE(3) || x[1])
		return 3;
	return runs != 1 || fresh[0] != 1 || fresh[8 * MIB] != 1 ? 2 : 0;
}

static int recur(size_t alt)
{
	set_handler(on_any, alt);
	*guard = 1;
	return 1;
}

static int code(size_t alt)
{
	set_handler(on_code, alt);
	if (mprotect((void *)guard, PAGE, PROT_READ | PROT_WRITE))
		return 4;
	*guard = 1;
	if (mprotect((void *)guard, PAGE, PROT_NONE))
		return 4;
	tell();
	*guard = 1;
	return 2;
}

static size_t alternate(const char *stack)
{
	if (strcmp(stack, "small") == 0)
		return 2048;
	if (strcmp(stack, "least") == 0)
		return getauxval(AT_MINSIGSTKSZ);
	return strcmp(stack, "alt") == 0 ? 65536 : 0;
}

int main(int argc, char **argv)
{
	guard = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fresh = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (argc != 3 || guard == MAP_FAILED || fresh == MAP_FAILED)
		return 5;
	if (strcmp(argv[1], "raise") == 0)
		return raised(alternate(argv[2]));
	if (strcmp(argv[1], "recur") == 0)
		return recur(alternate(argv[2]));
	if (strcmp(argv[1], "code") == 0)
		return code(alternate(argv[2]));
	return strcmp(argv[1], "forge") == 0 ? forge(alternate(argv[2]))
					     : back(alternate(argv[2]));
}

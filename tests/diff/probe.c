/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Touches of one page, each with its answer: none, or the signal and its code.
 * A page has three words that are looked at: its first, its second and its
 * last. The first byte is RET or nothing, so that executing it returns, or
 * stores to the marker, where no store succeeds: both say that it was fetched.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/diff/memory.h"

#define RET 0xc3u
#define LAST (PAGE - 8)
#define MAPPED (SIGSEGV << 8 | SEGV_ACCERR)
#define SCRATCH 16u /* a write that says nothing */

static sigjmp_buf back;
static volatile sig_atomic_t expected;
static volatile unsigned int what;
static uint64_t marker, where;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (!expected)
		_Exit(99);
	expected = 0;
	where = (uint64_t)info->si_addr & ~(PAGE - 1);
	what = (unsigned int)signo << 8 | ((unsigned int)info->si_code & 0xff);
	siglongjmp(back, 1);
}

void probe_start(uint64_t addr)
{
	struct sigaction act = { .sa_sigaction = on_signal,
				 .sa_flags = SA_SIGINFO | SA_NODEFER };

	marker = addr;
	if (sigaction(SIGSEGV, &act, NULL) || sigaction(SIGBUS, &act, NULL))
		abort();
}

static void execute(uint64_t addr)
{
	__asm__ volatile("call *%%rdx"
			 :
			 : "a"(marker), "d"(addr)
			 : "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
			   "memory");
}

static void touch(uint64_t addr, enum access how)
{
	volatile uint8_t *p = (volatile uint8_t *)addr;

	if (how == ACCESS_READ)
		(void)*p;
	else if (how == ACCESS_WRITE)
		*p = 1;
	else
		execute(addr);
}

unsigned int probe(uint64_t addr, enum access how)
{
	what = 0;
	if (sigsetjmp(back, 0) == 0) {
		expected = 1;
		touch(how == ACCESS_WRITE ? addr + SCRATCH : addr, how);
		expected = 0;
	} else if (how == ACCESS_EXEC && where == marker) {
		return 0;
	} else if (where != (addr & ~(PAGE - 1))) {
		say("?addr");
	}
	/* Mapped, whether it may be accessed so or not. */
	if (what == 0 || what == MAPPED)
		ledger_grown(addr);
	return what;
}

bool page_read(uint64_t addr, uint64_t words[3], unsigned int *why)
{
	addr &= ~(PAGE - 1);
	*why = probe(addr, ACCESS_READ);
	if (*why)
		return false;
	memcpy(&words[0], (const void *)addr, 8);
	memcpy(&words[1], (const void *)(addr + 8), 8);
	memcpy(&words[2], (const void *)(addr + LAST), 8);
	return true;
}

unsigned int page_write(uint64_t addr, uint64_t tag)
{
	struct page *p = page_at(addr);
	uint64_t first = RET;
	unsigned int why;

	addr &= ~(PAGE - 1);
	why = probe(addr, ACCESS_WRITE);
	if (why)
		return why;
	memcpy((void *)addr, &first, 8);
	memcpy((void *)(addr + 8), &tag, 8);
	memcpy((void *)(addr + LAST), &tag, 8);
	if (p)
		p->freed = false;
	return 0;
}

static void say_words(uint64_t addr, const uint64_t w[3])
{
	const struct page *p = page_at(addr);

	if (p && p->freed) {
		for (int i = 0; i < 3; i++) {
			if (!p->unknown && w[i] != 0 && w[i] != p->old[i])
				say("?freed %lx", w[i]);
		}
		say("=free");
		return;
	}
	say("=%lx,%lx,%lx", w[0], w[1], w[2]);
}

/* What there is, and with @deep what else can be done with it. */
void page_look(uint64_t addr, bool deep)
{
	uint64_t w[3];
	unsigned int why;

	say(" ");
	say_addr(addr);
	if (page_read(addr, w, &why))
		say_words(addr, w);
	else
		say("!%x", why);
	if (!deep)
		return;
	say(",w%x", probe(addr, ACCESS_WRITE));
	say(",x%x", probe(addr, ACCESS_EXEC));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals and faults, told step by step: natively and in an enclave the same
 * words (drive.py compares them).
 *
 *	main run SEED FIRST COUNT AVX	scripts by their numbers
 *	main script FILE AVX		one, from a file
 *	main print SEED NUMBER		its lines
 *	main probe			1 where there is AVX, else 0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/sys/signals/fault.h"
#include "tests/sys/signals/script.h"

#define PAGE 4096ul
#define ALT_SIZE (256 * 1024ul)
#define DEPTH_MAX 2
#define HANDLED_MAX 10
#define SIGNALS 64
#define FLAGS_SHOWN 0xcd5u
#define XSAVE_MXCSR 24
#define XSAVE_XMM0 160
#define XSAVE_SW 464
#define XSAVE_BV 512
#define XSAVE_YMM0 576
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

/* Pages that a fault can meet, side by side. */
enum place {
	PLACE_NONE,   /* PROT_NONE */
	PLACE_READ,   /* read-only */
	PLACE_LOW,    /* below every program */
	PLACE_GP,     /* not canonical */
	PLACE_KERNEL, /* not a program's */
};

static struct {
	struct step action[SIGNALS + 1];
	sigjmp_buf back;
	uint64_t mask; /* that siglongjmp() goes back to */
	uint8_t *pages, *alt;
	unsigned int handled; /* in this step */
	unsigned int depth;
	unsigned int faulting; /* kind + 1, of the innermost fault */
	uint64_t avx;
	char text[1 << 16];
	unsigned int used;
} now;

static void flush(void)
{
	unsigned int done = 0;

	while (done < now.used) {
		ssize_t n = write(1, now.text + done, now.used - done);

		if (n <= 0)
			_exit(3);
		done += (unsigned int)n;
	}
	now.used = 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	now.used += (unsigned int)vsnprintf(
		now.text + now.used, sizeof(now.text) - now.used, fmt, ap);
	va_end(ap);
	if (now.used > sizeof(now.text) / 2)
		flush();
}

static uint64_t low_word(const sigset_t *set)
{
	uint64_t v;

	memcpy(&v, set, sizeof(v));
	return v;
}

static uint64_t mask_now(void)
{
	uint64_t v = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &v, 8);
	return v;
}

static void mask_set(int how, uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, how, &mask, NULL, 8);
}

static void say_stack(void)
{
	stack_t st;

	if (sigaltstack(NULL, &st))
		say(" altstack: error %d", errno);
	else
		say(" alt %x:%zx", (unsigned int)st.ss_flags,
		    st.ss_flags & SS_DISABLE ? 0 : st.ss_size);
}

/* ---- faults ------------------------------------------------------------- */

static void set_place(enum place place)
{
	static const uint64_t fixed[] = { [PLACE_LOW] = 8,
					  [PLACE_GP] = 0x800000000000,
					  [PLACE_KERNEL] = 0xffffffff80000000 };

	if (place == PLACE_NONE || place == PLACE_READ)
		fault_addr = (uint64_t)now.pages + (place + 1) * PAGE;
	else
		fault_addr = fixed[place];
}

static void close_pages(void)
{
	mprotect(now.pages, PAGE, PROT_READ | PROT_WRITE);
	mprotect(now.pages + PAGE, PAGE, PROT_NONE);
	mprotect(now.pages + 2 * PAGE, PAGE, PROT_READ);
}

static void say_addr(const char *name, uint64_t addr)
{
	uint64_t off = addr - (uint64_t)now.pages;
	uint64_t site =
		now.faulting ? (uint64_t)fault_site[now.faulting - 1] : 0;

	if (off < 3 * PAGE)
		say(" %s page+%llx", name, (unsigned long long)off);
	else if (site && addr - site < 64)
		say(" %s site+%llx", name, (unsigned long long)(addr - site));
	else if (addr - (uint64_t)fault_initial < 16)
		say(" %s initial+%llx", name,
		    (unsigned long long)(addr - (uint64_t)fault_initial));
	else if (addr == (uint64_t)fault_over)
		say(" %s over", name);
	else
		say(" %s %llx", name, (unsigned long long)addr);
}

static uint64_t mix(uint64_t seed, unsigned int i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 27);
}

static void say_fault(const struct fault_state *was)
{
	const struct fault_state *s = &fault_state;

	for (int i = 0; i < FAULT_GPRS; i++) {
		char name[8];

		if (s->gpr[i] == was->gpr[i])
			continue;
		snprintf(name, sizeof(name), "r%d", i);
		say_addr(name, s->gpr[i]);
	}
	say(" flags %llx mxcsr %x fcw %x fsw %x ymm",
	    (unsigned long long)s->flags & FLAGS_SHOWN, s->mxcsr, s->fcw,
	    s->fsw);
	for (int i = 0; i < 8; i++)
		if (i % 4 < 2 || now.avx)
			say(" %llx", (unsigned long long)s->ymm[i / 4][i % 4]);
}

static void make_fault(unsigned int kind, uint64_t flags, uint64_t seed)
{
	unsigned int outer = now.faulting;
	struct fault_state was;

	for (unsigned int i = 0; i < FAULT_GPRS; i++)
		fault_state.gpr[i] = mix(seed, i);
	for (unsigned int i = 0; i < 8; i++)
		fault_state.ymm[i / 4][i % 4] = mix(~seed, i);
	fault_state.flags = flags;
	fault_state.mxcsr = 0x1f80 | (seed & 0x6000);
	fault_state.fcw = 0x37f | (seed & 0xc00);
	fault_state.avx = now.avx;
	was = fault_state;
	now.faulting = kind + 1;
	flush();
	fault_make(kind);
	now.faulting = outer;
	say("  over:");
	say_fault(&was);
	say("\n");
	close_pages();
}

/* ---- alternate stacks --------------------------------------------------- */

static void set_stack(enum alt which)
{
	stack_t st = { .ss_sp = now.alt, .ss_size = ALT_SIZE };

	mprotect(now.alt, ALT_SIZE, PROT_READ | PROT_WRITE);
	switch (which) {
	case ALT_NONE:
		st = (stack_t){ .ss_flags = SS_DISABLE };
		break;
	case ALT_DISARM:
		st.ss_flags = (int)SS_AUTODISARM;
		break;
	case ALT_TINY:
		st.ss_size = 2047;
		break;
	case ALT_SMALL:
	case ALT_CLOSED:
		/* Of the second half, so that nothing else uses it. */
		st.ss_sp = now.alt + ALT_SIZE + PAGE;
		st.ss_size = PAGE + 256;
		if (which == ALT_SMALL)
			st.ss_sp = now.alt + ALT_SIZE + 3 * PAGE;
		break;
	case ALT_RIGHTS:
		st.ss_sp = now.alt + ALT_SIZE + 5 * PAGE;
		st.ss_size = 2 * PAGE;
		break;
	default:
		break;
	}
	/* musl has a look at it, too. */
	if (syscall(SYS_sigaltstack, &st, NULL))
		say(" error %d", errno);
}

static bool on_alt(const void *p)
{
	return (const uint8_t *)p - now.alt < (long)(ALT_SIZE + 8 * PAGE) &&
	       (const uint8_t *)p >= now.alt;
}

/* ---- the handler -------------------------------------------------------- */

static void say_registers(const ucontext_t *uc)
{
	static const int order[] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RBP,
		REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10,
		REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	const greg_t *g = uc->uc_mcontext.gregs;
	uint64_t sum = 0;

	say_addr("rip", (uint64_t)g[REG_RIP]);
	/* What a site has loaded is an address, which differs. */
	for (unsigned int i = 0; i < FAULT_GPRS; i++)
		if ((uint64_t)g[order[i]] == fault_state.gpr[i])
			sum |= 1u << i;
	say(" same %llx flags %llx trap %llx err %llx", (unsigned long long)sum,
	    (unsigned long long)g[REG_EFL] & FLAGS_SHOWN,
	    (unsigned long long)g[REG_TRAPNO], (unsigned long long)g[REG_ERR]);
	if (g[REG_TRAPNO] == 14)
		say_addr("cr2", (uint64_t)g[REG_CR2]);
}

static uint8_t *fpu_of(const ucontext_t *uc)
{
	return (uint8_t *)uc->uc_mcontext.fpregs;
}

static uint64_t word_at(const uint8_t *p, unsigned int off)
{
	uint64_t v;

	memcpy(&v, p + off, sizeof(v));
	return v;
}

static void say_fpu(const uint8_t *x)
{
	bool upper = now.avx && word_at(x, XSAVE_BV) & 4;

	say(" fcw %x fsw %x mxcsr %x xmm0 %llx ymm0 %llx",
	    (unsigned int)word_at(x, 0) & 0xffff,
	    (unsigned int)(word_at(x, 0) >> 16) & 0xffff,
	    (unsigned int)word_at(x, XSAVE_MXCSR),
	    (unsigned long long)word_at(x, XSAVE_XMM0),
	    upper ? (unsigned long long)word_at(x, XSAVE_YMM0) : 0);
}

static void say_context(const ucontext_t *uc, bool fault)
{
	say(" uc %llx mask %llx alt %x:%zx csgsfs %llx",
	    (unsigned long long)uc->uc_flags,
	    (unsigned long long)low_word(&uc->uc_sigmask),
	    (unsigned int)uc->uc_stack.ss_flags, uc->uc_stack.ss_size,
	    (unsigned long long)uc->uc_mcontext.gregs[REG_CSGSFS]);
	if (fault) {
		say_registers(uc);
		say_fpu(fpu_of(uc));
	} else {
		say(" mxcsr %x fcw %x",
		    (unsigned int)word_at(fpu_of(uc), XSAVE_MXCSR),
		    (unsigned int)word_at(fpu_of(uc), 0) & 0xffff);
	}
}

/* Linux fills it in for those only that ask for it. */
static void say_info(const siginfo_t *si, bool fault)
{
	say(" signo %d code %d errno %d", si->si_signo, si->si_code,
	    si->si_errno);
	if (fault && si->si_code > 0)
		say_addr("addr", (uint64_t)si->si_addr);
	else if (si->si_code == SI_QUEUE)
		say(" value %llx", (unsigned long long)si->si_value.sival_ptr);
	if (si->si_code <= 0)
		say(" from %d%d", si->si_pid == getpid(),
		    si->si_uid == getuid());
}

/* In the frame, for who goes on where the handler was called. */
static void edit(ucontext_t *uc, uint64_t edits, bool fault)
{
	greg_t *g = uc->uc_mcontext.gregs;
	uint8_t *x = fpu_of(uc);
	uint64_t mask = low_word(&uc->uc_sigmask), bv;

	if (fault && edits & EDIT_RBX)
		g[REG_RBX] ^= 0x55;
	if (fault && edits & EDIT_R15)
		g[REG_R15] = 0x1234567812345678;
	if (fault && edits & EDIT_FLAGS)
		g[REG_EFL] ^= 0x8c1;
	if (edits & EDIT_MXCSR)
		x[XSAVE_MXCSR + 1] ^= 0x60;
	if (edits & EDIT_FCW)
		x[1] ^= 0xc;
	if (fault && edits & EDIT_XMM)
		memset(x + XSAVE_XMM0, 0x77, 8);
	if (fault && edits & EDIT_YMM && now.avx) {
		bv = word_at(x, XSAVE_BV) | 4;
		memcpy(x + XSAVE_BV, &bv, 8);
		memset(x + XSAVE_YMM0, 0x66, 32);
	}
	if (edits & EDIT_MASK)
		mask |= 1u << (SIGUSR2 - 1);
	if (edits & EDIT_UNMASK)
		mask &= ~(1ull << (SIGUSR1 - 1) | 1ull << (SIGWINCH - 1));
	memcpy(&uc->uc_sigmask, &mask, sizeof(mask));
	if (fault && edits & EDIT_LEGACY)
		memset(x + XSAVE_SW, 0, 4);
	if (fault && edits & EDIT_BAD_FPU)
		x[XSAVE_MXCSR + 3] = 0x40;
	if (fault && edits & EDIT_NO_FPU)
		uc->uc_mcontext.fpregs = NULL;
	/* Else it is the kernel's version that says whether it counts. */
	if (edits & EDIT_STACK && uc->uc_stack.ss_flags & (int)SS_AUTODISARM)
		uc->uc_stack.ss_size -= 4096;
}

static void repair(ucontext_t *uc)
{
	uint8_t *x = fpu_of(uc);

	mprotect(now.pages, 3 * PAGE, PROT_READ | PROT_WRITE);
	if (x) {
		x[0] |= 0x3f;
		x[XSAVE_MXCSR] |= 0x80;
		x[XSAVE_MXCSR + 1] |= 0x1f;
	}
}

static void nest(const struct step *a)
{
	if (now.depth > DEPTH_MAX || now.handled > HANDLED_MAX)
		return;
	switch ((enum nested)a->arg[5]) {
	case NEST_TGKILL:
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), a->arg[6]);
		break;
	case NEST_KILL:
		kill(getpid(), (int)a->arg[6]);
		break;
	case NEST_FAULT:
		make_fault((unsigned int)a->arg[6], 2, a->arg[0]);
		break;
	case NEST_STACK:
		set_stack((enum alt)a->arg[6]);
		break;
	default:
		break;
	}
}

static void leave(ucontext_t *uc, const struct step *a, bool fault)
{
	enum way way = (enum way)a->arg[3];

	if (now.handled > HANDLED_MAX)
		way = WAY_JUMP;
	/* Nothing would be different. */
	if (fault && way == WAY_AGAIN && now.handled > 3)
		way = WAY_SKIP;
	if (fault && way == WAY_REPAIR && now.handled > 2)
		way = WAY_SKIP;
	if (way == WAY_JUMP || way == WAY_LEAVE) {
		flush();
		/* The one C library does it before the jump, the other behind.
		 */
		if (way == WAY_JUMP)
			mask_set(SIG_SETMASK, now.mask);
		siglongjmp(now.back, 1);
	}
	if (!fault)
		return;
	if (way == WAY_SKIP)
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)fault_over;
	else if (way == WAY_REPAIR)
		repair(uc);
}

/* Has the site been interrupted, or what a signal has found elsewhere? */
static bool is_fault(const ucontext_t *uc)
{
	uint64_t rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];

	return now.faulting &&
	       (rip - (uint64_t)fault_site[now.faulting - 1] < 64 ||
		rip == fault_addr);
}

static void handle(int sig, siginfo_t *si, ucontext_t *uc, uint64_t flags,
		   uint32_t mxcsr, uint16_t fcw)
{
	const struct step *a = &now.action[sig];
	const bool fault = is_fault(uc);
	const unsigned int faulting = now.faulting;

	now.handled++;
	now.depth++;
	say("  handler %d on %d flags %llx mxcsr %x fcw %x mask %llx", sig,
	    on_alt(&sig), (unsigned long long)flags & 0x40500, mxcsr, fcw,
	    (unsigned long long)mask_now());
	say_stack();
	say("\n   ");
	if (a->arg[1] & SA_SIGINFO)
		say_info(si, fault);
	say_context(uc, fault);
	say("\n");
	flush();
	now.faulting = 0;
	nest(a);
	now.faulting = faulting;
	edit(uc, a->arg[4], fault);
	now.depth--;
	leave(uc, a, fault);
	say("  back %d\n", sig);
	flush();
}

/* Every handler: the kernel gives all three arguments, whatever the flags. */
static void on_signal(int sig, siginfo_t *si, void *uc)
{
	uint64_t flags;
	uint32_t mxcsr;
	uint16_t fcw;

	__asm__ volatile("pushfq\n\tpopq %0\n\tpushq $2\n\tpopfq\n\t"
			 "stmxcsr %1\n\tfnstcw %2"
			 : "=r"(flags), "=m"(mxcsr), "=m"(fcw)
			 :
			 : "cc", "memory");
	handle(sig, si, uc, flags, mxcsr, fcw);
}

/* ---- steps -------------------------------------------------------------- */

static void set_action(const struct step *s)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = (int)s->arg[1] };

	memcpy(&sa.sa_mask, &s->arg[2], sizeof(s->arg[2]));
	now.action[s->arg[0]] = *s;
	if (sigaction((int)s->arg[0], &sa, NULL))
		say(" error %d", errno);
}

static void suspend(const struct step *s)
{
	uint64_t mask = s->arg[0] & ~(1ull << (s->arg[1] - 1));
	long r;

	mask_set(SIG_BLOCK, 1ull << (s->arg[1] - 1));
	/* What is ignored or does nothing would never end it. */
	signal((int)s->arg[1], SIG_DFL);
	set_action(&(struct step){ .arg = { s->arg[1] } });
	kill(getpid(), (int)s->arg[1]);
	flush();
	r = syscall(SYS_rt_sigsuspend, &mask, 8);
	say(" %ld error %d", r, errno);
}

static void wait_for(const struct step *s)
{
	struct timespec none = { 0 };
	uint64_t set = s->arg[0];
	siginfo_t si = { 0 };
	long r;

	mask_set(SIG_BLOCK, 1ull << (s->arg[1] - 1));
	kill(getpid(), (int)s->arg[1]);
	flush();
	r = syscall(SYS_rt_sigtimedwait, &set, &si, &none, 8);
	if (r < 0)
		say(" error %d", errno);
	else
		say(" %ld %d %d %d", r, si.si_signo, si.si_code,
		    si.si_pid == getpid());
}

static void set_fpu(uint32_t mxcsr, uint32_t fcw)
{
	uint16_t cw = (uint16_t)fcw;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(cw));
}

static void send(const struct step *s)
{
	siginfo_t si = { 0 };

	if (s->kind == STEP_tgkill) {
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), s->arg[0]);
	} else if (s->kind == STEP_kill) {
		kill(getpid(), (int)s->arg[0]);
	} else {
		si.si_code = SI_QUEUE;
		si.si_pid = getpid();
		si.si_uid = getuid();
		si.si_value.sival_ptr = (void *)s->arg[1];
		syscall(SYS_rt_sigqueueinfo, getpid(), s->arg[0], &si);
	}
}

/* A kernel does not mind, and leaves it to the program. */
static void aligned(void)
{
	static char text[32] = "  unaligned\n";
	uint64_t flags;
	long r;

	flush();
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() |
				       0x40000);
	r = syscall(SYS_write, 1, text + 1, 11);
	flags = __builtin_ia32_readeflags_u64();
	__builtin_ia32_writeeflags_u64(flags & ~0x40000ull);
	say("  %ld %llx", r, (unsigned long long)flags & 0x40000);
}

static void run_step(const struct step *s)
{
	uint64_t set = 0;

	switch (s->kind) {
	case STEP_action:
		set_action(s);
		break;
	case STEP_ignore:
	case STEP_reset:
		signal((int)s->arg[0],
		       s->kind == STEP_reset ? SIG_DFL : SIG_IGN);
		break;
	case STEP_stack:
		set_stack((enum alt)s->arg[0]);
		break;
	case STEP_block:
		mask_set(SIG_BLOCK, s->arg[0]);
		break;
	case STEP_unblock:
		mask_set(SIG_UNBLOCK, s->arg[0]);
		break;
	case STEP_mask:
		mask_set(SIG_SETMASK, s->arg[0]);
		break;
	case STEP_fpu:
		set_fpu((uint32_t)s->arg[0], (uint32_t)s->arg[1]);
		break;
	case STEP_tgkill:
	case STEP_kill:
	case STEP_queue:
		send(s);
		break;
	case STEP_fault:
		set_place((enum place)s->arg[1]);
		make_fault((unsigned int)s->arg[0], s->arg[2], s->arg[3]);
		break;
	case STEP_aligned:
		aligned();
		break;
	case STEP_pending:
		syscall(SYS_rt_sigpending, &set, 8);
		say(" %llx", (unsigned long long)set);
		break;
	case STEP_suspend:
		suspend(s);
		break;
	case STEP_wait:
		wait_for(s);
		break;
	default:
		break;
	}
}

static void say_state(void)
{
	uint64_t set = 0;
	uint32_t mxcsr;
	uint16_t fcw;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	syscall(SYS_rt_sigpending, &set, 8);
	say("  = mask %llx pending %llx mxcsr %x fcw %x",
	    (unsigned long long)mask_now(), (unsigned long long)set,
	    mxcsr & 0xffc0, fcw);
	say_stack();
	say("\n");
	flush();
}

static void one_step(const struct step *s)
{
	char line[256];
	volatile int jumped;

	script_line(line, sizeof(line), s);
	say("%s", line);
	flush();
	now.handled = now.depth = now.faulting = 0;
	now.mask = mask_now();
	jumped = sigsetjmp(now.back, 0);
	if (!jumped)
		run_step(s);
	else
		say("  jumped\n");
	now.depth = now.faulting = 0;
	close_pages();
	say_state();
}

/* As if nothing had ever been. */
static void reset(void)
{
	for (int s = 1; s <= SIGNALS; s++) {
		if (s == SIGKILL || s == SIGSTOP)
			continue;
		signal(s, SIG_IGN);
		signal(s, SIG_DFL);
	}
	mask_set(SIG_SETMASK, 0);
	set_stack(ALT_NONE);
	set_fpu(0x1f80, 0x37f);
	close_pages();
	fault_addr = (uint64_t)now.pages + PAGE;
}

static void run(const struct script *s)
{
	reset();
	for (unsigned int i = 0; i < s->count; i++)
		one_step(&s->step[i]);
}

static uint64_t has_avx(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low >> 2 & 1;
}

static uint8_t *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(3);
	memset(p, 1, size);
	return p;
}

static void print(uint64_t seed, uint64_t number)
{
	struct script s;
	char line[256];

	script_random(&s, seed, number);
	for (unsigned int i = 0; i < s.count; i++) {
		script_line(line, sizeof(line), &s.step[i]);
		fputs(line, stdout);
	}
}

static void prepare(const char *avx)
{
	now.avx = strtoull(avx, NULL, 0);
	now.pages = map(3 * PAGE);
	now.alt = map(ALT_SIZE + 8 * PAGE);
	/* What lies below ALT_CLOSED's last bytes, and ALT_RIGHTS. */
	mprotect(now.alt + ALT_SIZE + PAGE, PAGE, PROT_NONE);
	mprotect(now.alt + ALT_SIZE + 5 * PAGE, 2 * PAGE, PROT_READ);
}

int main(int argc, char **argv)
{
	struct script s;
	uint64_t n;

	if (argc == 2 && !strcmp(argv[1], "probe")) {
		printf("%d\n", (int)has_avx());
	} else if (argc == 4 && !strcmp(argv[1], "print")) {
		print(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	} else if (argc == 4 && !strcmp(argv[1], "script")) {
		prepare(argv[3]);
		if (!script_read(&s, argv[2]))
			return 2;
		run(&s);
	} else if (argc == 6 && !strcmp(argv[1], "run")) {
		prepare(argv[5]);
		n = strtoull(argv[3], NULL, 0);
		for (uint64_t i = 0; i < strtoull(argv[4], NULL, 0); i++) {
			script_random(&s, strtoull(argv[2], NULL, 0), n + i);
			say("script %lu\n", (unsigned long)(n + i));
			run(&s);
		}
		say("end\n");
		flush();
	} else {
		return 2;
	}
	return 0;
}

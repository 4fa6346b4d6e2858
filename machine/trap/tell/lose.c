/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loss of every enclave some time after the first INIT (fault lose@TIME),
 * as by a suspend: a thread of the machine's own sleeps and does it. It is a
 * bare clone with all signals blocked: no C library, no thread-local storage.
 */
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/tell/tell.h"

#define STACK 0x10000ul
#define SECOND 1000000000ull

static _Noreturn void later(void)
{
	uint64_t ns = machine.opt.inject.lose_ns;
	struct timespec ts = { .tv_sec = (time_t)(ns / SECOND),
			       .tv_nsec = (long)(ns % SECOND) };

	while (sys_call(SYS_nanosleep, (long)&ts, (long)&ts) < 0)
		;
	drv_lose_all(machine.d);
	for (;;)
		sys_call(SYS_exit, 0);
}

/* The child takes later() off its stack and calls it. */
static long spawn(void **top)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long ret;

	*--top = (void *)later;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "call *%%rax\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone),
			   "D"(CLONE_VM | CLONE_FS | CLONE_FILES |
			       CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM),
			   "S"(top), "d"(0), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

void lose_later(void)
{
	static long started; /* by the process: a fork ends the thread */
	long pid = sys_call(SYS_getpid);
	char *stack;

	if (!machine.opt.inject.lose_ns ||
	    __atomic_exchange_n(&started, pid, __ATOMIC_RELAXED) == pid)
		return;
	stack = sys_mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(stack) || spawn((void **)(stack + STACK)) < 0)
		sys_die("no thread to lose the enclaves with", NULL);
}

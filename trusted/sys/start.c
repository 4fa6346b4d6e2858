/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the runtime to main(): the heap, and the block of argc, argv, environ
 * and the auxiliary vector that a kernel would leave on the stack. Strings are
 * the host's and were copied and bounded by the runtime; the vector is all
 * ours, and its random bytes are the processor's.
 */
#include "trusted/elastic/heap.h"
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#include <elf.h>
#include <linux/auxvec.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

#define AUX_ENTRIES 16
#define RANDOM_SIZE 16
#define CLOCK_TICKS 100
/* Some tenths of a millisecond on any processor with SGX2. */
#define PRESSURE_TICKS 500000u

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*ldso)(void));
extern int program_main(int, char **, char **) __asm__("main");

static struct heap heap;
static bool heap_is_up;

struct heap *sys_heap(void)
{
	return &heap;
}

static edmm_err start_heap(void)
{
	const struct edmm_layout *l = rt_layout();
	const struct heap_params p = {
		.emm = rt_emm(),
		.base = rt_base() + l->heap_off,
		.size = rt_elastic() ? l->heap_bound : l->heap_init,
		.max = rt_params()->heap_max,
		.free_max = rt_params()->heap_free_max,
		.free_percent = rt_params()->heap_free_percent,
		.window = rt_params()->heap_window,
		.told = rt_stats_heap,
		.refused = rt_stats_refused,
		.init = l->heap_init,
		.fixed = !rt_elastic(),
		.show = rt_host_show,
		.wx = (l->flags & EDMM_LAYOUT_WX) != 0,
	};

	return heap_init(&heap, &p);
}

/* Appends an entry of the auxiliary vector. */
static uint64_t *put_aux(uint64_t *v, uint64_t type, uint64_t value)
{
	*v++ = type;
	*v++ = value;
	return v;
}

static void put_auxv(uint64_t *v, uint64_t name, uint64_t random)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)rt_base();

	v = put_aux(v, AT_PHDR, rt_base() + eh->e_phoff);
	v = put_aux(v, AT_PHENT, eh->e_phentsize);
	v = put_aux(v, AT_PHNUM, eh->e_phnum);
	v = put_aux(v, AT_ENTRY, rt_base() + eh->e_entry);
	v = put_aux(v, AT_PAGESZ, SGX_PAGE_SIZE);
	v = put_aux(v, AT_CLKTCK, CLOCK_TICKS);
	/* Equal and not set-id: the host's claim would mean nothing. */
	v = put_aux(v, AT_UID, 0);
	v = put_aux(v, AT_EUID, 0);
	v = put_aux(v, AT_GID, 0);
	v = put_aux(v, AT_EGID, 0);
	v = put_aux(v, AT_SECURE, 0);
	v = put_aux(v, AT_HWCAP, 0);
	v = put_aux(v, AT_RANDOM, random);
	v = put_aux(v, AT_MINSIGSTKSZ, sys_signal_stack_min());
	v = put_aux(v, AT_EXECFN, name);
	put_aux(v, AT_NULL, 0);
}

static char *put_strings(uint64_t *to, char *s, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		to[i] = (uint64_t)s;
		while (*s++ != '\0')
			;
	}
	to[count] = 0;
	return s;
}

static bool on_shortage(void)
{
	bool given;

	if (!heap_is_up)
		return false;
	sys_lock();
	given = heap_relieve(&heap);
	sys_unlock();
	return given;
}

/* The host's word when it was last looked at. */
static uint64_t pressure;

void sys_tick(void)
{
	static uint64_t looked;
	const uint64_t now = rt_tsc();
	uint32_t depth;

	if (!heap_is_up || !rt_elastic())
		return;
	/* To look costs little, and calls are many. */
	if (now == 0 || now - looked > PRESSURE_TICKS) {
		uint64_t said = rt_pressure();

		looked = now;
		if (said != pressure)
			heap_yield(&heap);
		__atomic_store_n(&pressure, said, __ATOMIC_RELAXED);
	}
	heap_tick(&heap, now);
	if (!rt_threads_due(now))
		return;
	depth = sys_lock_drop();
	rt_threads_decay();
	sys_lock_take(depth);
}

static bool on_grow(uint64_t addr)
{
	bool grown;

	if (!heap_is_up)
		return false;
	sys_lock();
	grown = sys_grow(addr);
	sys_unlock();
	return grown;
}

/* A thread that computes comes by here when it is interrupted. */
static void on_signals(struct rt_regs *r)
{
	if (heap_is_up &&
	    rt_pressure() != __atomic_load_n(&pressure, __ATOMIC_RELAXED)) {
		sys_lock();
		sys_tick();
		sys_unlock();
	}
	sys_signals(r);
}

const struct rt_hooks rt_hooks = {
	.call = sys_serve,
	.shortage = on_shortage,
	.grow = on_grow,
	.fault = sys_fault,
	.signals = on_signals,
};

int rt_main(const struct rt_args *args)
{
	size_t words = (size_t)args->argc + 1 + args->envc + 1;
	uint8_t random[RANDOM_SIZE];
	uint64_t *argv;
	char *s;

	if (start_heap() != 0)
		rt_abort(3, "the heap does not fit its address range");
	heap_is_up = true;
	sys_thread_begin();
	sys_outside_start();
	rt_random(random, sizeof(random));
	argv = __builtin_alloca((words + 2 * AUX_ENTRIES) * sizeof(*argv));
	s = put_strings(argv, args->block, args->argc);
	put_strings(argv + args->argc + 1, s, args->envc);
	proc_begin(args->argc > 0 ? args->block : "");
	put_auxv(argv + words, argv[0], (uint64_t)random);
	rt_stats_main();
	rt_runtime_leave();
	return __libc_start_main(program_main, (int)args->argc, (char **)argv,
				 NULL, NULL, NULL);
}

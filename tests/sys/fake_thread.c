/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the runtime, what threads want: there is one context, and no second. */

#include "trusted/sys/thread/task.h"

static _Alignas(64) uint8_t local[RT_LOCAL_SIZE];

void *rt_local(void)
{
	return local;
}

void *rt_local_of(uint32_t context)
{
	return context ? NULL : local;
}

uint32_t rt_contexts(void)
{
	return 1;
}

uint64_t fake_tsc, fake_clock_refused, fake_signals_refused;

uint64_t rt_tsc(void)
{
	return fake_tsc ? fake_tsc : __builtin_ia32_rdtsc();
}

void rt_stats_signals(uint64_t refused)
{
	fake_signals_refused = refused;
}

void rt_stats_clock(uint64_t refused, uint64_t ns)
{
	fake_clock_refused = refused;
	(void)ns;
}

void rt_look_for_end(void)
{
}

int rt_thread_take(void)
{
	return -EDMM_EAGAIN;
}

int rt_thread_make(void)
{
	return -EDMM_EAGAIN;
}

void rt_threads_trim(void)
{
}

void rt_stats_threads_refused(uint32_t threads)
{
	(void)threads;
}

struct rt_regs *rt_thread_regs(uint32_t context)
{
	(void)context;
	__builtin_trap();
}

edmm_err rt_thread_start(uint32_t context)
{
	(void)context;
	__builtin_trap();
}

void rt_thread_drop(uint32_t context)
{
	(void)context;
	__builtin_trap();
}

void rt_thread_end(int unpark)
{
	(void)unpark;
	__builtin_trap();
}

void rt_abort(unsigned int invariant, const char *text)
{
	(void)invariant;
	(void)text;
	__builtin_trap();
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process in numbers. Resident are the image and the pages that the memory
 * manager has in use, also for contexts and the heap's own records; idle ones
 * are free memory. Peaks are kept by those who count: the heap that of
 * addresses, the manager that of pages.
 */
#include "trusted/sys/proc/proc.h"

#include <linux/times.h>

#include "edmm/emm.h"
#include "trusted/elastic/heap.h"
#include "trusted/sys/memory/memory.h"
#include "trusted/sys/thread/task.h"

#define KIB 1024u
#define CALL(nr, ...) \
	host_number(CALL_##nr, (const uint64_t[WIRE_CALL_ARGS]){ __VA_ARGS__ })

/* A number that only the host knows; 0 where it does not say. */
static uint64_t host_number(enum call_nr nr, const uint64_t *a)
{
	const long r = sys_call(nr, a);

	return r < 0 ? 0 : (uint64_t)r;
}

struct sizes {
	struct proc_sum sum;
	uint64_t size, size_peak;
	uint64_t rss, rss_peak;
	uint64_t tables;
};

static void measure(struct sizes *s)
{
	struct emm_stats e;
	uint64_t heap, peak, fixed;

	proc_sum_up(&s->sum);
	emm_stats_get(rt_emm(), &e);
	heap_mapped(sys_heap(), &heap, &peak);
	fixed = s->sum.image + s->sum.stack;
	s->size = fixed + heap;
	s->size_peak = fixed + peak;
	s->rss = s->sum.image + e.committed;
	s->rss_peak = s->sum.image + e.used_peak;
	s->tables = e.meta_pool;
}

static const struct sys_thread *thread_at(uint32_t tid)
{
	uint32_t context;

	return sys_thread_of(tid, &context);
}

/* The process is known by its first thread, if that has not ended. */
static const struct sys_thread *thread_of(uint32_t tid)
{
	const struct sys_thread *t = thread_at(tid ? tid : 1);

	return t ? t : sys_self();
}

static void put_name(struct proc_text *t, const struct sys_thread *th)
{
	char name[SYS_NAME_SIZE + 1] = { 0 };

	__builtin_memcpy(name, th->name, SYS_NAME_SIZE);
	text_name(t, name);
}

static void put_number(struct proc_text *t, const char *label, uint64_t v)
{
	text_str(t, label);
	text_str(t, ":\t");
	text_dec(t, v, 0);
	text_char(t, '\n');
}

static void put_kib(struct proc_text *t, const char *label, uint64_t bytes)
{
	text_str(t, label);
	text_str(t, ":\t");
	text_dec(t, bytes / KIB, 8);
	text_str(t, " kB\n");
}

static void put_set(struct proc_text *t, const char *label, uint64_t set)
{
	text_str(t, label);
	text_str(t, ":\t");
	text_hex(t, set, 16);
	text_char(t, '\n');
}

static void put_ids(struct proc_text *t, const char *label, uint64_t real,
		    uint64_t now)
{
	text_str(t, label);
	for (int i = 0; i < 4; i++) {
		text_char(t, '\t');
		text_dec(t, i == 0 ? real : now, 0);
	}
	text_char(t, '\n');
}

static uint64_t threads(void)
{
	uint32_t context = 0;
	uint64_t n = 0;

	while (sys_thread_next(&context))
		n++;
	return n;
}

struct signals {
	uint64_t mine, shared, ignored, caught;
};

static struct signals signals_of(const struct sys_thread *th)
{
	struct signals s = { .mine = th->pending };
	uint64_t all = 0;
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)&all, sizeof(all) };

	if (sys_rt_sigpending(a) == 0)
		s.shared = all & ~sys_self()->pending;
	for (int i = 1; i <= 64; i++) {
		const uint64_t handler = sys_action_of(i)->handler;

		if (handler == SYS_SIG_IGN)
			s.ignored |= 1ull << (i - 1);
		else if (handler > SYS_SIG_IGN)
			s.caught |= 1ull << (i - 1);
	}
	return s;
}

static void put_identity(struct proc_text *t, uint32_t tid)
{
	const uint64_t pid = CALL(getpid, 0);

	text_str(t, "Name:\t");
	put_name(t, thread_of(tid));
	text_str(t, "\nState:\tR (running)\n");
	put_number(t, "Tgid", pid);
	put_number(t, "Ngid", 0);
	put_number(t, "Pid", tid ? tid : pid);
	put_number(t, "PPid", CALL(getppid, 0));
	put_number(t, "TracerPid", 0);
	put_ids(t, "Uid:", CALL(getuid, 0), CALL(geteuid, 0));
	put_ids(t, "Gid:", CALL(getgid, 0), CALL(getegid, 0));
	put_number(t, "FDSize", CALL_FD_MAX);
	text_str(t, "Groups:\t \n");
}

static void put_memory(struct proc_text *t)
{
	struct sizes s;

	measure(&s);
	put_kib(t, "VmPeak", s.size_peak);
	put_kib(t, "VmSize", s.size);
	put_kib(t, "VmLck", s.sum.locked);
	put_kib(t, "VmPin", 0);
	put_kib(t, "VmHWM", s.rss_peak);
	put_kib(t, "VmRSS", s.rss);
	put_kib(t, "RssAnon", s.rss - s.sum.clean);
	put_kib(t, "RssFile", s.sum.clean);
	put_kib(t, "RssShmem", 0);
	put_kib(t, "VmData", s.sum.data);
	put_kib(t, "VmStk", s.sum.stack);
	put_kib(t, "VmExe", s.sum.code);
	put_kib(t, "VmLib", 0);
	put_kib(t, "VmPTE", s.tables);
	put_kib(t, "VmSwap", 0);
}

static void put_signals(struct proc_text *t, const struct sys_thread *th)
{
	const struct signals s = signals_of(th);

	put_set(t, "SigPnd", s.mine);
	put_set(t, "ShdPnd", s.shared);
	put_set(t, "SigBlk", th->blocked);
	put_set(t, "SigIgn", s.ignored);
	put_set(t, "SigCgt", s.caught);
}

void proc_status(struct proc_text *t, uint32_t tid)
{
	put_identity(t, tid);
	put_memory(t);
	put_number(t, "CoreDumping", 0);
	put_number(t, "THP_enabled", 0);
	put_number(t, "Threads", threads());
	text_str(t, "SigQ:\t0/0\n");
	put_signals(t, thread_of(tid));
	for (int i = 0; i < 5; i++) {
		static const char *const sets[] = { "CapInh", "CapPrm",
						    "CapEff", "CapBnd",
						    "CapAmb" };

		put_set(t, sets[i], 0);
	}
	put_number(t, "NoNewPrivs", 0);
	put_number(t, "Seccomp", 0);
	text_str(t, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n"
		    "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
	put_number(t, "voluntary_ctxt_switches", 0);
	put_number(t, "nonvoluntary_ctxt_switches", 0);
}

void proc_statm(struct proc_text *t)
{
	struct sizes s;

	measure(&s);
	text_dec(t, s.size / MEM_PAGE, 0);
	text_char(t, ' ');
	text_dec(t, s.rss / MEM_PAGE, 0);
	text_char(t, ' ');
	text_dec(t, s.sum.clean / MEM_PAGE, 0);
	text_char(t, ' ');
	text_dec(t, s.sum.code / MEM_PAGE, 0);
	text_str(t, " 0 ");
	text_dec(t, (s.sum.data + s.sum.stack) / MEM_PAGE, 0);
	text_str(t, " 0\n");
}

void proc_comm(struct proc_text *t, uint32_t tid)
{
	put_name(t, thread_of(tid));
	text_char(t, '\n');
}

/* Fields of /proc/PID/stat by their numbers in proc(5), from 4 on. */
#define STAT_FIRST 4
#define STAT_LAST 52

static void fill_stat(uint64_t *f, uint32_t tid)
{
	const struct sys_thread *th = thread_of(tid);
	const struct signals s = signals_of(th);
	struct sizes z;
	struct tms used = { 0 };
	const uint64_t a[WIRE_CALL_ARGS] = { (uint64_t)&used };

	measure(&z);
	(void)host_number(CALL_times, a);
	f[4] = CALL(getppid, 0);
	f[5] = f[6] = CALL(getpgrp, 0);
	f[14] = (uint64_t)used.tms_utime;
	f[15] = (uint64_t)used.tms_stime;
	f[18] = 20;
	f[20] = threads();
	f[23] = z.size;
	f[24] = z.rss / MEM_PAGE;
	f[25] = UINT64_MAX;
	f[26] = rt_base();
	f[27] = rt_base() + z.sum.code;
	f[28] = rt_stack_high();
	f[31] = s.mine;
	f[32] = th->blocked;
	f[33] = s.ignored;
	f[34] = s.caught;
	f[38] = 17; /* SIGCHLD */
	f[47] = sys_heap()->brk_base;
}

void proc_stat(struct proc_text *t, uint32_t tid)
{
	uint64_t f[STAT_LAST + 1] = { 0 };

	fill_stat(f, tid);
	text_dec(t, tid ? tid : CALL(getpid, 0), 0);
	text_str(t, " (");
	put_name(t, thread_of(tid));
	text_str(t, ") R");
	for (int i = STAT_FIRST; i <= STAT_LAST; i++) {
		text_char(t, ' ');
		if (i == 8) /* no terminal's group */
			text_str(t, "-1");
		else
			text_dec(t, f[i], 0);
	}
	text_char(t, '\n');
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is, and how much of it the program may have. */
#include "trusted/sys/proc/proc.h"

#include <linux/resource.h>

#include "edmm/emm.h"
#include "trusted/elastic/heap.h"

static void put_limit(struct proc_text *t, uint64_t v)
{
	const uint64_t from = t->size;

	if (v == RLIM64_INFINITY)
		text_str(t, "unlimited");
	else
		text_dec(t, v, 0);
	text_pad(t, from, 21);
}

static const struct {
	const char *name;
	const char *unit;
} limits[] = {
	[RLIMIT_CPU] = { "Max cpu time", "seconds" },
	[RLIMIT_FSIZE] = { "Max file size", "bytes" },
	[RLIMIT_DATA] = { "Max data size", "bytes" },
	[RLIMIT_STACK] = { "Max stack size", "bytes" },
	[RLIMIT_CORE] = { "Max core file size", "bytes" },
	[RLIMIT_RSS] = { "Max resident set", "bytes" },
	[RLIMIT_NPROC] = { "Max processes", "processes" },
	[RLIMIT_NOFILE] = { "Max open files", "files" },
	[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
	[RLIMIT_AS] = { "Max address space", "bytes" },
	[RLIMIT_LOCKS] = { "Max file locks", "locks" },
	[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
	[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
	[RLIMIT_NICE] = { "Max nice priority", "" },
	[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
	[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

void proc_limits(struct proc_text *t)
{
	struct rlimit64 v;
	uint64_t from;

	text_str(t, "Limit                     Soft Limit           "
		    "Hard Limit           Units     \n");
	for (uint64_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const uint64_t a[WIRE_CALL_ARGS] = { i, (uint64_t)&v };

		if (sys_getrlimit(a) != 0)
			continue;
		from = t->size;
		text_str(t, limits[i].name);
		text_pad(t, from, 26);
		put_limit(t, v.rlim_cur);
		put_limit(t, v.rlim_max);
		from = t->size;
		text_str(t, limits[i].unit);
		text_pad(t, from, 10);
		text_char(t, '\n');
	}
}

/* Memory is what the heap may have, and the image, which is always there. */
void proc_meminfo(struct proc_text *t)
{
	const struct heap *h = sys_heap();
	const uint64_t left = h->max > h->charged ? h->max - h->charged : 0;
	struct emm_stats e;
	struct proc_sum s;

	emm_stats_get(rt_emm(), &e);
	proc_sum_up(&s);
	text_kib(t, "MemTotal", h->max + s.image);
	text_kib(t, "MemFree", left);
	text_kib(t, "MemAvailable", left);
	text_kib(t, "Buffers", 0);
	text_kib(t, "Cached", 0);
	text_kib(t, "SwapCached", 0);
	text_kib(t, "Active", e.committed);
	text_kib(t, "Inactive", e.idle);
	text_kib(t, "Mlocked", s.locked);
	text_kib(t, "SwapTotal", 0);
	text_kib(t, "SwapFree", 0);
	text_kib(t, "Dirty", 0);
	text_kib(t, "Writeback", 0);
	text_kib(t, "AnonPages", e.committed);
	text_kib(t, "Mapped", s.clean);
	text_kib(t, "Shmem", 0);
	text_kib(t, "Slab", e.meta_used);
	text_kib(t, "SReclaimable", 0);
	text_kib(t, "SUnreclaim", e.meta_used);
	text_kib(t, "PageTables", e.meta_pool);
	text_kib(t, "CommitLimit", h->max);
	text_kib(t, "Committed_AS", h->charged);
	text_str(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
		    "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		    "Hugepagesize:       2048 kB\n");
}

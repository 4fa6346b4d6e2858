/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is, and how much of it the program may have. */
#include "trusted/sys/proc/proc.h"

#include <linux/resource.h>

#include "edmm/emm.h"
#include "trusted/elastic/heap.h"

#define KIB 1024u
#define LABEL_WIDTH 16u

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

static void put_size(struct proc_text *t, const char *label, uint64_t bytes)
{
	const uint64_t from = t->size;

	text_str(t, label);
	text_char(t, ':');
	text_pad(t, from, LABEL_WIDTH);
	text_dec(t, bytes / KIB,
		 (uint32_t)(LABEL_WIDTH + 8 - (t->size - from)));
	text_str(t, " kB\n");
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
	put_size(t, "MemTotal", h->max + s.image);
	put_size(t, "MemFree", left);
	put_size(t, "MemAvailable", left);
	put_size(t, "Buffers", 0);
	put_size(t, "Cached", 0);
	put_size(t, "SwapCached", 0);
	put_size(t, "Active", e.committed);
	put_size(t, "Inactive", e.idle);
	put_size(t, "Mlocked", s.locked);
	put_size(t, "SwapTotal", 0);
	put_size(t, "SwapFree", 0);
	put_size(t, "Dirty", 0);
	put_size(t, "Writeback", 0);
	put_size(t, "AnonPages", e.committed);
	put_size(t, "Mapped", s.clean);
	put_size(t, "Shmem", 0);
	put_size(t, "Slab", e.meta_used);
	put_size(t, "SReclaimable", 0);
	put_size(t, "SUnreclaim", e.meta_used);
	put_size(t, "PageTables", e.meta_pool);
	put_size(t, "CommitLimit", h->max);
	put_size(t, "Committed_AS", h->charged);
	text_str(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
		    "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		    "Hugepagesize:       2048 kB\n");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The start of the machine, what the driver needs of the front end, and forks.
 */

#include <cpuid.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <edmm/machine.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/calls/handle.h"
#include "machine/trap/enclave/guard.h"
#include "machine/trap/enclave/step.h"
#include "machine/trap/enclave/trap.h"
#include "machine/trap/enclave/view.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/start/start.h"
#include "machine/trap/tell/tell.h"

#define MXCSR_MASK_DEFAULT 0xffbfu
#define MXCSR_MASK_OFFSET 28

static void *hook_alloc(void *ctx, size_t size)
{
	void *p =
		sys_mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)ctx;
	return sys_failed(p) ? NULL : p;
}

static int hook_copy_in(void *ctx, void *dst, uint64_t src, size_t size)
{
	(void)ctx;
	return ucopy(dst, (const void *)src, size) ? -EFAULT : 0;
}

static int hook_copy_out(void *ctx, uint64_t dst, const void *src, size_t size)
{
	(void)ctx;
	return ucopy((void *)dst, src, size) ? -EFAULT : 0;
}

static bool hook_mapped(void *ctx, uint64_t addr)
{
	char c;

	(void)ctx;
	return !ucopy(&c, (const void *)addr, 1);
}

struct each {
	void (*fn)(void *arg, struct mach_cpu *cpu);
	void *arg;
};

static void each_thread(void *arg, struct thread *t)
{
	struct each *e = arg;

	e->fn(e->arg, &t->cpu);
}

static void hook_each_cpu(void *ctx,
			  void (*fn)(void *arg, struct mach_cpu *cpu),
			  void *arg)
{
	struct each e = { fn, arg };

	(void)ctx;
	thread_each(each_thread, &e);
}

static void hook_kick(void *ctx, struct mach_cpu *cpu)
{
	struct thread *t = (void *)((char *)cpu - offsetof(struct thread, cpu));

	(void)ctx;
	/* The caller's own handler looks at it before it returns. */
	if (thread_on_stack(__builtin_frame_address(0)) != t)
		sig_kick(t->tid);
}

static void hook_pause(void *ctx)
{
	const struct timespec t = { 0, 20000 };

	(void)ctx;
	sys_call(SYS_nanosleep, (long)&t, 0);
}

static void hook_why(void *ctx, const char *what, const char *text)
{
	(void)ctx;
	sys_err("edmm: machine: ");
	sys_err(what);
	sys_err(" refuses: ");
	sys_err(text);
	sys_err("\n");
}

static void hook_refused(void *ctx)
{
	(void)ctx;
	sys_err("edmm: the enclave is signed for production (edmm sign "
		"--production "
		"puts that mark of edmm's into SIGSTRUCT.SWDEFINED; no "
		"processor "
		"reads it): it trusts its host not to look inside, which the "
		"software machine does not prevent, so INIT is EPERM; "
		"--allow-production takes it all the same\n");
}

static bool hook_signal_pending(void *ctx)
{
	(void)ctx;
	return false;
}

static void hook_wait(void *ctx, uint32_t *word, uint32_t value)
{
	(void)ctx;
	sys_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0);
}

static void hook_wake(void *ctx, uint32_t *word)
{
	(void)ctx;
	sys_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1);
}

/* XCR0, and where its components lie, are this processor's. */
static void config_xsave(struct mach_config *c, uint64_t off)
{
	uint32_t lo, hi, a, b, cx, d;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	c->xfrm = ((uint64_t)hi << 32 | lo) & ~off;
	memset(c->xcomp, 0, sizeof(c->xcomp));
	for (uint32_t i = 2; i < MACH_XCOMPS; i++) {
		if (!(c->xfrm >> i & 1))
			continue;
		__cpuid_count(0xd, i, a, b, cx, d);
		c->xcomp[i].size = a;
		c->xcomp[i].off = b;
	}
}

static uint32_t mxcsr_mask(void)
{
	uint8_t fx[512] __attribute__((aligned(16)));
	uint32_t mask;

	__asm__ volatile("fxsave64 %0" : "=m"(fx));
	memcpy(&mask, fx + MXCSR_MASK_OFFSET, 4);
	return mask ? mask : MXCSR_MASK_DEFAULT;
}

/* splitmix64: the machine's fuses from a seed. */
static void fill(uint64_t *state, void *out, size_t size)
{
	uint8_t *p = out;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t z = *state += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		z ^= z >> 31;
		memcpy(p + i, &z, 8);
	}
}

static void config_keys(struct mach_config *c, uint64_t seed)
{
	fill(&seed, c->secret, sizeof(c->secret));
	fill(&seed, c->owner_epoch, sizeof(c->owner_epoch));
	fill(&seed, c->report_keyid, sizeof(c->report_keyid));
}

static void config_make(struct drv_config *c, const struct machine_options *o)
{
	mach_config_default(&c->mach);
	c->mach.arena = false;
	c->mach.zeroed = true;
	c->mach.epc_pages = (uint32_t)(o->epc / SGX_PAGE_SIZE);
	c->mach.features = o->features;
	c->mach.mxcsr_mask = mxcsr_mask();
	config_xsave(&c->mach, o->xfrm_off);
	config_keys(&c->mach, o->seed);
	c->has_quota = o->quota / SGX_PAGE_SIZE < c->mach.epc_pages;
	c->quota = (uint32_t)(o->quota / SGX_PAGE_SIZE);
	c->inject = o->inject;
	c->production = o->production;
	c->stale = o->stale;
}

static struct drv_config config;

static void driver_start(void)
{
	struct drv_hooks p = {
		.alloc = hook_alloc,
		.create = handle_create,
		.destroy = handle_destroy,
		.view = view_set,
		.discard = handle_discard,
		.copy_in = hook_copy_in,
		.copy_out = hook_copy_out,
		.mapped = hook_mapped,
		.each_cpu = hook_each_cpu,
		.kick = hook_kick,
		.pause = hook_pause,
		.signal_pending = hook_signal_pending,
		.refused = hook_refused,
		.wait = hook_wait,
		.wake = hook_wake,
	};
	size_t size = drv_size(&config);
	void *mem = size ? hook_alloc(NULL, size) : NULL;

	if (machine.opt.why)
		p.why = hook_why;
	if (*machine.opt.trace)
		p.trace = trace_sink;
	machine.d = mem ? drv_init(mem, &config, &p) : NULL;
	if (!machine.d)
		sys_die("no memory for the EPC's metadata", NULL);
	machine.m = drv_mach(machine.d);
}

static void machine_thread_gone(struct thread *t)
{
	uint64_t mask = sig_block();

	timer_gone(t);
	drv_lock(machine.d);
	stats_retire(t);
	thread_hide(t);
	drv_unlock(machine.d);
	sig_unblock(mask);
}

/*
 * The parent's enclaves are its own: here their mappings are made of nothing,
 * their files fail with EIO, and a machine without enclaves takes over. What
 * the driver held at the fork, its lock perhaps too, is left behind.
 */
static void machine_after_fork(void)
{
	struct drv_vma v;
	uint64_t at = 0;

	fork_seen();
	thread_after_fork();
	while (drv_find_vma(machine.d, at, &v)) {
		sys_mmap((void *)v.start, v.end - v.start, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED,
			 -1, 0);
		at = v.end;
	}
	handle_after_fork();
	machine.used = false;
	trace_after_fork();
	stats_after_fork();
	driver_start();
	step_init();
	sites_after_fork();
	view_init();
	strict_after_fork();
}

/* As machine_after_fork(), but that nothing is lost. */
static void machine_copied(struct thread *t)
{
	fork_seen();
	thread_copied(t);
	guard_arm(t);
	trace_after_fork();
	view_init();
	handle_copied();
}

static long machine_copy(struct thread *t)
{
	long r = -ENOMEM;

	drv_lock(machine.d);
	if (handle_copy())
		r = sys_call(SYS_clone, 0, 0, 0, 0, 0);
	if (!r)
		machine_copied(t);
	handle_copy_end();
	drv_unlock(machine.d);
	return r;
}

void machine_init(const struct machine_options *o)
{
	machine.opt = *o;
	machine.watched = *o->trace || *o->step || o->strict;
	config_make(&config, o);
	driver_start();
	view_init();
	strict_init();
	fork_init();
	machine.after_fork = machine_after_fork;
	machine.copy = machine_copy;
	machine.thread_gone = machine_thread_gone;
}

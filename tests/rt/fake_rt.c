/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/rt/fake_rt.h"

uint64_t fake_base;
struct edmm_layout fake_layout;

uint32_t rt_dead;
jmp_buf fake_muted;

void rt_mute(void)
{
	longjmp(fake_muted, 1);
}

uint64_t rt_base(void)
{
	return fake_base;
}

const struct edmm_layout *rt_layout(void)
{
	return &fake_layout;
}

void fake_elrange(uint64_t size)
{
	uint64_t p = (uint64_t)mmap(NULL, 2 * size, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				    -1, 0);

	fake_base = (p + size - 1) & ~(size - 1);
	fake_layout.elrange_size = size;
}

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	mcontext_t *m = &((ucontext_t *)uc)->uc_mcontext;
	const struct rt_fixup *f = rt_fixup_find((uint64_t)m->gregs[REG_RIP]);

	(void)si;
	if (!f)
		abort();
	m->gregs[REG_RIP] = (greg_t)rt_fixup_target(f);
	m->gregs[REG_RAX] = sig == SIGSEGV ? -EDMM_EFAULT : -EDMM_EINVAL;
}

void fake_fixups(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

void fake_layout_good(struct edmm_layout *l)
{
	*l = (struct edmm_layout){
		.magic = EDMM_LAYOUT_MAGIC,
		.version = EDMM_LAYOUT_VERSION,
		.flags = EDMM_LAYOUT_ELASTIC,
		.elrange_size = 1ull << 30,
		.image_size = 0x20000,
		.ssa_frame_pages = 3,
		.nssa = 3,
		.ctx_off = 0x21000,
		.ctx_stride = 0x20000,
		.ctx_count = 2,
		.ctx_ssa = 0x1000,
		.ctx_thread = 0xa000,
		.ctx_thread_size = 0x1000,
		.ctx_xstack = 0xc000,
		.ctx_xstack_size = 0xa000,
		.stack_off = 0x62000,
		.stack_size = 0x800000,
		.stack_init = 0x10000,
		.meta_off = 0x863000,
		.meta_size = 0x100000,
		.meta_init = 0x10000,
		.heap_off = 0x970000,
		.heap_bound = (1ull << 30) - 0x970000 - 0x80000,
		.heap_init = 0x200000,
		.made_off = (1ull << 30) - 0x80000,
		.made_count = 4,
		.ctx_sys = 0x17000,
		.ctx_sys_size = 0x4000,
	};
}

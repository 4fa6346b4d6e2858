/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/elastic/mini.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <check.h>

#define META_SIZE (16u << 20)

enum state {
	ABSENT,
	PENDING,
	COMMITTED,
	TRIM,
	TRIMMED
};

static struct {
	uint8_t *range;
	uint8_t *meta;
	uint8_t *state;	 /* enum state a page */
	uint8_t *loaded; /* pages that can never execute */
	uint64_t size;
	uint64_t epc;
	struct mini_counts n;
	struct emm *emm;
	struct heap heap;
	sigjmp_buf probe;
	volatile sig_atomic_t probing;
	bool refuses;
	uint64_t trims; /* pages that the host still takes back */
} mini;

static uint8_t *state_of(uint64_t addr)
{
	return &mini.state[(addr - (uint64_t)mini.range) / MINI_PAGE];
}

static bool in_range(uint64_t addr)
{
	return addr - (uint64_t)mini.range < mini.size;
}

static void access_to(uint64_t addr, int prot)
{
	if (mprotect((void *)addr, MINI_PAGE, prot) != 0)
		abort();
}

static bool add_page(uint64_t addr)
{
	if (*state_of(addr) != ABSENT)
		return true;
	if (mini.n.present >= mini.epc)
		return false;
	*state_of(addr) = PENDING;
	mini.n.present++;
	mini.n.added++;
	return true;
}

static int eaccept(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	uint8_t *s;

	(void)ctx;
	if (!in_range(addr))
		return 0; /* metadata is always there */
	if (mini.refuses)
		return EMM_LEAF_PF;
	if (!add_page(addr))
		return EMM_LEAF_PF;
	s = state_of(addr);
	if (si->flags & SGX_SECINFO_PENDING) {
		if (*s != PENDING)
			return SGX_PAGE_ATTRIBUTES_MISMATCH;
		access_to(addr, PROT_READ | PROT_WRITE);
		memset((void *)addr, 0, MINI_PAGE);
		*s = COMMITTED;
	} else if ((si->flags & SGX_SECINFO_PT_MASK) ==
		   SGX_SECINFO_PT(SGX_PT_TRIM)) {
		if (*s != TRIM)
			return SGX_PAGE_ATTRIBUTES_MISMATCH;
		*s = TRIMMED;
	} else {
		access_to(addr, (int)(si->flags & SGX_SECINFO_RWX));
	}
	return 0;
}

static int emodpe(void *ctx, const struct sgx_secinfo *si, uint64_t addr)
{
	(void)ctx;
	if (mini.refuses || (in_range(addr) && *state_of(addr) != COMMITTED))
		return EMM_LEAF_PF;
	access_to(addr, (int)(si->flags & SGX_SECINFO_RWX));
	return 0;
}

static int eacceptcopy(void *ctx, const struct sgx_secinfo *si, uint64_t addr,
		       uint64_t src)
{
	uint8_t *s = state_of(addr);

	(void)ctx;
	if (!add_page(addr))
		return EMM_LEAF_PF;
	if (*s != PENDING)
		return SGX_PAGE_ATTRIBUTES_MISMATCH;
	access_to(addr, PROT_READ | PROT_WRITE);
	memcpy((void *)addr, (const void *)src, MINI_PAGE);
	access_to(addr, (int)(si->flags & SGX_SECINFO_RWX));
	*s = COMMITTED;
	return 0;
}

static bool some_loaded(const struct emm_modify *m)
{
	uint64_t at = (m->addr - (uint64_t)mini.range) / MINI_PAGE;

	return in_range(m->addr) &&
	       memchr(mini.loaded + at, 1, m->size / MINI_PAGE);
}

static int modify(void *ctx, const struct emm_modify *m)
{
	uint64_t addr;

	(void)ctx;
	mini.n.host_calls++;
	if (mini.refuses || (m->to & EMM_X && some_loaded(m)))
		return -EDMM_EIO;
	for (addr = m->addr; addr < m->addr + m->size; addr += MINI_PAGE) {
		uint8_t *s = state_of(addr);

		switch (m->op) {
		case EMM_HOST_TO_TRIM:
			if (!mini.trims)
				return -EDMM_EIO;
			mini.trims--;
			access_to(addr, PROT_NONE);
			*s = TRIM;
			break;
		case EMM_HOST_REMOVE:
			ck_assert_uint_eq(*s, TRIMMED);
			*s = ABSENT;
			mini.loaded[s - mini.state] = 0;
			mini.n.present--;
			mini.n.trimmed++;
			break;
		default:
			break;
		}
	}
	return 0;
}

static int populate(void *ctx, uint64_t addr, uint64_t size)
{
	uint64_t at;

	(void)ctx;
	mini.n.host_calls++;
	for (at = addr; at < addr + size; at += MINI_PAGE)
		if (in_range(at) && !add_page(at))
			return -EDMM_ENOMEM;
	return 0;
}

static void on_segv(int signo, siginfo_t *si, void *uc)
{
	uint64_t addr = (uint64_t)si->si_addr;
	bool write = (((ucontext_t *)uc)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
	struct sgx_exinfo info = {
		.maddr = addr & ~(MINI_PAGE - 1),
		.errcd = SGX_PFEC_U | (write ? SGX_PFEC_W : 0),
	};

	mini.n.faults++;
	if (in_range(addr)) {
		if (*state_of(addr) != ABSENT)
			info.errcd |= SGX_PFEC_P;
		if (emm_fault(mini.emm, &info) == EMM_FAULT_CONTINUE)
			return;
	}
	if (mini.probing)
		siglongjmp(mini.probe, 1);
	signal(signo, SIG_DFL);
}

bool mini_readable(uint64_t addr)
{
	mini.probing = 1;
	if (sigsetjmp(mini.probe, 1) != 0) {
		mini.probing = 0;
		return false;
	}
	(void)*(volatile uint8_t *)addr;
	mini.probing = 0;
	return true;
}

static void *get(uint64_t size, int prot)
{
	void *p = mmap(NULL, size, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

struct heap *mini_start(uint64_t size, uint64_t max, uint64_t free_max,
			uint64_t epc)
{
	const struct heap_params want = { .size = size,
					  .max = max,
					  .free_max = free_max,
					  .free_percent = UINT64_MAX };

	return mini_start_with(&want, epc);
}

struct heap *mini_start_with(const struct heap_params *want, uint64_t epc)
{
	static const struct emm_hooks hooks = {
		.eaccept = eaccept,
		.emodpe = emodpe,
		.eacceptcopy = eacceptcopy,
		.modify = modify,
		.populate = populate,
	};
	struct sigaction act = { .sa_sigaction = on_segv,
				 .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct heap_params hp = *want;
	uint64_t size = want->size;
	struct emm_params p = { .size = size,
				.user_size = size,
				.meta_size = META_SIZE,
				.meta_init = META_SIZE };

	memset(&mini, 0, sizeof(mini));
	mini.size = size;
	mini.epc = epc;
	mini.trims = UINT64_MAX;
	mini.range = get(size, PROT_NONE);
	mini.meta = get(META_SIZE, PROT_READ | PROT_WRITE);
	mini.state = get(size / MINI_PAGE, PROT_READ | PROT_WRITE);
	mini.loaded = get(size / MINI_PAGE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &act, NULL);
	p.base = p.user_base = (uint64_t)mini.range;
	p.meta_base = mini.meta;
	ck_assert_int_eq(emm_init(&p, &hooks, &mini.emm), 0);
	hp.emm = mini.emm;
	hp.base = (uint64_t)mini.range;
	ck_assert_int_eq(heap_init(&mini.heap, &hp), 0);
	return &mini.heap;
}

void mini_stop(void)
{
	const char *bad = emm_check(mini.emm);

	ck_assert_msg(!bad, "the memory manager: %s", bad);
	signal(SIGSEGV, SIG_DFL);
	munmap(mini.range, mini.size);
	munmap(mini.meta, META_SIZE);
	munmap(mini.state, mini.size / MINI_PAGE);
	munmap(mini.loaded, mini.size / MINI_PAGE);
}

void mini_refuse(bool on)
{
	mini.refuses = on;
}

void mini_load(uint64_t addr, uint64_t size)
{
	memset(mini.loaded + (addr - (uint64_t)mini.range) / MINI_PAGE, 1,
	       size / MINI_PAGE);
}

void mini_trims(uint64_t pages)
{
	mini.trims = pages;
}

struct mini_counts mini_counts(void)
{
	return mini.n;
}

/* What the heap takes of the runtime; one thread. */
void rt_lock(struct rt_lock *l)
{
	ck_assert_uint_eq(l->owner, 0);
	l->owner = 1;
}

void rt_unlock(struct rt_lock *l)
{
	ck_assert_uint_eq(l->owner, 1);
	l->owner = 0;
}

void rt_abort_host(const char *text)
{
	ck_abort_msg("%s", text);
	abort();
}

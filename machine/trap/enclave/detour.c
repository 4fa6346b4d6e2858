/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See detour.h. A few instructions before the one that traps are copied, back
 * to the first that has room for a jump: plain moves and comparisons, which
 * are the same anywhere, and conditional jumps, which get their distance anew.
 *
 * The code before is decoded from two places, as in raw.c. The jump is put in
 * its place while other threads may run there: two bytes that jump to
 * themselves, the rest, then those two; all threads are told in between.
 *
 * Locks: one detour is made at a time; who comes meanwhile makes none.
 */
#include "machine/trap/enclave/detour.h"

#include <linux/membarrier.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/base/ucopy.h"
#include "machine/trap/enclave/cpuid.h"

#define RUN_UP 96u
#define AFTER 16u /* decoded beyond the instruction, at most */
#define COPIES 3u
#define SLOT 128u
#define JUMP_SIZE 5u
#define JUMP 0xe9
#define JCC_SHORT 0x70
#define JCC_NEAR 0x80
/* How often an instruction must trap before it gets a detour. */
#define WORTH 8u
#define VISIT_BITS 8
#define HASH 0x9e3779b97f4a7c15ull
#define NEAR_STEP 0x40000ull
#define NEAR_TRIES 8000u /* of 2 GiB, less what a jump may lack */
#define CACHE_LINE 64u
#define TO_ITSELF 0xfeeb

/* What a place in the near page stands for. */
struct spot {
	uint8_t off;
	bool loaded; /* RAX has been changed */
	uint64_t is;
};

struct detour {
	uint8_t *code;
	struct spot spot[COPIES + 2];
	uint32_t spots;
};

/* Only a hint, so that it needs no lock. */
struct visit {
	uint64_t at;
	uint32_t count; /* WORTH: due; more: done with */
};

struct run {
	uint64_t at;
	uint64_t start; /* of the bytes */
	uint8_t bytes[RUN_UP + AFTER];
	uint32_t size;
	/* Before @at, the nearest first. */
	ZydisDecodedInstruction insn[COPIES];
	uint64_t addr[COPIES];
	uint32_t count;
};

uint64_t detour_sites[DETOURS];
static struct visit visits[1u << VISIT_BITS];
static struct detour made[DETOURS];
static _Atomic uint32_t made_count;
static uint8_t *page;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static struct visit *visit_of(uint64_t at)
{
	return &visits[at * HASH >> (64 - VISIT_BITS)];
}

bool detour_due(uint64_t at)
{
	struct visit *v = visit_of(at);

	if (!machine.opt.vdso_fast || !dispatch.on)
		return false;
	/* Two places may drive one another out, and begin anew. */
	if (v->at != at)
		*v = (struct visit){ .at = at };
	if (v->count < WORTH)
		v->count++;
	return v->count == WORTH;
}

/* ---- what is before ---------------------------------------------------- */

/* The last instructions before the end, when decoding starts at @from; false
 * if that does not lead there. */
static bool decode(struct run *r, const ZydisDecoder *dec, uint32_t from)
{
	uint32_t end = (uint32_t)(r->at - r->start);
	ZydisDecodedInstruction insn;

	r->count = 0;
	while (from < end) {
		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(
			    dec, NULL, r->bytes + from, r->size - from,
			    &insn))) {
			from++;
			r->count = 0;
			continue;
		}
		memmove(&r->insn[1], &r->insn[0], sizeof(insn) * (COPIES - 1));
		memmove(&r->addr[1], &r->addr[0],
			sizeof(uint64_t) * (COPIES - 1));
		r->insn[0] = insn;
		r->addr[0] = r->start + from;
		r->count += r->count < COPIES;
		from += insn.length;
	}
	return from == end;
}

static bool run_read(struct run *r, uint64_t at)
{
	uint32_t before = RUN_UP;
	ZydisDecoder dec;
	struct run half;

	*r = (struct run){ .at = at };
	if (at % SGX_PAGE_SIZE < RUN_UP)
		before = (uint32_t)(at % SGX_PAGE_SIZE);
	r->start = at - before;
	r->size = before;
	if (ucopy(r->bytes, (const void *)r->start, before) ||
	    ZYAN_FAILED(ZydisDecoderInit(&dec, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64)))
		return false;
	half = *r;
	if (!decode(r, &dec, 0) || !decode(&half, &dec, before / 2))
		return false;
	r->count = r->count < half.count ? r->count : half.count;
	return !memcmp(r->addr, half.addr, r->count * sizeof(r->addr[0]));
}

static bool is_jcc(const ZydisDecodedInstruction *in)
{
	return in->meta.category == ZYDIS_CATEGORY_COND_BR &&
	       in->raw.imm[0].is_relative &&
	       ((in->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		 (in->opcode & 0xf0) == JCC_SHORT) ||
		(in->opcode_map == ZYDIS_OPCODE_MAP_0F &&
		 (in->opcode & 0xf0) == JCC_NEAR));
}

/* MOV, CMP and TEST of general registers and memory, not relative to RIP. */
static bool is_plain(const ZydisDecodedInstruction *in)
{
	uint8_t op = in->opcode;

	if (in->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT ||
	    (in->attributes &
	     (ZYDIS_ATTRIB_IS_RELATIVE | ZYDIS_ATTRIB_HAS_LOCK)))
		return false;
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return (op >= 0x88 && op <= 0x8b) ||
		       (op >= 0xb0 && op <= 0xbf) || op == 0xc6 || op == 0xc7;
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
		return true;
	default:
		return false;
	}
}

/* How many are copied, so that the first has room for a jump; 0: no way. */
static uint32_t run_length(const struct run *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		if (is_plain(&r->insn[i])) {
			if (r->insn[i].length >= JUMP_SIZE)
				return i + 1;
		} else if (!is_jcc(&r->insn[i])) {
			return 0;
		}
	}
	return 0;
}

/* MOV $EENTER to EAX or RAX. */
static bool loads_eenter(const struct run *r)
{
	const ZydisDecodedInstruction *in = &r->insn[0];
	const uint8_t *b = r->bytes + (r->addr[0] - r->start);
	static const uint8_t wide[] = { 0x48, 0xc7, 0xc0, SGX_EENTER, 0, 0, 0 };
	static const uint8_t narrow[] = { 0xb8, SGX_EENTER, 0, 0, 0 };

	return (in->length == sizeof(wide) && !memcmp(b, wide, sizeof(wide))) ||
	       (in->length == sizeof(narrow) &&
		!memcmp(b, narrow, sizeof(narrow)));
}

/* ---- the copy ---------------------------------------------------------- */

static bool reaches(uint64_t from, uint64_t to)
{
	return to - from + 0x7fff0000ull < 0xfffe0000ull;
}

/* A page whence, and whither, a jump reaches: on either side, since a mapping
 * of gigabytes may be the neighbour. */
static bool near_page(uint64_t at)
{
	uint64_t base = at & ~(NEAR_STEP - 1);

	for (uint32_t i = 2; i < 2 * NEAR_TRIES && !page; i++) {
		uint64_t away = i / 2 * NEAR_STEP;
		void *hint = (void *)(i % 2 ? base + away : base - away);
		void *p = sys_mmap(hint, SGX_PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS |
					   MAP_FIXED_NOREPLACE,
				   -1, 0);

		if (!sys_failed(p))
			page = p;
	}
	return page && reaches((uint64_t)page, at);
}

static void put32(uint8_t *to, uint64_t value)
{
	uint32_t v = (uint32_t)value;

	memcpy(to, &v, sizeof(v));
}

static void spot_add(struct detour *d, const uint8_t *p, uint64_t is,
		     bool loaded)
{
	d->spot[d->spots++] = (struct spot){ .off = (uint8_t)(p - d->code),
					     .loaded = loaded,
					     .is = is };
}

static uint8_t *copy_one(uint8_t *p, const struct run *r, uint32_t i)
{
	const ZydisDecodedInstruction *in = &r->insn[i];
	uint64_t next = r->addr[i] + in->length;

	if (!is_jcc(in)) {
		memcpy(p, r->bytes + (r->addr[i] - r->start), in->length);
		return p + in->length;
	}
	p[0] = 0x0f;
	p[1] = (uint8_t)(JCC_NEAR | (in->opcode & 0xf));
	put32(p + 2,
	      next + (uint64_t)in->raw.imm[0].value.s - (uint64_t)(p + 6));
	return p + 6;
}

static void copy_all(struct detour *d, const struct run *r, uint32_t n,
		     bool load, uint64_t to)
{
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	uint8_t *p = d->code;

	while (n-- > 0) {
		spot_add(d, p, r->addr[n], false);
		p = copy_one(p, r, n);
	}
	spot_add(d, p, r->at, false);
	if (load) {
		*p++ = 0x48;
		*p++ = 0xb8; /* MOV to RAX, of 64 bits */
		memcpy(p, &r->at, 8);
		p += 8;
		spot_add(d, p, r->at, true);
	}
	memcpy(p, jump, sizeof(jump));
	memcpy(p + sizeof(jump), &to, 8);
}

/* ---- the jump ---------------------------------------------------------- */

static bool tell_threads(void)
{
	return !sys_call(SYS_membarrier,
			 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static void store_two(uint64_t at, const uint8_t two[2])
{
	uint16_t v;

	memcpy(&v, two, sizeof(v));
	*(volatile uint16_t *)at = v;
	tell_threads();
}

/* Two bytes of it are stored at once. */
static bool may_put(uint64_t at)
{
	return at % CACHE_LINE != CACHE_LINE - 1 &&
	       at % SGX_PAGE_SIZE <= SGX_PAGE_SIZE - JUMP_SIZE &&
	       cpuid_private_code(at);
}

static void jump_put(uint64_t at, const uint8_t *to)
{
	static const uint8_t wait[2] = { TO_ITSELF & 0xff, TO_ITSELF >> 8 };
	void *low = (void *)(at & ~(SGX_PAGE_SIZE - 1ull));
	uint8_t b[JUMP_SIZE] = { JUMP };

	put32(b + 1, (uint64_t)to - (at + JUMP_SIZE));
	if (sys_call(SYS_membarrier,
		     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0,
		     0) ||
	    !tell_threads() ||
	    sys_mprotect(low, SGX_PAGE_SIZE,
			 PROT_READ | PROT_WRITE | PROT_EXEC))
		return;
	store_two(at, wait);
	memcpy((void *)(at + 2), b + 2, JUMP_SIZE - 2);
	tell_threads();
	store_two(at, b);
	sys_mprotect(low, SGX_PAGE_SIZE, PROT_READ | PROT_EXEC);
}

static void make(uint64_t at, bool load, const char *to, uint64_t step)
{
	uint32_t n, i = atomic_load(&made_count);
	struct detour *d = &made[i];
	struct run r;

	if (i == DETOURS || !run_read(&r, at))
		return;
	n = run_length(&r);
	if (!n || (load && (n != 1 || !loads_eenter(&r))) ||
	    !may_put(r.addr[n - 1]) || !near_page(at) ||
	    sys_mprotect(page, SGX_PAGE_SIZE,
			 PROT_READ | PROT_WRITE | PROT_EXEC))
		return;
	*d = (struct detour){ .code = page + i * SLOT };
	copy_all(d, &r, n, load, (uint64_t)to + i * step);
	sys_mprotect(page, SGX_PAGE_SIZE, PROT_READ | PROT_EXEC);
	/* Known before anybody is there. */
	detour_sites[i] = at;
	atomic_store(&made_count, i + 1);
	jump_put(r.addr[n - 1], d->code);
}

void detour_make(uint64_t at, bool load, const char *to, uint64_t step)
{
	struct visit *v = visit_of(at);

	if (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
		return;
	if (v->at == at && v->count == WORTH) {
		make(at, load, to, step);
		v->count = WORTH + 1;
	}
	atomic_flag_clear_explicit(&busy, memory_order_release);
}

bool detour_starts(const ucontext_t *uc)
{
	uint64_t off =
		(uint64_t)uc->uc_mcontext.gregs[REG_RIP] - (uint64_t)page;

	return page && off < atomic_load(&made_count) * SLOT && off % SLOT == 0;
}

void detour_rewind(ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	uint64_t off = (uint64_t)g[REG_RIP] - (uint64_t)page;
	const struct detour *d;

	if (!page || off >= atomic_load(&made_count) * SLOT)
		return;
	d = &made[off / SLOT];
	for (uint32_t i = 0; i < d->spots; i++) {
		if (d->spot[i].off != off % SLOT)
			continue;
		g[REG_RIP] = (greg_t)d->spot[i].is;
		if (d->spot[i].loaded)
			g[REG_RAX] = SGX_EENTER;
		return;
	}
}

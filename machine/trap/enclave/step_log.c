/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often each instruction was executed: a table in memory, and the log file
 * as a shared mapping of text with fields of fixed width, so that it is right
 * whenever and however the process ends. The first process that counts makes
 * the file anew.
 *
 * Locks: @lock, taken with signals blocked.
 */
#include "machine/trap/enclave/step.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

#define SLOTS 0x10000u
#define DIGITS 10u
#define HEADER "# edmm step: acted 0000000000\n"
#define HEADER_ACTED 19u
/* 0xOFFSET COUNT FIRST LAST: what the first and the last one touched. */
#define ROW "0x0000000000000000 0000000000 c-- c--\n"
#define ROW_SIZE (sizeof(ROW) - 1)
#define ROW_COUNT 19u
#define ROW_FIRST 30u
#define ROW_LAST 34u
/* A branch's number, how it has ended, and the count of things done. */
#define BRANCH "# branch 0000 0000 0000000000\n"
#define BRANCH_SIZE (sizeof(BRANCH) - 1)
#define BRANCH_NUMBER 9u
#define BRANCH_STATUS 14u
#define BRANCH_ACTED 19u
#define BRANCH_DIGITS 4u
#define LOG_SIZE                                                   \
	((uint64_t)SLOTS * ROW_SIZE + SCRIPT_RULES * BRANCH_SIZE + \
	 sizeof(HEADER))

struct log_slot {
	uint64_t off;
	uint64_t count;
	uint64_t known; /* of the run before */
	char *row;	/* in the log; NULL: none */
	bool used;
};

static struct {
	atomic_flag lock;
	struct log_slot slot[SLOTS];
	uint32_t used;
	char *map;
	uint64_t at;
	bool failed;
	uint64_t acted;
	uint64_t *told; /* @acted of a branch, shared; NULL: there are none */
} counts = { .lock = ATOMIC_FLAG_INIT };

static void lock(void)
{
	while (atomic_flag_test_and_set_explicit(&counts.lock,
						 memory_order_acquire))
		sys_call(SYS_sched_yield);
}

static void unlock(void)
{
	atomic_flag_clear_explicit(&counts.lock, memory_order_release);
}

static struct log_slot *slot_of(uint64_t off)
{
	uint32_t i = (uint32_t)(off * 0x9e3779b97f4a7c15ull >> 48) % SLOTS;

	while (counts.slot[i].used && counts.slot[i].off != off)
		i = (i + 1) % SLOTS;
	if (!counts.slot[i].used) {
		if (++counts.used == SLOTS)
			sys_die("step: too many instructions in the ranges",
				"65535 at most");
		counts.slot[i].used = true;
		counts.slot[i].off = off;
	}
	return &counts.slot[i];
}

void step_decimal(char *to, unsigned digits, uint64_t n)
{
	for (unsigned i = digits; i; n /= 10)
		to[--i] = (char)('0' + n % 10);
}

/* The file grows by what is written, so that no zeros are in it. */
static bool grow(uint64_t size)
{
	return !sys_call(SYS_truncate, (long)step_script.log, (long)size);
}

static void start(void)
{
	int fd = (int)sys_call(SYS_open, (long)step_script.log,
			       O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	void *p = (void *)-1;

	if (fd >= 0) {
		p = sys_mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_NORESERVE, fd, 0);
		sys_call(SYS_close, fd);
	}
	counts.at = sizeof(HEADER) - 1;
	if (sys_failed(p) || !grow(counts.at)) {
		counts.failed = true;
		sys_err("edmm: machine: the log of steps cannot be written\n");
		return;
	}
	counts.map = p;
	sys_madvise(p, LOG_SIZE, MADV_DONTFORK);
	memcpy(counts.map, HEADER, counts.at);
}

/* One more line of the log; NULL: there is none. */
static char *line_add(const char *text, size_t size)
{
	char *at;

	if (!*step_script.log)
		return NULL;
	if (!counts.map && !counts.failed)
		start();
	if (!counts.map || !grow(counts.at + size))
		return NULL;
	at = counts.map + counts.at;
	counts.at += size;
	memcpy(at, text, size);
	return at;
}

static void row_add(struct log_slot *s)
{
	uint64_t off = s->off;

	s->row = line_add(ROW, ROW_SIZE);
	if (!s->row)
		return;
	for (unsigned i = 18; i > 2; off >>= 4)
		s->row[--i] = "0123456789abcdef"[off & 15];
}

static void row_touch(char *to, const struct step_insn *in)
{
	to[1] = to[2] = '-';
	for (uint32_t i = 0; i < in->pages; i++) {
		if (in->page[i].what == SCRIPT_STACK)
			to[1] = 's';
		if (in->page[i].what == SCRIPT_DATA)
			to[2] = 'd';
	}
}

uint64_t step_log(const struct step_insn *in)
{
	struct log_slot *s;
	uint64_t n;

	lock();
	s = slot_of(in->off);
	n = ++s->count;
	if (n == 1)
		row_add(s);
	if (s->row && counts.map) {
		step_decimal(s->row + ROW_COUNT, DIGITS, n);
		if (n == 1)
			row_touch(s->row + ROW_FIRST, in);
		row_touch(s->row + ROW_LAST, in);
	}
	unlock();
	return n;
}

void step_log_acted(void)
{
	lock();
	counts.acted++;
	if (counts.map)
		step_decimal(counts.map + HEADER_ACTED, DIGITS, counts.acted);
	if (step_branched)
		*counts.told = counts.acted;
	unlock();
}

void step_log_branch(uint32_t branch, uint32_t status)
{
	char *row;

	lock();
	row = line_add(BRANCH, BRANCH_SIZE);
	if (row) {
		step_decimal(row + BRANCH_NUMBER, BRANCH_DIGITS, branch);
		step_decimal(row + BRANCH_STATUS, BRANCH_DIGITS, status);
		step_decimal(row + BRANCH_ACTED, DIGITS, *counts.told);
	}
	*counts.told = 0;
	unlock();
}

void step_log_copied(void)
{
	atomic_flag_clear(&counts.lock);
	counts.map = NULL;
	counts.failed = true;
	counts.acted = 0;
}

uint64_t step_log_known(uint64_t off)
{
	uint64_t n;

	lock();
	n = slot_of(off)->known;
	unlock();
	return n;
}

void step_log_init(void)
{
	uint64_t off, count;
	size_t at = 0;

	if (step_script.branches) {
		void *p = sys_mmap(NULL, SGX_PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (sys_failed(p))
			sys_die("step: no memory for branches", NULL);
		counts.told = p;
	}
	while (script_count(step_script.counts, step_script.counts_size, &at,
			    &off, &count))
		slot_of(off)->known = count;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What leaves after the end (I16), hosted: a copy out of the enclave is stepped
 * instruction by instruction, and at each one, in turn, the end comes. After
 * it one store may still leave, and only from where it had looked before.
 */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fake_rt.h"

#define PAGE 4096u
#define TRAP_FLAG 0x100
#define RIPS_MAX 8

static uint8_t *out, before[PAGE];

static struct {
	unsigned int steps, at;
	uint64_t rip; /* of the instruction that comes next */
} step;

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)si;
	if (++step.steps != step.at)
		return;
	step.rip = (uint64_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	memcpy(before, out, PAGE);
	rt_dead = 1;
}

static void setup(void)
{
	struct sigaction sa = { .sa_sigaction = on_trap,
				.sa_flags = SA_SIGINFO };

	fake_elrange(1ull << 30);
	out = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGTRAP, &sa, NULL);
}

static void set_stepping(uint64_t on)
{
	__asm__ volatile("pushfq\n\t"
			 "andq $~0x100, (%%rsp)\n\t"
			 "orq %0, (%%rsp)\n\t"
			 "popfq"
			 :
			 : "r"(on)
			 : "cc", "memory");
}

/* The copy, with the end at step @at; false when it was over before that. */
static bool copy_with_end_at(unsigned int at, size_t skip, size_t size)
{
	static const uint8_t from[64] = { [0 ... 63] = 0xa5 };

	memset(out, 0, PAGE);
	step.steps = 0;
	step.at = at;
	rt_dead = 0;
	if (!setjmp(fake_muted)) {
		set_stepping(TRAP_FLAG);
		(void)!umem_write(umem_at((uint64_t)out + skip, size), from,
				  size);
	}
	set_stepping(0);
	return rt_dead;
}

/* Bytes that came after the end, which must be of one word. */
static unsigned int late_bytes(void)
{
	unsigned int n = 0, word = 0;

	for (unsigned int i = 0; i < PAGE; i++) {
		if (out[i] == before[i])
			continue;
		ck_assert_msg(!n || word == i / 8, "two stores after the end");
		word = i / 8;
		n++;
	}
	return n;
}

static void note(uint64_t rips[RIPS_MAX], uint64_t rip)
{
	unsigned int i = 0;

	while (i < RIPS_MAX && rips[i] && rips[i] != rip)
		i++;
	ck_assert_uint_lt(i, RIPS_MAX);
	rips[i] = rip;
}

static const struct {
	size_t skip, size;
	unsigned int places; /* between a look and its store */
} copies[] = {
	{ 0, 8, 2 }, { 0, 48, 2 }, { 3, 5, 3 }, { 16, 3, 3 }, { 5, 30, 5 },
};

START_TEST(one_store_at_most_leaves_after_the_end)
{
	uint64_t rips[RIPS_MAX] = { 0 };
	unsigned int at = 1, places = 0;

	for (; copy_with_end_at(at, copies[_i].skip, copies[_i].size); at++)
		if (late_bytes())
			note(rips, step.rip);
	ck_assert_uint_gt(at, 10);
	while (places < RIPS_MAX && rips[places])
		places++;
	/* The jump behind the look, VERW before a byte, the store itself. */
	ck_assert_uint_eq(places, copies[_i].places);
}
END_TEST

/* Return: true where the copy came back. */
static bool copy_of_the_dead(size_t skip, size_t size)
{
	static const uint8_t from[64] = { [0 ... 63] = 0xa5 };

	if (setjmp(fake_muted))
		return false;
	(void)!umem_write(umem_at((uint64_t)out + skip, size), from, size);
	return true;
}

START_TEST(nothing_leaves_when_the_end_has_come)
{
	rt_dead = 1;
	memset(out, 0, PAGE);
	for (size_t size = 1; size <= 64; size++)
		ck_assert(!copy_of_the_dead(size % 8, size));
	for (unsigned int i = 0; i < PAGE; i++)
		ck_assert_uint_eq(out[i], 0);
}
END_TEST

START_TEST(last_words_are_whole_words)
{
	const uint64_t word[2] = { 1, 2 };
	umem_t p = umem_at((uint64_t)out, 64);

	rt_dead = 1;
	ck_assert_int_eq(umem_last_words(p + 8, word, 16), 0);
	ck_assert(!memcmp(out + 8, word, 16));
	ck_assert_int_eq(umem_last_words(p + 1, word, 8), -EDMM_EFAULT);
	ck_assert_int_eq(umem_last_words(p, word, 7), -EDMM_EFAULT);
	ck_assert_int_eq(umem_last_words((umem_t)fake_base, word, 8),
			 -EDMM_EFAULT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mute");
	TCase *t = tcase_create("mute");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, one_store_at_most_leaves_after_the_end, 0,
			    (int)(sizeof(copies) / sizeof(*copies)));
	tcase_add_test(t, nothing_leaves_when_the_end_has_come);
	tcase_add_test(t, last_words_are_whole_words);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

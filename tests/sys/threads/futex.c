/* SPDX-License-Identifier: BSD-3-Clause */
/* futex(2) itself: what each operation answers. */
#include "tests/sys/threads/futex.h"
#include "tests/sys/threads/cases.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_OP(op, arg, cmp, cmparg) \
	((uint32_t)(op) << 28 | (uint32_t)(cmp) << 24 | (arg) << 12 | (cmparg))

static uint32_t words[2];
static int woken;

static void *wait_here(void *arg)
{
	uint32_t *at = arg;

	while (futex(at, FUTEX_WAIT, 0, NULL, NULL, 0) == -EINTR)
		;
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void until_woken(int n)
{
	for (int i = 0;
	     i < 1000 && __atomic_load_n(&woken, __ATOMIC_SEQ_CST) < n; i++)
		usleep(1000);
	printf("%d ", woken);
}

static void answers(void)
{
	const struct timespec none = { 0 }, bad = { .tv_nsec = 1000000000 };
	char *page =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	printf("%ld ", futex(words, FUTEX_WAIT, 1, NULL, NULL, 0));
	printf("%ld ", futex(words, FUTEX_WAIT, 0, &none, NULL, 0));
	printf("%ld ", futex(words, FUTEX_WAIT, 0, &bad, NULL, 0));
	printf("%ld ", futex((uint32_t *)((char *)words + 1), FUTEX_WAIT, 0,
			     &none, NULL, 0));
	printf("%ld ", futex((uint32_t *)page, FUTEX_WAIT, 0, &none, NULL, 0));
	printf("%ld ", futex(words, FUTEX_WAIT_BITSET, 0, &none, NULL, 0));
	printf("%ld ", futex(words, FUTEX_WAKE, 1, NULL, NULL, 0));
	printf("%ld ", futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	printf("%ld",
	       futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 9));
	munmap(page, 4096);
}

/* Those that wait for one word go on at another. */
static void requeue(void)
{
	pthread_t t[4];
	long n = 0;

	woken = 0;
	for (int i = 0; i < 4; i++)
		t[i] = begin(wait_here, words);
	usleep(50000);
	for (int i = 0; i < 1000 && n < 4; i++)
		n += futex(words, FUTEX_CMP_REQUEUE, n ? 0 : 1,
			   (void *)(intptr_t)4, words + 1, 0);
	printf("%ld ", n);
	until_woken(1);
	EXPECT(futex(words, FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	printf("%ld ", futex(words + 1, FUTEX_WAKE, 2, NULL, NULL, 0));
	until_woken(3);
	printf("%ld ", futex(words + 1, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0));
	until_woken(4);
	for (int i = 0; i < 4; i++)
		end(t[i]);
}

/* FUTEX_WAKE_OP: the second word is changed, and decides. */
static void wake_op(void)
{
	uint32_t op = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0);
	pthread_t t = begin(wait_here, words), u = begin(wait_here, words);

	woken = 0;
	usleep(50000);
	words[1] = 5;
	printf("%ld ",
	       futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1, op));
	printf("%u ", words[1]);
	until_woken(1);
	printf("%ld ", futex(words + 1, FUTEX_WAKE_OP, 1, (void *)1, words,
			     FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_LE, 7)));
	until_woken(2);
	end(t);
	end(u);
	words[1] = 0;
}

static void *wait_bit(void *arg)
{
	uint32_t bit = (uint32_t)(intptr_t)arg;

	while (futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, bit) == -EINTR)
		;
	__atomic_fetch_add(&woken, (int)bit, __ATOMIC_SEQ_CST);
	return NULL;
}

static void bitsets(void)
{
	pthread_t t = begin(wait_bit, (void *)1),
		  u = begin(wait_bit, (void *)2);

	woken = 0;
	usleep(50000);
	printf("%ld ", futex(words, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4));
	printf("%ld ", futex(words, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2));
	until_woken(2);
	printf("%ld ", futex(words, FUTEX_WAKE_BITSET, 9, NULL, NULL, 3));
	until_woken(3);
	end(t);
	end(u);
}

const struct threads_case threads_futex[] = {
	{ "answers", answers }, { "requeue", requeue }, { "wake_op", wake_op },
	{ "bitsets", bitsets }, { NULL, NULL },
};

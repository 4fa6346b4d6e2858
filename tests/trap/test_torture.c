/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eight threads in four enclaves under two timers of 1 kHz, with every EDMM
 * ioctl and mprotect at random: no register, page or thread is lost.
 *
 * EDMM_TORTURE_SECONDS sets the length (2), EDMM_TORTURE_SEED the seed.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include <edmm/machine.h>

#include "tests/trap/encl.h"

#define ENCLAVES 4
#define THREADS (ENCLAVES * ENCL_TCS)
#define PAGES 64u
#define RW (SGX_SECINFO_R | SGX_SECINFO_W)
#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define TRIM SGX_SECINFO_PT(SGX_PT_TRIM)

struct worker {
	struct encl *e;
	unsigned tcs;
	uint64_t rng;
	uint64_t pages; /* offset of its own PAGES */
	uint8_t value[PAGES];
	bool there[PAGES];
	uint64_t done;
	uint64_t interrupted;
	uint64_t failed_line;
	struct encl_cmd *spinning;
};

static struct encl enclaves[ENCLAVES];
static struct worker workers[THREADS];
static volatile bool over;
static pthread_mutex_t conductor = PTHREAD_MUTEX_INITIALIZER;
static uint64_t alarms;
static __thread uint64_t own_alarms;

/* TLS, floating point and the stack are the host's, or this crashes. */
static void on_alarm(int sig)
{
	volatile double d = sig;

	own_alarms++;
	d = d * 3.0 + (double)own_alarms;
	__atomic_fetch_add(&alarms, 1, __ATOMIC_RELAXED);
}

static uint64_t next(struct worker *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng;
}

/* Note the first line that went wrong; the rest of the thread is quiet. */
#define WANT(w, cond)                                \
	do {                                         \
		if (!(cond) && !(w)->failed_line)    \
			(w)->failed_line = __LINE__; \
	} while (0)

static uint64_t run(struct worker *w, struct encl_cmd *cmd)
{
	struct sgx_enclave_run r = { 0 };

	WANT(w, !encl_enter(w->e, w->tcs, SGX_EENTER, cmd, &r));
	WANT(w, r.function == SGX_EEXIT);
	if (r.function != SGX_EEXIT)
		fprintf(stderr, "op %lu function %u vector %u error %#x\n",
			cmd->op, r.function, r.exception_vector,
			r.exception_error_code);
	return cmd->rax;
}

static uint64_t leaf(struct worker *w, unsigned nr, uint64_t flags,
		     uint64_t off)
{
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = nr,
				.flags = flags,
				.addr = w->e->base + off };

	return run(w, &cmd);
}

static uint64_t access_page(struct worker *w, enum encl_op op, uint64_t off,
			    uint64_t value)
{
	struct encl_cmd cmd = { .op = op,
				.addr = w->e->base + off,
				.value = value };

	return run(w, &cmd);
}

static void retry(int (*fn)(struct worker *w, uint64_t off), struct worker *w,
		  uint64_t off)
{
	int r;

	do
		r = fn(w, off);
	while (r == -EBUSY || r == -EAGAIN || r == -EINTR);
	WANT(w, r == 0);
}

static int trim(struct worker *w, uint64_t off)
{
	return encl_modify(w->e, off, 4096, SGX_PT_TRIM, NULL);
}

static int drop(struct worker *w, uint64_t off)
{
	return encl_remove(w->e, off, 4096, NULL);
}

static int lock_down(struct worker *w, uint64_t off)
{
	return encl_restrict(w->e, off, 4096, SGX_SECINFO_R, NULL);
}

static void page_add(struct worker *w, unsigned i, uint64_t off)
{
	WANT(w, leaf(w, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING, off) == 0);
	WANT(w, access_page(w, OP_READ, off + i, 0) == 0);
	w->value[i] = (uint8_t)next(w);
	access_page(w, OP_WRITE, off + i, w->value[i]);
	w->there[i] = true;
}

/* By a fault that a second entry of the same TCS resolves. */
static void page_fault_in(struct worker *w, unsigned i, uint64_t off)
{
	struct encl_cmd cmd = { .op = OP_WRITE,
				.addr = w->e->base + off + i,
				.value = next(w) & 0xff };
	struct sgx_enclave_run r = { 0 };

	WANT(w, !encl_enter(w->e, w->tcs, SGX_EENTER, &cmd, &r));
	WANT(w, r.function == SGX_ERESUME && r.exception_vector == 14 &&
			r.exception_addr == w->e->base + off);
	WANT(w, leaf(w, SGX_EACCEPT, REG | RW | SGX_SECINFO_PENDING, off) == 0);
	WANT(w, !encl_enter(w->e, w->tcs, SGX_ERESUME, &cmd, &r));
	WANT(w, r.function == SGX_EEXIT);
	w->value[i] = (uint8_t)cmd.value;
	w->there[i] = true;
}

static void page_trim(struct worker *w, unsigned i, uint64_t off)
{
	retry(trim, w, off);
	WANT(w, leaf(w, SGX_EACCEPT, TRIM | SGX_SECINFO_MODIFIED, off) == 0);
	retry(drop, w, off);
	w->there[i] = false;
}

static void page_restrict(struct worker *w, unsigned i, uint64_t off)
{
	retry(lock_down, w, off);
	WANT(w, leaf(w, SGX_EACCEPT, REG | SGX_SECINFO_R | SGX_SECINFO_PR,
		     off) == 0);
	WANT(w, access_page(w, OP_READ, off + i, 0) == w->value[i]);
	leaf(w, SGX_EMODPE, RW, off);
	access_page(w, OP_WRITE, off + i, w->value[i]);
}

static void page_protect(struct worker *w, unsigned i, uint64_t off)
{
	void *at = (void *)(w->e->base + off);

	WANT(w, mprotect(at, 4096, PROT_NONE) == 0);
	WANT(w, mprotect(at, 4096, PROT_READ | PROT_WRITE) == 0);
	WANT(w, access_page(w, OP_READ, off + i, 0) == w->value[i]);
}

/* Registers in use while signals come: until the conductor says stop. */
static void spin(struct worker *w)
{
	static const enum encl_op ops[] = { OP_SPIN, OP_VECTOR, OP_YMM,
					    OP_ZMM };
	unsigned n = w->e->xfrm & 0xe0 ? 4 : w->e->xfrm & 4 ? 3 : 2;
	/* The widest registers most of the time. */
	unsigned op = next(w) % 2 ? n - 1 : (unsigned)(next(w) % n);
	struct encl_cmd cmd = { .op = ops[op], .value = next(w) };
	uint64_t before = own_alarms;

	__atomic_store_n(&w->spinning, &cmd, __ATOMIC_RELEASE);
	WANT(w, run(w, &cmd) == 0);
	__atomic_store_n(&w->spinning, NULL, __ATOMIC_RELEASE);
	w->interrupted += own_alarms != before;
	/* The conductor may still be writing to it. */
	pthread_mutex_lock(&conductor);
	pthread_mutex_unlock(&conductor);
}

static void step(struct worker *w)
{
	unsigned i = (unsigned)(next(w) % PAGES);
	uint64_t off = w->pages + i * 4096;

	if (next(w) % 64 == 0) {
		spin(w);
		return;
	}
	if (!w->there[i]) {
		if (next(w) % 2)
			page_add(w, i, off);
		else
			page_fault_in(w, i, off);
		return;
	}
	WANT(w, access_page(w, OP_READ, off + i, 0) == w->value[i]);
	switch (next(w) % 4) {
	case 0:
		page_trim(w, i, off);
		break;
	case 1:
		page_restrict(w, i, off);
		break;
	case 2:
		page_protect(w, i, off);
		break;
	default:
		break;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!over && !w->failed_line) {
		step(w);
		w->done++;
	}
	return NULL;
}

static unsigned env_number(const char *name, unsigned def)
{
	const char *s = getenv(name);

	return s ? (unsigned)strtoul(s, NULL, 10) : def;
}

static void timers(bool on)
{
	struct itimerval t = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_RESTART };

	if (!on)
		memset(&t, 0, sizeof(t));
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	setitimer(ITIMER_PROF, &t, NULL);
}

static uint64_t xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void make_all(unsigned seed)
{
	for (unsigned i = 0; i < ENCLAVES; i++) {
		/* One of each size of frame, and two of the largest. */
		enclaves[i].xfrm = xcr0() & (i == 0   ? SGX_XFRM_LEGACY
					     : i == 1 ? 0x7
						      : 0xe7);
		if ((enclaves[i].xfrm & 0xe0) != 0xe0)
			enclaves[i].xfrm &= 7;
		encl_make(&enclaves[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].e = &enclaves[i / ENCL_TCS];
		workers[i].tcs = i % ENCL_TCS;
		workers[i].rng = seed * 7919u + i + 1;
		workers[i].pages =
			ENCL_FREE + i % ENCL_TCS * (PAGES + 8) * 4096;
	}
}

static void stop_spins(void)
{
	pthread_mutex_lock(&conductor);
	for (unsigned i = 0; i < THREADS; i++) {
		struct encl_cmd *c =
			__atomic_load_n(&workers[i].spinning, __ATOMIC_ACQUIRE);

		if (c)
			c->stop = 1;
	}
	pthread_mutex_unlock(&conductor);
}

/* Ends every spin each two milliseconds until the time is up. */
static void conduct(unsigned seconds)
{
	struct timespec tick = { 0, 2000000 };
	time_t end = time(NULL) + (time_t)seconds;

	while (time(NULL) < end) {
		nanosleep(&tick, NULL);
		stop_spins();
	}
	over = true;
}

/* Joins, ending what still spins. */
static void join(pthread_t thread)
{
	struct timespec until;

	do {
		stop_spins();
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 2000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(thread, NULL, &until));
}

START_TEST(nothing_is_lost)
{
	unsigned seconds = env_number("EDMM_TORTURE_SECONDS", 2);
	unsigned seed = env_number("EDMM_TORTURE_SEED", (unsigned)time(NULL));
	uint64_t done = 0, interrupted = 0;
	pthread_t thread[THREADS];

	printf("EDMM_TORTURE_SEED=%u, %u seconds\n", seed, seconds);
	fflush(stdout);
	make_all(seed);
	timers(true);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&thread[i], NULL, work, &workers[i]), 0);
	conduct(seconds);
	for (unsigned i = 0; i < THREADS; i++)
		join(thread[i]);
	timers(false);
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_msg(!workers[i].failed_line,
			      "thread %u failed at line %lu, seed %u: "
			      "EDMM_TORTURE_SEED=%u",
			      i, workers[i].failed_line, seed, seed);
		done += workers[i].done;
		interrupted += workers[i].interrupted;
	}
	printf("%lu steps, %lu signals, %lu spins interrupted\n", done, alarms,
	       interrupted);
	ck_assert_uint_gt(done, 100);
	ck_assert_uint_gt(interrupted, 0);
	for (unsigned i = 0; i < ENCLAVES; i++)
		encl_close(&enclaves[i]);
}
END_TEST

/* ---- threads that start while others are looked at --------------------- */

static int (*get_stats)(struct edmm_machine_stats *stats);

static void *look(void *arg)
{
	uint64_t *looks = arg;

	while (!over) {
		struct edmm_machine_stats s = { .size = sizeof(s) };

		if (get_stats(&s))
			return (void *)1;
		++*looks;
	}
	return NULL;
}

static void *enter_once(void *arg)
{
	struct encl_cmd cmd = { .op = OP_NOP, .cssa = 7 };
	struct sgx_enclave_run r = { 0 };

	if (encl_enter(arg, 0, SGX_EENTER, &cmd, &r) ||
	    r.function != SGX_EEXIT || cmd.cssa)
		return (void *)1;
	return NULL;
}

START_TEST(threads_come_and_go_while_counters_are_read)
{
	uint64_t looks = 0;
	pthread_t looker, t;
	void *ret;

	encl_make(&enclaves[0]);
	ck_assert_int_eq(pthread_create(&looker, NULL, look, &looks), 0);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(
			pthread_create(&t, NULL, enter_once, &enclaves[0]), 0);
		ck_assert_int_eq(pthread_join(t, &ret), 0);
		ck_assert_ptr_null(ret);
	}
	over = true;
	ck_assert_int_eq(pthread_join(looker, &ret), 0);
	ck_assert_ptr_null(ret);
	ck_assert_uint_gt(looks, 0);
	encl_close(&enclaves[0]);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("torture");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, MACHINE_OPTIONS);
	tcase_set_timeout(t, 0);
	/* A static program has no way to the counters. */
	*(void **)&get_stats = dlsym(RTLD_DEFAULT, "edmm_machine_stats");
	if (get_stats)
		tcase_add_test(t, threads_come_and_go_while_counters_are_read);
	tcase_add_test(t, nothing_is_lost);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

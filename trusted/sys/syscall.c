/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A system call by its row: who serves it is the row's to say. One that is not
 * there is told to the host, by its number and once, for the user to see; all
 * that do not leave are, if the image is signed for debugging.
 */
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

#define RFLAGS_AC 0x40000ull
/* A host may say that a call was interrupted when nothing has come. */
#define IDLE_MAX 8

#define FUNCTION_HOST(name) NULL
#define FUNCTION_PART(name) NULL
#define FUNCTION_NONE(name) NULL
#define FUNCTION_BOTH(name) sys_##name
#define FUNCTION_INSIDE(name) sys_##name
#define FUNCTION(name, number, who, ...) \
	[CALL_AT_##name] = FUNCTION_##who(name),
static const sys_fn functions[] = { CALL_LIST(FUNCTION) };

static long dispatch(long n, const uint64_t *args)
{
	const struct call_row *row = sys_row((uint64_t)n);

	if (!row)
		return -ENOSYS;
	switch (row->who) {
	case CALL_INSIDE:
	case CALL_BOTH:
		return functions[row->at](args);
	case CALL_HOST:
		return sys_call((enum call_nr)n, args);
	case CALL_NONE:
		return row->answer;
	default:
		return -ENOSYS;
	}
}

/*
 * After a handler with SA_RESTART; signal(7) has the ones that do not. A wait
 * for a futex does where it has no time limit, which might be a relative one.
 */
static bool begins_anew(long n, const uint64_t *args)
{
	static const uint16_t ends[] = {
		CALL_poll,  CALL_select,	CALL_pselect6,
		CALL_ppoll, CALL_nanosleep,	CALL_clock_nanosleep,
		CALL_pause, CALL_rt_sigsuspend, CALL_rt_sigtimedwait,
	};

	if (n == CALL_futex)
		return args[3] == 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (n == ends[i])
			return false;
	return true;
}

/* The flags of a program; its alignment checks are not for a kernel. */
static uint64_t aligned_or_not(void)
{
	const uint64_t flags = __builtin_ia32_readeflags_u64();

	if (flags & RFLAGS_AC)
		__builtin_ia32_writeeflags_u64(flags & ~RFLAGS_AC);
	return flags;
}

#define NUMBERS 512u
#define TOLD_ARGS 4

/* One more thread than there are contexts. */
static bool is_first_refusal(uint64_t n, long r)
{
	static bool told;

	return n == CALL_thread && r == -EAGAIN &&
	       !__atomic_exchange_n(&told, true, __ATOMIC_RELAXED);
}

/* Whether the call is not there, and the user does not know it yet. */
static bool is_news(uint64_t n, long r)
{
	static uint64_t told[NUMBERS / 64];
	const struct call_row *row = sys_row(n);
	const uint64_t bit = 1ull << n % 64;

	if (r != -ENOSYS || n >= NUMBERS ||
	    (row && (row->who != CALL_NONE || row->ret == CALL_QUIET)))
		return false;
	return !(__atomic_fetch_or(&told[n / 64], bit, __ATOMIC_RELAXED) & bit);
}

static void tell(uint64_t n, const uint64_t *a, long r)
{
	uint64_t args[WIRE_CALL_ARGS] = { n, (uint64_t)r };
	int i;

	for (i = 0; i < TOLD_ARGS && rt_params()->tell; i++)
		args[2 + i] = a[i];
	(void)!sys_host_call(WIRE_CALL_TELL, args, NULL);
}

/* What goes out, the host sees for itself. */
static bool to_tell(uint64_t n, long r)
{
	const struct call_row *row = sys_row(n);

	return is_news(n, r) || is_first_refusal(n, r) ||
	       (rt_params()->tell && !(row && call_goes_out(row)));
}

/* A futex has locks of its own. */
static bool needs_lock(long n)
{
	return n != CALL_futex && n != CALL_gettid;
}

/* What they change in several steps nobody else may change between. */
static bool keeps_lock(long n)
{
	return n == CALL_mmap || n == CALL_mremap || n == CALL_madvise ||
	       n == CALL_msync;
}

/* This and call() are of one piece with their callers: all of it is on the
 * program's stack, which may be a small one. */
static inline __attribute__((always_inline)) long serve(long n,
							const uint64_t *args)
{
	const bool lock = needs_lock(n);
	long r;

	if (lock) {
		sys_lock();
		sys_lock_keep(keeps_lock(n));
	}
	r = dispatch(n, args);
	if (to_tell((uint64_t)n, r))
		tell((uint64_t)n, args, r);
	if (lock) {
		sys_tick();
		sys_unlock();
	}
	return r;
}

/* @cancel: NULL, or it does not begin while that is set (close() always does:
 * the C library does not take its word of an interruption). */
static inline __attribute__((always_inline)) long call(
	const volatile int *cancel, long n, const uint64_t *args)
{
	const uint64_t flags = aligned_or_not();
	bool due, again;
	int idle = 0;
	long r;

	do {
		rt_runtime_set(true);
		if (cancel && *cancel && n != CALL_close) {
			r = -EINTR;
			break;
		}
		r = serve(n, args);
		due = sys_signals_wait();
		again = r == -EINTR &&
			(due ? begins_anew(n, args) && sys_signal_restarts()
			     : ++idle < IDLE_MAX);
		if (due)
			r = rt_interrupt(r, flags);
	} while (again);
	rt_runtime_set(false);
	if (flags & RFLAGS_AC)
		__builtin_ia32_writeeflags_u64(flags);
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): as many as a call has. */
long edmm_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	const uint64_t args[WIRE_CALL_ARGS] = {
		(uint64_t)a, (uint64_t)b, (uint64_t)c,
		(uint64_t)d, (uint64_t)e, (uint64_t)f,
	};

	return call(NULL, n, args);
}

/* NOLINTNEXTLINE(readability-function-size): as many as a call has. */
long edmm_syscall_cancel(const volatile int *cancel, long n, long a, long b,
			 long c, long d, long e, long f)
{
	const uint64_t args[WIRE_CALL_ARGS] = {
		(uint64_t)a, (uint64_t)b, (uint64_t)c,
		(uint64_t)d, (uint64_t)e, (uint64_t)f,
	};

	return call(cancel, n, args);
}

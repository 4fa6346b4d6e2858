/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A system call by its row: who serves it is the row's to say. One that is not
 * there is told to the host, by its number and once, for the user to see; all
 * that do not leave are, if the image is signed for debugging.
 */
#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

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

/* A futex has locks of its own, and clocks have none. */
static bool needs_lock(long n)
{
	return n != CALL_futex && n != CALL_gettid && n != CALL_clock_gettime &&
	       n != CALL_gettimeofday && n != CALL_time;
}

/* What they change in several steps nobody else may change between. */
static bool keeps_lock(long n)
{
	return n == CALL_mmap || n == CALL_mremap || n == CALL_madvise ||
	       n == CALL_msync;
}

static long serve(long n, const uint64_t *args)
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

/* close() always begins: the C library does not take its word of an
 * interruption. */
static bool is_cancelled(const struct rt_call *c)
{
	return c->cancel && *c->cancel && c->nr != CALL_close;
}

long sys_serve(const struct rt_call *c)
{
	const long n = (long)c->nr;
	long r;

	if (is_cancelled(c))
		return -EINTR;
	for (int idle = 0; idle < IDLE_MAX; idle++) {
		r = serve(n, c->args);
		if (sys_signals_wait())
			rt_call_signals(c, r,
					r == -EINTR &&
						begins_anew(n, c->args) &&
						sys_signal_restarts());
		if (r != -EINTR || is_cancelled(c))
			break;
	}
	return r;
}

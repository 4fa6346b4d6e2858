/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The run loop of a thread: enter, serve, enter again, until the program has
 * ended. The enclave is not trusted with the host's memory either: what it
 * leaves in its block is bounded before use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/calls.h"
#include "host/host.h"
#include "host/pressure.h"
#include "host/signals.h"
#include "host/threads.h"
#include "host/toucher.h"

#define BUF_DEFAULT (1u << 20)
#define SIG_SEGV 11
#define SIG_KILL 9
/* An exception that the enclave finds no trace of comes back this often. */
#define UNSEEN_MAX 8
/* How long a thread that the enclave refuses after its end looks for the one
 * that has ended it: nanoseconds, and how often. */
#define END_TICK 1000000
#define END_TICKS 5000

/* Several threads count. */
#define COUNT(h, what) \
	__atomic_fetch_add(&(h)->counts.what, 1, __ATOMIC_RELAXED)

/**
 * struct loop - one thread's way through entries
 * @leaf: of the next entry
 * @kind: of the next entry, if it is EENTER: after an exception the registers
 *	are not what they were
 * @unseen: exceptions in a row that the enclave had no record of
 * @entry: for a signal's handler
 * @over: its thread has ended, and the program has not
 * @done: the program has ended, and @end says how
 */
struct loop {
	struct run *of;
	struct host_thread t;
	struct sgx_enclave_run run;
	struct host_regs regs;
	unsigned int leaf;
	uint64_t kind;
	unsigned int unseen;
	struct host_signals_entry entry;
	bool over;
	bool done;
	struct edmm_host_end *end;
	struct edmm_host_error *e;
};

/**
 * struct run - of a program
 * @main: the loop of the thread that began it
 * @ended: by the thread that sets it: @end and @error are its own
 * @err: what edmm_host_run() gives where one of the others has ended it
 * @pressure: hears of it, or NULL
 * @signals: shared with the enclave
 */
struct run {
	struct loop main;
	struct host_calls calls;
	uint32_t ended;
	struct edmm_host_end end;
	struct edmm_host_error error;
	edmm_err err;
	struct host_pressure *pressure;
	struct wire_signals signals;
};

static void next(struct loop *l, unsigned int leaf, uint64_t rdi, uint64_t rsi)
{
	l->leaf = leaf;
	l->kind = rdi;
	l->regs = (struct host_regs){ .rdi = rdi, .rsi = rsi };
}

/* The host's own account, where the enclave has none. */
static void host_crash(struct loop *l, const char *text, int signal)
{
	struct wire_crash *c = &l->end->crash;

	memset(c, 0, sizeof(*c));
	c->kind = WIRE_CRASH_FAULT;
	c->vector = l->run.exception_vector;
	c->error_code = l->run.exception_error_code;
	c->addr = l->run.exception_addr;
	c->addr_off = c->addr - l->t.host->base < l->t.host->size
			      ? c->addr - l->t.host->base
			      : WIRE_NOT_INSIDE;
	c->rip_off = c->rsp_off = WIRE_UNKNOWN;
	c->caller_off = WIRE_NOT_INSIDE;
	strncpy(c->text, text, sizeof(c->text) - 1);
	c->signal = (uint32_t)signal;
	l->end->kind = EDMM_HOST_CRASHED;
	l->end->value = signal;
	l->done = true;
}

static bool stopped(struct loop *l)
{
	const struct edmm_host_watch *w = l->t.host->watch;

	if (!w || !w->call || w->call(w->arg))
		return false;
	l->end->kind = EDMM_HOST_STOPPED;
	l->done = true;
	return true;
}

static edmm_err serve(struct loop *l)
{
	uint64_t index = l->regs.rsi;
	struct wire_call *slot, c;

	if (index >= WIRE_CALL_SLOTS)
		return host_fail(l->e, -EDMM_EPROTO,
				 "%s: the enclave names call slot %llu",
				 l->t.host->img.name,
				 (unsigned long long)index);
	slot = &l->t.wire->call[index];
	c = *slot;
	if (c.nr >= WIRE_CALL_SYS && stopped(l))
		return 0;
	COUNT(l->t.host, calls);
	if (c.nr < WIRE_CALL_SYS)
		host_edmm_dispatch(&l->t, &c);
	else
		host_call_dispatch(&l->t, &c);
	slot->status = c.status;
	slot->count = c.count;
	next(l, SGX_EENTER, WIRE_ENTER_RETURN, 0);
	return 0;
}

static void take_end(struct loop *l)
{
	const struct wire_end end = l->t.wire->end;

	l->end->kind = end.kind == WIRE_END_SIGNAL ? EDMM_HOST_SIGNALLED
						   : EDMM_HOST_EXITED;
	l->end->value = (int)(end.value & 0xff);
	l->done = true;
}

static void take_crash(struct loop *l)
{
	struct wire_crash *c = &l->end->crash;

	*c = l->t.wire->crash;
	c->area[sizeof(c->area) - 1] = 0;
	c->text[sizeof(c->text) - 1] = 0;
	l->end->kind = EDMM_HOST_CRASHED;
	l->end->value =
		c->signal > 0 && c->signal < 32 ? (int)c->signal : SIG_KILL;
	l->done = true;
}

/* The thread that has ended the enclave is on its way out to say how. */
static bool another_ends(const struct loop *l)
{
	const struct timespec tick = { .tv_nsec = END_TICK };
	const uint32_t *ended = &l->of->ended;

	for (uint32_t i = 0; !__atomic_load_n(ended, __ATOMIC_ACQUIRE); i++) {
		if (i == END_TICKS || !l->t.threads ||
		    !host_threads_run(l->t.threads))
			return false;
		nanosleep(&tick, NULL);
	}
	while (l == &l->of->main)
		pause(); /* it is made to jump: end_by() */
	return true;
}

static edmm_err refused(struct loop *l)
{
	static const char *const why[] = {
		[WIRE_REFUSED_KIND] = "of an unknown kind",
		[WIRE_REFUSED_STATE] = "in this state of the thread",
		[WIRE_REFUSED_DEAD] = "after its end",
		[WIRE_REFUSED_ARGS] = "with these start-up parameters",
		[WIRE_REFUSED_CONFIG] = "with this layout or these attributes",
	};
	uint64_t code = l->regs.rsi;
	const char *text = code < sizeof(why) / sizeof(*why) ? why[code] : NULL;

	if (code == WIRE_REFUSED_DEAD && another_ends(l)) {
		l->over = true;
		return 0;
	}
	return host_fail(l->e, -EDMM_EPROTO,
			 "%s: the enclave refuses an entry %s",
			 l->t.host->img.name, text ? text : "");
}

static edmm_err resume(struct loop *l)
{
	if (l->regs.rsi) {
		l->unseen = 0;
	} else if (++l->unseen > UNSEEN_MAX) {
		host_crash(l, "by the kernel's account: the enclave saw none",
			   SIG_SEGV);
		return 0;
	}
	next(l, SGX_ERESUME, 0, 0);
	return 0;
}

static edmm_err thread_ended(struct loop *l)
{
	if (l->regs.rsi)
		host_threads_unpark(l->t.threads, l->regs.rsi - 1);
	if (l == &l->of->main)
		host_threads_leave(l->t.threads, l->t.context);
	l->over = true;
	return 0;
}

static edmm_err left(struct loop *l)
{
	switch (l->regs.rdi) {
	case WIRE_EXIT_CALL:
		return serve(l);
	case WIRE_EXIT_RESUME:
		return resume(l);
	case WIRE_EXIT_THREAD:
		return thread_ended(l);
	case WIRE_EXIT_DONE:
		take_end(l);
		return 0;
	case WIRE_EXIT_CRASH:
		take_crash(l);
		return 0;
	case WIRE_EXIT_REFUSED:
		return refused(l);
	default:
		return host_fail(l->e, -EDMM_EPROTO,
				 "%s: the enclave leaves in an unknown way",
				 l->t.host->img.name);
	}
}

static edmm_err step(struct loop *l)
{
	struct edmm_host *h = l->t.host;
	int err;

	if (l->leaf == SGX_EENTER)
		COUNT(h, enters);
	else
		COUNT(h, resumes);
	err = host_enter(h->enter, &l->regs, l->leaf, &l->run);
	if (err)
		return host_fail(l->e, -EDMM_EIO,
				 "%s: the vDSO refuses to enter: %s",
				 h->img.name, strerror(-err));
	if (l->run.function == SGX_EEXIT)
		return left(l);
	COUNT(h, exceptions);
	if (l->run.function == SGX_ERESUME && l->leaf == SGX_EENTER &&
	    l->kind == WIRE_ENTER_EXCEPTION) {
		host_crash(l, "while an exception was being handled", SIG_SEGV);
		return 0;
	}
	if (l->run.function != SGX_ERESUME) {
		host_crash(l, "at the entry: the enclave is lost", SIG_KILL);
		return 0;
	}
	next(l, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
	return 0;
}

/* Above what is suspended, in a signal's handler, on this stack. */
static enum host_noticed interrupt(void *arg)
{
	const struct loop *l = arg;
	struct host_regs regs = { .rdi = WIRE_ENTER_INTERRUPT };
	struct sgx_enclave_run run = { .tcs = l->t.tcs };

	COUNT(l->t.host, enters);
	if (host_enter(l->t.host->enter, &regs, SGX_EENTER, &run) ||
	    run.function != SGX_EEXIT || regs.rdi != WIRE_EXIT_RESUME)
		return HOST_NOT_NOTICED;
	return regs.rsi ? HOST_INTERRUPTED : HOST_NOTICED;
}

static void let_interrupt(struct loop *l)
{
	l->entry = (struct host_signals_entry){
		.call = interrupt,
		.arg = l,
		.tcs = l->t.tcs,
		.code = (uint64_t)(uintptr_t)l->t.host->enter,
	};
	host_signals_entry(&l->entry);
}

static size_t block_size(char *const *v, uint32_t *count)
{
	size_t n = 0;

	for (*count = 0; v && v[*count]; (*count)++)
		n += strlen(v[*count]) + 1;
	return n;
}

static char *block_put(char *to, char *const *v)
{
	for (; v && *v; v++)
		to = stpcpy(to, *v) + 1;
	return to;
}

static edmm_err make_start(struct edmm_host *h, const struct edmm_host_start *s,
			   struct wire_start *w, struct edmm_host_error *e)
{
	uint32_t argc, envc;
	size_t size = block_size(s->argv, &argc);
	char *block;

	size += block_size(s->envp, &envc);
	if (!argc || argc > WIRE_ARGC_MAX || envc > WIRE_ARGC_MAX ||
	    size > WIRE_ARG_MAX)
		return host_fail(e, -EDMM_E2BIG,
				 "%s: arguments and environment take %zu "
				 "bytes; at most %u are allowed",
				 h->img.name, size, WIRE_ARG_MAX);
	if (s->heap_max % SGX_PAGE_SIZE ||
	    s->heap_max > h->img.layout->heap_bound)
		return host_fail(
			e, -EDMM_EINVAL,
			"%s: a heap of %llu KiB is asked for; whole "
			"pages up to %llu KiB fit its address range",
			h->img.name, (unsigned long long)s->heap_max >> 10,
			(unsigned long long)h->img.layout->heap_bound >> 10);
	if (s->threads_max > edmm_layout_contexts(h->img.layout))
		return host_fail(
			e, -EDMM_EINVAL,
			"%s: %u threads are asked for; its address range has "
			"contexts for %llu: %s",
			h->img.name, s->threads_max,
			(unsigned long long)edmm_layout_contexts(h->img.layout),
			h->img.layout->made_count ? "raise --elrange"
						  : "--contexts");
	block = malloc(size);
	if (!block)
		return host_fail(e, -EDMM_ENOMEM, "out of memory");
	block_put(block_put(block, s->argv), s->envp);
	*w = (struct wire_start){
		.version = WIRE_VERSION,
		.size = sizeof(*w),
		.stats_addr = (uintptr_t)h->stats,
		.heap_max = s->heap_max,
		.arg_addr = (uintptr_t)block,
		.arg_size = size,
		.argc = argc,
		.envc = envc,
		.heap_free_max = s->heap_free_max,
		.heap_free_percent = s->heap_free_percent,
		.heap_window = s->heap_window,
		.flags = (s->populate ? WIRE_START_POPULATE : 0) |
			 (s->tell ? WIRE_START_TELL : 0),
		.threads_max = s->threads_max,
		.threads_pool = s->threads_pool,
		.threads_idle = s->threads_idle,
	};
	return 0;
}

static void *pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The thread's block and, after it, its buffer: one mapping. */
static size_t shared_size(const struct host_thread *t)
{
	return SGX_PAGE_SIZE + t->buf_size;
}

/* @shared: that of the last thread here, or NULL for a new one. */
static edmm_err make_thread(struct loop *l, struct run *of,
			    const struct host_thread *like, void *shared)
{
	struct host_thread *t = &l->t;
	uint8_t *p = shared ? shared : pages(shared_size(like));

	l->of = of;
	*t = *like;
	t->wire = NULL; /* that is its own */
	if (!p)
		return -EDMM_ENOMEM;
	t->tcs = t->host->base +
		 edmm_layout_context(t->host->img.layout, t->context);
	t->wire = (struct wire_thread *)(void *)p;
	t->buf = p + SGX_PAGE_SIZE;
	t->wire->buf_addr = (uintptr_t)t->buf;
	t->wire->buf_size = t->buf_size;
	l->run.tcs = t->tcs;
	return 0;
}

static void drop_thread(struct loop *l)
{
	if (l->t.wire)
		munmap(l->t.wire, shared_size(&l->t));
}

/* The first that ends the program says how. */
static void end_by(struct run *r, const struct edmm_host_end *end,
		   const struct edmm_host_error *e, edmm_err err)
{
	if (__atomic_exchange_n(&r->ended, 1, __ATOMIC_ACQ_REL))
		return;
	r->end = *end;
	r->error = *e;
	r->err = err;
	host_signals_end_run();
}

/* One of the other threads. */
static void run_thread(void *arg, uint32_t context, void **kept)
{
	struct run *r = arg;
	struct edmm_host_error e = { 0 };
	struct edmm_host_end end = { 0 };
	struct host_thread like = r->main.t;
	struct loop l = { .end = &end, .e = &e };
	edmm_err err;

	like.context = context;
	err = make_thread(&l, r, &like, *kept);
	if (err)
		host_fail(&e, err, "out of memory for a thread");
	else
		next(&l, SGX_EENTER, WIRE_ENTER_THREAD, (uintptr_t)l.t.wire);
	if (!err)
		let_interrupt(&l);
	while (!l.over && !l.done && !err)
		err = step(&l);
	host_signals_entry(NULL);
	if (!l.over)
		end_by(r, &end, &e, err);
	*kept = l.t.wire;
}

static void drop_kept(void *arg, void *kept)
{
	const struct run *r = arg;

	munmap(kept, shared_size(&r->main.t));
}

/* Another thread that has ended the program makes this one jump. */
static void end_first(struct run *r)
{
	while (__atomic_exchange_n(&r->ended, 1, __ATOMIC_ACQ_REL))
		pause();
}

/* Until the end; a signal may be that at any time, or another thread. */
static edmm_err run_loop(struct run *r)
{
	static const struct host_threads_ops ops = { run_thread, drop_kept };
	static sigjmp_buf by_signal;
	struct loop *l = &r->main;
	volatile edmm_err err = 0;
	int signo = sigsetjmp(by_signal, 1);

	if (signo > 0) {
		end_first(r);
		l->end->kind = EDMM_HOST_SIGNALLED;
		l->end->value = signo;
		return 0;
	}
	if (signo < 0) {
		*l->end = r->end;
		if (r->err)
			*l->e = r->error;
		return r->err;
	}
	host_signals_begin(&r->signals, &by_signal);
	l->t.threads = host_threads_new(
		(uint32_t)edmm_layout_contexts(l->t.host->img.layout),
		l->t.context, &ops, r);
	if (!l->t.threads)
		return host_fail(l->e, -EDMM_ENOMEM, "out of memory");
	if (l->t.host->ahead)
		r->pressure = host_pressure_begin(
			l->t.host, l->t.threads,
			host_ahead_shared(l->t.host->ahead));
	let_interrupt(l);
	while (!l->done && !err)
		err = step(l);
	host_signals_entry(NULL);
	end_first(r);
	return err;
}

/* Others may be inside or in a call for good: then all stays as it is. */
static bool ended_alone(struct run *r)
{
	struct host_threads *ts = r->main.t.threads;

	if (!ts)
		return true;
	r->main.t.host->inside = host_threads_run(ts);
	return host_threads_free(ts);
}

static edmm_err run_main(struct run *r, struct wire_start *w)
{
	struct loop *l = &r->main;
	edmm_err err;

	host_calls_init(&r->calls);
	w->thread_addr = (uintptr_t)l->t.wire;
	w->signals_addr = (uintptr_t)&r->signals;
	if (l->t.host->ahead)
		w->ahead_addr = (uintptr_t)host_ahead_shared(l->t.host->ahead);
	next(l, SGX_EENTER, WIRE_ENTER_START, (uintptr_t)w);
	err = run_loop(r);
	host_pressure_end(r->pressure);
	host_signals_end();
	/* A call that a signal has ended may hold the table. */
	if (l->done)
		host_calls_close(&r->calls);
	return err;
}

static edmm_err run_program(struct edmm_host *h,
			    const struct edmm_host_start *s, struct run *r)
{
	struct host_thread like = {
		.host = h,
		.buf_size = s->buf_size ? s->buf_size : BUF_DEFAULT,
		.calls = &r->calls,
	};
	struct edmm_host_error *e = r->main.e;
	struct wire_start w;
	edmm_err err;

	if (like.buf_size % SGX_PAGE_SIZE || like.buf_size < WIRE_BUF_MIN ||
	    like.buf_size > WIRE_BUF_MAX)
		return host_fail(e, -EDMM_EINVAL,
				 "%s: a data buffer of 64 KiB to 64 MiB is "
				 "wanted",
				 h->img.name);
	h->populate = s->populate;
	h->ahead = host_ahead_new(h, s->populate && s->ahead);
	h->watch = s->watch;
	h->tell = s->tell;
	h->stats = pages(sizeof(*h->stats));
	if (!h->stats)
		return host_fail(e, -EDMM_ENOMEM, "out of memory");
	err = make_start(h, s, &w, e);
	if (err)
		return err;
	err = make_thread(&r->main, r, &like, NULL);
	if (err)
		host_fail(e, err, "out of memory");
	else
		err = run_main(r, &w);
	free((void *)(uintptr_t)w.arg_addr);
	return err;
}

edmm_err edmm_host_run(struct edmm_host *h, const struct edmm_host_start *s,
		       struct edmm_host_end *end, struct edmm_host_error *e)
{
	struct run *r = calloc(1, sizeof(*r));
	edmm_err err;

	memset(end, 0, sizeof(*end));
	if (!r)
		return host_fail(e, -EDMM_ENOMEM, "out of memory");
	r->main.end = end;
	r->main.e = e;
	err = run_program(h, s, r);
	if (ended_alone(r)) {
		drop_thread(&r->main);
		free(r);
	}
	if (!host_ahead_end(h->ahead, !h->inside))
		h->inside = true;
	return err;
}

void edmm_host_stats(const struct edmm_host *h, struct wire_stats *out)
{
	const uint64_t *from =
		(const uint64_t *)__atomic_load_n(&h->stats, __ATOMIC_ACQUIRE);
	uint64_t *to = (uint64_t *)out;

	memset(out, 0, sizeof(*out));
	if (!from)
		return;
	for (size_t i = 0; i < offsetof(struct wire_stats, reserved) / 8; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

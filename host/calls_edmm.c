/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runtime's host calls: the ioctls of EDMM, rights of the mapping, and
 * populating ahead. The enclave's ranges are bounded here for the host's own
 * good: nothing outside ELRANGE is changed on an enclave's word.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/host.h"
#include "host/signals.h"
#include "host/threads.h"
#include "host/toucher.h"

#define PAGE SGX_PAGE_SIZE
/* From windows of this size on a thread that looks for the next pays. */
#define AHEAD_PAYS (128 * PAGE)
#define PROT_BITS (PROT_READ | PROT_WRITE | PROT_EXEC)

static bool range_ok(const struct edmm_host *h, uint64_t off, uint64_t size)
{
	return size && (off | size) % PAGE == 0 && off <= h->size &&
	       size <= h->size - off;
}

static edmm_err protect(struct edmm_host *h, uint64_t off, uint64_t size,
			uint64_t prot)
{
	if (prot & ~(uint64_t)PROT_BITS)
		return -EDMM_EINVAL;
	if (h->io->mprotect((void *)(h->base + off), size, (int)prot))
		return -errno;
	return 0;
}

/*
 * A touch may end in SIGBUS: EPC is exhausted, or another thread adds the same
 * page at the same time. The handler goes back to the touching thread only.
 */
static _Thread_local sigjmp_buf touch_jump;
static _Thread_local volatile sig_atomic_t touching;

static void on_sigbus(int sig)
{
	if (touching)
		siglongjmp(touch_jump, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* The handler is the process's. */
static pthread_mutex_t one_toucher = PTHREAD_MUTEX_INITIALIZER;

/* With the lock, which it gives back. */
static uint64_t touch(uint64_t addr, uint64_t size)
{
	const struct sigaction sa = { .sa_handler = on_sigbus,
				      .sa_flags = SA_ONSTACK | SA_NODEFER };
	struct sigaction old;
	volatile uint64_t done = 0;

	if (sigaction(SIGBUS, &sa, &old)) {
		pthread_mutex_unlock(&one_toucher);
		return 0;
	}
	if (!sigsetjmp(touch_jump, 1)) {
		touching = 1;
		for (; done < size; done += PAGE)
			(void)*(volatile const uint8_t *)(addr + done);
	}
	touching = 0;
	sigaction(SIGBUS, &old, NULL);
	pthread_mutex_unlock(&one_toucher);
	return done;
}

uint64_t host_populate(uint64_t addr, uint64_t size)
{
	pthread_mutex_lock(&one_toucher);
	return touch(addr, size);
}

bool host_populate_try(uint64_t addr, uint64_t size)
{
	if (pthread_mutex_trylock(&one_toucher))
		return false;
	(void)touch(addr, size);
	return true;
}

static int take_signal(const struct host_thread *t, uint64_t off,
		       uint64_t *count)
{
	struct wire_signal next;
	int err;

	if (off > t->buf_size || t->buf_size - off < sizeof(next))
		return -EDMM_EFAULT;
	err = host_signals_take(&next, count);
	if (!err && *count)
		memcpy(t->buf + off, &next, sizeof(next));
	return err;
}

/* False: it is none of these. */
static bool signal_call(const struct host_thread *t, struct wire_call *c)
{
	switch (c->nr) {
	case WIRE_CALL_SIGNAL_TAKE:
		c->status = take_signal(t, c->args[0], &c->count);
		return true;
	case WIRE_CALL_SIGNAL_WAIT:
		c->status = host_signals_wait(c->args[0]);
		return true;
	case WIRE_CALL_SIGNAL_HAND:
		c->status = host_signals_hand(c->args[0]);
		return true;
	default:
		return false;
	}
}

static int unpark_all(const struct host_thread *t, uint64_t off, uint64_t count)
{
	uint32_t context;
	int err = 0;

	if (off > t->buf_size || count > (t->buf_size - off) / sizeof(context))
		return -EDMM_EFAULT;
	for (uint64_t i = 0; i < count && !err; i++) {
		memcpy(&context, t->buf + off + i * sizeof(context),
		       sizeof(context));
		err = host_threads_unpark(t->threads, context);
	}
	return err;
}

static int unpark(const struct host_thread *t, const struct wire_call *c)
{
	const uint64_t count = c->args[0];
	int err = 0;

	if (count > WIRE_UNPARK_INLINE)
		return unpark_all(t, c->args[1], count);
	for (uint64_t i = 0; i < count && !err; i++)
		err = host_threads_unpark(t->threads, c->args[1 + i]);
	return err;
}

static int park(const struct host_thread *t, uint64_t nanoseconds,
		bool kick_is_for_next)
{
	int err;

	if (kick_is_for_next)
		return host_threads_park(t->threads, t->context, nanoseconds);
	host_signals_call(true);
	err = host_threads_park(t->threads, t->context, nanoseconds);
	host_signals_call(false);
	return err;
}

static int affinity(const struct host_thread *t, struct wire_call *c)
{
	const uint64_t off = c->args[2], size = c->args[3];
	const bool set = c->args[0] == WIRE_AFFINITY_SET;
	unsigned int cpu, node;
	pid_t tid;
	long r;

	if (c->args[0] == WIRE_AFFINITY_CPU) {
		if (syscall(SYS_getcpu, &cpu, &node, NULL))
			return -errno;
		c->count = cpu | (uint64_t)node << 32;
		return 0;
	}
	tid = host_threads_tid(t->threads, c->args[1], set);
	if (!tid)
		return -ESRCH;
	if (off > t->buf_size || size > t->buf_size - off)
		return -EFAULT;
	r = syscall(set ? SYS_sched_setaffinity : SYS_sched_getaffinity, tid,
		    size, t->buf + off);
	if (r < 0)
		return -errno;
	c->count = (uint64_t)r;
	return 0;
}

/* False: it is none of these. */
static bool thread_call(const struct host_thread *t, struct wire_call *c)
{
	switch (c->nr) {
	case WIRE_CALL_THREAD:
		c->status = host_threads_start(t->threads, c->args[0]);
		return true;
	case WIRE_CALL_PARK:
		c->status = park(t, c->args[0], c->args[1] != 0);
		return true;
	case WIRE_CALL_UNPARK:
		c->status = unpark(t, c);
		return true;
	case WIRE_CALL_AFFINITY:
		c->status = affinity(t, c);
		return true;
	case WIRE_CALL_KICK:
		c->status = host_threads_kick(t->threads, c->args[0]);
		return true;
	default:
		return false;
	}
}

/*
 * What an enclave takes away of a context that it has made, its thread may be
 * about to leave: ERESUME would find no TCS.
 */
static edmm_err change_types(const struct host_thread *t,
			     const struct wire_call *c, uint64_t *done)
{
	const struct edmm_layout *l = t->host->img.layout;
	uint64_t off = c->args[0], in = off - l->made_off;

	if (c->args[2] == SGX_PT_TRIM && off >= l->made_off &&
	    in < l->made_count * l->ctx_stride)
		host_threads_wait_left(t->threads,
				       l->ctx_count + in / l->ctx_stride);
	return host_modify_types(t->host, off, c->args[1], c->args[2], done);
}

void host_edmm_dispatch(struct host_thread *t, struct wire_call *c)
{
	struct edmm_host *h = t->host;
	uint64_t off = c->args[0], size = c->args[1], arg = c->args[2];

	c->count = 0;
	if (signal_call(t, c) || thread_call(t, c))
		return;
	if (c->nr == WIRE_CALL_TELL) {
		c->status = 0;
		host_tell(t, c);
		return;
	}
	if (c->nr == WIRE_CALL_NONE || c->nr > WIRE_CALL_POPULATE) {
		c->status = -EDMM_ENOSYS;
		return;
	}
	if (!range_ok(h, off, size)) {
		c->status = -EDMM_EINVAL;
		return;
	}
	switch (c->nr) {
	case WIRE_CALL_MODIFY_TYPES:
		c->status = change_types(t, c, &c->count);
		break;
	case WIRE_CALL_RESTRICT:
		c->status = host_restrict(h, off, size, arg, &c->count);
		break;
	case WIRE_CALL_REMOVE:
		c->status = host_remove(h, off, size, &c->count);
		break;
	case WIRE_CALL_MPROTECT:
		c->status = protect(h, off, size, arg);
		break;
	case WIRE_CALL_POPULATE:
		c->status = h->populate ? 0 : -EDMM_EOPNOTSUPP;
		if (h->populate)
			c->count = host_populate(h->base + off, size);
		if (h->populate && size >= AHEAD_PAYS)
			host_ahead_wake(h->ahead);
		break;
	}
}

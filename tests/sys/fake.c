/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sys/fake.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "trusted/elastic/heap.h"

uint8_t fake_outside[FAKE_OUTSIDE_SIZE];
struct wire_signals fake_signals;

static struct {
	struct host_calls calls;
	uint8_t *buf;
	uint64_t size;
	uint64_t used;
	fake_lie lie;
	fake_look look;
	uint8_t *seen; /* bytes of the buffer that were read since the call */
	unsigned int twice;
	unsigned int count;
	jmp_buf end;
	int status;
	int is_signal;
} fake;

static struct edmm_layout layout = { .stack_size = 1u << 20,
				     .signals = EDMM_SIGNALS_DEFAULT };
static struct heap heap = { .max = 64u << 20 };

void fake_start(uint64_t buf_size, fake_lie lie)
{
	if (fake.buf != NULL)
		host_calls_close(&fake.calls);
	free(fake.buf);
	free(fake.seen);
	host_calls_init(&fake.calls);
	fake.buf = calloc(1, buf_size);
	fake.seen = calloc(1, buf_size);
	fake.twice = 0;
	fake.look = NULL;
	fake.size = buf_size;
	fake.used = 0;
	fake.lie = lie;
	fake.count = 0;
	/* The test's own thread is the program's. */
	sys_thread_begin();
}

void fake_watch(fake_look look)
{
	fake.look = look;
}

unsigned int fake_read_twice(void)
{
	return fake.twice;
}

struct host_calls *fake_calls(void)
{
	return &fake.calls;
}

unsigned int fake_host_calls(void)
{
	return fake.count;
}

long fake_syscall(long nr, const uint64_t *a)
{
	return edmm_syscall(nr, (long)a[0], (long)a[1], (long)a[2], (long)a[3],
			    (long)a[4], (long)a[5]);
}

int fake_ended(void (*fn)(void), int *is_signal)
{
	fake.status = -1;
	if (setjmp(fake.end) == 0)
		fn();
	*is_signal = fake.is_signal;
	return fake.status;
}

void rt_exit(int status)
{
	fake.status = status;
	fake.is_signal = 0;
	longjmp(fake.end, 1);
}

void rt_exit_signal(int signo)
{
	fake.status = signo;
	fake.is_signal = 1;
	longjmp(fake.end, 1);
}

bool rt_inside(uint64_t addr, uint64_t size)
{
	uint64_t out = PTR(fake_outside);

	if (size == 0 || addr < 4096 || addr + size < addr)
		return false;
	return addr + size <= out || addr >= out + FAKE_OUTSIDE_SIZE;
}

/* Everything inside is mapped, for all rights. */
uint64_t rt_accessible(uint64_t addr, uint64_t size, bool write)
{
	uint64_t out = PTR(fake_outside);

	(void)write;
	if (!rt_inside(addr, 1) || size > UINT64_MAX - addr)
		return 0;
	return addr < out && size > out - addr ? out - addr : size;
}

/* The host changes what has been read: whoever reads again sees that. */
edmm_err umem_read(void *dst, umem_t src, size_t size)
{
	uint8_t *from = (uint8_t *)(uintptr_t)src;
	size_t i;

	memcpy(dst, from, size);
	for (i = 0; i < size; i++) {
		fake.twice += fake.seen[from + i - fake.buf]++ != 0;
		from[i] = (uint8_t)~from[i];
	}
	return 0;
}

edmm_err umem_write(umem_t dst, const void *src, size_t size)
{
	memcpy((void *)(uintptr_t)dst, src, size);
	return 0;
}

edmm_err rt_buf_take(struct rt_buf *b, uint64_t size)
{
	uint64_t left = fake.size - fake.used;

	if (left == 0)
		return -EDMM_ENOMEM;
	b->off = fake.used;
	b->p = (umem_t)(uintptr_t)(fake.buf + fake.used);
	b->size = size < left ? (size + 7) & ~7ull : left;
	fake.used += b->size;
	return 0;
}

void rt_buf_drop(const struct rt_buf *b)
{
	fake.used = b->off;
}

edmm_err rt_host_call(uint32_t nr, const uint64_t args[WIRE_CALL_ARGS],
		      uint64_t *count)
{
	struct wire_call call = { .nr = nr };

	/* A word to the user, and no call of the program's. */
	if (nr == WIRE_CALL_TELL)
		return 0;
	fake.count++;
	memset(fake.seen, 0, fake.size);
	memcpy(call.args, args, sizeof(call.args));
	if (fake.look != NULL)
		fake.look(&call, fake.buf, fake.size);
	host_calls_serve(&fake.calls, &call, fake.buf, fake.size);
	if (fake.lie != NULL)
		fake.lie(&call, fake.buf);
	if (count != NULL)
		*count = call.count;
	if (call.status > 0 || call.status < -4095)
		call.status = -EDMM_EPROTO; /* as trusted/rt has it */
	return call.status;
}

uint32_t rt_context(void)
{
	return 0;
}

uint64_t rt_fs_base(void)
{
	return 0;
}

void rt_set_fs_base(uint64_t addr)
{
	(void)addr;
}

void rt_random(void *buf, size_t size)
{
	if (getrandom(buf, size, 0) != (ssize_t)size)
		abort();
}

void rt_stats_tell(void)
{
}

const struct rt_params *rt_params(void)
{
	static struct rt_params p;

	p.signals = (umem_t)(uintptr_t)&fake_signals;
	return &p;
}

edmm_err umem_get64(uint64_t *v, umem_t src)
{
	*v = *(uint64_t *)(uintptr_t)src;
	return 0;
}

edmm_err umem_put64(umem_t dst, uint64_t v)
{
	*(uint64_t *)(uintptr_t)dst = v;
	return 0;
}

uint64_t rt_base(void)
{
	return 0;
}

const struct edmm_layout *rt_layout(void)
{
	return &layout;
}

struct heap *sys_heap(void)
{
	return &heap;
}

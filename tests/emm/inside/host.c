/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host of inside/storm.c: it enters the TCSs that the enclave made, each
 * on a thread of its own, and serves all of them.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edmm/image.h"
#include "host/calls.h"
#include "host/host.h"
#include "tests/emm/inside/threads.h"
#include "tests/must.h"

static struct edmm_host *host;

struct thread {
	struct host_thread t;
	struct host_calls calls;
	pthread_t id;
	uint64_t rdi; /* of the first entry */
	uint64_t rsi;
	uint64_t end; /* why it has left for good */
};

static void thread_init(struct thread *th, uint64_t tcs)
{
	uint8_t *p =
		mmap(NULL, SGX_PAGE_SIZE + WIRE_BUF_MIN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED);
	memset(th, 0, sizeof(*th));
	th->t = (struct host_thread){
		.host = host,
		.tcs = tcs,
		.wire = (struct wire_thread *)(void *)p,
		.buf = p + SGX_PAGE_SIZE,
		.buf_size = WIRE_BUF_MIN,
		.calls = &th->calls,
	};
	host_calls_init(&th->calls);
	th->t.wire->buf_addr = (uintptr_t)th->t.buf;
	th->t.wire->buf_size = WIRE_BUF_MIN;
}

static void *loop(void *arg);

/* CALL_ENTER: the enclave's own threads, while its first one waits. */
static int enter_all(const struct wire_call *c)
{
	static struct thread th[THREADS];

	MUST(c->args[2] == THREADS);
	for (uint64_t i = 0; i < THREADS; i++) {
		thread_init(&th[i], host->base + c->args[0] + i * c->args[1]);
		th[i].rdi = WIRE_ENTER_THREAD;
		th[i].rsi = (uintptr_t)th[i].t.wire;
		MUST(pthread_create(&th[i].id, NULL, loop, &th[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(th[i].id, NULL);
		MUST(th[i].end == WIRE_EXIT_THREAD);
	}
	return 0;
}

static void serve(struct thread *th, uint64_t index)
{
	struct wire_call *slot, c;

	MUST(index < WIRE_CALL_SLOTS);
	slot = &th->t.wire->call[index];
	c = *slot;
	if (c.nr == CALL_ENTER)
		c.status = enter_all(&c);
	else if (c.nr < WIRE_CALL_SYS)
		host_edmm_dispatch(&th->t, &c);
	else
		host_call_dispatch(&th->t, &c);
	slot->status = c.status;
	slot->count = c.count;
}

/* One call of host_enter(), so that it is at one stack depth. */
static void *loop(void *arg)
{
	struct thread *th = arg;
	struct sgx_enclave_run run = { .tcs = th->t.tcs };
	struct host_regs regs = { .rdi = th->rdi, .rsi = th->rsi };
	unsigned int leaf = SGX_EENTER;

	for (;;) {
		MUST(host_enter(host->enter, &regs, leaf, &run) == 0);
		leaf = SGX_EENTER;
		if (run.function != SGX_EEXIT) {
			MUST(run.function == SGX_ERESUME);
			regs = (struct host_regs){
				.rdi = WIRE_ENTER_EXCEPTION
			};
		} else if (regs.rdi == WIRE_EXIT_RESUME) {
			MUST(regs.rsi);
			regs = (struct host_regs){ .rdi = 0 };
			leaf = SGX_ERESUME;
		} else if (regs.rdi == WIRE_EXIT_CALL) {
			serve(th, regs.rsi);
			regs = (struct host_regs){ .rdi = WIRE_ENTER_RETURN };
		} else {
			th->end = regs.rdi;
			return NULL;
		}
	}
}

static void load(void)
{
	static struct edmm_plan plan;
	static struct sgx_sigstruct sig;
	struct edmm_image_policy policy;
	struct edmm_identity id = { 0 };
	struct edmm_host_error e;
	struct edmm_image *image;
	struct edmm_key *key;
	struct edmm_diag d;

	MUST(!edmm_image_read(PROG, &image, &d));
	MUST(!edmm_key_generate(EDMM_KEY_DEVELOPMENT, &key, &d));
	edmm_policy_default(EDMM_MODE_ELASTIC, &policy);
	policy.heap_init = 0;
	/* So that the runtime's manager has op slots for all. */
	policy.ctx_count = THREADS + 1;
	MUST(!edmm_plan_make(image, &policy, &plan, &d));
	MUST(!edmm_sign(&plan, key, &id, &sig, &d));
	const struct edmm_host_image img = { .name = "storm",
					     .layout = &plan.layout,
					     .runs = plan.runs,
					     .run_count = plan.run_count,
					     .sigstruct = &sig };
	if (edmm_host_open(&host, NULL, &e) || edmm_host_load(host, &img, &e)) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static char args[] = "storm";
	static struct thread first;
	static struct wire_start start;

	(void)argc;
	if (!dlsym(RTLD_DEFAULT, "edmm_machine_stats")) {
		setenv("LD_PRELOAD", MACHINE, 1);
		setenv("EDMM_MACHINE_QUIET", "1", 1);
		execv("/proc/self/exe", argv);
		return 99;
	}
	load();
	thread_init(&first, host->base + host->img.layout->ctx_off);
	start = (struct wire_start){
		.version = WIRE_VERSION,
		.size = sizeof(start),
		.thread_addr = (uintptr_t)first.t.wire,
		.heap_max = 64 << 20,
		.arg_addr = (uintptr_t)args,
		.arg_size = sizeof(args),
		.argc = 1,
		.heap_free_max = UINT64_MAX,
	};
	first.rdi = WIRE_ENTER_START;
	first.rsi = (uintptr_t)&start;
	loop(&first);
	if (first.end == WIRE_EXIT_CRASH)
		fprintf(stderr, "crash: %s, address %llx, instruction %llx\n",
			first.t.wire->crash.text,
			(unsigned long long)first.t.wire->crash.addr_off,
			(unsigned long long)first.t.wire->crash.rip_off);
	MUST(first.end == WIRE_EXIT_DONE);
	MUST(first.t.wire->end.kind == WIRE_END_EXIT);
	MUST(first.t.wire->end.value == 0);
	edmm_host_close(host);
	return 0;
}

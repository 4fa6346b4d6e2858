/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "toolchain/cc/scan.h"

#include "tests/rt/prog.h"
#include "tests/rt/rig.h"

static struct edmm_image *image;
static struct edmm_plan plan[2];
static struct sgx_sigstruct sig[2];
static uint64_t *cpuid;
static size_t cpuid_count;

static void give_up(const char *what, const char *text)
{
	fprintf(stderr, "%s: %s\n", what, text);
	exit(99);
}

static void restart(char **argv)
{
	setenv("LD_PRELOAD", MACHINE, 1);
	setenv("EDMM_MACHINE_QUIET", "1", 1);
	execv("/proc/self/exe", argv);
	give_up("execv", "failed");
}

void rig_setup(char **argv)
{
	struct edmm_image_policy policy;
	struct edmm_identity id = { 0 };
	struct edmm_key *key;
	struct edmm_diag d;

	if (!dlsym(RTLD_DEFAULT, "edmm_machine_stats"))
		restart(argv);
	scan_cpuid(PROG, &cpuid, &cpuid_count);
	if (edmm_image_read(PROG, &image, &d) ||
	    edmm_key_generate(EDMM_KEY_DEVELOPMENT, &key, &d))
		give_up(PROG, d.text);
	for (int i = 0; i < 2; i++) {
		edmm_policy_default((enum edmm_mode)(i + 1), &policy);
		policy.stack_size = 1 << 20;
		/* No heap at the start: the tests want their faults. */
		policy.heap_init = 0;
		if (i == 0)
			policy.ctx_count = 2;
		else
			policy.heap_size = 16 << 20;
		if (edmm_plan_make(image, &policy, &plan[i], &d) ||
		    edmm_sign(&plan[i], key, &id, &sig[i], &d))
			give_up(PROG, d.text);
	}
	edmm_key_free(key);
}

static const char *symbol(const void *arg, uint64_t off, uint64_t *delta)
{
	return edmm_image_symbol(arg, off, delta);
}

uint64_t rig_symbol(const char *name)
{
	uint64_t delta;

	for (uint64_t off = 0; off < plan[0].layout.image_size; off++) {
		const char *s = edmm_image_symbol(image, off, &delta);

		if (s && !delta && !strcmp(s, name))
			return off;
	}
	ck_abort_msg("no symbol %s", name);
	return 0;
}

void rig_load(struct rig *r, enum edmm_mode mode)
{
	int i = (int)mode - 1;
	const struct edmm_host_image img = { .name = "prog",
					     .layout = &plan[i].layout,
					     .runs = plan[i].runs,
					     .run_count = plan[i].run_count,
					     .sigstruct = &sig[i],
					     .symbol = symbol,
					     .symbol_arg = image,
					     .cpuid = cpuid,
					     .cpuid_count = cpuid_count };

	memset(r, 0, sizeof(*r));
	ck_assert_msg(!edmm_host_open(&r->h, NULL, &r->e), "%s", r->e.text);
	ck_assert_msg(!edmm_host_load(r->h, &img, &r->e), "%s", r->e.text);
}

void rig_close(struct rig *r)
{
	edmm_host_close(r->h);
	r->h = NULL;
}

void rig_run(struct rig *r, enum edmm_mode mode, const char *verb,
	     const char *arg)
{
	char *const argv[] = { (char *)"prog", (char *)(uintptr_t)verb,
			       (char *)(uintptr_t)arg, NULL };
	char *const envp[] = { (char *)"NAME=VALUE", NULL };
	const struct edmm_host_start s = { .argv = argv,
					   .envp = envp,
					   .heap_max = mode == EDMM_MODE_ELASTIC
							       ? 64 << 20
							       : 0,
					   .heap_free_max = UINT64_MAX,
					   .heap_free_percent = UINT64_MAX,
					   .populate = true,
					   .buf_size = WIRE_BUF_MIN };

	rig_load(r, mode);
	ck_assert_msg(!edmm_host_run(r->h, &s, &r->end, &r->e), "%s",
		      r->e.text);
}

void rig_ok(const char *verb, const char *arg, uint64_t faults)
{
	struct wire_stats stats;
	struct rig r;

	rig_run(&r, EDMM_MODE_ELASTIC, verb, arg);
	if (r.end.kind != EDMM_HOST_EXITED || r.end.value)
		edmm_host_report(r.h, &r.end, 2);
	ck_assert_int_eq(r.end.kind, EDMM_HOST_EXITED);
	ck_assert_int_eq(r.end.value, 0);
	edmm_host_stats(r.h, &stats);
	ck_assert_uint_ge(stats.faults, faults);
	rig_close(&r);
}

void rig_prepare(struct rig *r, const char *verb, const char *arg)
{
	uint8_t *p =
		mmap(NULL, SGX_PAGE_SIZE + WIRE_BUF_MIN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int n = snprintf(r->args, sizeof(r->args), "prog%c%s%c%s", 0, verb, 0,
			 arg);

	ck_assert_ptr_ne(p, MAP_FAILED);
	r->t = (struct host_thread){
		.host = r->h,
		.tcs = r->h->base + r->h->img.layout->ctx_off,
		.wire = (struct wire_thread *)(void *)p,
		.buf = p + SGX_PAGE_SIZE,
		.buf_size = WIRE_BUF_MIN,
	};
	r->t.wire->buf_addr = (uintptr_t)r->t.buf;
	r->t.wire->buf_size = WIRE_BUF_MIN;
	r->run.tcs = r->t.tcs;
	r->start = (struct wire_start){
		.version = WIRE_VERSION,
		.size = sizeof(r->start),
		.thread_addr = (uintptr_t)r->t.wire,
		.heap_max = 64 << 20,
		.arg_addr = (uintptr_t)r->args,
		.arg_size = (uint64_t)n + 1,
		.argc = 3,
		.heap_free_max = UINT64_MAX,
		.heap_free_percent = UINT64_MAX,
	};
}

void rig_prepare_made(struct rig *made, const struct rig *r, const char *verb,
		      const char *arg, uint32_t nth)
{
	const struct edmm_layout *l = r->h->img.layout;

	*made = *r;
	rig_prepare(made, verb, arg);
	made->run.tcs = r->h->base + edmm_layout_context(l, l->ctx_count + nth);
}

/*
 * host_enter() at one stack depth, whoever calls: after an ERESUME, an exit
 * still brings back the RSP of the last EENTER.
 */
static int enter_at_one_depth(struct rig *r, unsigned int leaf)
{
	static _Alignas(16) uint8_t stack[1 << 16];
	static _Alignas(16) uint8_t fx[512];
	vdso_sgx_enter_enclave_t a0 = r->h->enter;
	struct host_regs *a1 = &r->regs;
	struct sgx_enclave_run *a3 = &r->run;
	struct rig_seen *seen = &r->seen;
	register uint64_t r9 __asm__("r9") = r->flags;
	int rc;

	__asm__ volatile("pushfq; popq %%r10\n\t"
			 "testq %%r9, %%r9; cmovzq %%r10, %%r9\n\t"
			 "movq %%rsp, %%rbx\n\t"
			 "movq %[top], %%rsp\n\t"
			 "pushq %[seen]; pushq %%r10\n\t"
			 "pushq %%r9; popfq\n\t"
			 "call host_enter\n\t"
			 "popfq\n\t"
			 "movq (%%rsp), %%rdi\n\t"
			 "movq %%r8, (%%rdi); movq %%r9, 8(%%rdi)\n\t"
			 "movq %%r10, 16(%%rdi); movq %%r11, 24(%%rdi)\n\t"
			 ".irp x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "
			 "13, 14, 15\n\t"
			 "vmovups %%ymm\\x, 32 + 32 * \\x(%%rdi)\n\t"
			 ".endr\n\t"
			 "vzeroupper\n\t"
			 "fxsave64 %[fx]\n\t"
			 "fninit\n\t"
			 "movq %%rbx, %%rsp"
			 : [fx] "=m"(fx), "=a"(rc), "+D"(a0), "+S"(a1),
			   "+d"(leaf), "+c"(a3), "+r"(r9)
			 : [top] "r"(stack + sizeof(stack)), [seen] "r"(seen)
			 : "rbx", "r8", "r10", "r11", "cc", "memory", "xmm0",
			   "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			   "xmm13", "xmm14", "xmm15");
	seen->fsw = fx[2] | (uint64_t)fx[3] << 8;
	seen->ftw = fx[4];
	memcpy(seen->st, fx + 32, sizeof(seen->st));
	return rc;
}

unsigned int rig_enter(struct rig *r, unsigned int leaf, uint64_t rdi,
		       uint64_t rsi)
{
	r->regs = (struct host_regs){ .rdi = rdi, .rsi = rsi };
	ck_assert_int_eq(enter_at_one_depth(r, leaf), 0);
	return r->run.function;
}

unsigned int rig_start(struct rig *r)
{
	return rig_enter(r, SGX_EENTER, WIRE_ENTER_START, (uintptr_t)&r->start);
}

unsigned int rig_return(struct rig *r)
{
	return rig_enter(r, SGX_EENTER, WIRE_ENTER_RETURN, 0);
}

unsigned int rig_enter_thread(struct rig *r)
{
	return rig_enter(r, SGX_EENTER, WIRE_ENTER_THREAD,
			 (uintptr_t)r->t.wire);
}

/* One step as a good host makes it; false when it is not for such a step. */
static bool serve_one(struct rig *r, unsigned int *function)
{
	struct wire_call *c;

	if (*function == SGX_ERESUME) {
		*function = rig_enter(r, SGX_EENTER, WIRE_ENTER_EXCEPTION, 0);
		return true;
	}
	if (*function != SGX_EEXIT)
		return false;
	if (r->regs.rdi == WIRE_EXIT_RESUME && r->regs.rsi) {
		*function = rig_enter(r, SGX_ERESUME, 0, 0);
		return true;
	}
	if (r->regs.rdi != WIRE_EXIT_CALL)
		return false;
	c = &r->t.wire->call[r->regs.rsi];
	if (r->regs.rsi > r->deepest)
		r->deepest = r->regs.rsi;
	host_edmm_dispatch(&r->t, c);
	*function = rig_return(r);
	return true;
}

void rig_serve(struct rig *r, unsigned int function)
{
	while (serve_one(r, &function))
		;
}

struct wire_call *rig_until_call(struct rig *r, unsigned int function,
				 uint32_t nr)
{
	do {
		if (function == SGX_EEXIT && r->regs.rdi == WIRE_EXIT_CALL) {
			struct wire_call *c = &r->t.wire->call[r->regs.rsi];

			if (c->nr == nr)
				return c;
		}
	} while (serve_one(r, &function));
	ck_abort_msg("the enclave leaves with %llu before call %u",
		     (unsigned long long)r->regs.rdi, nr);
	return NULL;
}

void rig_assert_ended(const struct rig *r, int status)
{
	ck_assert_uint_eq(r->run.function, SGX_EEXIT);
	ck_assert_uint_eq(r->regs.rdi, WIRE_EXIT_DONE);
	ck_assert_uint_eq(r->regs.rsi, 0);
	ck_assert_uint_eq(r->t.wire->end.kind, WIRE_END_EXIT);
	ck_assert_int_eq((int)r->t.wire->end.value, status);
}

void rig_assert_thread_ends(struct rig *r, unsigned int function)
{
	rig_serve(r, function);
	ck_assert_uint_eq(r->run.function, SGX_EEXIT);
	ck_assert_uint_eq(r->regs.rdi, WIRE_EXIT_THREAD);
}

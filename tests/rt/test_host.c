/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host side on a kernel that is made up: partial counts, transient errors,
 * the order of the load, what gets mapped.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/toucher.h"
#include "host/host.h"

#define PAGE 4096u

/* One answer of the made-up kernel: count done, and errno or 0. */
struct answer {
	uint64_t count;
	int err;
};

static struct {
	const struct answer *script;
	size_t at, calls;
	uint64_t last_off, last_len;
	int log[64];
	size_t logged;
	uint64_t added;
} k;

static int play(uint64_t *off, uint64_t *len, uint64_t *count)
{
	struct answer a = k.script[k.at++];

	k.calls++;
	ck_assert_uint_eq(*count, 0);
	k.last_off = *off;
	k.last_len = *len;
	*count = a.count == UINT64_MAX ? *len : a.count;
	errno = a.err;
	return a.err ? -1 : 0;
}

static int scripted_ioctl(int fd, unsigned long request, void *arg)
{
	struct sgx_enclave_modify_types *m = arg;
	struct sgx_enclave_remove_pages *r = arg;

	(void)fd;
	if (request == SGX_IOC_ENCLAVE_REMOVE_PAGES)
		return play(&r->offset, &r->length, &r->count);
	ck_assert_uint_eq(m->result, 0);
	return play(&m->offset, &m->length, &m->count);
}

static const struct host_io scripted = { .ioctl = scripted_ioctl };

static edmm_err run_script(const struct answer *a, uint64_t pages,
			   uint64_t *done)
{
	struct edmm_host h = { .io = &scripted };

	memset(&k, 0, sizeof(k));
	k.script = a;
	return host_modify_types(&h, 16 * PAGE, pages * PAGE, SGX_PT_TRIM,
				 done);
}

/* Within five seconds. */
static bool becomes(const uint64_t *word, uint64_t v)
{
	const struct timespec t = { .tv_nsec = 1000000 };

	for (int i = 0; i < 5000; i++) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == v)
			return true;
		nanosleep(&t, NULL);
	}
	return false;
}

/* What is hinted at is touched, and what is not the enclave's is not. */
START_TEST(ahead_touches_what_is_hinted)
{
	struct edmm_host h = { .size = 8 * PAGE };
	uint8_t *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct host_ahead *a = host_ahead_new(&h, true);
	struct wire_ahead *shared;
	unsigned char in[8];

	ck_assert(p != MAP_FAILED && a);
	h.base = (uint64_t)p;
	shared = host_ahead_shared(a);
	ck_assert_uint_eq(shared->open, 0);
	host_ahead_wake(a);
	ck_assert(becomes(&shared->open, 1));
	__atomic_store_n(&shared->hint[2], 2 * PAGE | 4, __ATOMIC_RELEASE);
	ck_assert(becomes(&shared->done[2], 2 * PAGE | 4));
	__atomic_store_n(&shared->hint[3], 4 * PAGE | 5, __ATOMIC_RELEASE);
	ck_assert(becomes(&shared->done[3], 4 * PAGE | 5));
	ck_assert_int_eq(mincore(p, 8 * PAGE, in), 0);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(in[i] & 1, i >= 2 && i < 6);
	/* Nothing comes any more: it sleeps until it is waked. */
	ck_assert(becomes(&shared->open, 0));
	host_ahead_wake(a);
	ck_assert(becomes(&shared->open, 1));
	ck_assert(host_ahead_end(a, true));
	munmap(p, 8 * PAGE);
}
END_TEST

START_TEST(partial_counts_are_continued)
{
	const struct answer a[] = { { 2 * PAGE, 0 },
				    { 0, EAGAIN },
				    { PAGE, EINTR },
				    { 0, EBUSY },
				    { 5 * PAGE, 0 } };
	uint64_t done;

	ck_assert_int_eq(run_script(a, 8, &done), 0);
	ck_assert_uint_eq(done, 8 * PAGE);
	ck_assert_uint_eq(k.calls, 5);
	ck_assert_uint_eq(k.last_off, (16 + 3) * PAGE);
	ck_assert_uint_eq(k.last_len, 5 * PAGE);
}
END_TEST

START_TEST(an_error_keeps_the_count)
{
	const struct answer a[] = { { 3 * PAGE, 0 }, { PAGE, EFAULT } };
	uint64_t done;

	ck_assert_int_eq(run_script(a, 8, &done), -EDMM_EFAULT);
	ck_assert_uint_eq(done, 4 * PAGE);
}
END_TEST

START_TEST(a_count_beyond_the_length_is_cut)
{
	const struct answer a[] = { { 1000 * PAGE, 0 } };
	uint64_t done;

	ck_assert_int_eq(run_script(a, 8, &done), 0);
	ck_assert_uint_eq(done, 8 * PAGE);
}
END_TEST

START_TEST(remove_is_continued_too)
{
	const struct answer a[] = { { PAGE, EAGAIN }, { UINT64_MAX, 0 } };
	struct edmm_host h = { .io = &scripted };
	uint64_t done;

	memset(&k, 0, sizeof(k));
	k.script = a;
	ck_assert_int_eq(host_remove(&h, 0, 4 * PAGE, &done), 0);
	ck_assert_uint_eq(done, 4 * PAGE);
	ck_assert_uint_eq(k.last_off, PAGE);
}
END_TEST

/* A kernel that loads anything and notes what it is asked. */
enum {
	ASK_CREATE = 1,
	ASK_ADD,
	ASK_INIT,
	ASK_MAP
};
#define MAP_OF(prot) (ASK_MAP + 16 * (prot))

static int loading_ioctl(int fd, unsigned long request, void *arg)
{
	struct sgx_enclave_add_pages *a = arg;
	uint64_t bad = 0;

	(void)fd;
	switch (request) {
	case SGX_IOC_ENCLAVE_CREATE:
		k.log[k.logged++] = ASK_CREATE;
		return 0;
	case SGX_IOC_ENCLAVE_ADD_PAGES:
		k.log[k.logged++] = ASK_ADD;
		ck_assert_uint_eq(a->src % PAGE, 0);
		/* One assert for all: each is a system call. */
		for (uint64_t i = 0; i < a->length; i++)
			bad += ((uint8_t *)a->src)[i] != (a->offset ? 0 : 0x5a);
		ck_assert_uint_eq(bad, 0);
		k.added += a->length;
		a->count = a->length;
		return 0;
	case SGX_IOC_ENCLAVE_INIT:
		k.log[k.logged++] = ASK_INIT;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

static void *loading_mmap(void *addr, size_t size, int prot, int flags, int fd)
{
	if (fd < 0)
		return mmap(addr, size, prot, flags, -1, 0);
	ck_assert_int_eq(flags, MAP_SHARED | MAP_FIXED);
	k.log[k.logged++] = MAP_OF(prot);
	return addr;
}

static const struct host_io loading = {
	.ioctl = loading_ioctl,
	.mmap = loading_mmap,
	.mprotect = mprotect,
	.munmap = munmap,
};

#define REG SGX_SECINFO_PT(SGX_PT_REG)
#define RO (REG | SGX_SECINFO_R)
#define RX (RO | SGX_SECINFO_X)
#define RW (RO | SGX_SECINFO_W)

static const struct edmm_layout small = {
	.magic = EDMM_LAYOUT_MAGIC,
	.version = EDMM_LAYOUT_VERSION,
	.elrange_size = 64ull << 20,
	.ssa_frame_pages = 1,
	.ctx_off = 8 * PAGE,
	.ctx_count = 1,
	.stack_off = 32 * PAGE,
	.stack_size = 16 * PAGE,
	.meta_off = 64 * PAGE,
	.meta_size = 16 * PAGE,
	.heap_off = 128 * PAGE,
	.heap_bound = 1024 * PAGE,
};

START_TEST(a_load_is_create_add_init_map)
{
	static uint8_t text[3 * PAGE];
	const struct edmm_page_run runs[] = {
		{ 0, 3 * PAGE, text, RX, true },
		{ 3 * PAGE, PAGE, NULL, RO, true },
		{ 4 * PAGE, PAGE, NULL, RO, true },
		{ 8 * PAGE, PAGE, NULL, SGX_SECINFO_PT(SGX_PT_TCS), true },
		{ 128 * PAGE, 512 * PAGE, NULL, RW, false },
	};
	/* The last run takes two calls: it is larger than the bounce buffer. */
	const int want[] = { ASK_CREATE, ASK_ADD,   ASK_ADD,   ASK_ADD,
			     ASK_ADD,	 ASK_ADD,   ASK_ADD,   ASK_INIT,
			     MAP_OF(5),	 MAP_OF(1), MAP_OF(3), MAP_OF(3),
			     MAP_OF(3),	 MAP_OF(3) };
	struct sgx_sigstruct sig = { .attributes = { .xfrm = 3 },
				     .attributemask = { .xfrm = UINT64_MAX } };
	const struct edmm_host_image img = { .name = "x",
					     .layout = &small,
					     .runs = runs,
					     .run_count = 5,
					     .sigstruct = &sig };
	struct edmm_host *h = calloc(1, sizeof(*h));
	struct edmm_host_counts n;
	struct edmm_host_error e;

	memset(&k, 0, sizeof(k));
	memset(text, 0x5a, sizeof(text));
	h->io = &loading;
	h->fd = 1000;
	ck_assert_int_eq(edmm_host_load(h, &img, &e), 0);
	ck_assert_uint_eq(h->base % small.elrange_size, 0);
	ck_assert_uint_eq(k.logged, sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < k.logged; i++)
		ck_assert_int_eq(k.log[i], want[i]);
	edmm_host_counts(h, &n);
	ck_assert_uint_eq(k.added, 518 * PAGE);
	ck_assert_uint_eq(n.pages_added, 518);
	ck_assert_uint_eq(n.pages_measured, 6);
	edmm_host_close(h);
}
END_TEST

START_TEST(runs_that_overlap_are_refused)
{
	struct edmm_page_run runs[] = { { 0, 2 * PAGE, NULL, RO, true },
					{ PAGE, PAGE, NULL, RO, true } };
	const struct edmm_host_image img = {
		.name = "x", .layout = &small, .runs = runs, .run_count = 2
	};
	struct edmm_host h = { .io = &loading };
	struct edmm_host_error e;

	ck_assert_int_eq(edmm_host_load(&h, &img, &e), -EDMM_EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "x: "));
	runs[1].off = 64ull << 20;
	ck_assert_int_eq(edmm_host_load(&h, &img, &e), -EDMM_EINVAL);
	runs[1].off = 2 * PAGE + 1;
	ck_assert_int_eq(edmm_host_load(&h, &img, &e), -EDMM_EINVAL);
	ck_assert_uint_eq(h.base, 0);
}
END_TEST

START_TEST(no_device_is_one_line)
{
	struct edmm_host_error e;
	struct edmm_host *h;

	ck_assert_int_eq(edmm_host_open(&h, "/nonexistent/sgx", &e),
			 -EDMM_ENOENT);
	ck_assert_ptr_null(h);
	ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/sgx"));
	ck_assert_ptr_null(strchr(e.text, '\n'));
}
END_TEST

/* The least ELF image that a vDSO walk understands. */
struct tiny_vdso {
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	Elf64_Dyn dyn[4];
	Elf64_Word hash[4];
	Elf64_Sym sym[2];
	char str[64];
};

START_TEST(the_entry_function_is_found_by_name)
{
	struct tiny_vdso v = {
		.eh = { .e_ident = ELFMAG,
			.e_phoff = offsetof(struct tiny_vdso, ph),
			.e_phnum = 1 },
		.ph = { .p_type = PT_DYNAMIC,
			.p_offset = offsetof(struct tiny_vdso, dyn) },
		.dyn = { { DT_HASH, { offsetof(struct tiny_vdso, hash) } },
			 { DT_SYMTAB, { offsetof(struct tiny_vdso, sym) } },
			 { DT_STRTAB, { offsetof(struct tiny_vdso, str) } } },
		.hash = { 1, 2 },
		.sym = { { 0 },
			 { .st_name = 1, .st_shndx = 1, .st_value = 0x123 } },
		.str = "\0__vdso_sgx_enter_enclave",
	};

	ck_assert_ptr_eq(host_vdso_find(&v), (uint8_t *)&v + 0x123);
	v.sym[1].st_shndx = SHN_UNDEF;
	ck_assert_ptr_null(host_vdso_find(&v));
	v.sym[1].st_shndx = 1;
	v.str[4] = 'x';
	ck_assert_ptr_null(host_vdso_find(&v));
	v.eh.e_ident[0] = 0;
	ck_assert_ptr_null(host_vdso_find(&v));
	ck_assert_ptr_null(host_vdso_find(NULL));
}
END_TEST

/* The page behind a file's end: SIGBUS, as from a loser of two EAUGs. */
START_TEST(populating_ends_at_sigbus)
{
	int fd = memfd_create("populate", MFD_CLOEXEC);
	struct sigaction before, after;
	void *p;

	ck_assert_int_eq(ftruncate(fd, 2 * PAGE), 0);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	sigaction(SIGBUS, NULL, &before);
	ck_assert_uint_eq(host_populate((uint64_t)p, 2 * PAGE), 2 * PAGE);
	ck_assert_uint_eq(host_populate((uint64_t)p, 4 * PAGE), 2 * PAGE);
	ck_assert_uint_eq(host_populate((uint64_t)p + 3 * PAGE, PAGE), 0);
	sigaction(SIGBUS, NULL, &after);
	ck_assert(before.sa_handler == after.sa_handler);
}
END_TEST

START_TEST(runtime_calls_stay_in_elrange)
{
	struct edmm_host h = { .io = &scripted,
			       .base = 1 << 30,
			       .size = 64 * PAGE };
	struct host_thread t = { .host = &h };
	const uint64_t bad[][2] = { { 0, 0 },
				    { 1, PAGE },
				    { 0, 65 * PAGE },
				    { 64 * PAGE, PAGE },
				    { PAGE, UINT64_MAX - PAGE + 1 },
				    { UINT64_MAX - PAGE + 1, PAGE } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		for (uint32_t nr = 1; nr <= WIRE_CALL_POPULATE; nr++) {
			struct wire_call c = {
				.nr = nr, .args = { bad[i][0], bad[i][1] }
			};

			host_edmm_dispatch(&t, &c);
			ck_assert_int_eq(c.status, -EDMM_EINVAL);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host");
	TCase *t = tcase_create("host");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, ahead_touches_what_is_hinted);
	tcase_add_test(t, partial_counts_are_continued);
	tcase_add_test(t, an_error_keeps_the_count);
	tcase_add_test(t, a_count_beyond_the_length_is_cut);
	tcase_add_test(t, remove_is_continued_too);
	tcase_add_test(t, a_load_is_create_add_init_map);
	tcase_add_test(t, runs_that_overlap_are_refused);
	tcase_add_test(t, no_device_is_one_line);
	tcase_add_test(t, the_entry_function_is_found_by_name);
	tcase_add_test(t, populating_ends_at_sigbus);
	tcase_add_test(t, runtime_calls_stay_in_elrange);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

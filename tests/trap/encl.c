/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds and drives the test enclave.
 */
#include "tests/trap/encl.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <edmm/machine.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

extern const char encl_code[], encl_code_end[], encl_cpuid[];

#define NEED(cond)                                                             \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, \
				#cond, strerror(errno));                       \
			abort();                                               \
		}                                                              \
	} while (0)

static int fail(int r)
{
	return r ? -errno : 0;
}

/* ---- pages ------------------------------------------------------------- */

struct page {
	uint64_t off;
	uint64_t flags;
	uint8_t bytes[4096];
};

static void tcs_page(const struct encl *e, struct page *p, unsigned i)
{
	struct sgx_tcs *t = (struct sgx_tcs *)(void *)p->bytes;

	t->flags = e->notify ? SGX_TCS_AEXNOTIFY : 0;
	t->ossa = ENCL_SSA + i * ENCL_SSA_SIZE;
	t->nssa = ENCL_NSSA;
	t->oentry = ENCL_CODE;
	t->ofsbase = ENCL_DATA + i * 0x1000;
	t->ogsbase = ENCL_DATA + i * 0x1000;
	t->fslimit = UINT32_MAX;
	t->gslimit = UINT32_MAX;
	p->flags = SGX_SECINFO_PT(SGX_PT_TCS);
}

/* The i-th page of the enclave; false after the last. */
static bool page_at(const struct encl *e, unsigned i, struct page *p)
{
	unsigned ssa = ENCL_TCS * ENCL_NSSA * ENCL_FRAME;

	memset(p, 0, sizeof(*p));
	p->off = i * 0x1000ull;
	p->flags = SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_R | SGX_SECINFO_W;
	if (i < ENCL_TCS)
		tcs_page(e, p, i);
	if (p->off == ENCL_CODE) {
		memcpy(p->bytes, encl_code,
		       (size_t)(encl_code_end - encl_code));
		p->flags ^= SGX_SECINFO_W | SGX_SECINFO_X;
	}
	return i < ENCL_TCS + ssa + 1 + ENCL_TCS;
}

bool encl_page(const struct encl *e, unsigned i, uint64_t *off, uint64_t *flags,
	       uint8_t bytes[4096])
{
	static struct page p __attribute__((aligned(4096)));

	if (!page_at(e, i, &p))
		return false;
	*off = p.off;
	*flags = p.flags;
	memcpy(bytes, p.bytes, sizeof(p.bytes));
	return true;
}

/* ---- building ---------------------------------------------------------- */

int encl_open(struct encl *e)
{
	e->fd = open(SGX_DEV_ENCLAVE, O_RDWR | O_CLOEXEC);
	return e->fd < 0 ? -errno : 0;
}

int encl_create(struct encl *e)
{
	static struct sgx_secs secs;
	struct sgx_enclave_create c = { (uint64_t)(uintptr_t)&secs };
	uint64_t cpuid = ENCL_CODE + (uint64_t)(encl_cpuid - encl_code);
	struct edmm_cpuid_sites sites = { (uint64_t)(uintptr_t)&cpuid, 1 };
	int r;

	memset(&secs, 0, sizeof(secs));
	secs.size = e->size;
	secs.base = e->base;
	secs.ssaframesize = ENCL_FRAME;
	secs.miscselect = e->miscselect;
	secs.attributes.flags = SGX_ATTR_MODE64BIT | e->attributes;
	secs.attributes.xfrm = e->xfrm;
	r = fail(ioctl(e->fd, SGX_IOC_ENCLAVE_CREATE, &c));
	return r ? r : fail(ioctl(e->fd, EDMM_IOC_CPUID_SITES, &sites));
}

int encl_add_all(struct encl *e)
{
	static struct page p __attribute__((aligned(4096)));
	static uint8_t src[4096] __attribute__((aligned(4096)));
	int r = 0;

	for (unsigned i = 0; !r && page_at(e, i, &p); i++) {
		struct sgx_secinfo si = { .flags = p.flags };
		struct sgx_enclave_add_pages a = {
			.src = (uint64_t)(uintptr_t)src,
			.offset = p.off,
			.length = 4096,
			.secinfo = (uint64_t)(uintptr_t)&si,
			.flags = SGX_PAGE_MEASURE,
		};

		memcpy(src, p.bytes, sizeof(src));
		r = fail(ioctl(e->fd, SGX_IOC_ENCLAVE_ADD_PAGES, &a));
	}
	return r;
}

/* ---- identity ---------------------------------------------------------- */

static void measure_block(EVP_MD_CTX *h, uint64_t tag, uint64_t a,
			  const void *rest, size_t size)
{
	uint8_t block[64] = { 0 };

	memcpy(block, &tag, 8);
	memcpy(block + 8, &a, 8);
	memcpy(block + 16, rest, size);
	EVP_DigestUpdate(h, block, sizeof(block));
}

static void measure_page(EVP_MD_CTX *h, const struct page *p)
{
	measure_block(h, SGX_MEASURE_EADD, p->off, &p->flags, 8);
	for (unsigned i = 0; i < 4096; i += SGX_EEXTEND_CHUNK) {
		measure_block(h, SGX_MEASURE_EEXTEND, p->off + i, "", 0);
		EVP_DigestUpdate(h, p->bytes + i, SGX_EEXTEND_CHUNK);
	}
}

static void measure(const struct encl *e, uint8_t out[32])
{
	static struct page p;
	EVP_MD_CTX *h = EVP_MD_CTX_new();
	uint64_t tag = SGX_MEASURE_ECREATE, size = e->size;
	uint32_t frame = ENCL_FRAME;
	uint8_t block[64] = { 0 };

	memcpy(block, &tag, 8);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): no text */
	memcpy(block + 8, &frame, 4);
	memcpy(block + 12, &size, 8);
	EVP_DigestInit_ex(h, EVP_sha256(), NULL);
	EVP_DigestUpdate(h, block, sizeof(block));
	for (unsigned i = 0; page_at(e, i, &p); i++)
		measure_page(h, &p);
	EVP_DigestFinal_ex(h, out, NULL);
	EVP_MD_CTX_free(h);
}

/* For tests of many processes: a key in a file, read, or written if @k. */
static EVP_PKEY *key_kept(EVP_PKEY *k)
{
	const char *path = getenv("EDMM_TEST_KEY");
	FILE *f = path ? fopen(path, k ? "w" : "r") : NULL;

	if (!f)
		return NULL;
	if (k)
		PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL);
	else
		k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return k;
}

static EVP_PKEY *key(void)
{
	static EVP_PKEY *k;
	EVP_PKEY_CTX *c;
	BIGNUM *three = BN_new();

	if (k) {
		BN_free(three);
		return k;
	}
	k = key_kept(NULL);
	if (k) {
		BN_free(three);
		return k;
	}
	BN_set_word(three, 3);
	c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	NEED(EVP_PKEY_keygen_init(c) > 0);
	NEED(EVP_PKEY_CTX_set_rsa_keygen_bits(c, 3072) > 0);
	NEED(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, three) > 0);
	NEED(EVP_PKEY_keygen(c, &k) > 0);
	EVP_PKEY_CTX_free(c);
	BN_free(three);
	key_kept(k);
	return k;
}

void encl_need_machine(char **argv, const char *options)
{
	if (getenv("EDMM_TEST_INSIDE")) {
		/* Once, before tests are forked: it takes a second. */
		key();
		return;
	}
	setenv("EDMM_TEST_INSIDE", "1", 1);
	setenv("EDMM_MACHINE_QUIET", "1", 1);
	setenv("EDMM_MACHINE", options, 0);
	/* An even number: see EDMM_MACHINE_PAD_ENV. */
	setenv("EDMM_MACHINE_PAD", "", 1);
	setenv("LD_PRELOAD", MACHINE_LIBRARY, 1);
	execv("/proc/self/exe", argv);
	abort();
}

/* q1 = S^2 / N, q2 = (S^3 - q1 S N) / N = S (S^2 mod N) / N. */
static void quotients(struct sgx_sigstruct *s, const BIGNUM *n)
{
	BN_CTX *c = BN_CTX_new();
	BIGNUM *sig = BN_lebin2bn(s->signature, SGX_KEY_SIZE, NULL);
	BIGNUM *t = BN_new(), *q = BN_new(), *r = BN_new();

	BN_sqr(t, sig, c);
	BN_div(q, r, t, n, c);
	BN_bn2lebinpad(q, s->q1, SGX_KEY_SIZE);
	BN_mul(t, sig, r, c);
	BN_div(q, NULL, t, n, c);
	BN_bn2lebinpad(q, s->q2, SGX_KEY_SIZE);
	BN_free(sig);
	BN_free(t);
	BN_free(q);
	BN_free(r);
	BN_CTX_free(c);
}

static void sign(struct sgx_sigstruct *s)
{
	uint8_t body[256], sig[SGX_KEY_SIZE];
	size_t len = sizeof(sig);
	EVP_MD_CTX *h = EVP_MD_CTX_new();
	BIGNUM *n = NULL;

	memcpy(body, s, 128);
	memcpy(body + 128, (const uint8_t *)s + 900, 128);
	NEED(EVP_DigestSignInit(h, NULL, EVP_sha256(), NULL, key()) > 0);
	NEED(EVP_DigestSign(h, sig, &len, body, sizeof(body)) > 0);
	EVP_MD_CTX_free(h);
	for (unsigned i = 0; i < SGX_KEY_SIZE; i++)
		s->signature[i] = sig[SGX_KEY_SIZE - 1 - i];
	NEED(EVP_PKEY_get_bn_param(key(), "n", &n) > 0);
	BN_bn2lebinpad(n, s->modulus, SGX_KEY_SIZE);
	quotients(s, n);
	BN_free(n);
}

void encl_sign_filled(struct sgx_sigstruct *s)
{
	static const uint8_t header[] = SGX_SIGSTRUCT_HEADER;
	static const uint8_t header2[] = SGX_SIGSTRUCT_HEADER2;

	memcpy(s->header, header, sizeof(header));
	memcpy(s->header2, header2, sizeof(header2));
	s->date = 0x20260101;
	s->exponent = 3;
	sign(s);
}

void encl_sign(struct encl *e, struct sgx_sigstruct *s)
{
	memset(s, 0, sizeof(*s));
	s->attributes.flags = SGX_ATTR_MODE64BIT | e->attributes;
	s->attributes.xfrm = e->xfrm;
	s->attributemask.flags = UINT64_MAX & ~SGX_ATTR_INIT;
	s->attributemask.xfrm = UINT64_MAX;
	s->miscselect = e->miscselect;
	s->miscmask = UINT32_MAX;
	s->isvprodid = 1;
	s->swdefined = e->swdefined;
	s->isvsvn = 1;
	measure(e, s->enclavehash);
	encl_sign_filled(s);
}

int encl_init(struct encl *e)
{
	static struct sgx_sigstruct s;
	struct sgx_enclave_init i = { (uint64_t)(uintptr_t)&s };

	encl_sign(e, &s);
	return fail(ioctl(e->fd, SGX_IOC_ENCLAVE_INIT, &i));
}

/* ---- whole ------------------------------------------------------------- */

static uint64_t reserve(uint64_t size)
{
	char *p = mmap(NULL, 2 * size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	NEED(p != MAP_FAILED);
	return ((uintptr_t)p + size - 1) & ~(size - 1);
}

static void map(struct encl *e, uint64_t off, uint64_t end, int prot)
{
	void *at = (void *)(e->base + off);

	NEED(mmap(at, end - off, prot, MAP_SHARED | MAP_FIXED, e->fd, 0) == at);
}

void encl_make(struct encl *e)
{
	if (!e->size)
		e->size = ENCL_SIZE;
	if (!e->base)
		e->base = reserve(e->size);
	if (e->notify)
		e->attributes |= SGX_ATTR_AEXNOTIFY;
	if (!e->xfrm)
		e->xfrm = SGX_XFRM_LEGACY;
	NEED(encl_open(e) == 0);
	NEED(encl_create(e) == 0);
	NEED(encl_add_all(e) == 0);
	NEED(encl_init(e) == 0);
	map(e, 0, ENCL_CODE, PROT_READ | PROT_WRITE);
	map(e, ENCL_CODE, ENCL_DATA, PROT_READ | PROT_EXEC);
	map(e, ENCL_DATA, ENCL_FREE, PROT_READ | PROT_WRITE);
	map(e, ENCL_FREE, e->size, PROT_READ | PROT_WRITE | PROT_EXEC);
}

void encl_close(struct encl *e)
{
	close(e->fd);
	NEED(munmap((void *)e->base, e->size) == 0);
	e->base = 0;
}

/* ---- entering ---------------------------------------------------------- */

vdso_sgx_enter_enclave_t encl_vdso(void)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *str = NULL;
	uint32_t count = 0;

	for (unsigned i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_offset);
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *at = base + dyn->d_un.d_ptr;

		if (dyn->d_tag == DT_SYMTAB)
			sym = at;
		if (dyn->d_tag == DT_STRTAB)
			str = at;
		if (dyn->d_tag == DT_HASH)
			count = ((const uint32_t *)at)[1];
	}
	for (uint32_t i = 0; sym && str && i < count; i++)
		if (!strcmp(str + sym[i].st_name, "__vdso_sgx_enter_enclave"))
			return (vdso_sgx_enter_enclave_t)(uintptr_t)(base +
								     sym[i].st_value);
	return NULL;
}

int encl_call(vdso_sgx_enter_enclave_t fn, struct encl_cmd *cmd,
	      unsigned function, struct sgx_enclave_run *run);

int encl_enter(struct encl *e, unsigned tcs, unsigned function,
	       struct encl_cmd *cmd, struct sgx_enclave_run *run)
{
	static vdso_sgx_enter_enclave_t fn;

	if (!fn)
		fn = encl_vdso();
	NEED(fn);
	run->tcs = e->base + tcs * 0x1000ull;
	return encl_call(fn, cmd, function, run);
}

static uint64_t run_cmd(struct encl *e, struct encl_cmd *cmd)
{
	struct sgx_enclave_run run = { 0 };
	int r = encl_enter(e, 0, SGX_EENTER, cmd, &run);

	if (r || run.function != SGX_EEXIT) {
		fprintf(stderr,
			"enclave: op %lu: %d, function %u, vector %u, error "
			"%#x, address %#lx\n",
			cmd->op, r, run.function, run.exception_vector,
			run.exception_error_code, run.exception_addr);
		abort();
	}
	return cmd->rax;
}

uint64_t encl_do(struct encl *e, enum encl_op op, uint64_t addr, uint64_t value)
{
	struct encl_cmd cmd = { .op = op, .addr = addr, .value = value };

	return run_cmd(e, &cmd);
}

uint64_t encl_enclu(struct encl *e, unsigned leaf, uint64_t flags,
		    uint64_t addr, uint64_t rdx)
{
	struct encl_cmd cmd = { .op = OP_ENCLU,
				.leaf = leaf,
				.flags = flags,
				.addr = addr,
				.value = rdx };

	return run_cmd(e, &cmd);
}

/* ---- EDMM -------------------------------------------------------------- */

int encl_restrict(struct encl *e, uint64_t off, uint64_t len, uint64_t perm,
		  struct sgx_enclave_restrict_permissions *out)
{
	struct sgx_enclave_restrict_permissions a = { .offset = off,
						      .length = len,
						      .permissions = perm };
	int r = fail(ioctl(e->fd, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &a));

	if (out)
		*out = a;
	return r;
}

int encl_modify(struct encl *e, uint64_t off, uint64_t len, uint64_t type,
		struct sgx_enclave_modify_types *out)
{
	struct sgx_enclave_modify_types a = { .offset = off,
					      .length = len,
					      .page_type = type };
	int r = fail(ioctl(e->fd, SGX_IOC_ENCLAVE_MODIFY_TYPES, &a));

	if (out)
		*out = a;
	return r;
}

int encl_remove(struct encl *e, uint64_t off, uint64_t len,
		struct sgx_enclave_remove_pages *out)
{
	struct sgx_enclave_remove_pages a = { .offset = off, .length = len };
	int r = fail(ioctl(e->fd, SGX_IOC_ENCLAVE_REMOVE_PAGES, &a));

	if (out)
		*out = a;
	return r;
}

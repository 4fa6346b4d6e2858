/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Enclave images on the host: from an ELF file of edmm-cc to a layout, a list
 * of page runs, a measurement (MRENCLAVE), a signature (SIGSTRUCT), and the
 * signature file PROGRAM.sig that carries policy and signature.
 *
 * The order of calls is read or parse -> plan -> measure, sign, verify; the
 * loader adds exactly the runs of the plan. Nothing here opens a device or
 * talks to an enclave, and all of it is deterministic: the same ELF bytes and
 * the same policy give the same plan on any machine.
 *
 * Context: no function takes a lock or keeps a global; different objects may
 * be used by different threads at once.
 * Trust: ELF and signature files are untrusted input and bounds-checked. The
 * enclave does not rely on any of this: what it believes is measured.
 */
#ifndef EDMM_IMAGE_H
#define EDMM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "edmm/err.h"
#include "edmm/layout.h"
#include "edmm/machine.h" /* EDMM_SWDEFINED_* */
#include "edmm/pages.h"
#include "sgx/arch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One line for a person: what is wrong, where, what would be right. */
struct edmm_diag {
	char text[512];
};

/* ---- policy: the settings that enter an image's identity -------------- */

enum edmm_mode {
	EDMM_MODE_ELASTIC = 1, /* pages come and go after EINIT: SGX2 */
	EDMM_MODE_STATIC = 2,  /* every page is EADDed: SGX1, or EDMM off */
};

#define EDMM_POLICY_WX 0x1u /* pages may be writable and executable */
#define EDMM_POLICY_DEBUG                                  \
	0x2u /* ATTRIBUTES.DEBUG: the host may look inside \
	      */

#define EDMM_ELRANGE_DEFAULT (64ull << 30)
/* What a process has room for twice, as aligning takes. */
#define EDMM_ELRANGE_MAX (32ull << 40)
#define EDMM_HEAP_INIT_DEFAULT (2ull << 20)
#define EDMM_HEAP_STATIC_DEFAULT (64ull << 20)
#define EDMM_STACK_DEFAULT (8ull << 20)
#define EDMM_STACK_INIT_DEFAULT (64ull << 10)

/* Frames for: an exception, a fault in its handler, and the report of that. */
#define EDMM_NSSA_DEFAULT 3u
/* XSAVE of AVX-512, PKRU and AMX (11,008 bytes), MISC and GPRSGX fit. */
#define EDMM_SSA_FRAME_PAGES 3u

/*
 * Sizes are bytes and multiples of the page size. All but one enter the
 * image's identity: an elastic image's heap_size is only the maximum that
 * start-up takes when it is told none, and changes nothing that is measured.
 */
struct edmm_image_policy {
	uint32_t mode;	       /* enum edmm_mode */
	uint32_t flags;	       /* EDMM_POLICY_* */
	uint64_t elrange_size; /* a power of two; 0: the smallest that fits */
	uint64_t heap_init;    /* elastic: EADDed and measured; static: 0 */
	uint64_t heap_size;    /* static: the whole heap; elastic: see above */
	uint64_t stack_size;   /* main stack, at most */
	uint64_t stack_init;   /* elastic: EADDed part of it; static: 0 */
	uint32_t ctx_count;    /* contexts (TCS, SSA, thread page) EADDed */
	uint32_t nssa;	       /* at least 2 */
	uint64_t signals;      /* that the host may send: 1 << (number - 1) */
};

/**
 * edmm_policy_default() - the policy of `edmm sign` without options
 * @mode: EDMM_MODE_ELASTIC or EDMM_MODE_STATIC
 * @policy: filled in
 */
void edmm_policy_default(enum edmm_mode mode, struct edmm_image_policy *policy);

/* ---- image: an ELF file, checked -------------------------------------- */

struct edmm_image;

/**
 * edmm_image_read() - read and check an ELF file
 * @path: file name
 * @out: the image; the caller frees it with edmm_image_free()
 * @diag: told what is wrong, when something is
 *
 * Return: 0, -EDMM_ENOENT, -EDMM_EACCES or -EDMM_EIO (the file cannot be
 * read), -EDMM_EFBIG (over 1 GiB), -EDMM_ENOEXEC (no image of edmm-cc),
 * -EDMM_ENOMEM. On an error *out is NULL.
 */
EDMM_NODISCARD edmm_err edmm_image_read(const char *path,
					struct edmm_image **out,
					struct edmm_diag *diag);

/**
 * edmm_image_parse() - the same, from memory
 * @bytes: the file's content; copied
 * @size: bytes
 * @name: what messages call it
 *
 * Return: as edmm_image_read(), without the errors of files.
 */
EDMM_NODISCARD edmm_err edmm_image_parse(const void *bytes, size_t size,
					 const char *name,
					 struct edmm_image **out,
					 struct edmm_diag *diag);

/** edmm_image_free() - free an image; NULL is allowed. Plans must be gone. */
void edmm_image_free(struct edmm_image *image);

/**
 * edmm_image_symbol() - the function or object that an address belongs to
 * @image: the image
 * @off: offset from the enclave's base (the ELF file's virtual address)
 * @delta: set to @off minus the symbol's address
 *
 * Return: a name owned by @image, or NULL where the symbol table says nothing.
 */
const char *edmm_image_symbol(const struct edmm_image *image, uint64_t off,
			      uint64_t *delta);

/* ---- plan: the layout and the pages ----------------------------------- */

/* Everything that is measured and loaded for one image and one policy. */
struct edmm_plan {
	struct edmm_layout layout;  /* as the enclave finds it */
	struct edmm_page_run *runs; /* ascending offsets */
	size_t run_count;	    /* elements of runs */
	uint64_t pages_added;	    /* EADD: pages of all runs */
	uint64_t pages_measured;    /* EEXTENDed: those with .measured */
	uint64_t oentry;	    /* TCS.OENTRY */
	uint8_t *store;		    /* pages that are in no file; private */
};

/**
 * edmm_plan_make() - lay an image out under a policy
 * @image: must outlive the plan: runs point into it
 * @policy: settings; 0 in elrange_size is resolved
 * @plan: filled in; freed with edmm_plan_free()
 *
 * Return: 0, -EDMM_EINVAL (the policy contradicts itself or does not fit:
 * @diag names the setting), -EDMM_ENOMEM. On an error @plan is empty.
 */
EDMM_NODISCARD edmm_err edmm_plan_make(const struct edmm_image *image,
				       const struct edmm_image_policy *policy,
				       struct edmm_plan *plan,
				       struct edmm_diag *diag);

/** edmm_plan_free() - free what edmm_plan_make() allocated. */
void edmm_plan_free(struct edmm_plan *plan);

/**
 * edmm_measure() - MRENCLAVE of a list of page runs
 * @runs: ascending, not overlapping
 * @count: elements
 * @elrange_size: SECS.SIZE, bytes
 * @ssa_frame_pages: SECS.SSAFRAMESIZE
 * @mrenclave: 32 bytes
 *
 * Return: 0, or -EDMM_EIO when the crypto library fails.
 * Source: SDM 3D, ECREATE, EADD, EEXTEND and EINIT in chapter 38.
 */
EDMM_NODISCARD edmm_err edmm_measure(const struct edmm_page_run *runs,
				     size_t count, uint64_t elrange_size,
				     uint32_t ssa_frame_pages,
				     uint8_t mrenclave[32]);

/** edmm_plan_measure() - edmm_measure() of a plan; the same errors. */
EDMM_NODISCARD edmm_err edmm_plan_measure(const struct edmm_plan *plan,
					  uint8_t mrenclave[32]);

/* ---- keys and signatures ---------------------------------------------- */

struct edmm_key;

enum edmm_key_kind {
	EDMM_KEY_PLAIN,	      /* a PEM file that says nothing */
	EDMM_KEY_DEVELOPMENT, /* made by `edmm run` for unsigned images */
	EDMM_KEY_PRODUCTION,  /* keygen --production */
};

/**
 * edmm_key_generate() - a new RSA-3072 key with exponent 3
 *
 * Return: 0, -EDMM_EIO (crypto library), -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_key_generate(enum edmm_key_kind kind,
					  struct edmm_key **out,
					  struct edmm_diag *diag);

/**
 * edmm_key_read() - read a private key in PEM format
 *
 * Return: 0, -EDMM_ENOENT, -EDMM_EACCES, -EDMM_EIO, or -EDMM_EKEYREJECTED (no
 * private key, not RSA, not 3072 bits, exponent not 3).
 */
EDMM_NODISCARD edmm_err edmm_key_read(const char *path, struct edmm_key **out,
				      struct edmm_diag *diag);

/**
 * edmm_key_read_public() - read the public half, in PEM format
 *
 * For edmm_sign_finish() only. Return: as edmm_key_read().
 */
EDMM_NODISCARD edmm_err edmm_key_read_public(const char *path,
					     struct edmm_key **out,
					     struct edmm_diag *diag);

/**
 * edmm_key_write() - write a private key, mode 0600, whole or not at all
 * @replace: a file of that name may be replaced
 *
 * Return: 0, -EDMM_EEXIST, -EDMM_EACCES, -EDMM_EIO.
 */
EDMM_NODISCARD edmm_err edmm_key_write(const struct edmm_key *key,
				       const char *path, int replace,
				       struct edmm_diag *diag);

enum edmm_key_kind edmm_key_kind(const struct edmm_key *key);
void edmm_key_free(struct edmm_key *key);

/* What the signer says beyond the measurement. */
struct edmm_identity {
	uint16_t isv_prod_id;
	uint16_t isv_svn;
	uint32_t date;	    /* BCD yyyymmdd */
	uint32_t swdefined; /* 0, or EDMM_SWDEFINED_MARK and flags */
};

/* XFRM bits beyond x87 and SSE: SIGSTRUCT's mask leaves these to the machine,
 * and no others. */
#define EDMM_XFRM_OPTIONAL (EDMM_XFRM_ALLOWED & ~SGX_XFRM_LEGACY)

/**
 * edmm_sign() - sign a plan
 * @plan: the plan; its flags decide MISCSELECT and ATTRIBUTES
 * @key: the signer's key
 * @identity: product, version, date
 * @sig: filled in
 *
 * Elastic: MISCSELECT is EXINFO and all of it is masked (invariant I13).
 * Static: EXINFO is left to the machine. ATTRIBUTES: MODE64BIT, and DEBUG if
 * the policy has it, all masked; XFRM: see EDMM_XFRM_OPTIONAL.
 *
 * Return: 0, -EDMM_EIO (crypto library), -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_sign(const struct edmm_plan *plan,
				  const struct edmm_key *key,
				  const struct edmm_identity *identity,
				  struct sgx_sigstruct *sig,
				  struct edmm_diag *diag);

#define EDMM_SIGNED_SIZE 256u

/**
 * edmm_sign_begin() - all of a SIGSTRUCT but what the key gives
 * edmm_sign_bytes() - the bytes that the signature is of
 *
 * For keys kept elsewhere: whoever has the key signs these bytes with RSA,
 * PKCS #1 v1.5 and SHA-256, and edmm_sign_finish() takes the result.
 *
 * Return: 0, -EDMM_EIO (crypto library).
 */
EDMM_NODISCARD edmm_err edmm_sign_begin(const struct edmm_plan *plan,
					const struct edmm_identity *identity,
					struct sgx_sigstruct *sig,
					struct edmm_diag *diag);
void edmm_sign_bytes(const struct sgx_sigstruct *sig,
		     uint8_t bytes[EDMM_SIGNED_SIZE]);

/**
 * edmm_sign_finish() - put a signature made elsewhere in, and verify it
 * @sig: of edmm_sign_begin()
 * @key: its public half is enough
 * @signature: SGX_KEY_SIZE bytes, the most significant first, as openssl and
 *	PKCS #11 give it
 *
 * Return: 0, -EDMM_EIO (crypto library), -EDMM_EKEYREJECTED (a signature of
 * other bytes, or by another key).
 */
EDMM_NODISCARD edmm_err edmm_sign_finish(struct sgx_sigstruct *sig,
					 const struct edmm_key *key,
					 const uint8_t signature[SGX_KEY_SIZE],
					 struct edmm_diag *diag);

/**
 * edmm_sigstruct_verify() - check a SIGSTRUCT as EINIT does
 *
 * Return: 0, or -EDMM_EKEYREJECTED with the field at fault in @diag: header,
 * exponent, reserved bytes, q1 or q2, RSA padding, hash.
 */
EDMM_NODISCARD edmm_err edmm_sigstruct_verify(const struct sgx_sigstruct *sig,
					      struct edmm_diag *diag);

/** edmm_mrsigner() - SHA-256 of the modulus as SIGSTRUCT stores it. */
void edmm_mrsigner(const struct sgx_sigstruct *sig, uint8_t mrsigner[32]);

/* ---- the signature file ----------------------------------------------- */

#define EDMM_SIG_ENTRIES 2

struct edmm_sig_entry {
	struct edmm_image_policy policy;
	struct sgx_sigstruct sig;
};

struct edmm_sig_file {
	uint32_t count; /* 1 or 2 entries, elastic before static */
	struct edmm_sig_entry entry[EDMM_SIG_ENTRIES];
};

/* The entry of a mode, or NULL. */
const struct edmm_sig_entry *edmm_sig_find(const struct edmm_sig_file *file,
					   enum edmm_mode mode);

/**
 * edmm_sig_parse() - read a signature file from memory, strictly
 *
 * Every byte has one meaning: what edmm_sig_emit() would not write is refused.
 * The RSA signature is not checked here.
 *
 * Return: 0, -EDMM_EBADMSG with the field in @diag.
 */
EDMM_NODISCARD edmm_err edmm_sig_parse(const void *bytes, size_t size,
				       const char *name,
				       struct edmm_sig_file *file,
				       struct edmm_diag *diag);

/**
 * edmm_sig_emit() - the bytes of a signature file
 * @bytes: receives malloc()ed memory, the caller's
 *
 * Return: 0, -EDMM_EINVAL (no valid file), -EDMM_ENOMEM.
 */
EDMM_NODISCARD edmm_err edmm_sig_emit(const struct edmm_sig_file *file,
				      uint8_t **bytes, size_t *size);

/**
 * edmm_sig_read() - edmm_sig_parse() of a file
 * edmm_sig_write() - edmm_sig_emit() to a file, whole or not at all
 *
 * Return: as those, or -EDMM_ENOENT, -EDMM_EACCES, -EDMM_EIO.
 */
EDMM_NODISCARD edmm_err edmm_sig_read(const char *path,
				      struct edmm_sig_file *file,
				      struct edmm_diag *diag);
EDMM_NODISCARD edmm_err edmm_sig_write(const char *path,
				       const struct edmm_sig_file *file,
				       struct edmm_diag *diag);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why ECREATE or EINIT refuse, in words. A processor says #GP or a code; here
 * the same conditions are asked once more, in the leaf's order, and the first
 * that does not hold is told with its bit. That they are the same is the test's
 * to find (tests/model/test_why.c).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/model/crypto.h"
#include "machine/model/keys.h"

#define SECS_MIN_SIZE 0x2000u
#define SECS_RESERVED_OFF 262u
#define XFRM_MPX 0x18ull
#define XFRM_AVX 0x4ull
#define XFRM_AVX512 0xe0ull
#define XFRM_AMX 0x60000ull
#define VENDOR_INTEL 0x8086u

struct text {
	char *out;
	size_t size;
};

/* Always true: there is a reason. */
__attribute__((format(printf, 2, 3))) static bool say(const struct text *t,
						      const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	vsnprintf(t->out, t->size, form, ap);
	va_end(ap);
	return true;
}

static const struct name {
	uint64_t bit;
	const char *name;
} attribute_names[] = {
	{ SGX_ATTR_INIT, "INIT" },
	{ SGX_ATTR_DEBUG, "DEBUG" },
	{ SGX_ATTR_MODE64BIT, "MODE64BIT" },
	{ SGX_ATTR_PROVISIONKEY, "PROVISIONKEY" },
	{ SGX_ATTR_EINITTOKENKEY, "EINITTOKENKEY" },
	{ SGX_ATTR_CET, "CET" },
	{ SGX_ATTR_KSS, "KSS" },
	{ SGX_ATTR_AEXNOTIFY, "AEXNOTIFY" },
	{ 0, NULL },
}, xfrm_names[] = {
	{ 0x1, "x87" },	     { 0x2, "SSE" },	   { 0x4, "AVX" },
	{ 0x8, "MPX" },	     { 0x10, "MPX" },	   { 0x20, "AVX-512" },
	{ 0x40, "AVX-512" }, { 0x80, "AVX-512" },  { 0x200, "PKRU" },
	{ 0x20000, "AMX" },  { 0x40000, "AMX" },   { 0, NULL },
}, misc_names[] = {
	{ SGX_MISC_EXINFO, "EXINFO" },
	{ 0, NULL },
};

static const char *name_of(const struct name *n, uint64_t bit)
{
	while (n->name && n->bit != bit)
		n++;
	return n->name ? n->name : "reserved";
}

static unsigned lowest(uint64_t bits)
{
	return (unsigned)__builtin_ctzll(bits);
}

/* The lowest of @bits, which a field has and must not, or the other way. */
static bool say_bit(const struct text *t, const char *field,
		    const struct name *names, uint64_t bits, const char *what)
{
	return say(t, "%s bit %u (%s) %s", field, lowest(bits),
		   name_of(names, 1ull << lowest(bits)), what);
}

#define LACKS "is set, and this processor does not have it"

/* ---- ECREATE ------------------------------------------------------------ */

static bool xfrm_wrong(const struct text *t, const struct mach_config *c,
		       uint64_t x)
{
	if (~x & SGX_XFRM_LEGACY)
		return say_bit(t, "SECS.ATTRIBUTES.XFRM", xfrm_names,
			       ~x & SGX_XFRM_LEGACY, "must be set");
	if (x & ~c->xfrm)
		return say_bit(t, "SECS.ATTRIBUTES.XFRM", xfrm_names,
			       x & ~c->xfrm, LACKS);
	if ((x & XFRM_MPX) && (x & XFRM_MPX) != XFRM_MPX)
		return say_bit(t, "SECS.ATTRIBUTES.XFRM", xfrm_names,
			       ~x & XFRM_MPX, "must be as the other one");
	if ((x & XFRM_AVX512) && (~x & (XFRM_AVX512 | XFRM_AVX)))
		return say_bit(t, "SECS.ATTRIBUTES.XFRM", xfrm_names,
			       ~x & (XFRM_AVX512 | XFRM_AVX),
			       "must be set where AVX-512 is");
	if ((x & XFRM_AMX) && (~x & XFRM_AMX))
		return say_bit(t, "SECS.ATTRIBUTES.XFRM", xfrm_names,
			       ~x & XFRM_AMX, "must be as the other one");
	return false;
}

static bool ssa_wrong(const struct text *t, const struct mach_config *c,
		      const struct sgx_secs *s)
{
	uint64_t need = mach_xsave_size(c, s->attributes.xfrm) +
			sizeof(struct sgx_gprsgx);

	if (s->miscselect & SGX_MISC_EXINFO)
		need += sizeof(struct sgx_exinfo);
	return (uint64_t)s->ssaframesize * SGX_PAGE_SIZE < need &&
	       say(t,
		   "SECS.SSAFRAMESIZE is %u pages, and XFRM 0x%llx with "
		   "MISCSELECT 0x%x needs %llu bytes",
		   s->ssaframesize, (unsigned long long)s->attributes.xfrm,
		   s->miscselect, (unsigned long long)need);
}

static bool range_wrong(const struct text *t, const struct mach_config *c,
			const struct sgx_secs *s)
{
	bool mode64 = s->attributes.flags & SGX_ATTR_MODE64BIT;
	unsigned log2 = mode64 ? c->size_log2_64 : c->size_log2_32;
	unsigned long long base = s->base, size = s->size;

	if (mode64 ? !canonical(s->base) : s->base >> 32 != 0)
		return say(t, "SECS.BASEADDR 0x%llx is %s", base,
			   mode64 ? "not canonical"
				  : "above 4 GiB, without MODE64BIT");
	if (s->size >> log2 != 0)
		return say(t,
			   "SECS.SIZE 0x%llx is not below 2^%u, the limit of "
			   "CPUID.12H.0:EDX",
			   size, log2);
	if (s->size < SECS_MIN_SIZE || (s->size & (s->size - 1)) != 0)
		return say(t,
			   "SECS.SIZE 0x%llx is no power of two from two pages",
			   size);
	return (s->base & (s->size - 1)) != 0 &&
	       say(t, "SECS.BASEADDR 0x%llx is not aligned on SECS.SIZE 0x%llx",
		   base, size);
}

static bool reserved_wrong(const struct text *t, const struct sgx_secs *s)
{
	static const char what[] = "is not 0, and there is no CET";

	for (size_t i = 0; i < 24; i++)
		if (((const uint8_t *)s->cet_leg_bitmap_offset)[i])
			return say(t, "SECS byte %zu %s",
				   offsetof(struct sgx_secs,
					    cet_leg_bitmap_offset) +
					   i,
				   what);
	for (size_t i = 0; i < SGX_PAGE_SIZE; i++) {
		size_t r2 = offsetof(struct sgx_secs, reserved2);
		size_t r3 = offsetof(struct sgx_secs, reserved3);
		bool reserved = i - r2 < sizeof(s->reserved2) ||
				i - r3 < sizeof(s->reserved3) ||
				i >= SECS_RESERVED_OFF;

		if (reserved && ((const uint8_t *)s)[i])
			return say(t, "SECS byte %zu is reserved and not 0", i);
	}
	return false;
}

static uint64_t attributes_there(const struct mach_config *c)
{
	return SGX_ATTR_DEBUG | SGX_ATTR_MODE64BIT | SGX_ATTR_PROVISIONKEY |
	       SGX_ATTR_EINITTOKENKEY |
	       (c->features & MACH_F_KSS ? SGX_ATTR_KSS : 0) |
	       (c->features & MACH_F_AEXNOTIFY ? SGX_ATTR_AEXNOTIFY : 0);
}

static uint32_t misc_there(const struct mach_config *c)
{
	return c->features & MACH_F_EXINFO ? SGX_MISC_EXINFO : 0;
}

bool mach_why_create(const struct mach_config *c, const struct sgx_secs *s,
		     char *out, size_t size)
{
	const struct text t = { out, size };
	uint64_t flags = s->attributes.flags & ~attributes_there(c);
	uint32_t misc = s->miscselect & ~misc_there(c);

	if (xfrm_wrong(&t, c, s->attributes.xfrm))
		return true;
	if (misc)
		return say_bit(&t, "SECS.MISCSELECT", misc_names, misc, LACKS);
	if (ssa_wrong(&t, c, s) || range_wrong(&t, c, s))
		return true;
	if (flags & SGX_ATTR_INIT)
		return say(&t, "SECS.ATTRIBUTES bit 0 (INIT) is set; EINIT "
			       "does that");
	if (flags)
		return say_bit(&t, "SECS.ATTRIBUTES", attribute_names, flags,
			       LACKS);
	if (reserved_wrong(&t, s))
		return true;
	return !(s->attributes.flags & SGX_ATTR_KSS) &&
	       (s->configsvn != 0 || !all_zero(s->configid, 64)) &&
	       say(&t, "SECS.%s is not 0, without ATTRIBUTES bit 7 (KSS)",
		   s->configsvn ? "CONFIGSVN" : "CONFIGID");
}

/* ---- EINIT -------------------------------------------------------------- */

static bool header_wrong(const struct text *t, const struct sgx_sigstruct *s)
{
	static const uint8_t header[12] = SGX_SIGSTRUCT_HEADER;
	static const uint8_t header2[16] = SGX_SIGSTRUCT_HEADER2;

	if (memcmp(s->header, header, sizeof(header)) != 0)
		return say(t, "SIGSTRUCT.HEADER is not that of a SIGSTRUCT");
	if (s->vendor != 0 && s->vendor != VENDOR_INTEL)
		return say(t, "SIGSTRUCT.VENDOR is 0x%x, and not 0 or 0x8086",
			   s->vendor);
	if (memcmp(s->header2, header2, sizeof(header2)) != 0)
		return say(t, "SIGSTRUCT.HEADER2 is not that of a SIGSTRUCT");
	if (s->exponent != 3)
		return say(t, "SIGSTRUCT.EXPONENT is %u, and not 3",
			   s->exponent);
	if (s->cet_attributes || s->cet_attributes_mask)
		return say(t, "SIGSTRUCT.CET_ATTRIBUTES or its mask is not 0, "
			      "and there is no CET");
	return (!all_zero(s->reserved1, sizeof(s->reserved1)) ||
		!all_zero(s->reserved2, sizeof(s->reserved2)) ||
		!all_zero(s->reserved3, sizeof(s->reserved3)) ||
		!all_zero(s->reserved4, sizeof(s->reserved4))) &&
	       say(t, "SIGSTRUCT has a reserved byte that is not 0");
}

/* Where the mask wants SECS and SIGSTRUCT alike. */
static bool differs(const struct text *t, const char *field,
		    const struct name *names, uint64_t secs, uint64_t sig,
		    uint64_t mask)
{
	uint64_t bits = (secs ^ sig) & mask;
	unsigned n = bits ? lowest(bits) : 0;

	return bits &&
	       say(t,
		   "%s bit %u (%s) is %u in the SECS and %u in SIGSTRUCT, "
		   "whose mask wants them alike",
		   field, n, name_of(names, 1ull << n),
		   (unsigned)(secs >> n & 1), (unsigned)(sig >> n & 1));
}

static bool measured_wrong(const struct text *t, const uint8_t mine[32],
			   const uint8_t theirs[32])
{
	char a[65], b[65];

	if (!memcmp(mine, theirs, 32))
		return false;
	for (int i = 0; i < 32; i++) {
		snprintf(a + 2 * i, 3, "%02x", mine[i]);
		snprintf(b + 2 * i, 3, "%02x", theirs[i]);
	}
	return say(t,
		   "the pages measure to %s, and SIGSTRUCT.ENCLAVEHASH is %s",
		   a, b);
}

static bool secs_wrong(const struct text *t, struct sgx_secs *s,
		       const struct sgx_sigstruct *sig)
{
	uint8_t mrenclave[32];

	if (!(s->attributes.flags & SGX_ATTR_KSS) &&
	    (!all_zero(sig->isvfamilyid, 16) ||
	     !all_zero(sig->isvextprodid, 16)))
		return say(t,
			   "SIGSTRUCT.ISV%sID is not 0, without "
			   "SECS.ATTRIBUTES bit 7 (KSS)",
			   all_zero(sig->isvfamilyid, 16) ? "EXTPROD"
							  : "FAMILY");
	measure_final(hidden_of(s), mrenclave);
	return measured_wrong(t, mrenclave, sig->enclavehash) ||
	       differs(t, "ATTRIBUTES", attribute_names, s->attributes.flags,
		       sig->attributes.flags, sig->attributemask.flags) ||
	       differs(t, "ATTRIBUTES.XFRM", xfrm_names, s->attributes.xfrm,
		       sig->attributes.xfrm, sig->attributemask.xfrm) ||
	       differs(t, "MISCSELECT", misc_names, s->miscselect,
		       sig->miscselect, sig->miscmask);
}

/* Bits that SIGSTRUCT fixes to 1 and the processor lacks: Linux refuses them
 * before EINIT does. */
static bool lacks(const struct text *t, const struct mach_config *c,
		  const struct sgx_sigstruct *s)
{
	uint64_t flags = s->attributes.flags & s->attributemask.flags &
			 ~(attributes_there(c) | SGX_ATTR_INIT);
	uint64_t xfrm = s->attributes.xfrm & s->attributemask.xfrm & ~c->xfrm;
	uint32_t misc = s->miscselect & s->miscmask & ~misc_there(c);

	if (flags)
		return say_bit(t, "SIGSTRUCT.ATTRIBUTES", attribute_names,
			       flags, LACKS);
	if (misc)
		return say_bit(t, "SIGSTRUCT.MISCSELECT", misc_names, misc,
			       LACKS);
	return xfrm &&
	       say_bit(t, "SIGSTRUCT.ATTRIBUTES.XFRM", xfrm_names, xfrm, LACKS);
}

bool mach_why_init(const struct mach *m, uint32_t epc,
		   const struct sgx_sigstruct *sig, char *out, size_t size)
{
	const struct text t = { out, size };

	if (lacks(&t, &m->cfg, sig) || header_wrong(&t, sig))
		return true;
	if (!crypto_sigstruct(sig))
		return say(&t, "SIGSTRUCT.SIGNATURE, or Q1 or Q2, is not that "
			       "of these bytes by SIGSTRUCT.MODULUS");
	return secs_wrong(&t, secs_of(m, epc), sig);
}

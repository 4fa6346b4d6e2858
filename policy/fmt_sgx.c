/* SPDX-License-Identifier: BSD-3-Clause */
/* Enclave.config.xml of the Intel SDK, as sgx_sign of release 2.26 reads it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/keys.h"

#define U32 0xffffffffull

/* In the order in which Occlum's tool writes them; then what it has not. */
static const struct pol_map map[] = {
	{ "ProdID", EDMM_SET_PRODID, POL_UINT, 0xffff, NULL, false },
	{ "ISVSVN", EDMM_SET_SVN, POL_UINT, 0xffff, NULL, false },
	{ "StackMaxSize", EDMM_SET_STACK_MAX, POL_SIZE, 0, NULL, false },
	{ "StackMinSize", EDMM_SET_STACK_MIN, POL_SIZE, 0, NULL, false },
	{ "HeapInitSize", EDMM_SET_HEAP_INIT, POL_SIZE, 0, NULL, false },
	{ "HeapMaxSize", EDMM_SET_HEAP_MAX, POL_SIZE, 0, NULL, false },
	{ "HeapMinSize", EDMM_SET_HEAP_MIN, POL_SIZE, 0, NULL, false },
	{ "TCSNum", EDMM_SET_THREADS_INIT, POL_UINT, U32, NULL, false },
	{ "TCSMaxNum", EDMM_SET_THREADS_MAX, POL_UINT, U32, NULL, false },
	{ "TCSMinPool", EDMM_SET_THREADS_POOL, POL_UINT, U32, NULL, false },
	{ "TCSPolicy", EDMM_SET_THREADS_BOUND, POL_UNFLAG, 0, NULL, false },
	{ "DisableDebug", EDMM_SET_DEBUG, POL_UNFLAG, 0, NULL, false },
	{ "MiscSelect", EDMM_SET_MISC_SELECT, POL_HEX, U32, NULL, false },
	{ "MiscMask", EDMM_SET_MISC_MASK, POL_HEX, U32, NULL, false },
	{ "ReservedMemMaxSize", EDMM_SET_RSRV_MAX, POL_SIZE, 0, NULL, false },
	{ "ReservedMemMinSize", EDMM_SET_RSRV_MIN, POL_SIZE, 0, NULL, false },
	{ "ReservedMemInitSize", EDMM_SET_RSRV_INIT, POL_SIZE, 0, NULL, false },
	{ "ReservedMemExecutable", EDMM_SET_RSRV_EXEC, POL_FLAG, 0, NULL,
	  false },
	{ "UserRegionSize", EDMM_SET_REGION, POL_SIZE, 0, NULL, false },
	{ "EnableKSS", EDMM_SET_KSS, POL_FLAG, 0, NULL, false },
	{ "ISVEXTPRODID_H", EDMM_SET_EXTPROD_H, POL_HEX, 0, NULL, false },
	{ "ISVEXTPRODID_L", EDMM_SET_EXTPROD_L, POL_HEX, 0, NULL, false },
	{ "ISVFAMILYID_H", EDMM_SET_FAMILY_H, POL_HEX, 0, NULL, false },
	{ "ISVFAMILYID_L", EDMM_SET_FAMILY_L, POL_HEX, 0, NULL, false },
	{ "PKRU", EDMM_SET_PKRU, POL_UINT, 2, NULL, false },
	{ "AMX", EDMM_SET_AMX, POL_UINT, 2, NULL, false },
	{ "EnableAEXNotify", EDMM_SET_AEXNOTIFY, POL_FLAG, 0, NULL, false },
	{ "EnclaveImageAddress", EDMM_SET_IMAGE_ADDR, POL_HEX, 0, NULL, false },
	{ "ELRangeStartAddress", EDMM_SET_ELRANGE_START, POL_HEX, 0, NULL,
	  false },
	{ "ELRangeSize", EDMM_SET_ELRANGE_SIZE, POL_SIZE, 0, NULL, false },
	{ NULL, 0, 0, 0, NULL, false },
};

/* Of Intel's own enclaves; the last is of HyperEnclave's SDK. */
static const char *const known[] = {
	"ReleaseType", "IntelSigned",	"ProvisionKey",	  "LaunchKey",
	"HW",	       "EnableIPPFIPS", "EnableOSSLFIPS", "MarshalBufferSize",
	NULL,
};

/* ---- sizes ------------------------------------------------------------ */

/* strtoull, base 0; a minus sign is refused. */
static edmm_err parse_size(const char *s, uint64_t *value)
{
	char *end = NULL;
	unsigned base = 10;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '+')
		s++;
	if (!isdigit((unsigned char)*s))
		return -EDMM_EINVAL;
	if (s[0] == '0')
		base = s[1] == 'x' || s[1] == 'X' ? 16 : 8;
	*value = 0;
	if (base == 10) {
		const char *p = s;
		edmm_err err = pol_digits(&p, value);

		if (err != 0)
			return err;
		end = (char *)(uintptr_t)p;
	} else {
		if (base == 16 && strlen(s + 2) > strspn(s + 2, "0") + 16 &&
		    strspn(s + 2, "0123456789abcdefABCDEF") > 16)
			return -EDMM_ERANGE;
		*value = strtoull(s, &end, (int)base);
	}
	return *end == '\0' && end != s ? 0 : -EDMM_EINVAL;
}

static const struct pol_unit units[] = { { "", 0 }, { NULL, 0 } };
static const struct pol_sizes sizes = {
	.units = units,
	.parse = parse_size,
	.example = "bytes, as in 0x400000 or 4194304",
};

/* ---- the file --------------------------------------------------------- */

static const char *const files[] = { "*.xml", NULL };

static enum pol_sure sniff(const struct pol_sample *t)
{
	return *t->start == '<' ? POL_BY_START : POL_NOT;
}

static void at_least(const struct edmm_policy *p, enum edmm_setting_id id,
		     uint64_t least, struct edmm_findings *f)
{
	struct pol_span at = pol_at(p, id);
	struct edmm_finding *v;

	if (!p->s[id].set || p->s[id].value >= least)
		return;
	v = pol_report(f, p->doc, &at, EDMM_ERROR, "P104", "%s is %llu",
		       pol_row(&pol_sgx_xml, id)->path,
		       (unsigned long long)p->s[id].value);
	pol_fix(v, "at least %llu", (unsigned long long)least);
}

static void finish(struct edmm_policy *p, struct edmm_findings *f)
{
	at_least(p, EDMM_SET_THREADS_INIT, 1, f);
	at_least(p, EDMM_SET_STACK_MAX, 0x2000, f);
	at_least(p, EDMM_SET_STACK_MIN, 0x2000, f);
}

const struct pol_format pol_sgx_xml = {
	.id = EDMM_FORMAT_SGX_XML,
	.parse = pol_xml_parse,
	.emit = pol_xml_emit,
	.comment = "<!--",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.sizes = &sizes,
	.closed = true,
	.flat = true,
	.any_base = true,
	.finish = finish,
};

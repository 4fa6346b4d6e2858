/* SPDX-License-Identifier: BSD-3-Clause */
/* The Intel SDK: Enclave.config.xml, as sgx_sign of release 2.26 reads it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/areas.h"
#include "policy/lint.h"
#include "policy/write.h"

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

		if (err)
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

static unsigned sniff(const struct pol_sample *t)
{
	return *t->start == '<' ? POL_BY_START : POL_NOT;
}

/* The number that an element holds; 0 where there is none. */
static uint64_t number_at(const struct edmm_policy *p, const char *name)
{
	const struct pol_node *n = pol_find(p->doc->root, name);
	uint64_t v = 0;

	return n && n->str && !parse_size(n->str, &v) ? v : 0;
}

/* Only Intel's launch enclave has a hardware version, and the launch key. */
static void launch(const struct edmm_policy *p, struct edmm_findings *f)
{
	const struct pol_node *hw = pol_find(p->doc->root, "HW");
	const struct pol_node *key = pol_find(p->doc->root, "LaunchKey");
	const struct pol_node *n = key ? key : hw;

	if (!n || !number_at(p, "HW") == !number_at(p, "LaunchKey"))
		return;
	pol_fix(pol_report(f, p->doc, &n->at, EDMM_ERROR, "P206",
			   "HW and LaunchKey go together, and sgx_sign refuses "
			   "one without the other"),
		"take both out: they are the launch enclave's");
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
	launch(p, f);
}

/* ---- rules ------------------------------------------------------------ */

/* Which metadata sgx_sign writes: the loader of which platforms finds it. */
struct metadata {
	bool dynamic; /* something differs between start and maximum */
	bool sgx1;
	bool sgx2;
};

static struct metadata metadata_of(const struct edmm_resolved *r)
{
	uint64_t pool =
		r->tcs_pool < r->tcs_init - 1 ? r->tcs_pool : r->tcs_init - 1;
	struct metadata m = { false, true, false };

	m.dynamic =
		r->heap_min != r->heap_init || r->heap_init != r->heap_max ||
		r->stack_min != r->stack_max || r->rsrv_min != r->rsrv_init ||
		r->rsrv_init != r->rsrv_max || r->tcs_max != pool + 1;
	if (r->region > 0) {
		m.sgx1 = false;
		m.sgx2 = true;
	} else if (m.dynamic && (r->misc_select & 1) != 0) {
		m.sgx2 = true;
		m.sgx1 = (r->misc_mask & 1) == 0;
	}
	return m;
}

static bool aligned(const struct pol_rules *c, enum edmm_level level,
		    enum edmm_setting_id id, uint64_t value)
{
	struct pol_span at = pol_at(c->p, id);
	char right[32];
	struct edmm_finding *v;

	if (value % 4096 == 0)
		return true;
	v = pol_report(c->f, c->p->doc, c->p->s[id].set ? &at : NULL, level,
		       "P205", "%s is %llu bytes, no multiple of 4096",
		       pol_name(c->p, id), (unsigned long long)value);
	pol_effect(v, "sgx_sign refuses it");
	edmm_size_format(c->p->format, pol_pages_up(value), right);
	pol_fix(v, "the next multiple is %s", right);
	return false;
}

/* Two pages of stack are the least that it takes. */
static bool enough_stack(const struct pol_rules *c, enum edmm_level level)
{
	struct pol_span at = pol_at(c->p, EDMM_SET_STACK_MAX);

	if (c->r->stack_max >= 0x2000 && c->r->stack_min >= 0x2000)
		return true;
	pol_fix(pol_report(c->f, c->p->doc,
			   c->p->s[EDMM_SET_STACK_MAX].set ? &at : NULL, level,
			   "P104", "%s is too small for sgx_sign",
			   pol_name(c->p, EDMM_SET_STACK_MAX)),
		"at least 8192 bytes");
	return false;
}

/* One pair that sgx_sign wants in order. */
static bool ordered(const struct pol_rules *c, enum edmm_level level,
		    struct pol_bound low, struct pol_bound high)
{
	if (low.value <= high.value)
		return true;
	pol_effect(pol_above(c, level, low, high), "sgx_sign refuses it");
	return false;
}

static bool sgx_threads(const struct pol_rules *c, enum edmm_level level)
{
	const struct edmm_resolved *r = c->r;
	bool ok = ordered(c, level, BOUND(EDMM_SET_THREADS_INIT, r->tcs_init),
			  BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
	struct pol_span at = pol_at(c->p, EDMM_SET_THREADS_MAX);

	ok &= ordered(c, level, BOUND(EDMM_SET_THREADS_POOL, r->tcs_pool),
		      BOUND(EDMM_SET_THREADS_MAX, r->tcs_max));
	if (r->tcs_init > 0)
		return ok;
	pol_effect(pol_report(c->f, c->p->doc, &at, level, "P104",
			      "no thread at all"),
		   "sgx_sign refuses it");
	return false;
}

/* An error of sgx_sign's at a setting; false, for ok &= . */
static bool refused(const struct pol_rules *c, enum edmm_level level,
		    enum edmm_setting_id id, const char *what)
{
	struct pol_span at = pol_at(c->p, id);

	pol_effect(pol_report(c->f, c->p->doc, c->p->s[id].set ? &at : NULL,
			      level, "P206", "%s %s", pol_name(c->p, id), what),
		   "sgx_sign refuses it");
	return false;
}

/* Bytes that are laid out whatever the program's own size is. */
static uint64_t least_range(const struct edmm_resolved *r)
{
	struct edmm_resolved free = *r;
	struct pol_layout l;
	uint64_t end;

	free.enclave_size = 0;
	pol_areas(&free, &l);
	end = pol_plus(l.v[l.count - 1].off, l.v[l.count - 1].size);
	return end > l.assumed ? end - l.assumed : 0;
}

/* The enclave in an address range that the file names. */
static bool range_holds(const struct pol_rules *c, enum edmm_level level)
{
	uint64_t size = pol_get(c, EDMM_SET_ELRANGE_SIZE, 0);
	uint64_t start = pol_get(c, EDMM_SET_ELRANGE_START, 0);
	uint64_t image = pol_get(c, EDMM_SET_IMAGE_ADDR, 0);
	uint64_t end = pol_plus(start, size);
	uint64_t need = pol_plus(image, least_range(c->r));
	bool ok = true;

	if ((start & (size - 1)) != 0)
		ok = refused(c, level, EDMM_SET_ELRANGE_START,
			     "is no multiple of ELRangeSize");
	if (end == UINT64_MAX)
		return refused(c, level, EDMM_SET_ELRANGE_SIZE,
			       "ends beyond 2^64");
	if (image < start)
		return refused(c, level, EDMM_SET_IMAGE_ADDR,
			       "is below ELRangeStartAddress");
	if (need > end)
		ok = refused(c, level,
			     c->p->s[EDMM_SET_IMAGE_ADDR].set
				     ? EDMM_SET_IMAGE_ADDR
				     : EDMM_SET_ELRANGE_SIZE,
			     "leaves no room for the enclave in its range");
	return ok;
}

/* ELRangeSize, ELRangeStartAddress, EnclaveImageAddress. */
static bool sgx_range(const struct pol_rules *c, enum edmm_level level)
{
	static const enum edmm_setting_id ids[] = { EDMM_SET_IMAGE_ADDR,
						    EDMM_SET_ELRANGE_START };
	uint64_t size = pol_get(c, EDMM_SET_ELRANGE_SIZE, 0);
	bool ok = true;

	for (unsigned i = 0; i < 2; i++)
		if (c->p->s[ids[i]].set && !c->p->s[EDMM_SET_ELRANGE_SIZE].set)
			ok = refused(c, level, ids[i],
				     "is there without ELRangeSize");
	if (size == 0)
		return ok;
	for (unsigned i = 0; i < 2; i++)
		ok &= aligned(c, level, ids[i], pol_get(c, ids[i], 0));
	if (!aligned(c, level, EDMM_SET_ELRANGE_SIZE, size))
		return false;
	if ((size & (size - 1)) != 0)
		return refused(c, level, EDMM_SET_ELRANGE_SIZE,
			       "is no power of two");
	return range_holds(c, level) && ok;
}

/* Ids beyond the product's are of key separation and sharing. Occlum's tool
 * writes zeros then. */
static bool sgx_kss(const struct pol_rules *c, enum edmm_level level)
{
	bool ok = true;

	if (c->r->kss || c->r->rules == EDMM_FORMAT_OCCLUM)
		return true;
	for (unsigned i = EDMM_SET_FAMILY_H; i <= EDMM_SET_EXTPROD_L; i++)
		if (pol_get(c, i, 0) != 0)
			ok = refused(c, level, i, "is there without EnableKSS");
	return ok;
}

static bool sgx_memory(const struct pol_rules *c, enum edmm_level level)
{
	const struct edmm_resolved *r = c->r;
	bool ok = aligned(c, level, EDMM_SET_STACK_MAX, r->stack_max);

	ok &= aligned(c, level, EDMM_SET_STACK_MIN, r->stack_min);
	ok &= aligned(c, level, EDMM_SET_HEAP_INIT, r->heap_init);
	ok &= aligned(c, level, EDMM_SET_HEAP_MAX, r->heap_max);
	ok &= aligned(c, level, EDMM_SET_HEAP_MIN, r->heap_min);
	ok &= aligned(c, level,
		      c->p->s[EDMM_SET_USER_INIT].set ? EDMM_SET_USER_INIT
						      : EDMM_SET_RSRV_INIT,
		      r->rsrv_init);
	ok &= aligned(c, level, EDMM_SET_RSRV_MIN, r->rsrv_min);
	ok &= aligned(c, level,
		      c->p->s[EDMM_SET_USER_MAX].set ? EDMM_SET_USER_MAX
						     : EDMM_SET_RSRV_MAX,
		      r->rsrv_max);
	ok &= aligned(c, level, EDMM_SET_REGION, r->region);
	ok &= ordered(c, level, BOUND(EDMM_SET_STACK_MIN, r->stack_min),
		      BOUND(EDMM_SET_STACK_MAX, r->stack_max));
	ok &= ordered(c, level, BOUND(EDMM_SET_HEAP_MIN, r->heap_min),
		      BOUND(EDMM_SET_HEAP_INIT, r->heap_init));
	ok &= ordered(c, level, BOUND(EDMM_SET_HEAP_INIT, r->heap_init),
		      BOUND(EDMM_SET_HEAP_MAX, r->heap_max));
	ok &= ordered(c, level, BOUND(EDMM_SET_RSRV_MIN, r->rsrv_min),
		      BOUND(EDMM_SET_RSRV_INIT, r->rsrv_init));
	ok &= ordered(c, level, BOUND(EDMM_SET_RSRV_INIT, r->rsrv_init),
		      BOUND(EDMM_SET_RSRV_MAX, r->rsrv_max));
	return ok & enough_stack(c, level);
}

/* EXINFO, which the user region's faults are told by. */
static bool sgx_region(const struct pol_rules *c, enum edmm_level level)
{
	const struct edmm_resolved *r = c->r;
	struct pol_span at = pol_at(c->p, EDMM_SET_REGION);

	if (r->region == 0 || (r->misc_select & r->misc_mask & 1) != 0)
		return true;
	pol_fix(pol_report(c->f, c->p->doc, &at, level, "P304",
			   "a user region needs EXINFO: MiscSelect and "
			   "MiscMask with bit 0"),
		"set MiscSelect to 1 and MiscMask to 0xFFFFFFFF");
	return false;
}

bool pol_sgx_check(const struct pol_rules *c, enum edmm_level level)
{
	bool ok = sgx_memory(c, level);

	ok &= sgx_threads(c, level);
	ok &= sgx_region(c, level);
	return ok & sgx_kss(c, level);
}

static void resolve(struct pol_rules *c)
{
	struct edmm_resolved *r = c->r;
	struct metadata m;

	/* The tool's default: an enclave may be debugged. */
	r->debug = pol_get(c, EDMM_SET_DEBUG, 1) != 0;
	r->stack_max = pol_get(c, EDMM_SET_STACK_MAX, 0x40000);
	r->stack_min = pol_get(c, EDMM_SET_STACK_MIN, 0x2000);
	r->heap_max = pol_get(c, EDMM_SET_HEAP_MAX, 0x1000000);
	r->heap_min = pol_get(c, EDMM_SET_HEAP_MIN, 0x1000);
	r->heap_init = pol_get(c, EDMM_SET_HEAP_INIT, r->heap_max);
	r->rsrv_max = pol_get(c, EDMM_SET_RSRV_MAX, 0);
	r->rsrv_min = pol_get(c, EDMM_SET_RSRV_MIN, 0);
	r->rsrv_init = pol_get(c, EDMM_SET_RSRV_INIT, r->rsrv_max);
	r->rsrv_exec = pol_get(c, EDMM_SET_RSRV_EXEC, 0) != 0;
	r->region = pol_get(c, EDMM_SET_REGION, 0);
	r->tcs_init = pol_get(c, EDMM_SET_THREADS_INIT, 1);
	r->tcs_max = pol_get(c, EDMM_SET_THREADS_MAX, r->tcs_init);
	r->tcs_pool = pol_get(c, EDMM_SET_THREADS_POOL, 1);
	r->bound = pol_get(c, EDMM_SET_THREADS_BOUND, 0) != 0;
	r->misc_select = (uint32_t)pol_get(c, EDMM_SET_MISC_SELECT, 0);
	r->misc_mask = (uint32_t)pol_get(c, EDMM_SET_MISC_MASK, 0xffffffff);
	r->enclave_size = pol_get(c, EDMM_SET_ELRANGE_SIZE, 0);
	m = metadata_of(r);
	r->elastic = m.sgx2 && c->t->platform != EDMM_PLATFORM_SGX1;
	r->refused = !m.sgx1 && c->t->platform == EDMM_PLATFORM_SGX1;
	/* What is laid out is known of figures that hold only. */
	if (pol_sgx_check(c, EDMM_ERROR))
		sgx_range(c, EDMM_ERROR);
}

/* What has EDMM is written where MiscSelect has bit 0, for both kinds of
 * platform where MiscMask has not. */
static const char *turn_on(struct edmm_policy *p)
{
	p->s[EDMM_SET_MISC_SELECT].set = true;
	p->s[EDMM_SET_MISC_SELECT].value |= 1;
	p->s[EDMM_SET_MISC_MASK].set = true;
	p->s[EDMM_SET_MISC_MASK].value = 0xfffffffe;
	return "MiscSelect 1 and MiscMask 0xFFFFFFFE";
}

/* ---- lint: docs/configuration.md has the rules ------------------------- */

static void effect(const struct pol_lint *l)
{
	if (l->sgx2.elastic &&
	    pol_both_set(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MIN) &&
	    l->sgx2.heap_init > l->sgx2.heap_min)
		pol_effect(pol_lint_at(l, EDMM_SET_HEAP_INIT, EDMM_NOTE, "P204",
				       "HeapInitSize above HeapMinSize is "
				       "loaded in vain with EDMM"),
			   "what is above HeapMinSize is added, trimmed at "
			   "start and added again when it is touched");
}

static bool differ(const struct pol_lint *l, enum edmm_setting_id a,
		   enum edmm_setting_id b)
{
	return pol_is_set(l, a) && pol_is_set(l, b) &&
	       l->p->s[a].value != l->p->s[b].value;
}

/* The two settings that say most plainly that growth is wanted. */
static enum edmm_setting_id wants_growth(const struct pol_lint *l)
{
	if (differ(l, EDMM_SET_HEAP_MIN, EDMM_SET_HEAP_MAX) ||
	    differ(l, EDMM_SET_HEAP_INIT, EDMM_SET_HEAP_MAX))
		return EDMM_SET_HEAP_MAX;
	if (differ(l, EDMM_SET_THREADS_INIT, EDMM_SET_THREADS_MAX))
		return EDMM_SET_THREADS_MAX;
	if (differ(l, EDMM_SET_RSRV_INIT, EDMM_SET_RSRV_MAX) ||
	    differ(l, EDMM_SET_RSRV_MIN, EDMM_SET_RSRV_MAX))
		return EDMM_SET_RSRV_MAX;
	return EDMM_SET_COUNT;
}

/* P304: EDMM that is meant and not to be had. */
static void no_edmm(const struct pol_lint *l)
{
	enum edmm_setting_id id = wants_growth(l);
	struct edmm_finding *v;

	if (id == EDMM_SET_COUNT || l->sgx2.elastic || l->sgx2.region > 0)
		return;
	v = pol_lint_at(l, id, EDMM_WARNING, "P304",
			"%s never grows: MiscSelect has not bit 0",
			pol_name(l->p, id));
	pol_effect(v, "sgx_sign writes SGX1 metadata only, on any platform");
	pol_fix(v, "set MiscSelect to 1, and MiscMask to 0xFFFFFFFE for both "
		   "kinds of platform");
}

static void platform(const struct pol_lint *l, enum edmm_level level)
{
	if (l->sgx1.refused)
		pol_effect(pol_lint_at(l, EDMM_SET_REGION, level, "P303",
				       "sgx_sign writes SGX2 metadata only"),
			   "without EDMM the enclave is refused "
			   "(SGX_ERROR_INVALID_METADATA)");
	no_edmm(l);
}

/* ---- from others' figures: struct pol_format.cross ----------------------- */

static void xml_memory(struct pol_writing *w, const struct edmm_resolved *r)
{
	uint64_t least = r->heap_min > 0 ? r->heap_min : 4096;
	uint64_t init = r->heap_init > least ? r->heap_init : least;

	pol_want(w, EDMM_SET_STACK_MAX, r->stack_max);
	pol_want(w, EDMM_SET_STACK_MIN, r->stack_min);
	pol_want(w, EDMM_SET_HEAP_INIT, init);
	pol_want(w, EDMM_SET_HEAP_MAX, r->heap_max);
	pol_want(w, EDMM_SET_HEAP_MIN, least);
	pol_want(w, EDMM_SET_RSRV_MAX, r->rsrv_max);
	pol_want(w, EDMM_SET_RSRV_MIN, r->rsrv_min);
	pol_want(w, EDMM_SET_RSRV_INIT, r->rsrv_init);
	pol_want(w, EDMM_SET_RSRV_EXEC, r->rsrv_exec);
	if (r->region > 0)
		pol_want(w, EDMM_SET_REGION, r->region);
	POL_TOLD(w, EDMM_SET_STACK_MAX, EDMM_SET_STACK_MIN, EDMM_SET_HEAP_INIT,
		 EDMM_SET_HEAP_MAX, EDMM_SET_HEAP_MIN, EDMM_SET_USER_INIT,
		 EDMM_SET_USER_MAX, EDMM_SET_ENCLAVE_SIZE);
}

static edmm_err cross(struct pol_writing *w, struct edmm_resolved *r)
{
	bool tool = w->t->compat == EDMM_COMPAT_OCCLUM_031;
	struct pol_rules c = { w->p, w->t, r, w->f, false };

	/* Its enclave is the application's: so is the stack in it. */
	if (r->rules == EDMM_FORMAT_GRAMINE)
		pol_app_of(w, r);
	xml_memory(w, r);
	pol_want(w, EDMM_SET_THREADS_INIT, r->tcs_init);
	pol_want(w, EDMM_SET_THREADS_MAX, r->tcs_max);
	pol_want(w, EDMM_SET_THREADS_POOL, r->tcs_pool);
	pol_want(w, EDMM_SET_THREADS_BOUND, r->bound);
	pol_want(w, EDMM_SET_DEBUG, r->debug);
	pol_want(w, EDMM_SET_MISC_SELECT, r->misc_select);
	pol_want(w, EDMM_SET_MISC_MASK, r->misc_mask);
	POL_TOLD(w, EDMM_SET_THREADS_POOL, EDMM_SET_THREADS_BOUND,
		 EDMM_SET_EXINFO, EDMM_SET_MISC_SELECT, EDMM_SET_MISC_MASK);
	if (r->rules == EDMM_FORMAT_OCCLUM) {
		pol_zeroes(w);
		/* Ids count with key separation and sharing only. */
		for (unsigned i = EDMM_SET_FAMILY_H;
		     i <= EDMM_SET_EXTPROD_L && !r->kss; i++)
			pol_want(w, i, 0);
	}
	/* The tool writes what it has; sgx_sign then refuses it. */
	pol_sgx_check(&c, tool ? EDMM_WARNING : EDMM_ERROR);
	return 0;
}

/* ---- the format ------------------------------------------------------- */

static const struct pol_family family = {
	.rules = EDMM_FORMAT_SGX_XML,
	.resolve = resolve,
	.turn_on = turn_on,
	.assumed = MIB(2),
	.effect = effect,
	.platform = platform,
};

const struct pol_format pol_sgx_xml = {
	.id = EDMM_FORMAT_SGX_XML,
	.family = &family,
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
	.cross = cross,
};

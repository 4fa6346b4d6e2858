/* SPDX-License-Identifier: BSD-3-Clause */
/* edmm.toml: every setting has a name here; [keep.FORMAT] holds the rest. */
#include <string.h>

#include "policy/keys.h"

/* By their numbers: enum edmm_format. */
#define WORD(id, format, name) name,
static const char *const rules_words[] = { "none", "edmm",
					   EDMM_FORMATS(WORD) NULL };
static const char *const mode_words[] = { "disable", "enable", "auto", NULL };
static const char *const feature_words[] = { "off", "on", "any", NULL };

#define SIZE_ROW(path, id)                         \
	{                                          \
		path, id, POL_SIZE, 0, NULL, false \
	}
#define UINT_ROW(path, id, max)                      \
	{                                            \
		path, id, POL_UINT, max, NULL, false \
	}
#define FLAG_ROW(path, id)                         \
	{                                          \
		path, id, POL_FLAG, 0, NULL, false \
	}
#define HEX_ROW(path, id)                         \
	{                                         \
		path, id, POL_HEX, 0, NULL, false \
	}
#define WORD_ROW(path, id, words)                   \
	{                                           \
		path, id, POL_WORD, 0, words, false \
	}

static const struct pol_map map[] = {
	WORD_ROW("rules", EDMM_SET_RULES, rules_words),
	WORD_ROW("edmm.mode", EDMM_SET_EDMM, mode_words),
	SIZE_ROW("enclave.size", EDMM_SET_ENCLAVE_SIZE),
	FLAG_ROW("enclave.debug", EDMM_SET_DEBUG),
	FLAG_ROW("enclave.exinfo", EDMM_SET_EXINFO),
	FLAG_ROW("enclave.host_faults", EDMM_SET_MEMFAULTS),
	FLAG_ROW("enclave.wx", EDMM_SET_WX),
	FLAG_ROW("enclave.preheat", EDMM_SET_PREHEAT),
	FLAG_ROW("enclave.aex_notify", EDMM_SET_AEXNOTIFY),
	HEX_ROW("enclave.misc_select", EDMM_SET_MISC_SELECT),
	HEX_ROW("enclave.misc_mask", EDMM_SET_MISC_MASK),
	WORD_ROW("enclave.pkru", EDMM_SET_PKRU, feature_words),
	WORD_ROW("enclave.amx", EDMM_SET_AMX, feature_words),
	HEX_ROW("enclave.image_address", EDMM_SET_IMAGE_ADDR),
	HEX_ROW("enclave.elrange_start", EDMM_SET_ELRANGE_START),
	SIZE_ROW("enclave.elrange_size", EDMM_SET_ELRANGE_SIZE),
	SIZE_ROW("heap.min", EDMM_SET_HEAP_MIN),
	SIZE_ROW("heap.init", EDMM_SET_HEAP_INIT),
	SIZE_ROW("heap.max", EDMM_SET_HEAP_MAX),
	SIZE_ROW("heap.window", EDMM_SET_HEAP_WINDOW),
	SIZE_ROW("heap.idle", EDMM_SET_HEAP_IDLE),
	UINT_ROW("heap.idle_percent", EDMM_SET_HEAP_IDLE_PERCENT, 100),
	SIZE_ROW("stack.min", EDMM_SET_STACK_MIN),
	SIZE_ROW("stack.max", EDMM_SET_STACK_MAX),
	UINT_ROW("threads.init", EDMM_SET_THREADS_INIT, 0xffffffff),
	UINT_ROW("threads.pool", EDMM_SET_THREADS_POOL, 0xffffffff),
	UINT_ROW("threads.max", EDMM_SET_THREADS_MAX, 0xffffffff),
	FLAG_ROW("threads.bound", EDMM_SET_THREADS_BOUND),
	SIZE_ROW("user.init", EDMM_SET_USER_INIT),
	SIZE_ROW("user.max", EDMM_SET_USER_MAX),
	SIZE_ROW("reserved.min", EDMM_SET_RSRV_MIN),
	SIZE_ROW("reserved.init", EDMM_SET_RSRV_INIT),
	SIZE_ROW("reserved.max", EDMM_SET_RSRV_MAX),
	FLAG_ROW("reserved.executable", EDMM_SET_RSRV_EXEC),
	SIZE_ROW("reserved.region", EDMM_SET_REGION),
	SIZE_ROW("process.stack", EDMM_SET_PROC_STACK),
	SIZE_ROW("process.brk", EDMM_SET_PROC_BRK),
	SIZE_ROW("process.mmap", EDMM_SET_PROC_MMAP),
	UINT_ROW("exitless.threads", EDMM_SET_RPC_THREADS, 0xffff),
	UINT_ROW("exitless.queues", EDMM_SET_QUEUES, 0xffff),
	UINT_ROW("identity.product", EDMM_SET_PRODID, 0xffffffff),
	UINT_ROW("identity.version", EDMM_SET_SVN, 0xffffffff),
	FLAG_ROW("identity.kss", EDMM_SET_KSS),
	HEX_ROW("identity.family_high", EDMM_SET_FAMILY_H),
	HEX_ROW("identity.family_low", EDMM_SET_FAMILY_L),
	HEX_ROW("identity.extended_product_high", EDMM_SET_EXTPROD_H),
	HEX_ROW("identity.extended_product_low", EDMM_SET_EXTPROD_L),
	{ NULL, 0, 0, 0, NULL, false },
};

#define KEEP(id, format, name) "keep." name ".*",
static const char *const known[] = { EDMM_FORMATS(KEEP) NULL };

static const struct pol_unit units[] = {
	{ "TiB", 40 }, { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "B", 0 },
	{ "T", 40 },   { "G", 30 },   { "M", 20 },   { "K", 10 },   { NULL, 0 },
};
static const struct pol_sizes sizes = {
	.units = units,
	.example = "a number and one of B, KiB, MiB, GiB, TiB: \"4MiB\"",
};

static const char *const files[] = { "edmm.toml", "*.edmm.toml", NULL };

static enum pol_sure sniff(const struct pol_sample *t)
{
	size_t len = strlen(t->name);

	if (strncmp(t->start, "rules =", 7) == 0)
		return POL_BY_START;
	return len > 5 && strcmp(t->name + len - 5, ".toml") == 0
		       ? POL_BY_ENDING
		       : POL_NOT;
}

const struct pol_format pol_edmm = {
	.id = EDMM_FORMAT_EDMM,
	.parse = pol_toml_parse,
	.emit = pol_toml_emit,
	.comment = "#",
	.files = files,
	.sniff = sniff,
	.map = map,
	.known = known,
	.sizes = &sizes,
	.closed = true,
	.bytes = true,
	.common = true,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where an image's settings come from: options, then SCONE_ variables and
 * SCONE's file, then --config, then the signature or the defaults. Of two
 * files the weaker one counts only where the stronger one says nothing itself;
 * the weakest one there is gives its format's own defaults, too.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config/config.h"

enum field_kind {
	FIELD_SIZE,
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_SIGNALS
};

static const struct field {
	enum edmm_image_field id;
	enum field_kind kind;
	const char *option;
	const char *what;
} fields[] = {
	{ EDMM_IMAGE_ELRANGE, FIELD_SIZE, "--elrange", "an address range of" },
	{ EDMM_IMAGE_HEAP_INIT, FIELD_SIZE, "--heap-init", "a first heap of" },
	{ EDMM_IMAGE_HEAP_SIZE, FIELD_SIZE, "--heap-max", "a static heap of" },
	{ EDMM_IMAGE_STACK_SIZE, FIELD_SIZE, "--stack", "a stack of" },
	{ EDMM_IMAGE_STACK_INIT, FIELD_SIZE, "--stack-init",
	  "a first stack of" },
	{ EDMM_IMAGE_CONTEXTS, FIELD_NUMBER, "--contexts", "contexts:" },
	{ EDMM_IMAGE_WX, FIELD_FLAG, "--wx", "writable code:" },
	{ EDMM_IMAGE_DEBUG, FIELD_FLAG, "--debug", "debugging:" },
	{ EDMM_IMAGE_SIGNALS, FIELD_SIGNALS, "enclave.signals", "signals:" },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint64_t get(const struct edmm_image_policy *p, enum edmm_image_field id)
{
	switch (id) {
	case EDMM_IMAGE_ELRANGE:
		return p->elrange_size;
	case EDMM_IMAGE_HEAP_INIT:
		return p->heap_init;
	case EDMM_IMAGE_HEAP_SIZE:
		return p->heap_size;
	case EDMM_IMAGE_STACK_SIZE:
		return p->stack_size;
	case EDMM_IMAGE_STACK_INIT:
		return p->stack_init;
	case EDMM_IMAGE_CONTEXTS:
		return p->ctx_count;
	case EDMM_IMAGE_WX:
		return !!(p->flags & EDMM_POLICY_WX);
	case EDMM_IMAGE_SIGNALS:
		return p->signals;
	case EDMM_IMAGE_DEBUG:
		break;
	}
	return !!(p->flags & EDMM_POLICY_DEBUG);
}

static void put_flag(struct edmm_image_policy *p, uint32_t flag, bool on)
{
	p->flags = on ? p->flags | flag : p->flags & ~flag;
}

static void put(struct edmm_image_policy *p, enum edmm_image_field id,
		uint64_t value)
{
	switch (id) {
	case EDMM_IMAGE_ELRANGE:
		p->elrange_size = value;
		break;
	case EDMM_IMAGE_HEAP_INIT:
		p->heap_init = value;
		break;
	case EDMM_IMAGE_HEAP_SIZE:
		p->heap_size = value;
		break;
	case EDMM_IMAGE_STACK_SIZE:
		p->stack_size = value;
		break;
	case EDMM_IMAGE_STACK_INIT:
		p->stack_init = value;
		break;
	case EDMM_IMAGE_CONTEXTS:
		p->ctx_count = (uint32_t)value;
		break;
	case EDMM_IMAGE_WX:
		put_flag(p, EDMM_POLICY_WX, value);
		break;
	case EDMM_IMAGE_DEBUG:
		put_flag(p, EDMM_POLICY_DEBUG, value);
		break;
	case EDMM_IMAGE_SIGNALS:
		p->signals = value;
		break;
	}
}

/* ---- files ------------------------------------------------------------- */

bool cli_settings_load(struct cli_settings *s)
{
	struct edmm_policy **to = &s->layer[CLI_LAYER_CONFIG];
	struct edmm_findings f = { 0 };
	edmm_err err;

	if (!s->config || *to)
		return true;
	err = cli_policy_read(s->config, EDMM_FORMAT_NONE, to, &f);
	if (!err)
		edmm_policy_idle(*to, &f);
	cli_findings(&f, EDMM_WARNING, stderr);
	edmm_findings_free(&f);
	return !err;
}

void cli_settings_drop(struct cli_settings *s)
{
	for (unsigned i = 0; i < CLI_LAYERS; i++) {
		edmm_policy_free(s->layer[i]);
		s->layer[i] = NULL;
	}
}

/* One file over @p: all of it, or only what it says itself. */
static bool apply_file(const struct edmm_policy *file, bool all,
		       struct edmm_image_policy *p)
{
	enum edmm_mode mode = (enum edmm_mode)p->mode;
	struct edmm_findings f = { 0 };
	struct edmm_image_policy im;
	edmm_err err = edmm_policy_to_image(file, mode, &im, &f);

	if (err)
		cli_findings(&f, EDMM_ERROR, stderr);
	edmm_findings_free(&f);
	if (err)
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		if (all || edmm_policy_decides(file, mode, fields[i].id) !=
				   EDMM_SET_COUNT)
			put(p, fields[i].id, get(&im, fields[i].id));
	/* A range that only follows from the heap's maximum. */
	if (im.elrange_size > EDMM_ELRANGE_DEFAULT &&
	    im.elrange_size > p->elrange_size)
		p->elrange_size = im.elrange_size;
	return true;
}

static void apply_options(const struct cli_settings *s,
			  struct edmm_image_policy *p)
{
	bool elastic = p->mode == EDMM_MODE_ELASTIC;

	if (s->elrange)
		p->elrange_size = s->elrange;
	if (s->heap_max)
		p->heap_size = s->heap_max;
	if (s->stack)
		p->stack_size = s->stack;
	if (s->contexts)
		p->ctx_count = (uint32_t)s->contexts;
	if (elastic && s->has_heap_init)
		p->heap_init = s->heap_init;
	if (elastic && s->stack_init)
		p->stack_init = s->stack_init;
	else if (elastic && p->stack_init > p->stack_size)
		p->stack_init = p->stack_size;
	p->flags |= (s->wx ? EDMM_POLICY_WX : 0) |
		    (s->debug ? EDMM_POLICY_DEBUG : 0);
}

bool cli_settings_policy(const struct cli_settings *s, enum edmm_mode mode,
			 struct edmm_image_policy *p)
{
	bool all = true;

	edmm_policy_default(mode, p);
	for (unsigned i = 0; i < CLI_LAYERS; i++) {
		if (!s->layer[i])
			continue;
		if (!apply_file(s->layer[i], all, p))
			return false;
		all = false;
	}
	apply_options(s, p);
	return true;
}

bool cli_settings_over(const struct cli_settings *s,
		       struct edmm_image_policy *p)
{
	uint64_t range = p->elrange_size;

	for (unsigned i = 0; i < CLI_LAYERS; i++) {
		const struct edmm_policy *file = s->layer[i];

		if (file && !apply_file(file, false, p))
			return false;
		/* The signed range is what there is; the heap must fit it. */
		if (file &&
		    edmm_policy_decides(file, (enum edmm_mode)p->mode,
					EDMM_IMAGE_ELRANGE) == EDMM_SET_COUNT)
			p->elrange_size = range;
		range = p->elrange_size;
	}
	apply_options(s, p);
	return true;
}

/* ---- against a signature ----------------------------------------------- */

static bool by_option(const struct cli_settings *s, enum edmm_image_field id)
{
	switch (id) {
	case EDMM_IMAGE_ELRANGE:
		return s->elrange;
	case EDMM_IMAGE_HEAP_INIT:
		return s->has_heap_init;
	case EDMM_IMAGE_HEAP_SIZE:
		return s->heap_max;
	case EDMM_IMAGE_STACK_SIZE:
		return s->stack;
	case EDMM_IMAGE_STACK_INIT:
		return s->stack_init;
	case EDMM_IMAGE_CONTEXTS:
		return s->contexts;
	case EDMM_IMAGE_WX:
		return s->wx;
	case EDMM_IMAGE_SIGNALS:
		return false;
	case EDMM_IMAGE_DEBUG:
		break;
	}
	return s->debug;
}

/* What a person calls the setting that decides a field. */
static const char *source(const struct cli_settings *s, enum edmm_mode mode,
			  const struct field *field, char text[256])
{
	if (by_option(s, field->id))
		return field->option;
	for (unsigned i = CLI_LAYERS; i-- > 0;) {
		const struct edmm_policy *file = s->layer[i];
		enum edmm_setting_id id =
			file ? edmm_policy_decides(file, mode, field->id)
			     : EDMM_SET_COUNT;

		if (id == EDMM_SET_COUNT)
			continue;
		if (i == CLI_LAYER_SCONE)
			return edmm_policy_name(file, id);
		return edmm_policy_where(file, id, text, 256);
	}
	return field->option;
}

static const char *show(const struct field *f, uint64_t value,
			char text[EDMM_SIGNALS_TEXT])
{
	if (f->kind == FIELD_SIGNALS)
		return edmm_signals_text(value, text);
	if (f->kind == FIELD_SIZE)
		return cli_bytes(value, text);
	if (f->kind == FIELD_FLAG)
		return value ? "on" : "off";
	snprintf(text, 32, "%llu", (unsigned long long)value);
	return text;
}

bool cli_settings_clash(const struct cli_settings *s, const char *program,
			const struct edmm_image_policy *have,
			const struct edmm_image_policy *want)
{
	char from[256], a[EDMM_SIGNALS_TEXT], b[EDMM_SIGNALS_TEXT];

	for (size_t i = 0; i < FIELDS; i++) {
		const struct field *f = &fields[i];

		if (get(have, f->id) == get(want, f->id) ||
		    (f->id == EDMM_IMAGE_HEAP_SIZE &&
		     have->mode == EDMM_MODE_ELASTIC))
			continue;
		cli_error("%s: %s is part of the signed identity, which has %s "
			  "%s, not %s: sign again with it, or run with "
			  "--unsigned",
			  program,
			  source(s, (enum edmm_mode)have->mode, f, from),
			  f->what, show(f, get(have, f->id), a),
			  show(f, get(want, f->id), b));
		return true;
	}
	return false;
}

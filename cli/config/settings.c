/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The settings that several verbs take as options.
 */
#include "cli/cli.h"

/* 0 would be taken for "not given". */
static bool size_above_0(const char *option, const char *arg, uint64_t *size)
{
	if (!cli_size(option, arg, size))
		return false;
	if (*size)
		return true;
	cli_error("%s: 0 bytes are none: say at least 4K, or leave it out",
		  option);
	return false;
}

static bool contexts(const char *arg, uint64_t *count)
{
	if (!cli_number("--contexts", arg, 1024, count))
		return false;
	if (*count)
		return true;
	cli_error("--contexts: 0 contexts run nothing: from 1 to 1024");
	return false;
}

bool cli_setting(struct cli_settings *s, int option, const char *arg)
{
	switch (option) {
	case CLI_OPT_FILE:
		s->config = arg;
		return true;
	case CLI_OPT_ELRANGE:
		return size_above_0("--elrange", arg, &s->elrange);
	case CLI_OPT_HEAP_INIT:
		s->has_heap_init = true;
		return cli_size("--heap-init", arg, &s->heap_init);
	case CLI_OPT_HEAP_MAX:
		return size_above_0("--heap-max", arg, &s->heap_max);
	case CLI_OPT_STACK:
		return size_above_0("--stack", arg, &s->stack);
	case CLI_OPT_STACK_INIT:
		return size_above_0("--stack-init", arg, &s->stack_init);
	case CLI_OPT_CONTEXTS:
		return contexts(arg, &s->contexts);
	case CLI_OPT_WX:
		s->wx = true;
		return true;
	case CLI_OPT_DEBUG:
		s->debug = true;
		return true;
	}
	return false;
}

const char *cli_settings_fixed(const struct cli_settings *s)
{
	return s->elrange	  ? "--elrange"
	       : s->has_heap_init ? "--heap-init"
	       : s->stack	  ? "--stack"
	       : s->stack_init	  ? "--stack-init"
	       : s->contexts	  ? "--contexts"
	       : s->wx		  ? "--wx"
	       : s->debug	  ? "--debug"
	       : s->config	  ? "--config"
				  : NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The settings that several verbs take as options.
 */
#include "cli/cli.h"

bool cli_setting(struct cli_settings *s, int option, const char *arg)
{
	switch (option) {
	case CLI_OPT_FILE:
		s->config = arg;
		return true;
	case CLI_OPT_ELRANGE:
		return cli_size("--elrange", arg, &s->elrange);
	case CLI_OPT_HEAP_INIT:
		s->has_heap_init = true;
		return cli_size("--heap-init", arg, &s->heap_init);
	case CLI_OPT_HEAP_MAX:
		return cli_size("--heap-max", arg, &s->heap_max);
	case CLI_OPT_STACK:
		return cli_size("--stack", arg, &s->stack);
	case CLI_OPT_STACK_INIT:
		return cli_size("--stack-init", arg, &s->stack_init);
	case CLI_OPT_CONTEXTS:
		return cli_number("--contexts", arg, 1024, &s->contexts);
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

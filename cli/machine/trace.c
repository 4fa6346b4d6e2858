/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm trace: what the software machine wrote with --trace, as lines or sums.
 */
#include "cli/machine/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine/watch.h"

enum {
	OPT_EVENT = CLI_OPT_VERB,
	OPT_THREAD,
	OPT_ENCLAVE,
	OPT_ADDRESS,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_SUM,
	OPT_JSON,
	OPT_COST_TABLE,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "event", required_argument, NULL, OPT_EVENT },
	{ "thread", required_argument, NULL, OPT_THREAD },
	{ "enclave", required_argument, NULL, OPT_ENCLAVE },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "sum", no_argument, NULL, OPT_SUM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "cost-table", required_argument, NULL, OPT_COST_TABLE },
	{ 0 },
};

static const char help[] =
	"usage: edmm trace [OPTION]... FILE\n\n"
	"Prints what the software machine wrote with --trace FILE.\n\n"
	"  --event NAME        a kind (encls, enclu, aex, fault, ioctl, mmap,\n"
	"                      mprotect, lose) or an event of one (eaug,\n"
	"                      eaccept, track, add_pages, ...)\n"
	"  --thread N          of one thread\n"
	"  --enclave N         of one enclave, by its order of opening\n"
	"  --address FROM-TO   at these addresses; FROM+SIZE, or one page\n"
	"  --since TIME        from 2s, 15ms, 3us after the start (ms)\n"
	"  --until TIME        and before that\n"
	"  --sum               counters, transitions by thread, busiest pages\n"
	"  --cost-table FILE   with an estimate of the time on hardware;\n"
	"                      'default' is edmm's own\n"
	"  --json              an object an event; with --sum, one of all\n";

struct request {
	struct trace_filter want;
	struct watch_costs costs;
	bool has_costs, sum, json;
};

/* ---- options ----------------------------------------------------------- */

static bool take_address(const char *text, struct trace_filter *f)
{
	char *end;
	unsigned long long from, to;

	errno = 0;
	from = strtoull(text, &end, 0);
	to = (from & ~0xfffull) + 0x1000;
	if (end != text && *end == '-' && end[1])
		to = strtoull(end + 1, &end, 0);
	else if (end != text && *end == '+' && end[1])
		to = from + strtoull(end + 1, &end, 0);
	else if (end != text && !*end)
		from &= ~0xfffull;
	if (end == text || *end || errno || to <= from) {
		cli_error("--address: '%s' is no range: FROM-TO, FROM+SIZE or "
			  "the address of a page",
			  text);
		return false;
	}
	f->low = from;
	f->high = to;
	return true;
}

static bool take_time(const char *option, const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "", 1e6 },
		      { "s", 1e9 },
		      { "ms", 1e6 },
		      { "us", 1e3 },
		      { "ns", 1 } };
	char *end;
	double n = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != text && n >= 0 && n < 1e9 &&
		    !strcmp(end, units[i].name)) {
			*ns = (uint64_t)(n * units[i].ns);
			return true;
		}
	cli_error("%s: '%s' is no time: 2s, 15ms, 3us", option, text);
	return false;
}

static bool take_option(struct request *r, int c)
{
	switch (c) {
	case OPT_EVENT:
		r->want.event = watch_ioctl_today(optarg);
		return true;
	case OPT_THREAD:
		return cli_number("--thread", optarg, UINT32_MAX,
				  &r->want.thread);
	case OPT_ENCLAVE:
		return cli_number("--enclave", optarg, UINT16_MAX,
				  &r->want.encl);
	case OPT_ADDRESS:
		return take_address(optarg, &r->want);
	case OPT_SINCE:
		return take_time("--since", optarg, &r->want.since);
	case OPT_UNTIL:
		return take_time("--until", optarg, &r->want.until);
	case OPT_SUM:
		return r->sum = true;
	case OPT_JSON:
		return r->json = true;
	case OPT_COST_TABLE:
		return r->has_costs = cli_cost_table(optarg, &r->costs);
	}
	return false;
}

/* ---- lines ------------------------------------------------------------- */

/* "0", an SGX code, "EBUSY", "#PF". */
static const char *result_text(const struct trace_record *r, char text[32])
{
	const char *name = NULL;

	if (r->result <= TRACE_FAULTED(0))
		snprintf(text, 32, "#%d", TRACE_FAULTED(0) - r->result);
	else if (r->result < 0)
		name = strerrorname_np(-r->result);
	else
		snprintf(text, 32, "%d", r->result);
	if (name || r->result == TRACE_FAULTED(13) ||
	    r->result == TRACE_FAULTED(14))
		snprintf(text, 32, "%s",
			 name				  ? name
			 : r->result == TRACE_FAULTED(13) ? "#GP"
							  : "#PF");
	return text;
}

static void print_line(const struct trace_record *r)
{
	char result[32];

	printf("%14.6f ms %8u %3u  %-8s %-12s", (double)r->time / 1e6,
	       r->thread, r->encl, trace_kind_name(r->kind),
	       trace_event_name(r));
	if (r->addr)
		printf(" 0x%012" PRIx64, r->addr);
	if (r->arg)
		printf(r->kind == TRACE_AEX || r->kind == TRACE_FAULT ||
				       r->kind == TRACE_ENCLU
			       ? " 0x%x"
			       : " %u pages",
		       r->arg);
	if (r->result)
		printf(" -> %s", result_text(r, result));
	putchar('\n');
}

static void print_json(const struct trace_record *r)
{
	printf("{\"time_ns\":%" PRIu64 ",\"thread\":%u,\"enclave\":%u,"
	       "\"kind\":\"%s\",\"event\":\"%s\",\"address\":%" PRIu64
	       ",\"arg\":%u,\"result\":%d}\n",
	       r->time, r->thread, r->encl, trace_kind_name(r->kind),
	       trace_event_name(r), r->addr, r->arg, r->result);
}

static void print_all(const struct trace_file *f, const struct request *r)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!trace_wanted(&r->want, &f->record[i]))
			continue;
		if (r->json)
			print_json(&f->record[i]);
		else
			print_line(&f->record[i]);
	}
}

int verb_trace(int argc, char **argv)
{
	struct request r = { .has_costs = false };
	struct trace_file f;
	int c, status = 0;

	while ((c = getopt_long_only(argc, argv, "+", options, NULL)) != -1) {
		if (c == CLI_OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?' || !take_option(&r, c))
			return CLI_USAGE;
	}
	if (optind + 1 != argc)
		return cli_usage("trace", "one FILE is wanted");
	if (!trace_open(&f, argv[optind]))
		return CLI_FAIL;
	if (r.sum)
		status = trace_sum(&f, &r.want, r.has_costs ? &r.costs : NULL,
				   r.json);
	else
		print_all(&f, &r);
	trace_close(&f);
	return status;
}

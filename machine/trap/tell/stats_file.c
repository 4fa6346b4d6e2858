/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counters at the end of a process that has used the device: at exit(),
 * _exit() and the system call of a program without libc. A process that a
 * signal ends prints none. Each process prints its own.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "machine/watch/counters.h"
#include <edmm/machine.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/signal/sig.h"
#include "machine/trap/tell/tell.h"

#define TABLE_SIZE 0x10000ul
#define REPORT_SIZE 0x2000ul

static struct watch_costs costs;
static bool has_costs;

static char text[TABLE_SIZE > REPORT_SIZE ? TABLE_SIZE : REPORT_SIZE];
static size_t used;

static void append(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n && used < sizeof(text) - 1; i++)
		text[used++] = s[i];
	text[used] = 0;
}

static const struct watch_out out = { .write = append };

static _Noreturn void bad_table(const char *file, const struct watch_error *e)
{
	used = 0;
	watch_text(&out, file);
	watch_text(&out, ":");
	watch_number(&out, e->line);
	watch_text(&out, ":");
	watch_number(&out, e->column);
	watch_text(&out, ": wanted");
	sys_die(text, e->want);
}

static size_t load(const char *file)
{
	long fd = sys_call(SYS_open, (long)file, O_RDONLY | O_CLOEXEC);
	long n = 0, r = 1;

	if (fd < 0)
		sys_die("the cost table cannot be read", file);
	while (r > 0 && n < (long)sizeof(text)) {
		r = sys_call(SYS_read, fd, (long)text + n,
			     (long)sizeof(text) - n);
		n += r > 0 ? r : 0;
	}
	sys_call(SYS_close, fd);
	if (r)
		sys_die("the cost table cannot be read, or is over 64 KiB",
			file);
	return (size_t)n;
}

void report_init(void)
{
	const char *file = machine.opt.cost_table, *table = text;
	struct watch_error e;
	size_t n = 0;

	if (!*file)
		return;
	if (!__builtin_strcmp(file, "default")) {
		table = watch_cost_default;
		n = __builtin_strlen(table);
	} else {
		n = load(file);
	}
	if (!watch_costs_parse(table, n, &costs, &e))
		bad_table(file, &e);
	has_costs = true;
	used = 0;
}

static void emit(void)
{
	const char *file = machine.opt.stats_file;
	long fd = 2;

	if (*file)
		fd = sys_call(SYS_open, (long)file,
			      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	sys_call(SYS_write, fd, (long)text, (long)used);
	if (*file)
		sys_call(SYS_close, fd);
}

void report_end(void)
{
	struct edmm_machine_stats s = { .size = sizeof(s) };
	struct watch_print p = { .stats = &s,
				 .costs = has_costs ? &costs : NULL,
				 .levels = true,
				 .json = machine.opt.stats ==
					 MACHINE_STATS_JSON };
	uint64_t mask;

	if (!machine.d || !fork_same_process() ||
	    !__atomic_exchange_n(&machine.used, false, __ATOMIC_RELAXED))
		return;
	edmm_machine_stats(&s);
	mask = sig_block();
	drv_lock(machine.d);
	trace_end();
	drv_unlock(machine.d);
	p.pid = (uint32_t)sys_call(SYS_getpid);
	if (machine.opt.stats) {
		watch_print(&out, &p);
		emit();
	}
	sig_unblock(mask);
}

__attribute__((destructor)) static void end(void)
{
	report_end();
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where it can be read that the machine has run short of EPC:
 *
 *	misc.events	of a cgroup: its content changes when its share of
 *			sgx_epc is at the bound; so may any other file's
 *	memory.pressure	of a cgroup, or of /proc/pressure: the kernel wakes who
 *			has set a trigger there (PSI)
 *	machine		the software machine's quota: met, nearly met, or pages
 *			were evicted
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/run/run.h"

/* Stalled for 100 ms of a second. */
#define TRIGGER "some 100000 1000000"
#define NEARLY(n) ((n) - (n) / 16)

static bool machine_short(struct cli_pressure *p)
{
	struct edmm_machine_stats s;
	uint64_t count;
	bool moved;

	if (!cli_machine_stats(&s))
		return false;
	count = s.quota_hits + s.pages_evicted;
	moved = count != p->last;
	p->last = count;
	return moved || s.epc_used > NEARLY(s.quota_pages);
}

/* Of the first bytes of the file; 0: it cannot be read. */
static uint64_t content(const char *file)
{
	uint64_t sum = 14695981039346656037ull; /* FNV-1a */
	unsigned char text[4096];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		sum = (sum ^ text[i]) * 1099511628211ull;
	return n < 0 ? 0 : sum;
}

static bool file_changed(struct cli_pressure *p)
{
	uint64_t now = content(p->file), was = p->last;

	if (now)
		p->last = now;
	return now && now != was;
}

static bool triggered(const struct cli_pressure *p)
{
	struct pollfd f = { .fd = p->fd, .events = POLLPRI };

	return poll(&f, 1, 0) == 1 && f.revents & POLLPRI;
}

/* A file of PSI's by its first word. */
static bool is_psi(const char *file)
{
	char word[5] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, word, sizeof(word)) != sizeof(word))
		word[0] = 0;
	close(fd);
	return !memcmp(word, "some ", sizeof(word));
}

static bool set_trigger(struct cli_pressure *p)
{
	p->fd = open(p->file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (p->fd >= 0 &&
	    write(p->fd, TRIGGER, sizeof(TRIGGER)) == sizeof(TRIGGER))
		return true;
	cli_error("--pressure: %s: no trigger can be set: %s", p->file,
		  strerror(errno));
	return false;
}

bool cli_pressure_begin(struct cli_pressure *p, const struct cli_run *r)
{
	const char *file = r->o.pressure;

	*p = (struct cli_pressure){ .fd = -1 };
	if (!strcmp(file, "machine")) {
		if (r->soft)
			return true;
		cli_error("--pressure machine: the software machine's; on "
			  "hardware name a file, as a cgroup's misc.events");
		return false;
	}
	p->file = file;
	if (is_psi(file))
		return set_trigger(p);
	p->last = content(file);
	if (p->last)
		return true;
	cli_error("--pressure: %s: %s", file, strerror(errno));
	return false;
}

bool cli_pressed(struct cli_pressure *p)
{
	if (!p->file)
		return machine_short(p);
	return p->fd >= 0 ? triggered(p) : file_changed(p);
}

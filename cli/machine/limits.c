/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/machine/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.h"

/*
 * Of the software machine: its EPC, and twice the address range, for the
 * enclave and for the machine's own view of it; the loader takes the range
 * twice for a moment, to cut an aligned one out of it.
 */
#define SPACE_LEAST (2ull << 30)
#define SPACE_DEFAULT (200ull << 30)
#define DATA_LEAST (64ull << 20)
#define FILES_LEAST 16u
#define MAPS_LEAST 200u
#define MAPS_USUAL 65530u

static uint64_t read_number(const char *path, uint64_t otherwise)
{
	FILE *f = fopen(path, "re");
	unsigned long long n;
	bool ok = f && fscanf(f, "%llu", &n) == 1;

	if (f)
		fclose(f);
	return ok ? n : otherwise;
}

static void put(struct cli_limit *l, const char *value)
{
	snprintf(l->value, sizeof(l->value), "%s", value);
}

/* A resource limit as text; UINT64_MAX: there is none. */
static uint64_t resource(int which, struct cli_limit *l)
{
	struct rlimit r;
	char text[32];

	if (getrlimit((__rlimit_resource_t)which, &r) ||
	    r.rlim_cur == RLIM_INFINITY) {
		put(l, "none");
		return UINT64_MAX;
	}
	snprintf(l->value, sizeof(l->value), "%s", cli_bytes(r.rlim_cur, text));
	return r.rlim_cur;
}

static void look_proc(struct cli_limit *l)
{
	char self[8];

	l->name = "/proc";
	l->hint = "mount -t proc proc /proc: edmm finds its own files by it";
	l->stops = readlink("/proc/self/exe", self, sizeof(self)) < 0;
	put(l, l->stops ? "not mounted" : "mounted");
}

static void look_memfd(struct cli_limit *l)
{
	int fd = (int)syscall(SYS_memfd_create, "edmm-look", 1u /* CLOEXEC */);
	bool never = read_number("/proc/sys/vm/memfd_noexec", 0) >= 2;

	l->name = "software machine: memfd";
	l->hint = never ? "sysctl vm.memfd_noexec=0, or 1"
			: "a sandbox that lets memfd_create() be called: pages "
			  "of enclaves lie in such a file";
	l->stops = fd < 0 || never;
	put(l, fd < 0  ? strerror(errno)
	       : never ? "never executable"
		       : "can be had");
	if (fd >= 0)
		close(fd);
}

static void look_space(struct cli_limit *l)
{
	uint64_t n;

	l->name = "limit: address space (ulimit -v)";
	l->hint = "ulimit -v unlimited, or a smaller range: an enclave's of 64 "
		  "GiB is reserved whole, --elrange 1G is enough for many";
	n = resource(RLIMIT_AS, l);
	l->stops = n < SPACE_LEAST;
	l->tight = n < SPACE_DEFAULT;
}

static void look_data(struct cli_limit *l)
{
	uint64_t n;

	l->name = "limit: data (ulimit -d)";
	l->hint = "ulimit -d unlimited";
	n = resource(RLIMIT_DATA, l);
	l->stops = n < DATA_LEAST;
}

static void look_file_size(struct cli_limit *l)
{
	l->name = "limit: file size (ulimit -f)";
	l->hint = "ulimit -f unlimited: pages of enclaves lie in a file in "
		  "memory, at their addresses";
	l->stops = resource(RLIMIT_FSIZE, l) != UINT64_MAX;
}

static void look_locked(struct cli_limit *l)
{
	l->name = "limit: locked memory (ulimit -l)";
	l->hint = "nothing: no memory is locked";
	resource(RLIMIT_MEMLOCK, l);
}

static void look_files(struct cli_limit *l)
{
	struct rlimit r = { 0, 0 };

	l->name = "limit: open files (ulimit -n)";
	l->hint = "ulimit -n 1024";
	getrlimit(RLIMIT_NOFILE, &r);
	snprintf(l->value, sizeof(l->value), "%llu",
		 (unsigned long long)r.rlim_cur);
	l->stops = r.rlim_cur < FILES_LEAST;
	l->tight = r.rlim_cur < 64;
}

static void look_maps(struct cli_limit *l)
{
	uint64_t n = read_number("/proc/sys/vm/max_map_count", MAPS_USUAL);

	l->name = "limit: mappings (vm.max_map_count)";
	l->hint = "sudo sysctl vm.max_map_count=65530";
	snprintf(l->value, sizeof(l->value), "%llu", (unsigned long long)n);
	l->stops = n < MAPS_LEAST;
	l->tight = n < MAPS_USUAL;
}

static void look_overcommit(struct cli_limit *l)
{
	uint64_t n = read_number("/proc/sys/vm/overcommit_memory", 0);

	l->name = "limit: overcommit_memory";
	l->hint = "sudo sysctl vm.overcommit_memory=0: address ranges are "
		  "reserved whole";
	snprintf(l->value, sizeof(l->value), "%llu", (unsigned long long)n);
	l->tight = n == 2;
}

void cli_limit_look(enum cli_limit_id id, struct cli_limit *l)
{
	static void (*const look[CLI_LIMITS])(struct cli_limit * l) = {
		[CLI_LIMIT_PROC] = look_proc,
		[CLI_LIMIT_MEMFD] = look_memfd,
		[CLI_LIMIT_SPACE] = look_space,
		[CLI_LIMIT_DATA] = look_data,
		[CLI_LIMIT_FILE_SIZE] = look_file_size,
		[CLI_LIMIT_LOCKED] = look_locked,
		[CLI_LIMIT_FILES] = look_files,
		[CLI_LIMIT_MAPS] = look_maps,
		[CLI_LIMIT_OVERCOMMIT] = look_overcommit,
	};

	memset(l, 0, sizeof(*l));
	look[id](l);
}

bool cli_limits_ok(void)
{
	struct cli_limit l;

	for (int id = 0; id < CLI_LIMITS; id++) {
		cli_limit_look((enum cli_limit_id)id, &l);
		if (!l.stops)
			continue;
		cli_error("%s: %s: the software machine does not start so; %s",
			  l.name, l.value, l.hint);
		return false;
	}
	return true;
}

const char *cli_limits_cause(char text[2 * LIMIT_TEXT])
{
	struct cli_limit l;

	*text = 0;
	for (int id = 0; id < CLI_LIMITS && !*text; id++) {
		cli_limit_look((enum cli_limit_id)id, &l);
		if (l.stops || l.tight)
			snprintf(text, 2 * LIMIT_TEXT, " (%s is %s: %s)",
				 l.name, l.value, l.hint);
	}
	return text;
}

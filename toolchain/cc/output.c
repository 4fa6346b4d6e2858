/* SPDX-License-Identifier: BSD-3-Clause */
#include "toolchain/cc/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name's last part stays, since messages of the linker have it. */
int output_begin(struct cc_output *o, const char *name)
{
	const char *dir = getenv("TMPDIR"), *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	int n;

	o->name = name;
	n = snprintf(o->folder, sizeof(o->folder), "%s/edmm-cc-XXXXXX",
		     dir && *dir ? dir : "/tmp");
	if (n >= (int)sizeof(o->folder) || !mkdtemp(o->folder))
		return -1;
	n = snprintf(o->temp, sizeof(o->temp), "%s/%s", o->folder,
		     *last ? last : "image");
	if (n < (int)sizeof(o->temp))
		return 0;
	rmdir(o->folder);
	errno = ENAMETOOLONG;
	return -1;
}

int output_made(const struct cc_output *o)
{
	return access(o->temp, F_OK) == 0;
}

/* As ld does before it opens a name, so that hard links stay whole. */
static int clear_way(const char *name)
{
	struct stat st;

	if (stat(name, &st) || !S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	return unlink(name);
}

static int copy(int from, int to)
{
	char buf[65536];
	ssize_t n, done, w;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (done = 0; done < n; done += w) {
			w = write(to, buf + done, (size_t)(n - done));
			if (w < 0)
				return -1;
		}
	return n < 0 ? -1 : 0;
}

static int make_executable(int fd)
{
	mode_t mask = umask(0);
	struct stat st;

	umask(mask);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	return fchmod(fd, (st.st_mode | (0111 & ~mask)) & 07777);
}

int output_deliver(const struct cc_output *o)
{
	int from = open(o->temp, O_RDONLY | O_CLOEXEC);
	int to = -1, failed = 1, err;

	if (from >= 0 && !clear_way(o->name))
		to = open(o->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0666);
	if (to >= 0)
		failed = copy(from, to) || make_executable(to);
	err = errno;
	if (to >= 0 && close(to) && !failed) {
		err = errno;
		failed = 1;
	}
	if (from >= 0)
		close(from);
	errno = err;
	return failed ? -1 : 0;
}

void output_end(const struct cc_output *o)
{
	unlink(o->temp);
	rmdir(o->folder);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm sim --step: the script is read here first, so that a mistake in it is a
 * line of ours before anything runs. The machine then reads it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/machine/watch.h"
#include "machine/linux/script.h"

/* Mapped for good: the process is about to become another. */
static const char *read_whole(void *ctx, const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *text = NULL;
	struct stat st;
	void *p;

	(void)ctx;
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		*size = (size_t)st.st_size;
		p = *size ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0)
			  : MAP_FAILED;
		text = p == MAP_FAILED ? NULL : p;
		text = *size ? text : "";
	}
	close(fd);
	return text;
}

static bool check(const char *path, const char *image)
{
	const struct script_reader reader = { .read = read_whole };
	static struct script s;
	struct script_error e;

	if (script_read(&s, path, image, &reader, &e))
		return true;
	if (e.line)
		cli_error("%s:%u: %s; wanted: %s", path, e.line, e.what,
			  e.want);
	else
		cli_error("%s: %s; wanted: %s", path, e.what, e.want);
	return false;
}

char *cli_step(const char *path, const char *image)
{
	char *script, *symbols = NULL, *out = NULL;

	if (!check(path, image))
		return NULL;
	script = realpath(path, NULL);
	if (image)
		symbols = realpath(image, NULL);
	if (!script || (image && !symbols))
		cli_error("%s: %s", script ? image : path, strerror(errno));
	else if (strchr(script, ',') || (symbols && strchr(symbols, ',')))
		cli_error("--step: '%s': a setting cannot hold a comma",
			  strchr(script, ',') ? script : symbols);
	else if (asprintf(&out, "step=%s%s%s", script,
			  symbols ? ",step-image=" : "",
			  symbols ? symbols : "") < 0)
		out = NULL;
	free(script);
	free(symbols);
	return out;
}

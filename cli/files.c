/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of files, modes, and small pieces of text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "image/internal.h"

const char *cli_mode_name(uint32_t mode)
{
	return mode == EDMM_MODE_ELASTIC ? "elastic" : "static";
}

bool cli_mode(const char *text, uint32_t *mode)
{
	if (!strcmp(text, "elastic"))
		*mode = EDMM_MODE_ELASTIC;
	else if (!strcmp(text, "static"))
		*mode = EDMM_MODE_STATIC;
	else if (!strcmp(text, "both"))
		*mode = 0;
	else {
		cli_error("--mode: '%s' is no mode; elastic, static or both",
			  text);
		return false;
	}
	return true;
}

char *cli_config_path(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	/* XDG: a relative path is to be ignored. */
	if (config && *config == '/')
		n = asprintf(&path, "%s/edmm/%s", config, name);
	else if (home && *home == '/')
		n = asprintf(&path, "%s/.config/edmm/%s", home, name);
	return n < 0 ? NULL : path;
}

bool cli_make_folders(const char *path)
{
	char *copy = strdup(path), *p;
	bool ok = copy;

	for (p = copy ? strchr(copy + 1, '/') : NULL; ok && p;
	     p = strchr(p + 1, '/')) {
		*p = 0;
		ok = !mkdir(copy, 0700) || errno == EEXIST;
		if (!ok)
			cli_error("%s: cannot be created: %s", copy,
				  strerror(errno));
		*p = '/';
	}
	free(copy);
	return ok;
}

char *cli_sig_path(const char *program)
{
	char *path;

	return asprintf(&path, "%s.sig", program) < 0 ? NULL : path;
}

bool cli_exists(const char *path)
{
	return !access(path, F_OK);
}

bool cli_can_write(const char *option, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat st;
	int err = 0;

	/* A device is written into; a file is replaced by one of its folder. */
	if (!folder)
		err = ENOMEM;
	else if (!stat(path, &st) && S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (!stat(path, &st) && !S_ISREG(st.st_mode))
		err = access(path, W_OK) ? errno : 0;
	else if (access(folder, W_OK | X_OK))
		err = errno;
	free(folder);
	if (err)
		cli_error("%s: %s: cannot be written: %s", option, path,
			  strerror(err));
	return !err;
}

bool cli_write_file(const char *path, const void *bytes, size_t size)
{
	struct edmm_diag diag;

	if (!img_file_write(path, bytes, size, IMG_FILE_PUBLIC, &diag))
		return true;
	cli_error("%s", diag.text);
	return false;
}

void cli_hex(const uint8_t *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < count; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = 0;
}

const char *cli_bytes(uint64_t n, char text[32])
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB",
					    "TiB" };
	uint64_t whole = n;
	unsigned u = 0;

	while (whole >= 1024 && u < 4) {
		whole /= 1024;
		u++;
	}
	if (whole << 10 * u == n)
		snprintf(text, 32, "%llu %s", (unsigned long long)whole,
			 unit[u]);
	else
		snprintf(text, 32, "%.1f %s",
			 (double)n / (double)(1ull << 10 * u), unit[u]);
	return text;
}

int cli_load_sig(const char *program, const char *path,
		 struct edmm_sig_file *file)
{
	char *beside = path ? NULL : cli_sig_path(program);
	const char *name = path ? path : beside;
	struct edmm_diag diag;
	int ret = 1;

	if (!name || (!path && !cli_exists(name))) {
		ret = 0;
	} else if (edmm_sig_read(name, file, &diag)) {
		cli_error("%s", diag.text);
		ret = -1;
	}
	free(beside);
	return ret;
}

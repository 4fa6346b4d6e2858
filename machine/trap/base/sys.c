/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The little that the library needs of a C library before there is one.
 */
#include "machine/trap/base/sys.h"

#include <string.h>

void sys_err(const char *text)
{
	sys_call(SYS_write, 2, (long)text, (long)strlen(text));
}

void sys_fd_path(char path[SYS_FD_PATH], int fd)
{
	static const char folder[] = "/proc/self/fd/";
	char digits[12];
	size_t n = sizeof(folder) - 1, k = 0;

	memcpy(path, folder, n);
	do
		digits[k++] = (char)('0' + fd % 10);
	while (fd /= 10);
	while (k)
		path[n++] = digits[--k];
	path[n] = 0;
}

#define DIED 125

_Noreturn void sys_die(const char *what, const char *detail)
{
	char line[640];
	size_t n = 0;
	const char *part[] = { "edmm: machine: ", what, detail ? ": " : "",
			       detail ? detail : "", "\n" };

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		for (const char *p = part[i]; *p && n < sizeof(line) - 2; p++)
			line[n++] = *p;
	if (line[n - 1] != '\n')
		line[n++] = '\n';
	sys_call(SYS_write, 2, (long)line, (long)n);
	for (;;)
		sys_call(SYS_exit_group, DIED);
}

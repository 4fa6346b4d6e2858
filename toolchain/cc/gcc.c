/* SPDX-License-Identifier: BSD-3-Clause */
#include "toolchain/cc/gcc.h"

#include <stdio.h>
#include <string.h>

/* A file that gcc does not have it names as it was asked for. */
int cc_gcc_folder(char *folder, size_t size)
{
	FILE *f = popen(CC_GCC " -print-file-name=include 2>/dev/null", "re");
	char *end = NULL;

	folder[0] = '\0';
	if (!f)
		return -1;
	if (fgets(folder, (int)size, f))
		end = strrchr(folder, '/');
	pclose(f);
	if (!end || strcmp(end, "/include\n") != 0) {
		folder[0] = '\0';
		return -1;
	}
	*end = '\0';
	return 0;
}

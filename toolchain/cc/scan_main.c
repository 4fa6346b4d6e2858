/* SPDX-License-Identifier: BSD-3-Clause */
/* edmm-scan: the check of scan.h as a command. */
#include "toolchain/cc/scan.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	enum scan_result worst = SCAN_CLEAN;
	int i;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fprintf(argc < 2 ? stderr : stdout,
			"usage: edmm-scan FILE...\n"
			"Decodes the code of ELF files and lists every "
			"instruction that faults in an enclave.\n"
			"Exit status: 0 none, 1 some, 2 a file that cannot be "
			"read.\n");
		return argc < 2 ? SCAN_BAD_FILE : SCAN_CLEAN;
	}
	for (i = 1; i < argc; i++) {
		enum scan_result r =
			scan_file(argv[i], argv[i], "edmm-scan", 1, stderr);

		worst = r > worst ? r : worst;
	}
	return worst;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <edmm/report.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	struct sgx_report report;
	char *memory = malloc(8 << 20);

	if (!memory)
		return 1;
	memset(memory, 1, 8 << 20);
	edmm_report_self(&report);
	printf("hello of %s, %d\n", WHO, memory[4 << 20]);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest file that the image builder takes: code, constants, relocated
 * data, zero pages and a layout page. It is laid out, signed and taken apart
 * by tests, and never run.
 */
#include "edmm/layout.h"

__attribute__((used, aligned(4096), section(EDMM_LAYOUT_SECTION)))
const struct edmm_layout tiny_layout = {
	.magic = EDMM_LAYOUT_MAGIC,
	.version = EDMM_LAYOUT_VERSION,
};

extern int tiny_data[3000];
int tiny_data[3000] = { 1, 2, 3 };
extern int *tiny_pointer;
int *tiny_pointer = &tiny_data[1]; /* R_X86_64_RELATIVE */
extern char tiny_zero[9000];
char tiny_zero[9000];

int tiny_entry(int x);
int tiny_entry(int x)
{
	return x + *tiny_pointer + tiny_zero[x & 1023];
}

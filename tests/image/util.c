/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/image/image_util.h"

void util_write_temp(char *template, const void *bytes, size_t size)
{
	int fd = mkstemp(template);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

uint8_t *util_read(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(1 << 20);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(p);
	*size = fread(p, 1, 1 << 20, f);
	ck_assert(feof(f));
	fclose(f);
	return p;
}

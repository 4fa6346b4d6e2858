/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the tests of image/. TINY and ORACLE are paths from CMake.
 */
#ifndef TESTS_IMAGE_UTIL_H
#define TESTS_IMAGE_UTIL_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 of hand-written blocks; tests/image/worked.sh prints them again. */
#define WORKED_CREATE \
	"6561d1d235212ec5e8ffc84b882f09abfa095d194e017e3a515b7a116ea4db83"
#define WORKED_ZERO_PAGE \
	"4d31d7335763b48464fd442c5095b74ebbc381d77a381ef6883ffbbf9e407703"
#define WORKED_TCS \
	"9b9f192d84910fd8c6945edf854d942316ee2a0a167ee11fd7eae195a7792d3a"

/* Fills in a mkstemp() template and the file; ends the test on an error. */
void util_write_temp(char *template, const void *bytes, size_t size);
/* A whole file; free() it. */
uint8_t *util_read(const char *path, size_t *size);

#endif

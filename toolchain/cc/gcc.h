/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gcc behind edmm-cc. It may be another than the one that built edmm: so
 * where its headers and libgcc are is asked, not built in.
 */
#ifndef TOOLCHAIN_CC_GCC_H
#define TOOLCHAIN_CC_GCC_H

#include <stddef.h>

#define CC_GCC "gcc"

/**
 * cc_gcc_folder() - the folder of gcc's own headers (include) and libgcc
 * @folder: receives it, without a slash at the end; "" if gcc does not say.
 * @size: of @folder.
 *
 * Return: 0, or -1.
 */
int cc_gcc_folder(char *folder, size_t size);

#endif

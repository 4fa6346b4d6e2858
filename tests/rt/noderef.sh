#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Trusted code looks through no untrusted pointer (umem_t): clang's noderef
# finds it. A sample that does is compiled first, so that a clang which says
# nothing fails this test.
set -eu
top=$1
check() {
	clang -std=gnu11 -ffreestanding -fPIE -I"$top" -I"$top/include" \
		-fsyntax-only -Wno-everything -Wnoderef -Werror "$@"
}
if echo '#include "trusted/rt/rt.h"
uint8_t bad(umem_t p); uint8_t bad(umem_t p) { return *p; }' |
	check -x c - 2>/dev/null; then
	echo "clang does not see a dereferenced umem_t" >&2
	exit 1
fi
for f in "$top"/trusted/*/*.c; do
	check "$f"
done

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The address space in docs/walk.md has the ranges that edmm inspect prints, in
# their order, and those that do not depend on the program are as large.
# Usage: space.sh EDMM IMAGE DOCUMENT
set -eu
ranges()
{
	awk '$1 == "range" { on = 1 }
		on { print $1, $1 ~ /^(stack|metadata|heap)$/ ? $3 $4 " " $5 $6 : "" }
		on && $1 == "heap" { exit }'
}
"$1" inspect --mode elastic "$2" | ranges >printed.$$
trap 'rm -f printed.$$ drawn.$$' EXIT
ranges <"$3" >drawn.$$
grep -q '^heap' printed.$$
diff -u drawn.$$ printed.$$

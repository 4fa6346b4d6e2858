#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check.sh MODEL: verify a SPIN model exhaustively, in a folder of its own.
set -eu
model=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
spin -a "$model" >/dev/null
gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c
./pan -m1000000 >out 2>&1 || { cat out; exit 1; }
grep -q 'errors: 0' out || {
	cat out
	spin -k "$(basename "$model").trail" -p "$model" | tail -40
	exit 1
}
if grep -q 'max search depth too small\|Search not completed' out; then
	cat out
	exit 1
fi
grep 'states, stored' out

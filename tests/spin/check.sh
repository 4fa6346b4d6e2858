#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check.sh MODEL: verify a SPIN model exhaustively, in a folder of its own, in
# the variants below; and see that the checks find a lost wake-up.
set -eu
model=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# explore OPTION: all states of one variant; the result is in ./out.
explore()
{
	spin -a "$1" "$model" >/dev/null
	gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c
	./pan -m1000000 >out 2>&1 || { cat out; exit 1; }
	if grep -q 'max search depth too small\|Search not completed' out; then
		[ "$1" = -DLOST ] || { cat out; exit 1; }
	fi
}

for variant in -DMORE -DOPS=2; do
	explore "$variant"
	grep -q 'errors: 0' out || {
		cat out
		spin -k "$(basename "$model").trail" -p "$variant" "$model" |
			tail -40
		exit 1
	}
	echo "$variant: $(grep 'states, stored' out)"
done
explore -DLOST
grep -q 'invalid end state' out || { cat out; exit 1; }
echo "-DLOST: found"

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# idle.sh EDMM IDLE: what is left in the enclave of memory that was freed: some
# at once, hardly anything after some seconds, nothing after malloc_trim().
set -eu
edmm=$1 idle=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"

# left HOW: KiB that are committed at the end
left() {
	"$edmm" run --machine soft --heap-max 64M --report=json "$idle" "$1" \
		2>"$tmp/err" || echo "status $?" >&2
	sed -n '/^{/,/^}/p' "$tmp/err" | python3 -c '
import json, sys
print(json.load(sys.stdin)["committed_final"] // 1024)'
}

now=$(left end) later=$(left sleep) trimmed=$(left trim)
if [ "$later" -gt $((now / 2)) ] || [ "$trimmed" -gt $((now / 4)) ]; then
	echo "left: $now KiB, $later after a sleep, $trimmed trimmed" >&2
	exit 1
fi

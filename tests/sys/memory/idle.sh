#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# idle.sh EDMM IDLE MALLOC: what is left in the enclave of memory that was freed:
# with musl some at once, hardly anything after some seconds, nothing after
# malloc_trim(). With mimalloc, too, half of the slots that lie among others go;
# none that comes back at once. A block grows to more than half of the heap.
set -eu
edmm=$1 idle=$2 malloc=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"

# told NAME HOW: what the report tells of a run
told() {
	"$edmm" run --machine soft --heap-max 64M --report=json "$idle" "$2" \
		2>"$tmp/err" || echo "status $?" >&2
	sed -n '/^{/,/^}/p' "$tmp/err" | python3 -c '
import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

if [ "$malloc" = musl ]; then
	now=$(told committed_final end) later=$(told committed_final sleep)
	trimmed=$(told committed_final trim)
	if [ "$later" -gt $((now / 2)) ] || [ "$trimmed" -gt $((now / 4)) ]; then
		echo "left: $now bytes, $later after a sleep, $trimmed trimmed" >&2
		exit 1
	fi
fi
# 31 MiB with their slack, of which half went, twice
thin=$(told committed_final thin)
if [ "$thin" -gt $((24 << 20)) ]; then
	echo "slots: $thin bytes are left, half of 31 MiB was freed" >&2
	exit 1
fi
churn=$(told pages_trimmed churn)
if [ "$churn" -gt 100 ]; then
	echo "churn: $churn pages trimmed, and none was free for long" >&2
	exit 1
fi
"$edmm" run --machine soft --heap-max 64M "$idle" grow 2>"$tmp/err" || {
	echo "grow: 48 MiB do not fit a heap of 64 MiB" >&2
	exit 1
}

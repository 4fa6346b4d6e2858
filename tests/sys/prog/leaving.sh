#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# leaving.sh EDMM PROGRAM: it ends as it says, however often, with a report too.
set -eu
edmm=$1 program=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"
for i in 1 2 3 4 5 6 7 8; do
	report=
	[ $((i % 4)) != 0 ] || report=--report
	status=0
	"$edmm" run --machine soft $report "$program" $((i % 2)) \
		>"$tmp/out" 2>"$tmp/err" || status=$?
	if [ $status != 7 ] || [ "$(cat "$tmp/out")" != 'the end' ]; then
		echo "run $i: status $status, 7 is right" >&2
		cat "$tmp/out" "$tmp/err" >&2
		exit 1
	fi
done

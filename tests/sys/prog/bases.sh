#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# bases.sh EDMM PROGRAM: several runs of it at once on one processor, so that
# each is interrupted often; as the processor is, without FSGSBASE, and without
# WRGSBASE too.
set -eu
edmm=$1 program=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"
for set in '' --machine-options=fsgsbase=0 \
	--machine-options=fsgsbase=0,wrgsbase=0; do
	pids=
	for i in 1 2 3; do
		taskset -c 0 "$edmm" run --machine soft $set "$program" 1 \
			>"$tmp/$i" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || { cat "$tmp"/[123] >&2; exit 1; }
	done
done

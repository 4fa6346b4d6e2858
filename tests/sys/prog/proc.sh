#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# proc.sh EDMM NATIVE PROGRAM: what /proc tells, natively and in an enclave.
set -eu
edmm=$1 native=$2 program=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"

"$native" >"$tmp/want" || { cat "$tmp/want"; exit 1; }
for mode in "" "--edmm disable"; do
	# shellcheck disable=SC2086
	PROC_ENCLAVE=1 PROC_STATIC=$mode "$edmm" run --machine soft \
		--contexts 8 --heap-max 128M $mode "$program" >"$tmp/got" 2>"$tmp/err" || true
	diff -u "$tmp/want" "$tmp/got" || { cat "$tmp/err" >&2; exit 1; }
done

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# alike.sh EDMM PROGRAM NATIVE: both print the same, elastic and static.
set -eu
edmm=$1 program=$2 native=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"
cd "$tmp"
"$native" >want 2>want.err || { cat want.err >&2; exit 1; }
for mode in enable disable; do
	"$edmm" run --machine soft --edmm $mode --contexts 2 \
		--heap-max 256M "$program" >got 2>err || { cat got err >&2; exit 1; }
	# What a static image has, it cannot lose: docs/caveats.md.
	[ $mode = enable ] || sed -i '/^too much:/d' want got
	diff want got || { cat err >&2; exit 1; }
done

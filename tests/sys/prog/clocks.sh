#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# clocks.sh EDMM NATIVE ENCLAVE: clocks keep their promises, natively and in an
# enclave, and a million readings make a handful of exits.
set -eu
edmm=$1 native=$2 enclave=$3
reads=1000000
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"

inside()
{
	"$edmm" run --machine soft --contexts 4 "$@"
}

# exits N: of a run with N readings
exits()
{
	rm -f "$tmp/stats"
	EDMM_MACHINE_QUIET=1 "$edmm" sim --stats=json \
		--stats-file "$tmp/stats" "$edmm" run --machine soft \
		"$enclave" read "$1" >&2
	sed -n 's/.*"eexit": *\([0-9]*\).*/\1/p' "$tmp/stats"
}

[ "$("$native")" = ok ]
[ "$(inside "$enclave")" = ok ]
[ "$(inside --edmm disable "$enclave")" = ok ]
inside --report=json "$enclave" 2>"$tmp/report" >&2
grep -q '"clock_refused": 0' "$tmp/report" || {
	cat "$tmp/report"
	echo "clocks.sh: an honest host was refused" >&2
	exit 1
}

few=$(exits 1)
many=$(exits $reads)
[ $((many - few)) -lt 100 ] || {
	echo "clocks.sh: $reads readings made $((many - few)) exits" >&2
	exit 1
}

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# outside.sh EDMM ENCLAVE: an image takes the signals that it is signed for; what
# else comes is dropped, and told at the end.
set -eu
edmm=$1 enclave=$2
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :; rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config" EDMM_MACHINE_QUIET=1
mkfifo "$tmp/fifo"

# came OPTION...: what it says of QUIT, ALRM, 41 and USR1
came()
{
	"$edmm" run --machine soft "$@" "$enclave" >"$tmp/fifo" 2>"$tmp/err" &
	pid=$!
	exec 3<"$tmp/fifo"
	read -r line <&3
	[ "$line" = ready ]
	for sig in QUIT ALRM 41 USR1; do
		kill -"$sig" "$pid"
		sleep 0.1
	done
	cat <&3 >"$tmp/out"
	exec 3<&-
	wait "$pid"
	pid=
}

# must FILE TEXT
must()
{
	grep -q "$2" "$tmp/$1" && return
	echo "outside.sh: wanted: $2" >&2
	cat "$tmp/out" "$tmp/err" >&2
	exit 1
}

came
[ "$(cat "$tmp/out")" = '10 code 0 of 0' ] || must out 'USR1 alone'
must err 'the image does not take: QUIT ALRM 41;'

printf '[enclave]\nsignals = "QUIT USR1 41"\n' >"$tmp/edmm.toml"
came --config "$tmp/edmm.toml"
must out '^3 code 0 of 0$'
must out '^41 code 0 of 0$'
must out '^10 code 0 of 0$'
must err 'the image does not take: ALRM;'

printf '[enclave]\nsignals = "QUIT SEGV"\n' >"$tmp/edmm.toml"
! "$edmm" run --machine soft --config "$tmp/edmm.toml" "$enclave" \
	>"$tmp/out" 2>"$tmp/err"
must err 'edmm.toml:2:11: error: enclave.signals must be names of signals'

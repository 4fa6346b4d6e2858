#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# unguarded.sh BUILD: where a SYSCALL inside an enclave could not be caught, and
# where a facility that somebody insists on is missing, one line says so and
# nothing runs.
set -eu
edmm=$1/bin/edmm
hello=$1/enclave/hello
out=$(mktemp)
trap 'rm -f "$out"' EXIT

fail()
{
	echo "FAIL: $*" >&2
	cat "$out" >&2
	exit 1
}

# refused STATUS TEXT COMMAND...: it fails so, with one line that has TEXT.
refused()
{
	want=$1 text=$2
	shift 2
	status=0
	EDMM_MACHINE_QUIET=1 "$@" >"$out" 2>&1 || status=$?
	[ "$status" = "$want" ] || fail "$*: exit $status, not $want"
	[ "$(grep -c "$text" "$out")" = 1 ] || fail "$*: no line '$text'"
}

refused 125 'neither system call dispatch (Linux 5.11) nor seccomp' \
	"$edmm" run --machine soft --machine-options sud=0,seccomp=0 "$hello"
# A program with system calls of its own needs dispatch; libc's do not.
refused 125 'makes its own system calls' \
	"$edmm" sim --set sud=0 "$1/bin/launch_actor" args
"$edmm" run --machine soft --machine-options sud=0 "$hello" >"$out" 2>&1 ||
	fail "hello without dispatch"
# What is not there and insisted on.
for f in cpuid-fault pkeys fsgsbase wrgsbase uffd sud seccomp; do
	status=0
	"$edmm" sim --set $f=1 true >"$out" 2>&1 || status=$?
	case $status in
	0) [ ! -s "$out" ] || fail "$f=1 is there, and something is said" ;;
	125) [ "$(wc -l <"$out")" = 1 ] && grep -q "$f=1" "$out" ||
		fail "$f=1 is not there: one line is wanted" ;;
	*) fail "$f=1: exit $status" ;;
	esac
done

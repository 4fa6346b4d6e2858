#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# new_row.sh TREE CC: a row of common/calls.h whose descriptor the host would not
# enter into the program's table does not compile, of whichever kind it is.
set -eu
tree=$1 cc=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/common"

# host SED-SCRIPT: the host's side with such a list of calls
host()
{
	sed -e "$1" "$tree/common/calls.h" >"$tmp/common/calls.h"
	"$cc" -std=gnu11 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror \
		-I "$tmp" -I "$tree" -I "$tree/include" -x c \
		"$tree/host/calls.c" 2>"$tmp/err"
}

row() { # NAME NUMBER RESULT ARGUMENTS
	printf 's/^X(getpid, 39.*/&\\\nX(%s, %s, HOST, %s, %s) \\\\/\n' \
		"$1" "$2" "$3" "$4"
}

host '' || { cat "$tmp/err" >&2; exit 1; }
host "$(row socket 41 FD 'CALL_I, CALL_I, CALL_I')" ||
	{ cat "$tmp/err" >&2; exit 1; }
kind='s/^\tCALL_RET_FD_FROM, .*/&\n\tCALL_RET_FD_NEW,/'
if host "$kind
$(row eventfd2 290 FD_NEW 'CALL_I, CALL_I')"; then
	echo "a new kind of descriptor compiles without its case" >&2
	exit 1
fi
grep -q 'CALL_RET_FD_NEW' "$tmp/err" || { cat "$tmp/err" >&2; exit 1; }
if host "$(row socketpair 53 ZERO \
	'CALL_I, CALL_I, CALL_I, CALL_TAKE(integer) | CALL_HAS_FD')"; then
	echo "descriptors come in as an argument, and nobody turns them" >&2
	exit 1
fi
grep -q 'socketpair: descriptors come in' "$tmp/err" ||
	{ cat "$tmp/err" >&2; exit 1; }

# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Sourced by the scripts of tests/cli. $1 is the build folder. Each script has
# a folder of its own, $tmp, for files and as $HOME; at its end nothing but
# what it names may be left there.
set -u
BUILD=$1
PATH=$BUILD/bin:$PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
HOME=$tmp/home
XDG_CONFIG_HOME=$tmp/config
SOURCE_DATE_EPOCH=1790000000
export PATH HOME XDG_CONFIG_HOME SOURCE_DATE_EPOCH
unset LD_PRELOAD EDMM_MACHINE
mkdir "$HOME"
failed=0

fail() {
	echo "FAIL: $*" >&2
	failed=1
}

# run STATUS COMMAND...: output in $tmp/out and $tmp/err.
run() {
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] && return
	fail "status $got, not $want: $*"
	sed 's/^/  /' "$tmp/err" >&2
}

# bad STATUS PATTERN COMMAND...: one line on standard error, like PATTERN, and
# nothing on standard output.
bad() {
	status=$1 pattern=$2
	shift 2
	run "$status" "$@"
	[ "$(wc -l <"$tmp/err")" = 1 ] ||
		fail "$(wc -l <"$tmp/err") lines of error: $*"
	grep -q -e "$pattern" "$tmp/err" ||
		fail "no '$pattern' in: $(cat "$tmp/err")"
	[ -s "$tmp/out" ] && fail "output: $*"
}

# same NAME A B
same() {
	[ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}

# has PATTERN: in the last command's output
has() {
	grep -q -e "$1" "$tmp/out" || fail "no '$1' in: $(cat "$tmp/out")"
}

# verbs: as edmm help lists them
verbs() {
	edmm help | sed -n 's/^  \([a-z]*\)  *.*/\1/p'
}

finish() {
	exit "$failed"
}

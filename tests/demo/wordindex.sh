#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# wordindex as an ordinary program: answers, bad usage, memory that runs out.
# Usage: wordindex.sh WORDINDEX
set -eu
wordindex=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $1" >&2
	exit 1
}

# expect STATUS COMMAND...: runs it, output in $work/out and $work/err.
expect() {
	want=$1
	shift
	status=0
	"$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$want" ] || fail "$* ended with $status, not $want"
}

expect 0 "$wordindex" --top 2 --hits 2 "$here/corpus.txt" \
	<"$here/commands.txt"
diff "$here/expected.txt" "$work/out" || fail "answers differ"

printf 'phase: index\nphase: answer\nphase: end\n' | diff - "$work/err" ||
	fail "phases differ"

expect 0 "$wordindex" --help
grep -q '^Usage: wordindex' "$work/out" || fail "--help has no usage line"
for args in "" "--top" "--top 0 x" "--hits 1001 x" "--no x" "x y"; do
	# shellcheck disable=SC2086  # words are wanted
	expect 2 "$wordindex" $args
done
expect 1 "$wordindex" "$work/absent"
grep -q 'absent: No such file' "$work/err" || fail "no reason is given"

echo "word" >"$work/bad"
expect 1 "$wordindex" "$here/corpus.txt" <"$work/bad"
grep -q 'command 1 is not one' "$work/err" || fail "a bad command passed"

# With 10 MB of address space malloc fails; the rest goes on.
seq -f 'w%.0f' 300000 >"$work/large"
printf 'word w7\ndrop half\nstats\n' >"$work/commands"
expect 1 sh -c 'ulimit -v 10000; exec "$@"' sh "$wordindex" "$work/large" \
	<"$work/commands"
grep -q 'out of memory at .*; going on with' "$work/err" ||
	fail "memory did not run out, or silently"
grep -q '^w7: 1 lines in 1 documents' "$work/out" ||
	fail "no answer after memory ran out"
grep -c '^stats:' "$work/out" | grep -qx 2 || fail "it did not go on"
echo "ok"

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# wordindex, as an ordinary program or in an enclave: answers, bad usage,
# memory that runs out.
# Usage: wordindex.sh BUILD native|enclave
set -eu
build=$1
place=$2
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME="$work/config"

fail() {
	echo "FAIL: $1" >&2
	cat "$work/err" >&2
	exit 1
}

wordindex() {
	case $place in
	native) "$build/bin/wordindex-native" "$@" ;;
	enclave) "$build/bin/edmm" run "$build/enclave/wordindex" "$@" ;;
	esac
}

# With little memory: 10 MB of address space, 10 MiB of enclave heap.
wordindex_limited() {
	case $place in
	native) (ulimit -v 10000 && "$build/bin/wordindex-native" "$@") ;;
	enclave) "$build/bin/edmm" run --heap-max 10M \
		"$build/enclave/wordindex" "$@" ;;
	esac
}

# expect STATUS COMMAND...: runs it, output in $work/out and $work/err.
expect() {
	want=$1
	shift
	status=0
	"$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$want" ] || fail "$* ended with $status, not $want"
}

expect 0 wordindex --top 2 --hits 2 "$here/corpus.txt" <"$here/commands.txt"
diff "$here/expected.txt" "$work/out" || fail "answers differ"
sed -n '/^phase: /p' "$work/err" >"$work/phases"
printf 'phase: index\nphase: answer\nphase: end\n' | diff - "$work/phases" ||
	fail "phases differ"

expect 0 wordindex --help
grep -q '^Usage: wordindex' "$work/out" || fail "--help has no usage line"
for args in "" "--top" "--top 0 x" "--hits 1001 x" "--no x" "x y"; do
	# shellcheck disable=SC2086  # words are wanted
	expect 2 wordindex $args
done
expect 1 wordindex "$work/absent"
grep -q 'absent: No such file' "$work/err" || fail "no reason is given"

echo "word" >"$work/bad"
expect 1 wordindex "$here/corpus.txt" <"$work/bad"
grep -q 'command 1 is not one' "$work/err" || fail "a bad command passed"

# malloc fails, and the program goes on with what it has.
seq -f 'w%.0f' 300000 >"$work/large"
printf 'word w7\ndrop half\nstats\n' >"$work/commands"
expect 1 wordindex_limited "$work/large" <"$work/commands"
grep -q 'out of memory at .*; going on with' "$work/err" ||
	fail "memory did not run out, or silently"
grep -q '^w7: 1 lines in 1 documents' "$work/out" ||
	fail "no answer after memory ran out"
grep -c '^stats:' "$work/out" | grep -qx 2 || fail "it did not go on"

# Real text that every Debian has; the two places must answer alike.
if [ "$place" = enclave ]; then
	for file in Apache-2.0 Artistic GPL-2 GPL-3 LGPL-2.1 MPL-2.0; do
		printf '==> %s <==\n' "$file"
		cat "/usr/share/common-licenses/$file"
	done >"$work/text"
	sed 's/word kernel/word software/' \
		"$here/../../examples/wordindex/queries.txt" >"$work/queries"
	expect 0 wordindex --hits 9 "$work/text" <"$work/queries"
	"$build/bin/wordindex-native" --hits 9 "$work/text" \
		<"$work/queries" >"$work/native" 2>/dev/null
	grep -q 'software: [1-9][0-9]* lines in [2-6] doc' "$work/out" ||
		fail "the licences are not in the index"
	diff "$work/native" "$work/out" || fail "enclave and native differ"
fi
echo "ok"

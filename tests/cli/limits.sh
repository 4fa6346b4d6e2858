#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A host with little to give: one line that names the limit and the way on, the
# status that the page tells, and a doctor who saw it coming. And what a run has
# to tell is told when a signal ends it, too.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor
deny=$BUILD/bin/cli_deny
soft='edmm run --machine soft'

# limited ULIMIT PATTERN: a run under it ends so, and doctor says so.
limited() {
	bad 125 "$2" sh -c "ulimit $1; exec $soft ./actor args"
	# By a pipe, since what is limited may be a file's size.
	run 0 sh -c "{ ulimit $1; edmm doctor; echo status \$?; } | cat"
	has "$3"
	has '^status 1$'
	grep -q 'edmm run uses nothing' out || fail "doctor, $1: $(cat out)"
}
limited '-v 1000000' 'address space (ulimit -v).*--elrange' 'missing.*ulimit -v'
limited '-v 100000' 'address space (ulimit -v).*--elrange' 'missing.*ulimit -v'
limited '-f 1' 'file size (ulimit -f)' 'missing.*ulimit -f'
limited '-n 10' 'open files (ulimit -n)' 'missing.*ulimit -n'
# Enough for a small range, and not for the default one.
run 0 sh -c "ulimit -v 6000000; exec $soft --elrange 1G ./actor args"
run 125 sh -c "ulimit -v 6000000; exec $soft ./actor args"
grep -q 'address range of 65536 MiB.*ulimit -v.*--elrange' err ||
	fail "a range for which there is no room: $(cat err)"
run 0 sh -c 'ulimit -v 6000000; exec edmm doctor'
grep -q 'within the limits above' out || fail "doctor: $(cat out)"
run 0 sh -c "ulimit -l 0; exec $soft ./actor args"

bad 125 'memfd: Operation not permitted' "$deny" 319 $soft ./actor args
run 1 "$deny" 319 edmm doctor
has 'missing.*memfd'
if unshare -m true 2>/dev/null; then
	bad 125 '/proc: not mounted' unshare -m \
		sh -c "umount -l /proc; exec $soft ./actor args"
fi

# 0 is not the default.
for o in heap-max contexts stack stack-init elrange; do
	bad 125 "^edmm: --$o: 0 " $soft --$o 0 ./actor args
done

# The picture's place is looked at before the run.
bad 125 '^edmm: --timeline: /nonexistent/x.svg: ' \
	$soft --timeline /nonexistent/x.svg ./actor args
bad 1 '^edmm: --out: /nonexistent/x: ' \
	edmm advise --out /nonexistent/x -- ./actor args

# ended SIGNAL STATUS COMMAND...: it sleeps, and the signal ends it.
ended() {
	signal=$1 want=$2
	shift 2
	: >out
	"$@" >out 2>err </dev/null &
	pid=$!
	n=0
	until grep -q sleeping out || [ $n = 600 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	kill -s "$signal" $pid
	wait $pid
	got=$?
	[ $got = "$want" ] || fail "$signal: status $got, not $want: $(cat err)"
}
ended TERM 143 $soft --report --timeline t.svg ./actor sleep 60
grep -q 'committed memory' err || fail "no report: $(cat err)"
grep -q '</svg>' t.svg || fail "no picture"
ended HUP 129 $soft --report=json ./actor sleep 60
sed -n '/^{/,/^}/p' err >report.json
python3 -c 'import json; json.load(open("report.json"))' || fail "no JSON"
ended TERM 0 edmm advise --out advice.edmm.toml -- ./actor sleep 60
grep -q 'ended by a signal' err || fail "advise: $(cat err)"
run 0 edmm check advice.edmm.toml

# What a program died of, where it does not say so.
run 134 sh -c "$soft --heap-max 8M ./actor short; exit \$?"
grep -q "allocation of 64.* did not fit.* 8 MiB: --heap-max" err ||
	fail "a failed malloc: $(cat err)"
run 139 sh -c "$soft --stack 256K ./actor deep; exit \$?"
grep -q 'setting .*--stack, which is 256 KiB' err || fail "stack: $(cat err)"

# A large heap's static start is estimated.
run 0 $soft --report --heap-max 4G ./actor args
grep -q 'of which measured *a heap of 512 MiB' err || fail "$(cat err)"

# A call that is not there says its name, once.
run 0 $soft ./actor missing
same 'lines' "$(grep -c 'socket() is not there' err)" 1
grep -q 'statx\|clone3\|rseq' err && fail "what libraries try: $(cat err)"
run 0 $soft --trace-calls ./actor missing
same 'socket() in the trace' "$(grep -c '^socket' err)" 1
grep -q '^openat(-100, "/nonexistent", .*) = -1 ENOENT' err ||
	fail "the trace: $(cat err)"
run 0 $soft --debug --trace-calls ./actor missing
same 'socket() in the trace' \
	"$(grep -c '^socket(2, 1, 0, .*) = -1 ENOSYS' err)" 3
grep -q '^set_tid_address(' err || fail "what stays inside: $(cat err)"
finish

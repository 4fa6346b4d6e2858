#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm sim --trace, --stats and --cost-table; edmm trace.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor

# equal WHAT: every sum of the trace is the counter of that name.
equal() {
	run 0 edmm trace --sum --json --cost-table default t.trc
	python3 - "$1" <<'END' || fail "$1: sums are not the counters"
import json, sys
lines = open("stats.json").read().splitlines()
assert len(lines) == 1, lines
want, got = json.loads(lines[0]), json.load(open("out"))
levels = {"epc_pages", "epc_used", "epc_peak", "quota_pages", "quota_hits"}
bad = {k: (want.get(k), got.get(k)) for k in set(want) | set(got)
       if k not in levels and want.get(k) != got.get(k)}
assert not bad, bad
assert want["eenter"] and want["encls_eadd"] and want["estimate_us"]
assert want["aex"] == sum(want["aex_" + k] for k in
                          ("kernel", "exception", "signal", "track"))
END
	rm -f stats.json
}

sim="edmm sim --trace t.trc --stats=json --stats-file stats.json
	--cost-table default"
# shellcheck disable=SC2086
{
	run 0 $sim edmm run ./actor grow 8
	equal 'plain'
	run 0 $sim --epc 8M edmm run --heap-max 64M ./actor grow 16
	equal 'with paging'
	run 125 $sim --fault eadd:9 edmm run ./actor grow 1
	rm -f stats.json
	run 0 $sim --fault add_pages%3 --fault init --fault einit \
		edmm run ./actor grow 1
	equal 'with faults'
}

# Filters, and what they leave.
n() {
	edmm trace "$@" t.trc | wc -l
}
all=$(n)
kinds=0
for k in encls enclu aex fault ioctl mmap mprotect lose; do
	kinds=$((kinds + $(n --event $k)))
done
same 'events by kind' "$kinds" "$all"
same 'one INIT failed and one did not' "$(n --event init)" 2
[ "$(n --event add_pages)" -gt 0 ] || fail 'no ADD_PAGES'
same 'an ioctl by its older name' \
	"$(n --event add-pages)" "$(n --event add_pages)"
same 'an EINIT was repeated' "$(n --event einit)" 2
same 'no thread 1' "$(n --thread 1)" 0
[ "$(n --enclave 2)" -gt 0 ] || fail 'no event of enclave 2'
same 'time splits' \
	$(($(n --until 20ms) + $(n --since 20ms))) "$all"
same 'pages split' $(($(n --address 0-0x7f2000005000) +
	$(n --address 0x7f2000005000-0xffffffffffffffff))) "$all"
run 0 edmm trace --json --event einit t.trc
has '"kind":"encls","event":"einit".*"result":128'
run 0 edmm trace --event einit t.trc
has 'einit .* -> 128'
run 0 edmm trace --sum t.trc
has 'transitions by thread'
has 'busiest pages'

# A text on standard error, and none of a command that has no enclave.
run 0 edmm sim --stats edmm run ./actor args
grep -q '^  eenter  *[0-9]' err || fail "no counters: $(cat err)"
run 0 edmm sim --stats true
[ -s err ] && fail "counters of true: $(cat err)"
run 7 edmm sim --stats-file counters edmm run ./actor exit 7
grep -q 'eexit' counters || fail 'no counters in the file'

# The first process has the file, another its own.
edmm sim --trace t.trc --stats-file counters sh -c \
	'edmm run ./actor args; edmm run ./actor args' >/dev/null 2>&1
same 'traces of two processes' "$(find . -name 't.trc*' | wc -l)" 2
for f in t.trc*; do
	run 0 edmm trace --sum "$f"
done
same 'counters, appended' "$(grep -c 'counters of' counters)" 3

# Killed at any time, the trace is whole up to then.
edmm sim --trace k.trc edmm run ./actor sleep >/dev/null 2>&1 &
pid=$!
while [ "$(edmm trace --event eenter k.trc 2>/dev/null | wc -l)" = 0 ]; do
	kill -0 $pid || break
	sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null
run 0 edmm trace --sum k.trc
has 'encls_einit'

# What is no trace, or no longer one.
bad 2 'one FILE is wanted' edmm trace
bad 1 'No such file' edmm trace none
bad 1 'byte 0: this is no trace' edmm trace actor
head -c 30 t.trc >cut
bad 1 'byte 30: it ends before its header' edmm trace cut
head -c 1000 t.trc >cut
bad 1 'byte 992: it is cut off in a record' edmm trace cut
for c in '95 \377 64 a kind' '94 \377 64 an event' '8 \001 8 .*byte order' \
	'12 \011 12 it is of another version'; do
	# shellcheck disable=SC2086
	set -- $c
	cp t.trc broken
	printf "$2" | dd of=broken bs=1 seek="$1" conv=notrunc 2>/dev/null
	shift 2
	at=$1
	shift
	bad 1 "byte $at: $*" edmm trace broken
done
bad 2 'is no range' edmm trace --address 5-4 t.trc
bad 2 'is no time' edmm trace --since soon t.trc

# The cost table: ours is printed as it can be read; mistakes have a place.
run 0 edmm sim --print-cost-table
cp out table
run 0 edmm sim --stats-file counters --cost-table table edmm run ./actor args
grep -q 'estimate_us' counters || fail 'no estimate'
table() {
	printf "$2" >table
	bad 125 "table:$1" edmm sim --cost-table table true
	bad 2 "table:$1" edmm trace --cost-table table t.trc
}
table '1:1: wanted: a leaf' 'eentre 5 us\n'
table '2:6: wanted: a digit' 'clock 1000000 us\neadd x us\n'
table '1:7: wanted: a number' 'clock \n'
table '1:9: wanted: the figure' 'eenter 5'
table "2:1: wanted: a line 'clock" 'eadd 5 us\n'
bad 125 'cannot be read' edmm sim --cost-table none true
finish

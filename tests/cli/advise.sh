#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm advise: with the settings that it writes the same run passes, elastic
# and static; with half of them it does not; in every format.
# shellcheck disable=SC2086  # $soft is a command with its options
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
soft="edmm run --machine soft --unsigned"
cp "$BUILD/enclave/actor" actor

# What the program says goes through; what was seen is said, and its limits.
run 0 edmm advise --out tight.edmm.toml --head-room 0 -- ./actor grow 24
has 'all, 0 bad'
grep -q 'from this run only: other inputs may need more' err ||
	fail "no word of other inputs: $(cat err)"
for row in 'heap.max .* seen, .* advised; nothing at start with EDMM' \
	'heap.init .* at start; .* would avoid all growth' \
	'stack.max .* at start without EDMM' 'threads' 'growth .* faults' \
	'start-up, elastic .* measured: .* ms' \
	'start-up, static .* measured: .* ms'; do
	grep -q "^  $row" err || fail "no '$row' in: $(cat err)"
done
for mode in enable disable; do
	run 0 $soft --edmm $mode --config tight.edmm.toml ./actor grow 24
	has 'all, 0 bad'
	sed -n 's/^max = "\([0-9]*\)KiB"$/\1/p;/^\[stack\]/q' \
		tight.edmm.toml >max
	run 0 $soft --edmm $mode --config tight.edmm.toml \
		--heap-max "$(($(cat max) / 8 * 4))K" ./actor grow 24
	has 'ENOMEM after the limit'
done
# Tight: not a tenth more than what the program has asked for.
[ "$(cat max)" -lt $((24 * 1024 * 11 / 10)) ] || fail "$(cat max) KiB for 24 MiB"

# Head-room is what it says; a larger input then fits.
run 0 edmm advise --out roomy.edmm.toml --head-room 100 -- ./actor grow 12
run 0 $soft --config roomy.edmm.toml ./actor grow 23
has 'all, 0 bad'
run 0 $soft --config tight.edmm.toml ./actor grow 48
has 'ENOMEM after the limit'

# --preheat: the run does not grow.
run 0 edmm advise --preheat --out hot.edmm.toml -- ./actor grow 24
run 0 $soft --edmm enable --report=json --config hot.edmm.toml ./actor grow 24
hot=$(sed -n 's/^  "faults_resolved": \([0-9]*\),/\1/p' err)
run 0 $soft --edmm enable --report=json --config tight.edmm.toml ./actor grow 24
cold=$(sed -n 's/^  "faults_resolved": \([0-9]*\),/\1/p' err)
[ "$hot" -lt $((cold / 10)) ] || fail "$hot faults preheated, $cold else"

# Every format, for its own runtime and back for ours.
for f in Occlum.json app.manifest Enclave.config.xml scone.env; do
	run 0 edmm advise --out $f -- ./actor grow 24
	run 0 edmm check $f
	grep 'P202' out && fail "$f does not fit"
	run 0 $soft --edmm disable --config $f ./actor grow 24
	has 'all, 0 bad'
	run 0 $soft --edmm enable --config $f ./actor grow 24
	has 'all, 0 bad'
done
for f in enclave.json enclave.conf Cargo.toml; do
	run 0 edmm advise --out $f -- ./actor grow 8
	run 0 edmm check --strict $f
	run 0 $soft --edmm disable --config $f ./actor grow 8
	has 'all, 0 bad'
done
run 0 edmm advise --to mystikos --out myst.json -- ./actor grow 8
run 0 edmm check --strict myst.json
run 0 edmm advise --to scone -- ./actor grow 8
has 'all, 0 bad'
has '^export SCONE_HEAP='

# No advice: one that dies, one that is not there; a status is told.
run 1 edmm advise -- ./actor poke 0x10
grep -q 'did not come to its end: nothing to advise' err ||
	fail "advice of a crash: $(cat err)"
run 1 edmm advise --out none.toml -- ./none
[ -e none.toml ] && fail 'advice of nothing'
run 0 edmm advise -- ./actor exit 3
grep -q 'ended with status 3' err || fail "no word of the status: $(cat err)"
run 0 env SCONE_HASH=1 SCONE_HEAP=4M edmm advise -- ./actor grow 8
has 'all, 0 bad'
bad 2 'an IMAGE is wanted' edmm advise
bad 2 'is no format' edmm advise --to yaml -- ./actor
finish

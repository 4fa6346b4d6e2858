#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm sim: any command on the software machine, with its settings.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor

for n in 0 7 255; do
	run $n edmm sim sh -c "exit $n"
done

# A run inside finds the machine that is there, and says nothing again.
run 0 edmm sim edmm run ./actor args
has "^0 'program'"
same 'warnings' "$(grep -c 'protects nothing' err)" 1
bad 125 'the software machine is preloaded' \
	env EDMM_MACHINE_QUIET=1 edmm sim edmm run --machine hw ./actor

# A small EPC: pages are evicted and come back right.
run 0 edmm sim --epc 16M edmm run --report=json --heap-max 64M ./actor grow 40
has 'all, 0 bad'
sed -n '/^{/,/^}/p' err >report.json
python3 - <<'END' || fail "EPC: $(cat report.json)"
import json
m = json.load(open("report.json"))["machine_counters"]
assert m["epc_pages"] == 4096 >= m["epc_peak"]
assert m["pages_evicted"] > 0 and m["pages_loaded"] > 0
END

# No SGX2: the static identity, or an error where that is not wanted.
run 0 edmm sim --without sgx2 edmm run ./actor exit 0
grep -q 'this machine has no EDMM' err || fail "no fallback: $(cat err)"

bad 125 'a COMMAND is wanted' edmm sim
bad 125 'none: cannot be started: No such file' edmm sim none
bad 125 "'x' is no size" edmm sim --epc x true
bad 125 'is no NAME=VALUE' edmm sim --set x true
run 2 edmm sim --set shape=round true
grep -q 'shape=round' err || fail "the setting is not named: $(cat err)"
finish

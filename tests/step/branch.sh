#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Branches of a script: copies of the process, each with its own end, and the
# process itself as if there had been none.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1

cp "$BUILD/enclave/walked" .
edmm keygen key.pem >/dev/null 2>&1
edmm sign -k key.pem walked >/dev/null 2>&1
edmm run ./walked >right 2>/dev/null || fail "walked"

printf '%s\n' 'range rt_stage2' 'range emm_fault' 'from rt_stage2' 'to done' \
	'log log' 'out b' 'limit 50' \
	branch 'on rt_stage2 1 hide code' \
	branch 'on emm_fault 1 take code ever' \
	branch 'on emm_fault 1 take stack' 'on emm_fault 1 hide code' \
	branch 'on rt_stage2 1 take code' >script
# A copy has what was printed by then, from a file that it can read.
edmm run --step script ./walked 1<>out || fail "the process itself: $?"
cmp right out || fail "the process itself: $(cat out)"
grep -c '^# branch' log | grep -qx 4 || fail "branches: $(cat log)"
for n in 1 3 4; do
	cmp right "b.000$n.out" || fail "branch $n: $(cat "b.000$n.out")"
done
grep -q '^# branch 0001 0000 0*1$' log || fail "branch 1: $(cat log)"
grep -q '^# branch 0003 0000 0*2$' log || fail "branch 3: $(cat log)"
# SIGSEGV, with the report.
grep -q '^# branch 0002 0267 ' log || fail "branch 2: $(cat log)"
grep -q 'does not map this page as it should' b.0002.err ||
	fail "branch 2: $(cat b.0002.err)"

printf '%s\n' 'range rt_stage2' 'limit x' >script
run 125 edmm run --step script ./walked
grep -q "script:2: 'x' is no time" err || fail "limit: $(cat err)"
finish

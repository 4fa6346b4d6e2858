#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# How the ends of a stepped enclave are told: each names what was the matter.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1

cp "$BUILD/enclave/walked" .
edmm keygen key.pem >/dev/null 2>&1
edmm sign -k key.pem walked >/dev/null 2>&1

# ends STATUS PATTERN LINE: walked, with a script of LINE, and what is said.
ends() {
	printf '%s\n' 'range rt_stage1' 'range rt_stage2' 'range emm_fault' \
		'from rt_stage1' 'to done' "$3" >script
	run "$1" edmm run --step script ./walked
	grep -q "$2" err || fail "$3: $(cat err)"
}

# A page of stage 1's: nothing is below it that could take the exception.
ends 139 'while an exception was being handled' 'on rt_stage1 1 take stack'
ends 139 'while an exception was being handled' 'on emm_fault 1 take ssa'
# One of stage 2's is tried again.
ends 0 '' 'on rt_stage2 1 take stack'
ends 139 'does not map this page as it should' 'on emm_fault 1 take code ever'
finish

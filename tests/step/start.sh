#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A host that steps through the start: an exception that never was, at each
# instruction; and each page of data or stack taken once, at each instruction
# that touches it, from the moment on that faults are served. Right each time: a
# register that is lost here is a start-up value that nobody will miss.
# shellcheck source=tests/cli/lib.sh disable=SC2086
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/walked" .
run 0 edmm keygen
run 0 edmm sign walked
soft="edmm run --machine soft"
run 0 $soft ./walked
cp out right

# steps NAME FROM ACTION...: at the first execution of each instruction.
steps() {
	name=$1 from=$2
	shift 2
	{
		for f in rt_first rt_thread_init rt_thread_attach rt_start_check \
			rt_relocate rt_relro rt_emm_start rt_args_check rt_main; do
			echo "range $f"
		done
		echo "from $from"
		echo "to main"
		echo "log $name.log"
		echo "on * first $*"
	} >"$name.step"
	run 0 $soft --step "$name.step" ./walked
	same "$name" "$(cat out)" "$(cat right)"
	acted=$(sed -n '1s/.* //p' "$name.log")
	[ "${acted#"${acted%%[!0]*}"}" -gt 50 ] || fail "$name: acted $acted times"
}
steps forged rt_first enter same 4
steps data rt_thread_attach take data
steps stack rt_thread_attach take stack
finish

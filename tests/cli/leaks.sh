#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# 200 runs one after another, a quarter of them killed on the way, leave no
# process, no shared memory and no file behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor
export TMPDIR="$tmp"
run 0 edmm run --machine soft ./actor exit 0
rm -f out err
edmm=$(readlink -f "$(command -v edmm)")
# $tmp is the working folder, $HOME's and $TMPDIR.
things() {
	find "$tmp" -type f | sort
	find /dev/shm -name '*edmm*' -o -name '*sgx*' 2>/dev/null
}
: >before
: >after
things >before

i=0
while [ $i -lt 200 ]; do
	if [ $((i % 4)) = 3 ]; then
		# Killed early, late, or while it serves a call.
		edmm run --machine soft ./actor sleep 30 >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$((i % 100 / 4 + 10))"
		if [ $((i % 8)) = 3 ]; then
			kill -9 $pid
		else
			kill -15 $pid
		fi
		wait $pid 2>/dev/null
		status=$?
		[ $status = 137 ] || [ $status = 143 ] ||
			fail "run $i: status $status after a kill"
	else
		edmm run --machine soft ./actor exit $((i % 7)) \
			>/dev/null 2>&1
		status=$?
		[ $status = $((i % 7)) ] || fail "run $i: status $status"
	fi
	i=$((i + 1))
done
things >after
cmp -s before after || fail "left behind: $(diff before after)"
# Processes of these runs stand in $tmp, with this build's edmm. The machine's
# memory is in files without names, which go with the process that has them.
for p in /proc/[0-9]*; do
	[ "$(readlink "$p/cwd" 2>/dev/null)" = "$tmp" ] || continue
	[ "$(readlink "$p/exe" 2>/dev/null)" = "$edmm" ] &&
		fail "process ${p#/proc/} is still there"
done
finish

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
things() {
	find "$tmp" -type f | sort
	find /dev/shm -user "$(id -un)" -newer "$tmp/stamp" 2>/dev/null
	find /tmp -maxdepth 1 -name '*edmm*' -newer "$tmp/stamp" 2>/dev/null
}
: >stamp
things >before.txt
things >before.txt
shmem() {
	sed -n 's/^Shmem: *\([0-9]*\) kB/\1/p' /proc/meminfo
}
had=$(shmem)

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
things >after.txt
grep -v 'before.txt$\|after.txt$' before.txt >b
grep -v 'before.txt$\|after.txt$' after.txt | grep -v '/b$' >a
cmp -s b a || fail "left behind: $(cat a)"
# Processes of these runs stand in $tmp, with this build's edmm.
for p in /proc/[0-9]*; do
	[ "$(readlink "$p/cwd" 2>/dev/null)" = "$tmp" ] || continue
	[ "$(readlink "$p/exe" 2>/dev/null)" = "$edmm" ] &&
		fail "process ${p#/proc/} is still there"
done
# Other tests run beside this one: 64 MiB are more than their noise.
[ "$(shmem)" -lt $((had + 65536)) ] || fail "shared memory: $had, $(shmem)"
finish

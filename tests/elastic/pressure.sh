#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A program keeps what it has freed. When EPC runs short that goes, within a
# second, also while it computes, or sleeps in a call, which goes on as if
# nothing had been.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/idle" .
run 0 edmm keygen
run 0 edmm sign idle
echo 0 >events
mkfifo input

# within TENTHS COMMAND...: true at last
within() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}

# idle WAY PRESSED WANT: bytes idle after a while in it; it still runs
idle() {
	edmm run --machine soft --heap-idle 64M --heap-idle-percent 100 \
		--pressure events --report=json ./idle "$1" \
		<input >said 2>report &
	pid=$!
	exec 9>input
	within 100 grep -q freed said || fail "$1: has not begun"
	sleep 0.3
	[ "$2" = no ] || echo more >>events
	sleep 1
	kill -TERM $pid
	wait $pid
	exec 9>&-
	same "$1: what it says" "$(cat said)" freed
	same "$1, pressed: $2" \
		"$(sed -n 's/.*"idle_final": \([0-9]*\).*/\1/p' report)" "$3"
}

idle sleep no 50335744
for way in calls sleep read poll wait sums; do
	idle $way yes 0
done

for how in auto ahead calls no; do
	run 2 edmm run --machine soft --populate $how ./idle nothing
	has freed
done
bad 125 'pressure: nowhere' edmm run --machine soft --pressure nowhere \
	./idle calls
bad 125 'ahead, calls or no' edmm run --populate never ./idle calls
finish

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# tail.sh EDMM TEST PROGRAM: the test with the thread held at each instruction
# behind the store that says that it is over, EEXIT itself among them.
set -eu
edmm=$1 test=$2 program=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
places=$(objdump -d --no-show-raw-insn "$program" | awk '
	/^[0-9a-f]+ <rt_leave_thread>:/ { on = 1; next }
	/^$/ { on = 0 }
	on && stored { sub(":", "", $1); print $1 }
	on && /movl +\$0x0,%gs:/ { stored = 1 }
	on && / enclu/ { exit }')
[ "$(echo "$places" | wc -l)" -gt 8 ] || {
	echo "tail: no instructions behind the store: $places" >&2
	exit 1
}
end=$(printf '%x' $((0x${places##*[!0-9a-f]} + 1)))
for place in $places; do
	cat >"$tmp/step" <<-EOF
		image $program
		range rt_leave_thread 0x$end
		on 0x$place 1 take code
	EOF
	"$edmm" sim --step "$tmp/step" -- "$test" >"$tmp/out" 2>&1 || {
		echo "tail: held at 0x$place:" >&2
		cat "$tmp/out" >&2
		exit 1
	}
done

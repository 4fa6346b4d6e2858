#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# hot.sh ARCHIVE OBJECT...: the model's hot files use general registers only,
# and call nothing but the model.
set -eu
archive=$1
shift
for o; do
	if objdump -d --no-show-raw-insn "$archive" |
	    awk -v o="$o.c.o:" '$1 == o { on = 1; next }
		/file format/ { on = ($1 == o) } on' |
	    grep -E '%([xyz]mm|k[0-7]|st)'; then
		echo "$o: vector registers" >&2
		exit 1
	fi
done
nm "$archive" | awk -v list="$*" '
	BEGIN { n = split(list, a, " "); for (i = 1; i <= n; i++) hot[a[i] ".c.o:"] }
	/:$/ { on = ($1 in hot); seen += on; next }
	on && $1 == "U" && $2 !~ /^(mach_|encl[su]_done|operand_|track_|xstate_|xfrm_|secs_operand)/ {
		print "a hot file calls " $2; bad = 1 }
	END { if (seen != n) { print "of " n " files, saw " seen; bad = 1 } exit bad }'

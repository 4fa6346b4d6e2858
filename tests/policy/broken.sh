#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every broken file: edmm check names exactly the rules and places expected.
set -eu
edmm=$1
dir=$2
unset ENABLE_EDMM SGX_MODE
fails=0
count=0
while IFS= read -r line; do
	case $line in '#'* | '') continue ;; esac
	file=${line%%:*}
	rest=${line#*: }
	options=${rest%%:*}
	want=${rest#*: }
	# shellcheck disable=SC2086  # options are words
	got=$("$edmm" check $options "$dir/$file" |
		sed -n 's/^[^:]*:\([0-9]*:[0-9]*\): .*\[\(P[0-9]*\)\]$/\1 \2/p' |
		paste -sd, | sed 's/,/, /g')
	count=$((count + 1))
	if [ "$got" != "$want" ]; then
		echo "$file: expected '$want', got '$got'"
		echo "  replay: $edmm check $options $dir/$file"
		fails=$((fails + 1))
	fi
done <"$dir/expected"
echo "$count broken files, $fails not as expected"
[ "$fails" = 0 ] && [ "$count" -ge 40 ]

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check.sh MODEL KIND:OPTIONS...: verify a SPIN model exhaustively, in a folder
# of its own, in each variant. KIND says what has to come of it:
#   holds   no assertion fails, and no thread waits for ever
#   ends    what the model's formula says, which is that all threads end
#   stuck   a mistake that must be found: somebody waits for ever
#   wrong   the same: an assertion fails
set -eu
model=$(realpath "$1")
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# explore KIND OPTIONS: all states of one variant; the result is in ./out.
explore()
{
	what='-O1 -DSAFETY' look=
	case $1 in
	ends) what=-O1 look=-a ;;
	stuck | wrong) what='-O0 -DSAFETY' ;; # found soon
	esac
	# shellcheck disable=SC2086
	spin -a $2 "$model" >/dev/null
	# shellcheck disable=SC2086
	gcc -w $what -DCOLLAPSE -o pan pan.c
	# shellcheck disable=SC2086
	./pan $look -m100000 -w22 >out 2>&1 || fail "$2"
}

# fail OPTIONS: what was found, and the way there.
fail()
{
	cat out
	# shellcheck disable=SC2086
	[ ! -f "$(basename "$model").trail" ] ||
		spin -k "$(basename "$model").trail" -p $1 "$model" | tail -40
	echo "$model: $1: not as it should be"
	exit 1
}

for variant in "$@"; do
	kind=${variant%%:*} options=${variant#*:}
	rm -f ./*.trail
	explore "$kind" "$options"
	case $kind in
	holds | ends)
		grep -q 'errors: 0' out || fail "$options"
		! grep -q 'depth too small\|not completed' out ||
			fail "$options"
		echo "$options: $(grep 'states, stored' out)"
		;;
	stuck)
		grep -q 'invalid end state' out || fail "$options"
		echo "$options: found"
		;;
	wrong)
		grep -q 'assertion violated' out || fail "$options"
		echo "$options: found"
		;;
	*)
		echo "$variant: no such kind"
		exit 1
		;;
	esac
done

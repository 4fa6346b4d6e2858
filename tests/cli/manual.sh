#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every option that a verb's --help names is in its manual page, or in that of
# sign for the settings that verbs share.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
man=$BUILD/share/man/man1
for verb in run sign measure inspect diff keygen sim trace; do
	run 0 edmm $verb --help
	[ -s "$man/edmm-$verb.1" ] || fail "no page for edmm $verb"
	sed 's/\\-/-/g' "$man/edmm-$verb.1" "$man/edmm-sign.1" >"$tmp/page"
	# shellcheck disable=SC2013  # words are wanted
	for option in $(grep -o -e '--[a-z-]*' "$tmp/out" | sort -u); do
		grep -q -e "$option" "$tmp/page" ||
			fail "edmm-$verb.1 has no $option"
	done
done
finish

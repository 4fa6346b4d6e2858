#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every verb is in the manual page of edmm and has its own; every option that
# its --help names is in that page, or in that of sign for the settings that
# verbs share.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
man=$BUILD/share/man/man1
[ -n "$(verbs)" ] || fail "edmm help lists no verb"
for verb in $(verbs); do
	run 0 edmm "$verb" --help
	grep -q "edmm-$verb" "$man/edmm.1" ||
		fail "edmm.1 does not name edmm-$verb"
	[ -s "$man/edmm-$verb.1" ] || fail "no page for edmm $verb"
	sed 's/\\-/-/g' "$man/edmm-$verb.1" "$man/edmm-sign.1" >"$tmp/page"
	# shellcheck disable=SC2013  # words are wanted
	for option in $(grep -o -e '--[a-z-]*' "$tmp/out" | sort -u); do
		grep -q -e "$option" "$tmp/page" ||
			fail "edmm-$verb.1 has no $option"
	done
done
finish

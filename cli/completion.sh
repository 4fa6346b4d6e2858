#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes bash's completion of edmm from what edmm itself says: verbs from
# `edmm help`, each one's options from its --help.
#
#   completion.sh EDMM >build/share/bash-completion/completions/edmm
set -eu
verbs=$("$1" help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ -n "$verbs" ] || exit 1
cat <<'END'
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Made by cli/completion.sh.
_edmm() {
	local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} options
	if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] &&
		[ "$verb" = help ]; }; then
END
# shellcheck disable=SC2086  # a line
printf '\t\toptions="%s"\n' "$(echo $verbs help --help --version)"
cat <<'END'
	else
		case $word in
		-*) ;;
		*) return ;; # a file, or a value
		esac
		case $verb in
END
for verb in $verbs; do
	# A line of an option begins with it, and has words behind two spaces.
	options=$("$1" "$verb" --help |
		sed -n 's/^  *\(-.*\)/\1/; T; s/   *.*//; p' |
		grep -o -e '--[a-z-]*[a-z]' | sort -u)
	# shellcheck disable=SC2086  # a line
	printf '\t\t%s) options="%s" ;;\n' "$verb" "$(echo $options --help)"
done
cat <<'END'
		esac
	fi
	# shellcheck disable=SC2207  # words are wanted
	COMPREPLY=($(compgen -W "$options" -- "$word"))
}
complete -o default -F _edmm edmm
END

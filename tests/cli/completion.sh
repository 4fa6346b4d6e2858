#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What bash offers for edmm: verbs, and the options of a verb.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
made=$BUILD/share/bash-completion/completions/edmm

# offered WORD...: what the last word may become, one a line
offered() {
	# shellcheck disable=SC2016  # bash's variables
	run 0 bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_edmm; printf "%s\n" "${COMPREPLY[@]}"' bash "$made" "$@"
}

offered edmm ke
same keygen keygen "$(cat "$tmp/out")"
offered edmm ''
for verb in $(verbs); do
	has "^$verb\$"
done
offered edmm help tr
same "help trace" trace "$(cat "$tmp/out")"
offered edmm run --heap-i
has '^--heap-init$'
has '^--heap-idle$'
offered edmm keygen --heap-i
same "keygen has no such option" '' "$(cat "$tmp/out")"
offered edmm sim --quota -
has '^--faults$'
offered edmm policy --
same policy '--help --name --sig' "$(sort "$tmp/out" | xargs)"
offered edmm run ./pro
same "a file is bash's own" '' "$(cat "$tmp/out")"
finish

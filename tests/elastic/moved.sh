#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A host that takes so many pages back and then no more: none of the program's
# bytes is lost, natively, inside, and from whichever page on it refuses.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cc -D_GNU_SOURCE -o "$tmp/native" "${0%.sh}.c" || fail 'no native program'
cd "$tmp" || exit 1
run 0 ./native
cp "$BUILD/enclave/moved" .
run 0 edmm keygen
run 0 edmm sign moved
run 0 edmm run --machine soft ./moved

# keeps N: the host takes no page more from the Nth on
keeps() {
	run 0 edmm sim --fault "emodt:$1+=PF" edmm run ./moved
	same "emodt from $1 on" "$(cat out)" right
}
for n in 1 2 9 20 25 40; do
	keeps $n
done
finish

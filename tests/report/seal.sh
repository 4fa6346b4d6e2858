#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Sealed data: survives a restart; is lost on another machine, to another
# image or signer, to an older version and to a debug enclave.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/sealer" v1
cp v1 v2
cp v1 old
cp v1 debug
cp v1 theirs
run 0 edmm keygen
run 0 edmm keygen -o their.pem
run 0 edmm sign --edmm auto --isv-svn 2 v1
run 0 edmm sign --edmm auto --isv-svn 3 --stack 4M v2
run 0 edmm sign --isv-svn 1 old
run 0 edmm sign --isv-svn 2 --debug debug
run 0 edmm sign --isv-svn 2 -k their.pem theirs
soft="edmm run --machine soft"

run 0 $soft ./v1 vectors
run 0 $soft ./v1 seal enclave 'for this image' e
run 0 $soft ./v1 seal signer 'for our signer' s
grep -q 'image' e && fail 'sealed data is plain'

# opens PROGRAM FILE TEXT; shut PROGRAM FILE ERROR
opens() {
	run 0 $soft "./$1" unseal "$2"
	same "$2 in $1" "$(cat out)" "$3"
}
shut() {
	run 2 $soft "./$1" unseal "$2"
	same "$2 in $1" "$(cat out)" "$3"
}
opens v1 e 'for this image'
opens v1 s 'for our signer'
shut v2 e EBADMSG
opens v2 s 'for our signer'
shut old s EACCES
shut debug s EBADMSG
shut debug e EBADMSG
opens theirs e 'for this image' # the same MRENCLAVE, whoever signs it
shut theirs s EBADMSG

EDMM_MACHINE=seed=2
export EDMM_MACHINE
shut v1 e EBADMSG
shut v1 s EBADMSG
EDMM_MACHINE=seed=1
opens v1 e 'for this image'
unset EDMM_MACHINE

# Which of the two images runs is the host's choice: each keeps its own.
run 0 $soft --edmm disable ./v1 seal signer 'by the static one' t
shut v1 t EBADMSG
soft="$soft --edmm disable"
opens v1 t 'by the static one'
opens v2 t 'by the static one'
shut v1 s EBADMSG
soft="edmm run --machine soft"

# A least version of who sealed it.
run 0 $soft ./v2 unseal s 2
run 2 $soft ./v2 unseal s 3
same 'sealed by version 2, 3 wanted' "$(cat out)" EACCES

# Any byte of it counts.
for at in 0 8 10 12 14 16 24 40 60 90 100; do
	python3 - $at <<'END'
import sys
d = bytearray(open("e", "rb").read())
d[int(sys.argv[1])] ^= 4
open("x", "wb").write(d)
END
	run 2 $soft ./v1 unseal x
	grep -q '^E' out || fail "byte $at: $(cat out)"
	grep -q zeros out && fail "byte $at: $(cat out)"
done
head -c 50 e >x
shut v1 x EBADMSG
finish

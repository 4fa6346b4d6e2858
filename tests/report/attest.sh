#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/attest: two enclaves prove to each other who they are; not where a
# byte is changed, nor on two machines, nor of two signers.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/attest_alice" alice
cp "$BUILD/enclave/attest_bob" bob
run 0 edmm keygen
run 0 edmm sign alice
run 0 edmm sign bob
mkfifo to_alice to_bob

# talk SEED-OF-BOB [BYTE]: both run; byte BYTE from alice to bob is changed.
talk() {
	EDMM_MACHINE=seed=1 timeout 60 edmm run --machine soft ./alice \
		<to_alice 2>alice.err | python3 -c '
import os, sys
at, seen = int(sys.argv[1]), 0
while True:
    d = bytearray(os.read(0, 65536))
    if not d:
        break
    if seen <= at < seen + len(d):
        d[at - seen] ^= 1
    seen += len(d)
    try:
        os.write(1, d)
    except BrokenPipeError:
        break
' "${2:--1}" >to_bob &
	EDMM_MACHINE=seed=$1 timeout 60 edmm run --machine soft ./bob \
		<to_bob >to_alice 2>bob.err
	bob=$?
	wait
}

talk 1
same 'status of bob' $bob 0
grep -q 'bob hears: hello bob, this is alice' bob.err ||
	fail "bob: $(cat bob.err)"
grep -q 'alice hears: hello alice, bob here' alice.err ||
	fail "alice: $(cat alice.err)"
for p in 'alice bob' 'bob alice'; do
	run 0 edmm measure "${p#* }"
	grep -q "the peer is MRENCLAVE $(cut -c1-8 out)" "${p% *}.err" ||
		fail "${p% *} met another: $(cat "${p% *}.err")"
done

# Alice's nonce is at 0, her TARGETINFO at 512, her REPORT at 1024.
refused() { # WHO PATTERN
	grep -q "$2" "$1.err" || fail "no '$2': $(cat "$1.err")"
	grep -q hears bob.err && fail "bob hears: $(cat bob.err)"
}
talk 2
refused bob 'bob: the peer.s report was not made on this machine for me'
talk 1 3 # alice's nonce
refused bob 'not of this conversation'
talk 1 1200 # her report
refused bob 'not made on this machine for me'
run 0 edmm keygen -o other.pem
run 0 edmm sign -k other.pem alice
talk 1
refused bob 'the peer is of another signer'
run 0 edmm sign --debug alice
talk 1
refused bob 'the peer may be debugged'
finish

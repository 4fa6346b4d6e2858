#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm run: what the shell sees of a program in an enclave is what it sees of
# the same program natively; and one line for each way not to start.
# shellcheck disable=SC2086  # $soft is a command with its options
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
soft="edmm run --machine soft"
cp "$BUILD/enclave/actor" actor
native=$BUILD/bin/actor-native
run 0 edmm keygen
run 0 edmm sign --edmm auto --heap-max 64M actor

# alike COMMAND...: status and standard output, in and out of the enclave. A
# shell in between turns a death by signal into a status, here and there.
alike() {
	sh -c '"$@"; exit $?' sh "$native" "$@" <input >want 2>/dev/null
	status=$?
	sh -c '"$@"; exit $?' sh $soft ./actor "$@" <input >out 2>err
	got=$?
	[ $got = $status ] || fail "status $got, natively $status: $*"
	cmp -s want out || fail "output differs: $*: $(cat out)"
}
printf 'one\ntwo\n\nlast without end' >input
for n in 0 1 3 127 128 255; do
	alike exit $n
done
alike args
alike args 'a b' '' '--help' 'ünicode' '*'
alike cat
for n in 1 2 6 9 11 15; do
	alike raise $n
done
alike abort
alike poke 0x10
# shellcheck disable=SC2015
grep -q "page fault, writing" err && grep -q 'address  *0x10$' err &&
	grep -q 'instruction  *.*enclave+0x' err ||
	fail "report of a wild access: $(cat err)"
alike grow 16
seq 20000 >input
alike cat

# The program's environment is the user's, with the machine's own left out.
env -i PATH="$PATH" A=1 B='two words' HOME=/h "$native" env | sort >want
env -i PATH="$PATH" A=1 B='two words' HOME=/h $soft ./actor env 2>err |
	sort >out
cmp -s want out || fail "environment: $(cat out)"
lib=$(ldd /bin/sh | sed -n 's/.*=> \([^ ]*libc.so.6\).*/\1/p')
env LD_PRELOAD="$lib" EDMM_MACHINE=seed=7 $soft ./actor env >out 2>err
has "^LD_PRELOAD=$lib\$"
has '^EDMM_MACHINE=seed=7$'

# The limit: malloc says so, and the program goes on.
run 0 $soft --heap-max 8M ./actor grow 32
has 'ENOMEM after the limit'
has 'some, 0 bad'
run 0 $soft ./actor grow 80
has 'ENOMEM after the limit'

# Unsigned: one line says with what it is signed, and nothing is left.
cp actor bare
run 0 $soft ./bare exit 0
grep -q 'bare is not signed: signed for this run with the development key' \
	err || fail "no word of the development key: $(cat err)"
dev=$XDG_CONFIG_HOME/edmm/development-key.pem
same 'mode of the development key' "$(stat -c %a "$dev")" 600
grep -q 'development' "$dev" || fail 'the development key is not marked'
[ -e bare.sig ] && fail 'a signature file was left'
cp "$dev" before
run 0 $soft ./bare exit 0
cmp -s before "$dev" || fail 'a second run made a new key'
run 0 env HOME=/none XDG_CONFIG_HOME=/dev/null/x $soft ./bare exit 0

# Static: the other identity, asked for or fallen back to.
run 0 $soft --edmm disable ./actor grow 16
has 'all, 0 bad'
run 0 $soft --machine-options sgx2=0 ./actor exit 0
grep -q 'static identity: this machine has no EDMM' err ||
	fail "no word of the fallback: $(cat err)"
bad 125 'this machine cannot change an enclave' \
	$soft --machine-options sgx2=0 --edmm enable ./actor exit 0

# Ways not to start: one line, and a status that says whose fault it is.
bad 127 'none: cannot be opened' $soft ./none
bad 126 'not an ELF file' $soft /etc/passwd
bad 125 'a PROGRAM is wanted' $soft
bad 125 "unrecognized option '--bogus'" $soft --bogus ./actor
bad 125 "'many' is no size" $soft --heap-max many ./actor
bad 125 "'mars' is no machine" edmm run --machine mars ./actor
[ -e /dev/sgx_enclave ] ||
	bad 125 '/dev/sgx_enclave: there is no SGX device' edmm run --machine hw ./actor
bad 126 'is part of the signed identity' $soft --heap-init 4M ./actor
bad 126 'signed identity, which has a static heap of 64 MiB, not 65 MiB' \
	$soft --edmm disable --heap-max 65M ./actor
bad 125 'no whole pages' $soft --heap-max 8000001 ./actor
bad 125 'range holds 63.1 GiB of heap' $soft --heap-max 70G ./actor
cp actor changed
cp actor.sig changed.sig
printf 'XXXXXXXX' | dd of=changed bs=1 seek=8200 conv=notrunc 2>/dev/null
bad 126 'measures .* but its signature is for' $soft ./changed
cp "$BUILD/bin/tiny_image" tiny
cp actor.sig tiny.sig
bad 126 'measures .* but its signature is for' $soft ./tiny
head -c 20000 actor >short
bad 126 'short: truncated' $soft ./short
printf 'XXXXXXXX' | dd of=changed.sig bs=1 seek=700 conv=notrunc 2>/dev/null
bad 126 'SIGSTRUCT is invalid: SIGNATURE' $soft ./changed
run 0 edmm keygen --production -o prod.pem
run 0 edmm sign --edmm auto -k prod.pem actor
bad 126 'signed for production; the software machine' $soft ./actor
run 3 edmm sim --allow-production edmm run ./actor exit 3
run 0 $soft --unsigned ./actor exit 0
finish

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# MRENCLAVE: what edmm measure says offline is what the machine reports from
# inside after ECREATE, EADD, EEXTEND and EINIT, for both modes and many
# settings; no maximum, no order of options and no folder changes an elastic
# image's.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$tmp" || exit 1
cp "$BUILD/enclave/sealer" p
soft="edmm run --machine soft"
run 0 edmm keygen

# inside MODE-OF-RUN MODE SETTING...: signed with these, measured, run.
inside() {
	edmm=$1 mode=$2
	shift 2
	run 0 edmm sign --edmm auto "$@" p
	run 0 edmm measure --mode "$mode" p
	mr=$(cat out)
	run 0 $soft --edmm "$edmm" ./p self
	same "MRENCLAVE inside, $mode $*" "$(cat out)" "$mr"
}
inside enable elastic
inside disable static
inside enable elastic --contexts 3 --heap-init 4M --stack 1M --wx
inside disable static --contexts 3 --heap-max 16M --stack 1M --debug
inside enable elastic --elrange 1G --stack-init 128K --debug

# Maxima, given when signed, in a file, or when run.
run 0 edmm sign p
run 0 edmm measure p
elastic=$(cat out)
for max in 3M 100M 20G; do
	run 0 edmm measure --heap-max $max p
	same "heap of $max" "$(cat out)" "$elastic"
	run 0 $soft --heap-max $max ./p self
	same "heap of $max inside" "$(cat out)" "$elastic"
done
for threads in 1 8 200; do
	printf '[threads]\nmax = %s\n[heap]\nmax = "64M"\n' $threads >a.toml
	printf '[heap]\nmax = "80M"\n[threads]\nmax = %s\n' $threads >b.toml
	for f in a b; do
		run 0 edmm measure --config $f.toml p
		same "$threads threads at most, $f" "$(cat out)" "$elastic"
	done
done

# The order of options.
run 0 edmm measure --stack 1M --contexts 2 --wx --heap-init 1M p
order=$(cat out)
run 0 edmm measure --heap-init 1M --wx --stack 1M --contexts 2 p
same 'order of options' "$(cat out)" "$order"
[ "$order" = "$elastic" ] && fail 'settings are part of the identity'

# Two builds in two folders, with debug information, which has their paths.
for d in one some/other/folder; do
	mkdir -p $d
	cp "$here/sealer.c" $d/s.c
	(cd $d && edmm-cc -g -O2 -o s "$PWD/s.c") || fail "edmm-cc in $d"
done
cmp -s one/s some/other/folder/s && fail 'paths are in the file, or not?'
for d in one some/other/folder; do
	run 0 edmm measure --all $d/s
	cp out $d/measured
done
cmp one/measured some/other/folder/measured || fail 'a folder is measured'
run 0 edmm diff one/s some/other/folder/s

# Nor does stripping, or a build id.
cp one/s stripped
strip stripped
run 0 edmm diff one/s stripped
(cd one && edmm-cc -g0 -O2 -o t s.c) || fail 'edmm-cc -g0'
run 0 edmm diff one/s one/t
readelf -n one/s | grep -q 'Build ID' || fail 'there is no build id to try'
(cd one && edmm-cc -O2 -Wl,--build-id=0x0102030405060708 -o t1 s.c &&
	edmm-cc -O2 -Wl,--build-id=0x1112131415161718 -o t2 s.c) ||
	fail 'build ids'
run 0 edmm diff one/t1 one/t2
# Still it runs, from the same pages.
run 0 edmm sign stripped
run 0 edmm measure stripped
mr=$(cat out)
run 0 $soft ./stripped self
same 'stripped, inside' "$(cat out)" "$mr"
finish

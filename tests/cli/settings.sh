#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Where settings come from: options, SCONE_ variables, --config, a signature;
# who beats whom, which identity is taken, and what cannot be had at run time.
# shellcheck disable=SC2086  # $soft is a command with its options
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
soft="edmm run --machine soft"
no2="--machine-options sgx2=0"
cp "$BUILD/enclave/actor" actor
run 0 edmm keygen

# line PATTERN: on the last command's standard error
line() {
	grep -q -e "$1" "$tmp/err" || fail "no '$1' in: $(cat "$tmp/err")"
}
# field NAME MODE: of edmm inspect --json
field() {
	edmm inspect --json --mode "$2" actor | python3 -c "
import json, sys
d = json.load(sys.stdin)
def find(o):
    if isinstance(o, dict):
        for k, v in o.items():
            if k == '$1':
                print(v)
                sys.exit()
            find(v)
    elif isinstance(o, list):
        for v in o:
            find(v)
find(d)"
}

# --config on sign: a file of each format; options go before it.
printf '[heap]\ninit = "4MiB"\nmax = "96MiB"\n[stack]\nmax = "1MiB"\n%s' \
	'[identity]
product = 7
version = 3
' >edmm.toml
run 0 edmm sign --edmm auto --config edmm.toml actor
same 'product' "$(field isv_prod_id elastic)" 7
same 'version' "$(field isv_svn elastic)" 3
a=$(edmm measure actor)
run 0 edmm sign --edmm auto --heap-init 4M --heap-max 96M --stack 1M actor
same 'options say the same' "$(edmm measure actor)" "$a"
run 0 edmm sign --edmm auto --config edmm.toml --heap-init 2M --isv-svn 9 actor
same 'an option goes before' "$(field isv_svn elastic)" 9
[ "$(edmm measure actor)" != "$a" ] || fail '--heap-init did not win'
same 'measured alike' "$(edmm measure --config edmm.toml actor)" "$a"
cat >Occlum.json <<'END'
{ "resource_limits": { "kernel_space_stack_size": "1MB",
  "kernel_space_heap_size": "4MB", "user_space_size": "3MB",
  "user_space_max_size": "64MB", "init_num_of_threads": 2,
  "max_num_of_threads": 4 },
  "process": { "default_stack_size": "2MB", "default_heap_size": "8MB",
  "default_mmap_size": "16MB" } }
END
printf 'sgx.enclave_size = "128M"\nsgx.max_threads = 4\n' >app.manifest
printf 'SCONE_HEAP=80M\nSCONE_MIN_HEAP=3M\nSCONE_TCS=2\n' >scone.env
cat >Enclave.config.xml <<'END'
<EnclaveConfiguration><HeapMaxSize>0x5000000</HeapMaxSize>
<TCSNum>2</TCSNum></EnclaveConfiguration>
END
for f in Occlum.json app.manifest scone.env Enclave.config.xml; do
	run 0 edmm sign --edmm auto --config $f actor
	run 0 $soft --edmm enable --config $f ./actor grow 16
	has 'all, 0 bad'
	run 0 $soft --edmm disable --config $f ./actor grow 16
	has 'all, 0 bad'
done

# Intel's format allows debugging unless it is told otherwise: a line says so.
run 0 edmm sign --edmm auto --config Enclave.config.xml actor
line 'debugging is on: the host may look into the enclave'
run 0 edmm sign --edmm auto --config edmm.toml actor
grep -q 'debugging' err && fail 'debugging is off here'

# What has no effect is told.
printf '[threads]\npool = 4\n[enclave]\nexinfo = true\n' >pool.edmm.toml
run 0 edmm sign --edmm auto --config pool.edmm.toml actor
line 'pool.edmm.toml:4:10: warning: enclave.exinfo has no effect on an image'

# Mistakes: one line with the place; no signature.
rm -f actor.sig
printf '[heap]\ninit = "4MB"\n' >bad.toml
bad 1 'bad.toml:2:8: error: heap.init: .4MB. is no size' \
	edmm sign --edmm auto --config bad.toml actor
printf '[heap]\ninit = "4MiB"\nmax = "1MiB"\n' >above.edmm.toml
bad 1 'above.edmm.toml:2:8: .*is above heap.max' \
	edmm sign --edmm auto --config above.edmm.toml actor
bad 1 'none.toml.*No such file' edmm sign --config none.toml actor
bad 125 'bad.toml:2:8: error' $soft --config bad.toml ./actor exit 0
[ -e actor.sig ] && fail 'a signature after an error'

# --config on run: an unsigned image has it, from a pipe too.
mkfifo pipe.edmm.toml
cat edmm.toml >pipe.edmm.toml &
run 0 $soft --edmm disable --config pipe.edmm.toml ./actor grow 48
wait
run 0 $soft --config edmm.toml ./actor grow 48
has 'all, 0 bad'
run 0 $soft --config edmm.toml --heap-max 32M ./actor grow 48
has 'ENOMEM after the limit'
printf '[edmm]\nmode = "enable"\n' >on.edmm.toml
bad 125 'on.edmm.toml:2:8: edmm.mode: this machine cannot change' \
	$soft $no2 --config on.edmm.toml ./actor exit 0
run 0 $soft $no2 --edmm auto --config on.edmm.toml ./actor exit 0
line 'static identity: this machine has no EDMM'

# A signed image: what is measured must be what it is signed with.
run 0 edmm sign --edmm auto --config edmm.toml actor
run 3 $soft --config edmm.toml --heap-init 4M ./actor exit 3
bad 126 '--heap-init is part of the signed identity, which has a first heap of 4 MiB, not 5 MiB: sign again with it, or run with --unsigned' \
	$soft --heap-init 5M ./actor exit 0
sed 's/"1MiB"/"2MiB"/' edmm.toml >other.edmm.toml
bad 126 'other.edmm.toml:5:7: stack.max is part of the signed identity' \
	$soft --config other.edmm.toml ./actor exit 0
bad 126 'SCONE_MIN_HEAP is part of the signed identity' \
	env SCONE_MIN_HEAP=5M SCONE_EDMM_MODE=enable $soft ./actor exit 0
printf '[heap]\nmax = "32MiB"\n' >less.edmm.toml
run 0 $soft --config less.edmm.toml --edmm enable ./actor grow 48
has 'ENOMEM after the limit'
run 0 $soft --config less.edmm.toml --heap-max 64M --edmm enable ./actor grow 48
has 'all, 0 bad'

# What acts at run time only: idle memory and windows.
figure() { # NAME COMMAND...
	name=$1
	shift
	run 0 "$@"
	sed -n "s/^  \"$name\": \([0-9]*\),*/\1/p" err
}
report="$soft --edmm enable --report=json"
all=$(figure idle_final $report ./actor grow 48)
none=$(figure idle_final $report --heap-idle 0 ./actor grow 48)
printf '[heap]\nidle_percent = 0\n' >idle.edmm.toml
[ "$none" -lt 1000000 ] && [ "$none" -lt "$all" ] ||
	fail "--heap-idle: $none of $all"
same 'heap.idle_percent' \
	"$(figure idle_final $report --config idle.edmm.toml ./actor grow 48)" \
	"$none"
run 0 $report ./actor grow 48
wide=$(sed -n 's/^  "faults_resolved": \([0-9]*\),*/\1/p' err)
printf '[heap]\nwindow = "4KiB"\n' >window.edmm.toml
narrow=$(figure faults_resolved $report --config window.edmm.toml ./actor grow 48)
[ "$narrow" -gt $((10 * wide)) ] || fail "heap.window: $narrow, $wide faults"
same 'an option goes before heap.window' "$(figure faults_resolved $report \
	--heap-window 4M --config window.edmm.toml ./actor grow 48)" "$wide"
bad 125 '--heap-window: whole pages' $soft --heap-window 5000 ./actor
printf '[heap]\nwindow = "32MiB"\n' >window.edmm.toml
bad 125 'window.edmm.toml:2:10: heap.window: whole pages of 4096 bytes are' \
	$soft --config window.edmm.toml ./actor

# SCONE_EDMM_MODE: disable by default with any SCONE_ variable, else auto.
run 0 $soft --report=json ./actor exit 0
line '"mode": "elastic"'
run 0 env SCONE_LOG=7 $soft --report=json ./actor exit 0
line '"mode": "static"'
grep -q 'static identity' err && fail 'a line nobody needs'
run 0 env SCONE_EDMM_MODE=auto $soft --report=json ./actor exit 0
line '"mode": "elastic"'
run 0 env SCONE_EDMM_MODE=disable $soft --edmm enable --report=json ./actor \
	exit 0
line '"mode": "elastic"'
run 0 env SCONE_EDMM_MODE=auto $soft $no2 ./actor exit 0
line 'static identity: this machine has no EDMM'
bad 125 'SCONE_EDMM_MODE=enable: this machine cannot change an enclave.*SCONE_EDMM_MODE=auto' \
	env SCONE_EDMM_MODE=enable $soft $no2 ./actor exit 0
bad 125 "SCONE_EDMM_MODE: 'on' is none of its values; one of disable" \
	env SCONE_EDMM_MODE=on $soft ./actor exit 0
bad 125 "SCONE_HEAP: '8GB' is no size" env SCONE_HEAP=8GB $soft ./actor exit 0
bad 125 "SCONE_MODE: 'mars' is no mode" env SCONE_MODE=mars edmm run ./actor
run 0 env SCONE_MODE=SIM edmm run ./actor exit 0

# A signature for the other mode is an error before anything is loaded.
cp actor one
run 0 edmm sign --mode elastic one
bad 126 "not for static memory, which SCONE's default" \
	env SCONE_HEAP=64M $soft ./one exit 0
bad 126 'not for static memory, which --edmm disable wants' \
	$soft --edmm disable ./one exit 0
bad 126 'not for static memory, which this machine, without EDMM, wants' \
	$soft $no2 ./one exit 0
run 0 edmm sign --mode static one
bad 126 'not for elastic memory, which SCONE_EDMM_MODE=enable wants' \
	env SCONE_EDMM_MODE=enable $soft ./one exit 0
run 0 $soft ./one exit 0
line 'static identity: it has no elastic signature'

# Sizes and threads act on an unsigned image, with SCONE's own defaults.
cp actor bare
run 0 env SCONE_HEAP=32M $soft ./bare grow 48
has 'ENOMEM after the limit'
run 0 env SCONE_HEAP=96M $soft ./bare grow 48
has 'all, 0 bad'
run 0 env SCONE_HEAP=32M $soft --heap-max 96M ./bare grow 48
has 'all, 0 bad'
run 0 env SCONE_HEAP=96M $soft --config less.edmm.toml ./bare grow 48
has 'all, 0 bad'
run 0 env SCONE_VERSION=1 SCONE_HEAP=100000000 SCONE_STACK=1M SCONE_TCS=3 \
	SCONE_EDMM_MODE=enable SCONE_MIN_HEAP=1M $soft ./bare args
has "1 'args'"
for want in SCONE_TCS=3 SCONE_HEAP=100003840 SCONE_STACK=1048576 \
	SCONE_MIN_HEAP=1048576 SCONE_EDMM_MODE=enable SCONE_MODE=sim; do
	line "^export $want\$"
done
run 0 env SCONE_VERSION=1 $soft ./bare exit 0
for want in SCONE_TCS=8 SCONE_HEAP=67108864 SCONE_STACK=2097152 \
	SCONE_EDMM_MODE=disable; do
	line "^export $want\$"
done
bad 125 'SCONE_MIN_HEAP (8M) is above SCONE_HEAP (4M)' \
	env SCONE_MIN_HEAP=8M SCONE_HEAP=4M SCONE_EDMM_MODE=enable \
	$soft --unsigned ./actor exit 0

# The hashes: as signed, without a machine; the program does not run.
edmm measure --all actor >ids
run 0 env SCONE_HASH=1 edmm run --machine hw ./actor exit 9
same 'without EDMM' "$(cat out)" "$(sed -n 's/ *static$//p' ids)"
run 0 env SCONE_EDMM_HASH=1 edmm run --machine hw ./actor exit 9
same 'with EDMM' "$(cat out)" "$(sed -n 's/ *elastic$//p' ids)"
run 0 env SCONE_HASH=1 SCONE_EDMM_HASH=1 edmm run ./actor
same 'both, without first' "$(cat out)" \
	"$(sed -n 's/ *static$//p' ids; sed -n 's/ *elastic$//p' ids)"
run 0 env SCONE_EDMM_HASH=1 SCONE_MIN_HEAP=3M SCONE_HEAP=80M SCONE_TCS=2 \
	edmm run ./bare
same 'of settings' "$(cat out)" "$(edmm measure --config scone.env bare)"
bad 126 'SCONE_MIN_HEAP is part of the signed identity' \
	env SCONE_EDMM_HASH=1 SCONE_MIN_HEAP=9M edmm run ./actor
bad 125 "SCONE_HASH: 'yes' is neither 0 nor 1" \
	env SCONE_HASH=yes edmm run ./actor
run 7 env SCONE_HASH=0 $soft ./actor exit 7

# SCONE's file: the environment goes before it; one that is named must be there.
printf 'Q 4\nH 33554432\n' >sgx-musl.conf
run 0 env SCONE_CONFIG=sgx-musl.conf $soft ./bare grow 48
has 'ENOMEM after the limit'
run 0 env SCONE_CONFIG=sgx-musl.conf SCONE_HEAP=96M $soft ./bare grow 48
has 'all, 0 bad'
bad 125 'none.conf.*No such file' env SCONE_CONFIG=none.conf $soft ./bare
finish

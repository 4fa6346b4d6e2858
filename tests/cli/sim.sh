#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm sim: any command on the software machine, with its settings.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor

for n in 0 7 255; do
	run $n edmm sim sh -c "exit $n"
done

# A run inside finds the machine that is there, and says nothing again.
run 0 edmm sim edmm run ./actor args
has "^0 'program'"
same 'warnings' "$(grep -c 'protects nothing' err)" 1
bad 125 'the software machine is preloaded' \
	env EDMM_MACHINE_QUIET=1 edmm sim edmm run --machine hw ./actor

# A small EPC: pages are evicted and come back right.
run 0 edmm sim --epc 16M edmm run --report=json --heap-max 64M ./actor grow 40
has 'all, 0 bad'
sed -n '/^{/,/^}/p' err >report.json
python3 - <<'END' || fail "EPC: $(cat report.json)"
import json
m = json.load(open("report.json"))["machine_counters"]
assert m["epc_pages"] == 4096 >= m["epc_peak"]
assert m["pages_evicted"] > 0 and m["pages_loaded"] > 0
END

# A cgroup's bound: charges beyond it reclaim, and fail when nothing can go.
printf 'sev 3\nsgx_epc 16777216\n' >misc.max
for q in '--quota 16M' '--misc-max misc.max'; do
	# shellcheck disable=SC2086
	run 0 edmm sim $q edmm run --report=json --heap-max 64M ./actor grow 40
	has 'all, 0 bad'
	sed -n '/^{/,/^}/p' err >report.json
	python3 - <<'END' || fail "quota: $(cat report.json)"
import json
m = json.load(open("report.json"))["machine_counters"]
assert m["epc_pages"] == 262144 and m["epc_peak"] == 4096
assert m["pages_evicted"] > 0 and m["pages_loaded"] > 0
END
done
run 0 edmm sim --quota 'sgx_epc max' edmm run ./actor args
run 125 edmm sim --quota 'sgx_epc 8192' edmm run ./actor args
grep -q 'Cannot allocate memory' err || fail "quota of 2 pages: $(cat err)"
printf 'sgx_epc 4k\n' >misc.max
bad 125 'misc.max:1:9: wanted: bytes or max' edmm sim --misc-max misc.max true
printf 'sev 1\n' >misc.max
bad 125 'misc.max: no line' edmm sim --misc-max misc.max true

# Faults: the runtime repeats an EBUSY; other refusals end the start.
run 0 edmm sim --fault ioctl%3 edmm run ./actor grow 4
run 125 edmm sim --fault eadd:100 edmm run ./actor args
grep -q 'Input/output error' err || fail "EADD: $(cat err)"
run 126 edmm sim --fault einit:1+ edmm run ./actor args
run 0 edmm sim --fault einit:1 edmm run ./actor args
# An open that fails for a time is repeated, one that fails for good is the end:
# the device is not taken for one without EDMM.
run 0 edmm sim --fault open%2=EAGAIN edmm run --report ./actor args
grep -q '(elastic,' err || fail "open: $(cat err)"
for why in EAGAIN EIO; do
	bad 125 '/dev/sgx_enclave: .*EUPDATESVN' \
		env EDMM_MACHINE_QUIET=1 edmm sim --fault "open%1=$why" \
		edmm run ./actor args
	! grep -q 'static identity' err || fail "open: $(cat err)"
done
run 0 edmm sim --faults
has 'eaug=race'
for f in 'eaug:0 6 a number' 'eagu 1 an ioctl' 'eaug=EIO 6 an outcome' \
	'lose@3h 7 ms or s' 'eaug:3x 7 the end' 'eadd% 6 a number' \
	'restrict:%2 9 WHERE%N without a colon, as restrict%2'; do
	# shellcheck disable=SC2086
	set -- $f
	bad 125 "fault '$1', column $2: wanted: $3" edmm sim --fault "$1" true
done

# A script of steps is read before anything runs; its symbols are the image's,
# and a counted run is as any other.
printf 'range rt_gate_begin rt_gate_end\nlog gate.log\n' >gate.step
run 0 edmm run --machine soft --step gate.step ./actor args
[ "$(grep -c '^0x' gate.log)" -gt 100 ] || fail "steps: $(head gate.log)"
mv gate.log one.log
printf 'image actor\nrange rt_gate_begin rt_gate_end\nlog gate.log\naex every\n' \
	>gate.step
run 0 edmm sim --step gate.step edmm run ./actor args
cmp -s one.log gate.log || fail "an AEX changes what is executed"
bad 125 'gate.step:2: .rt_gate. is not a symbol of the image; wanted' \
	sh -c 'printf "image actor\nrange rt_gate\n" >gate.step &&
		exec edmm sim --step gate.step true'
for l in 'on _start 1 tak|cannot be done' 'on _start last take code|not known' \
	'on _start 1 take|too short' 'on _start 1 refuse eagu|no fault' \
	'on _start 1 take code x|no number of times' 'step|no line' \
	'counts none|cannot be read' 'on _start 1 interrupt 2|is too much'; do
	printf '%s\n' "${l%|*}" >gate.step
	bad 125 "gate.step:1: .*${l#*|}.*; wanted: " \
		edmm run --step gate.step ./actor
done
printf '# nothing\n' >gate.step
bad 125 "gate.step' steps nothing; wanted" edmm sim --step gate.step true
run 125 edmm sim --set "step=$tmp/gate.step" true
bad 125 'the software machine runs already' env EDMM_MACHINE_QUIET=1 \
	edmm sim edmm run --step gate.step ./actor
bad 125 'hardware does not step' \
	edmm run --machine hw --step gate.step ./actor

# No SGX2: the static identity, or an error where that is not wanted.
run 0 edmm sim --without sgx2 edmm run ./actor exit 0
grep -q 'this machine has no EDMM' err || fail "no fallback: $(cat err)"

# Another processor, and a timer.
run 3 edmm run --machine soft --without avx --vendor GenuineIntel \
	./actor exit 3
run 0 edmm sim --timer 4ms --without avx512 --without amx --populate --why \
	edmm run ./actor grow 4
# A fault more does no harm; rights that go in words only are found out.
run 0 edmm sim --stale emodpe edmm run ./actor grow 4
run 134 edmm sim --stale emodpe --stale emodpr edmm run ./actor grow 4
grep -q 'broke the protocol' err || fail "stale rights: $(cat err)"
# Why there is no enclave is told where it is asked for: the bit and its name.
for why in --why ''; do
	run 125 edmm sim --without exinfo $why edmm run ./actor args
	told=$(grep -c 'ECREATE refuses: SECS.MISCSELECT bit 0 (EXINFO)' err)
	same "told by '$why'" "$told" "$(echo "$why" | grep -c why)"
done
# Without a way to see SYSCALL in an enclave there is none, and a line says it.
run 125 edmm run --machine soft --machine-options sud=0,seccomp=0 ./actor args
grep -q 'neither system call dispatch (Linux 5.11) nor seccomp' err ||
	fail "no dispatch: $(cat err)"
run 125 edmm sim --fault open:1+=EIO edmm run ./actor args
grep -q 'sgx_enclave: Input/output error' err || fail "no EIO: $(cat err)"

# The mark of production is explained where the device refuses it.
run 0 edmm keygen --production -o prod.pem
cp actor marked
run 0 edmm sign -k prod.pem marked
run 126 edmm sim edmm run ./marked exit 3
grep -q 'signed for production' err || fail "production: $(cat err)"
run 3 edmm sim --allow-production edmm run ./marked exit 3

bad 125 'a COMMAND is wanted' edmm sim
bad 125 'none: cannot be started: No such file' edmm sim none
bad 125 "'x' is no size" edmm sim --epc x true
bad 125 'is no NAME=VALUE' edmm sim --set x true
# A setting is named by the option that it was typed with, and what would be
# right is said; EDMM_MACHINE is named where that is what the user has set.
bad 125 "^edmm: --set 'shape=round': wanted: NAME=VALUE, .*epc, .*, uffd" \
	edmm sim --set shape=round true
bad 125 "^edmm: --epc '1K': wanted: 1M to 1024G" edmm sim --epc 1K true
bad 125 "^edmm: --stats 'xml': wanted: text or json" edmm sim --stats=xml true
bad 125 "^edmm: --vendor 'Foo': wanted: 12 characters" \
	edmm sim --vendor Foo true
bad 125 "^edmm: --stale 'eadd': wanted: emodpe or emodpr" \
	edmm sim --stale eadd true
bad 125 "^edmm: --timer '4': wanted: 100us to 3600s" edmm sim --timer 4 true
bad 125 "^edmm: --without 'foo': wanted: NAME=VALUE" edmm run --without foo x
bad 125 "^edmm: --set 'uffd=2': wanted: 0 or 1" edmm sim --set uffd=2 true
bad 125 "^edmm: --machine-options 'foo=1': wanted: NAME=VALUE" \
	edmm run --machine soft --machine-options epc=16M,foo=1 ./actor
bad 125 "EDMM_MACHINE: 'epc=1K': wanted: 1M" \
	env EDMM_MACHINE=epc=1K edmm run --machine soft ./actor
finish

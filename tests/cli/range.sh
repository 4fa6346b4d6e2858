#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Address ranges and contexts of every size that sign takes: they start, cost
# what is used of them, and memory all over them is memory.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" actor
native=$BUILD/bin/actor-native

for range in 256M 64G 128G 256G 1T 16T 32T; do
	run 0 edmm run --machine soft --elrange $range ./actor args
	has "^0 'program'"
done
# Beyond what a process has room for: one answer.
run 0 edmm keygen
for tool in '126 run --machine soft' '1 sign' '1 measure'; do
	# shellcheck disable=SC2086
	bad "${tool%% *}" 'ELRANGE: a power of two, at most 32T' \
		edmm ${tool#* } --elrange 64T ./actor
done
printf '[enclave]\nsize = "64TiB"\n' >wide.edmm.toml
for tool in '125 run --machine soft --config wide.edmm.toml ./actor' \
	'1 sign --config wide.edmm.toml actor' '1 check wide.edmm.toml' \
	'1 explain wide.edmm.toml'; do
	# shellcheck disable=SC2086
	run "${tool%% *}" edmm ${tool#* }
	cat out err | grep -q 'enclave.size is beyond the 32T' ||
		fail "${tool#* }: $(cat out err)"
done
for n in 1 4 13; do
	run 0 "$native" far $n
	mv out want
	run 0 edmm run --machine soft --elrange 1T ./actor far $n
	cmp -s want out || fail "memory all over 1 TiB: $(cat out)"
done
for n in 2 64 1024; do
	for mode in enable disable; do
		run 0 edmm run --machine soft --edmm $mode --contexts $n \
			./actor args
		has "^0 'program'"
	done
done

# 1 TiB, Gramine's default, starts as 64 GiB does, by what was counted; times of
# a busy machine say little, so they are printed only.
for i in 1 2 3; do
	for range in 64G 1T; do
		run 0 edmm run --machine soft --report=json --elrange $range \
			./actor exit 0
		sed -n '/^{/,/^}/p' err >$range.$i
	done
done
python3 - <<'END' || fail "1 TiB costs more than 64 GiB"
import json, statistics
figures = {r: [json.load(open(f"{r}.{i}")) for i in range(1, 4)]
           for r in ("64G", "1T")}
def counts(f):
    m = f["machine_counters"]
    return {"pages": f["pages_added"] + f["pages_accepted"],
            "measured": f["pages_measured"], "host calls": f["host_calls"],
            "transitions": sum(m[k] for k in
                               ("eenter", "eexit", "aex", "eresume"))}
small, large = (counts(figures[r][0]) for r in ("64G", "1T"))
for name, n in small.items():
    assert large[name] <= 1.1 * n, (name, n, large[name])
times = {r: statistics.median(f["start_ns"] for f in figures[r])
         for r in figures}
print(small, large, times)
END
finish

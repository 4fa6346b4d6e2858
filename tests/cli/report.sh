#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm run --report and --timeline: the figures agree with one another and
# with what the program did; the picture is well-formed and has its phases.
# shellcheck disable=SC2086  # $soft is a command with its options
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
src=$(cd "$(dirname "$0")/../.." && pwd)
cd "$tmp" || exit 1
cp "$BUILD/enclave/actor" 'a <&> b'
soft="edmm run --machine soft --heap-max 128M"

run 0 $soft --report=json --timeline t.svg './a <&> b' grow 48
sed -n '/^{/,/^}/p' err >report.json
python3 - <<'END' || fail "figures: $(cat report.json)"
import json
MIB, PAGE = 1 << 20, 4096
r = json.load(open("report.json"))
m, s = r["machine_counters"], r["static_image"]
assert r["mode"] == "elastic" and r["machine"] == "software"
assert 0 < r["start_ns"] < s["start_ns"], "a static start is longer"
assert s["heap"] == 128 * MIB
assert s["pages_added"] > 128 * MIB / PAGE > s["pages_measured"]
assert r["pages_added"] >= r["pages_measured"] > 2 * MIB / PAGE
assert 48 * MIB < r["committed_peak"] < 60 * MIB
assert r["committed_final"] < r["committed_peak"] / 2
assert r["pages_accepted"] > 40 * MIB / PAGE
assert r["pages_trimmed"] * PAGE > r["committed_peak"] / 2
assert m["epc_peak"] * PAGE >= r["committed_peak"]
assert m["epc_used"] < m["epc_peak"] / 2
assert m["eenter"] + m["eresume"] == m["eexit"] + m["aex"] > 0
assert m["ioctls"]["create"] == m["ioctls"]["init"] == 1
assert m["ioctls"]["remove_pages"] > 0
assert m["pages_augmented"] >= r["pages_accepted"]
END
# The machine's part is the list's, in its order.
python3 - "$src/include/edmm/machine.h" <<'END' || fail 'machine_counters'
import json, re, sys
with open(sys.argv[1]) as f:
    header = f.read()
want = re.findall(r"(?m)^\tX\((\w+), REPORT, ", header)
m = json.load(open("report.json"))["machine_counters"]
assert len(want) > 20 and list(m) == want + ["ioctls"], (want, list(m))
want = re.findall(r"(?m)^\tX\([A-Z_]+, (\w+), \"", header)
assert len(want) == 8 and list(m["ioctls"]) == want, (want, m["ioctls"])
END
python3 - <<'END' || fail 'picture'
import xml.dom.minidom
svg = xml.dom.minidom.parse("t.svg")
text = [t.firstChild.data for t in svg.getElementsByTagName("text")]
for want in ("memory (MiB)", "time since the device was opened (s)"):
    assert want in text, want
assert any("a <&> b" in t for t in text), text
assert any(t.endswith("s  grow") for t in text), text
assert any(t.endswith("s  drop") for t in text), text
END

run 0 $soft --report './a <&> b' grow 8
for row in 'start-up to main' 'as a static image' 'pages at run time' \
	'committed memory' 'EPC pages in use' 'transitions' 'faults' 'ioctls'
do
	grep -q "^ *$row  *[0-9p]" err || fail "no '$row' in: $(cat err)"
done
[ "$(wc -L <err)" -le 150 ] || fail "a line of $(wc -L <err) columns"

# A program that never comes to an end of its own still has its comparison
# stopped; one that dies has its report.
run 139 sh -c "$soft --report './a <&> b' poke 0x10; exit \$?"
grep -q 'start-up to main' err || fail "no report after a crash: $(cat err)"
run 0 $soft --timeline t.svg --mark 'one' './a <&> b' args one
bad 125 'is no form; text or json' $soft --report=xml './a <&> b'
finish

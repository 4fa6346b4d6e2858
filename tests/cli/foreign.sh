#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# measure, inspect and diff on other projects' formats. The files are made by
# tests/image/foreign.py, which says itself what they measure.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$tmp" || exit 1
openssl genrsa -3 -out k.pem 3072 2>/dev/null
python3 "$here/../image/foreign.py" k.pem . || fail 'foreign.py'

for n in plain textrel several edmm elrange; do
	hash=$(cat $n.hash)
	for f in $n.signed.so $n.sgxs $n.pages $n.sig; do
		run 0 edmm measure $f
		same "measure $f" "$(cat out)" "$hash"
	done
	for f in $n.sgxs $n.pages; do
		run 0 edmm measure --sig $n.sig $f
		run 0 edmm diff $n.signed.so $f
	done
	run 0 edmm inspect --json $n.signed.so
	python3 - "$hash" <<'END' || fail "inspect --json $n"
import json, sys
for m in json.load(open("out"))["modes"]:
    assert m["mr_enclave"] == sys.argv[1] and m["signed"]
    assert (m["isv_prod_id"], m["isv_svn"]) == (7, 2)
    l = m["layout"]
    assert l["oentry"] == "0x1230" and l["ssa_frames"] == 2
    assert l["pages_added"] == l["pages_measured"] + 4
    assert sum(r["size"] for r in l["ranges"]) == 4096 * l["pages_added"]
END
done
run 0 edmm measure --all several.signed.so
same 'one line a block, newest first' "$(sed 's/^[0-9a-f]*  //' out)" \
	'metadata 2.4
metadata 2.1
metadata 1.4'
# Three blocks of metadata, one enclave or several: each identity once.
run 0 edmm measure --format scone-session several.signed.so
has '^    attestation:$'
same 'identities of a session' "$(grep -o '[0-9a-f]\{64\}' out | sort)" \
	"$(edmm measure --all several.signed.so | sed 's/ .*//' | sort -u)"
run 0 edmm inspect plain.sig
has 'isv_prod_id  *7'
run 0 edmm inspect plain.pages
has '0x25000  *4 KiB  *TCS'

# What differs: content, rights, measured or not, pages, order, fields.
sed 's/^0x5000 .*/0x5000 R-- - measured/' plain.pages >c.pages
run 1 edmm diff plain.pages c.pages
[ -s err ] && fail "diff: $(cat err)"
differ() { # PATTERN SED-COMMAND
	sed "$2" plain.pages >c.pages
	run 1 edmm diff plain.pages c.pages
	has "$1"
}
differ 'page 0x1000 (plain.bin@0x1000), rights' 's/^0x1000 R-X/0x1000 RWX/'
differ 'page 0x2000 (plain.bin@0x2000), measured_chunks' \
	'/^0x2000/s/ measured/ unmeasured/'
differ 'page 0x2000 .*, content at byte' '/^0x2000/s/bin@0x2000/bin@0x1000/'
differ 'page 0x2000 (plain.bin@0x2000), only_in_a' '/^0x2000/d'
differ 'elrange_size  *0x100000 -> 0x200000' 's/elrange .*/elrange 2M/'
differ 'ssa_frame_pages  *2 -> 1' '/ssaframe/d'
differ 'the same pages, added in another order' '/^0x1000 /{h;d};/^0x2000 /G'
tcs=$(grep -n TCS plain.pages | sed 's/:.*//;q')
line=$(sed -n "${tcs}p" plain.pages)
python3 - "$line" <<'END'
import re, sys
d = bytearray(open("plain.bin", "rb").read())
d[int(re.search("@(0x[0-9a-f]+)", sys.argv[1]).group(1), 16) + 32] ^= 1
open("t.bin", "wb").write(d)
END
differ 'content at byte 0x20: oentry' "${tcs}s/plain.bin/t.bin/"
run 1 edmm diff --json plain.pages c.pages
same 'JSON' "$(python3 -c 'import json
m = json.load(open("out"))["modes"][0]
print(m["first"]["field"], m["areas"][0]["content"])')" 'oentry 1'
run 1 edmm diff plain.sig textrel.sig
has 'mr_enclave'

# Ours: both modes; a setting shows in the layout record.
cp "$BUILD/bin/tiny_image" p
run 0 edmm keygen
run 0 edmm sign --edmm auto -o p.sig p
run 0 edmm diff p p
has 'elastic / elastic: equal'
has 'static / static: equal'
cp p q
run 0 edmm sign --edmm auto --stack 16M --isv-svn 3 --date 2020-02-02 q
run 1 edmm diff p q
has '(layout), content at byte 0x[0-9a-f]*: stack_size'
has 'isv_svn  *0 -> 3'
grep -q 'date' out && fail 'a date is no part of an identity'
run 1 edmm diff --mode static p q
grep -q elastic out && fail '--mode static'
printf '\1' | dd of=q bs=1 seek=4100 conv=notrunc 2>/dev/null
run 1 edmm diff p q
has 'page 0x1000 (segment 1), content at byte 0x4: tiny_entry+0x4'
bad 2 'none: cannot be opened' edmm diff p none
bad 2 'two FILEs' edmm diff p
run 0 edmm diff --help

# Changed after it was signed; not a good signature.
cp plain.signed.so x.so
printf 'X' | dd of=x.so bs=1 seek=3000 conv=notrunc 2>/dev/null
bad 1 'x.so: measures [0-9a-f]*, but its signature is for' edmm measure x.so
python3 - <<'END'
d = bytearray(open("plain.signed.so", "rb").read())
s = d.index(open("plain.sig", "rb").read())
d[s + 1026] ^= 1
open("x.so", "wb").write(d)
END
bad 1 'SIGSTRUCT is invalid: SIGNATURE' edmm measure x.so

# Bad input of each kind: one line.
for size in 20 100 2000 24000 26000; do
	head -c $size plain.signed.so >x.so
	run 1 edmm measure x.so
	[ "$(wc -l <err)" = 1 ] || fail "truncated to $size: $(cat err)"
done
for at in 8 70 400; do
	head -c $at plain.sgxs >x.sgxs
	bad 1 'bad sgxs stream' edmm measure x.sgxs
done
printf '\177ELF\1\1\1 .note.sgxmeta' >x.so
head -c 100 /dev/zero >>x.so
bad 1 'not an x86-64 enclave' edmm measure x.so
printf 'UNSIZED\0' | cat - plain.sgxs >x.sgxs
bad 1 'UNSIZED' edmm measure x.sgxs
head -c 1000 plain.sig >x.sig
bad 1 '1000 bytes; a SIGSTRUCT has 1808' edmm measure x.sig
list() { # PATTERN LINE...
	pattern=$1
	shift
	printf '%s\n' 'edmm-pages 1' 'elrange 64K' "$@" >x.pages
	bad 1 "x.pages:3: .*$pattern" edmm measure x.pages
}
list 'is wanted' '0x1000 RW-'
list 'RW- or R-X' '0x1000 RWQ - measured'
list 'whole pages' '0x1001 RW- - measured'
list 'outside the enclave' '0x10000 RW- - measured'
list 'measured or unmeasured' '0 RW- - maybe'
list 'cannot be opened' '0 RW- none measured'
list 'not a regular file' '0 RW- / measured'
list 'ends 0x' '0+64K RW- k.pem measured'
list 'none at' '0 RW- k.pem@1M measured'
list 'power of two' 'elrange 3M'
printf 'edmm-pages 1\nelrange 64K\n0 R-- - measured\n0 R-- - measured\n' \
	>x.pages
bad 1 'named twice' edmm measure x.pages
bad 1 'no image of edmm-cc; --stack goes with one' \
	edmm measure --stack 1M plain.sgxs

# Large and empty: refused at once, in little memory (here 1.5 GiB).
huge() { # PATTERN FILE
	(ulimit -v 1600000 && run 1 timeout 200 edmm measure "$2" &&
		exit $failed) || failed=1
	grep -q -e "$1" err || fail "$2: $(cat err)"
}
for n in plain.signed.so plain.sgxs plain.pages plain.sig; do
	cp $n big.$n
	truncate -s 1025M big.$n
	huge 'at most\|too large\|over' big.$n
done
for n in plain.sgxs plain.pages plain.sig; do
	truncate -s 600M big.$n
	huge 'edmm: ' big.$n
done
finish

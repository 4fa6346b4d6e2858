#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# keygen, sign, measure and inspect: what they print and leave, and one line
# for each kind of bad input.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/bin/tiny_image" p
cp "$BUILD/bin/tiny_image" q

# Keys: where, how, and never over another.
bad 1 'no signing key: make one with edmm keygen' edmm sign p
[ -e p.sig ] && fail 'a signature file without a signature'
run 0 edmm keygen
key=$XDG_CONFIG_HOME/edmm/enclave-key.pem
same 'mode of a key' "$(stat -c %a "$key")" 600
bad 1 'exists already and stays as it is; --force' edmm keygen
cp "$key" before
run 0 edmm keygen --force
cmp -s "$key" before && fail '--force made no new key'
run 0 edmm keygen --production -o prod.pem

# Both modes into one file; measured as signed, whatever the maximum.
run 0 edmm sign --edmm auto p
elastic=$(sed -n 's/  elastic$//p' out)
static=$(sed -n 's/  static$//p' out)
same 'digits' "${#elastic}" 64
run 0 edmm measure p
same 'measure' "$(cat out)" "$elastic"
run 0 edmm measure --all p
same 'measure --all' "$(cat out)" "$elastic  elastic
$static  static"
run 0 edmm measure p.sig
same 'measure of a signature' "$(cat out)" "$elastic"
run 0 edmm measure --mode static p
same 'measure --mode static' "$(cat out)" "$static"
for max in 2M 256M 32G; do
	run 0 edmm measure --heap-max $max p
	same "elastic with $max" "$(cat out)" "$elastic"
done
run 0 edmm measure --mode static --heap-max 256M p
[ "$(cat out)" = "$static" ] && fail 'a static heap is part of the identity'
run 0 edmm measure --json p
same 'JSON' "$(python3 -c 'import json
print(json.load(open("out"))["modes"][1]["mr_enclave"])')" "$static"

# The same bytes from the same input: another folder, another name.
mkdir other
cp p other/r
run 0 edmm sign --edmm auto --date 2026-09-21 -o a.sig p
run 0 edmm sign --edmm auto --date 2026-09-21 -o b.sig other/r
cmp a.sig b.sig || fail 'signatures differ by folder'

# inspect: the names that gramine-sgx-sigstruct-view has.
run 0 edmm sign --edmm auto --isv-prod-id 77 --isv-svn 3 --date 2025-01-31 --debug p
run 0 edmm inspect --json p
python3 - <<'END' || fail 'inspect --json'
import json
modes = json.load(open("out"))["modes"]
names = """mr_signer mr_enclave isv_prod_id isv_svn attribute_flags
attribute_xfrms misc_select attribute_flags_mask attribute_xfrm_mask misc_mask
date debug_enclave""".split()
assert [m["mode"] for m in modes] == ["elastic", "static"]
for m in modes:
    assert list(m)[:12] == names, list(m)
    assert (m["isv_prod_id"], m["isv_svn"]) == (77, 3)
    assert m["date"] == "2025-01-31" and m["debug_enclave"] is True
    assert m["attribute_flags"] == "0x6"
    assert m["layout"]["pages_added"] >= m["layout"]["pages_measured"]
assert modes[0]["misc_select"] == "0x1"
END
run 0 edmm inspect p.sig
has 'isv_prod_id  *77'
run 0 edmm sign --edmm auto -k prod.pem p
run 0 edmm inspect p
has 'purpose  *production'

# Bad input. First the files.
run 0 edmm sign --edmm auto q
cp q.sig p.sig
printf '\1' | dd of=p bs=1 seek=4100 conv=notrunc 2>/dev/null
bad 1 'p: measures [0-9a-f]*, but its signature is for' edmm measure p
head -c 5000 q >short
bad 1 'short: truncated' edmm sign short
bad 1 'short: truncated' edmm measure short
[ -e short.sig ] && fail 'a signature of a truncated image'
head -c 40 q >short
bad 1 'short: 40 bytes, too short' edmm measure short
bad 1 'not an ELF file; build the program with edmm-cc' edmm measure /etc/passwd
bad 1 'linked against shared libraries' edmm sign /bin/ls
bad 1 'none: cannot be opened: No such file' edmm measure none
bad 1 '/: not a regular file' edmm measure /
head -c 100 q.sig >q2.sig
bad 1 'truncated or too long' edmm inspect q2.sig
cp q q3
cp q.sig q3.sig
printf 'XXXXXXXX' | dd of=q3.sig bs=1 seek=700 conv=notrunc 2>/dev/null
bad 1 'SIGSTRUCT is invalid: SIGNATURE' edmm inspect q3
cp q q4
run 0 edmm sign --mode elastic q4
bad 1 'holds no static signature' edmm measure --mode static q4

# Keys that SGX cannot use.
openssl genrsa -3 -out k2048.pem 2048 2>/dev/null
openssl genrsa -out k65537.pem 3072 2>/dev/null
openssl genrsa -3 -aes128 -passout pass:x -out kenc.pem 3072 2>/dev/null
bad 1 'RSA key of 2048 bits; SGX wants 3072' edmm sign -k k2048.pem q
bad 1 'exponent is not 3' edmm sign -k k65537.pem q
bad 1 'is encrypted; give it decrypted' edmm sign -k kenc.pem q
bad 1 'no private key in PEM format' edmm sign -k /etc/passwd q
bad 1 'cannot be opened' edmm sign -k none.pem q

# Options.
bad 2 "'12Q' is no size; write for example" edmm measure --heap-max 12Q q
bad 2 "'-1' is no size" edmm measure --stack -1 q
bad 2 'is too large' edmm measure --stack 99999999P q
bad 1 'ELRANGE: a power of two' edmm measure --elrange 3G q
bad 1 'raise --elrange or lower' edmm measure --elrange 16M q
bad 1 'whole pages' edmm measure --heap-init 5000 q
bad 2 'one PROGRAM is wanted' edmm sign
bad 2 'one PROGRAM is wanted' edmm sign a b
bad 2 "unrecognized option '--bogus'" edmm sign --bogus q
bad 2 "'2026-13-01' is no day" edmm sign --date 2026-13-01 q
bad 2 "'70000' is no number" edmm sign --isv-svn 70000 q
bad 2 "no verb 'foo'; edmm --help lists them" edmm foo
bad 2 "no verb 'runn'; did you mean run?" edmm runn --report q
bad 2 "no verb 'sing'; did you mean sign?" edmm help sing

# Nothing half written, also where nothing can be written.
cp q.sig keep
bad 1 'cannot be written' edmm sign -o none/x.sig q
cmp keep q.sig || fail 'a signature file was touched'
ls ./*.tmp >/dev/null 2>&1 && fail "temporary files: $(ls ./*.tmp)"

for verb in run sign measure inspect diff keygen sim; do
	run 0 edmm $verb --help
	has "^usage: edmm $verb"
	run 0 edmm help $verb
	has "^usage: edmm $verb"
done
finish

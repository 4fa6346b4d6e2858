#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Signing with a key kept elsewhere, here by openssl, and for production.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$tmp" || exit 1
cp "$BUILD/bin/tiny_image" p
openssl genrsa -3 -out k.pem 3072 2>/dev/null
openssl genrsa -3 -out other.pem 3072 2>/dev/null
for k in k other; do
	openssl rsa -in $k.pem -pubout -out $k.pub 2>/dev/null
done

# Both identities, signed by openssl dgst, are what edmm sign makes.
run 0 edmm sign --edmm auto -k k.pem -o direct.sig p
cp out direct.out
run 0 edmm sign --edmm auto --digest-out d p
cmp -s out direct.out || fail 'step 1 prints other hashes'
[ -e p.sig ] && fail 'a signature file without a signature'
for m in elastic static; do
	same "size of d.$m" "$(stat -c %s d.$m)" 256
	openssl dgst -sha256 -sign k.pem -out s.$m d.$m
done
run 0 edmm sign --edmm auto --signature-in s --public-key k.pub p
cmp p.sig direct.sig || fail 'two steps make another signature'
run 0 edmm inspect p
for off in 120 2024; do # an entry is 96 + 1808 bytes, behind 24
	dd if=p.sig of=ss bs=1 skip=$off count=1808 2>/dev/null
	python3 "$here/../image/oracle.py" sigstruct ss >/dev/null ||
		fail "the oracle refuses the SIGSTRUCT at $off"
done

# One mode, signed by its hash alone, as an HSM may want it.
run 0 edmm sign --mode static --digest-out one p
openssl dgst -sha256 -binary -out one.hash one
openssl pkeyutl -sign -inkey k.pem -pkeyopt digest:sha256 -in one.hash \
	-out one.sig
run 0 edmm sign --mode static --signature-in one.sig --public-key k.pub -o x p
run 0 edmm measure --sig x --mode static p

# Not of these bytes, not by this key, not a signature.
rm p.sig
bad 1 's.elastic: no signature of these bytes by this key' \
	edmm sign --edmm auto --signature-in s --public-key other.pub p
bad 1 'no signature of these bytes' \
	edmm sign --edmm auto --isv-svn 2 --signature-in s --public-key k.pub p
bad 1 'the same image, options and --date' \
	edmm sign --edmm auto --date 2001-01-01 --signature-in s --public-key k.pub p
bad 1 '256 bytes; a raw RSA-3072 signature has 384' \
	edmm sign --edmm auto --signature-in d --public-key k.pub p
head -c 384 /dev/zero | tr '\0' '\377' >f.elastic
bad 1 'no signature of these bytes' \
	edmm sign --edmm auto --signature-in f --public-key k.pub p
bad 1 'no public key in PEM format' \
	edmm sign --edmm auto --signature-in s --public-key k.pem p
bad 1 'none.elastic: cannot be opened' \
	edmm sign --edmm auto --signature-in none --public-key k.pub p
[ -e p.sig ] && fail 'a bad signature was written'
bad 2 'go together' edmm sign --signature-in s p
bad 2 'exclude each other' edmm sign --digest-out d -k k.pem p

# Production: marked, not to be debugged, the same in two steps.
run 0 edmm sign --edmm auto --production -k k.pem p
run 0 edmm inspect --json p
python3 - <<'END' || fail 'production'
import json
for m in json.load(open("out"))["modes"]:
    assert m["purpose"] == "production" and not m["debug_enclave"]
END
dd if=p.sig bs=1 skip=160 count=4 2>/dev/null | od -An -tx4 >mark
same 'SWDEFINED' "$(tr -d ' ' <mark)" ed330001
cp p.sig production.sig
run 0 edmm sign --edmm auto --production --digest-out d p
for m in elastic static; do
	openssl dgst -sha256 -sign k.pem -out s.$m d.$m
done
run 0 edmm sign --edmm auto --production --signature-in s --public-key k.pub p
cmp p.sig production.sig || fail 'two steps, production'
bad 1 '^edmm: --debug: no enclave for production' \
	edmm sign --edmm auto --production --debug -k k.pem p
run 0 edmm keygen --production -o prod.pem
same 'mode of a key' "$(stat -c %a prod.pem)" 600
bad 1 '^edmm: --debug: no enclave for production' \
	edmm sign --edmm auto --debug -k prod.pem p
# The host chooses among what is signed: static memory only where it is wanted.
modes() { # WANTED ARGUMENT...
	wanted=$1
	shift
	run 0 edmm sign -k k.pem "$@" p
	same "sign $*" "$(sed 's/.*  //' out | tr '\n' ' ')" "$wanted "
}
modes elastic
modes elastic --edmm enable
modes static --edmm disable
modes 'elastic static' --edmm auto
modes static --mode static
bad 2 "--edmm: 'on' is none of enable, disable, auto" \
	edmm sign --edmm on -k k.pem p
printf 'SCONE_VERSION=1\nSCONE_EDMM_MODE=auto\n' >auto.env
printf 'SCONE_VERSION=1\nSCONE_EDMM_MODE=disable\n' >disable.env
printf 'SCONE_VERSION=1\n' >unsaid.env
modes 'elastic static' --config auto.env
modes static --config disable.env
modes elastic --config unsaid.env
modes elastic --config auto.env --edmm enable
cat >off.json <<'END'
{ "resource_limits": { "kernel_space_stack_size": "1MB",
  "kernel_space_heap_size": "4MB", "user_space_size": "3MB",
  "user_space_max_size": "64MB", "init_num_of_threads": 2,
  "max_num_of_threads": 4 },
  "process": { "default_stack_size": "2MB", "default_heap_size": "8MB",
  "default_mmap_size": "16MB" } }
END
sed 's/^{/{ "feature": { "enable_edmm": true },/' off.json >on.json
modes 'elastic static' --config on.json
modes elastic --config off.json

# The day in it: of the calendar, none at all, or of SOURCE_DATE_EPOCH, which
# is seconds in decimal or an error, in edmm run, too.
day() { # WANTED OPTION...
	wanted=$1
	shift
	run 0 edmm sign -k k.pem "$@" p
	run 0 edmm inspect --json p
	has "\"date\": \"$wanted\""
}
day 2024-02-29 --date 2024-02-29
day 2000-02-29 --date 2000-02-29
day 0000-00-00 --date 0000-00-00
for d in 2025-02-29 2025-02-30 1900-02-29 2025-04-31 2025-13-01 2025-00-01 \
	2025-01-00 0000-01-00 +025-01-01 2025/01/01 '2025-01- 1' 2025-1-01; do
	bad 2 "'$d' is no day" edmm sign -k k.pem --date "$d" p
done
for e in abc 1.7e9 0x10 99999999999999 -5 +5 ' 5' '5 ' 253402300800; do
	bad 1 "SOURCE_DATE_EPOCH: '$e' is no number of seconds" \
		env "SOURCE_DATE_EPOCH=$e" edmm sign -k k.pem p
	bad 1 'SOURCE_DATE_EPOCH' \
		env "SOURCE_DATE_EPOCH=$e" edmm sign -k k.pem --date today p
	run 0 env "SOURCE_DATE_EPOCH=$e" \
		edmm sign -k k.pem --date 2024-02-29 p
done
rm p.sig
run 125 env SOURCE_DATE_EPOCH=abc edmm run --unsigned -- ./p
grep -q SOURCE_DATE_EPOCH "$tmp/err" || fail 'run took a day from abc'
SOURCE_DATE_EPOCH=253402300799
day 9999-12-31
SOURCE_DATE_EPOCH=0
day 1970-01-01
finish

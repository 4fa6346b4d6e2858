#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every verb that writes a file, to names that are no plain file: what was
# there stays there, and gets the bytes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
cp "$BUILD/bin/tiny_image" p
cp "$BUILD/enclave/hello" hello
printf '[heap]\nmax = "64M"\n' >c.edmm.toml
openssl genrsa -3 -out k.pem 3072 2>/dev/null
can_mknod=true
mknod device c 1 3 2>/dev/null || can_mknod=false

# write_to VERB FILE
write_to() {
	case $1 in
	sign) edmm sign -k k.pem -o "$2" p ;;
	digest) edmm sign --mode static --digest-out "$2" p ;;
	keygen) edmm keygen --force -o "$2" ;;
	convert) edmm convert --to edmm c.edmm.toml "$2" ;;
	advise) edmm advise --out "$2" -- ./hello ;;
	timeline) edmm run --machine soft --timeline "$2" ./hello ;;
	esac >out 2>err </dev/null
}

for w in sign digest keygen convert advise timeline; do
	rm -f file link dangling fifo got
	write_to $w file || fail "$w: $(cat err)"
	[ -s file ] || fail "$w writes nothing"

	echo mine >target
	ln -s target link
	write_to $w link || fail "$w, a link: $(cat err)"
	[ -L link ] || fail "$w replaces a link"
	cmp -s target link || fail "$w: not what the link leads to"
	grep -q mine target && fail "$w: nothing behind the link"

	rm -f target
	ln -s target dangling
	write_to $w dangling || fail "$w, a dangling link: $(cat err)"
	[ -L dangling ] && [ -s target ] || fail "$w replaces a dangling link"

	mkfifo fifo
	timeout 60 cat fifo >got &
	write_to $w fifo || fail "$w, a pipe: $(cat err)"
	[ -p fifo ] || fail "$w replaces a pipe"
	wait
	[ -s got ] || fail "$w: nothing went into the pipe"

	$can_mknod || continue
	for d in device to_device; do
		rm -f device to_device
		mknod device c 1 3
		ln -s device to_device
		write_to $w $d || fail "$w, a device: $(cat err)"
		[ -c device ] && [ -L to_device ] || fail "$w replaces a $d"
	done
done
ls -d -- *.tmp 2>/dev/null && fail "a temporary file is left"

# Standard output stays the file that it was.
echo first >log
edmm convert --to edmm c.edmm.toml /dev/stdout >>log 2>err ||
	fail "/dev/stdout: $(cat err)"
same 'the first line of >>log' "$(head -n 1 log)" first
[ "$(wc -l <log)" -gt 1 ] || fail "nothing came behind it"
finish

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# jit.sh EDMM JIT: what examples/jit costs the host. Its mapping is asked for
# once, however often the code is patched; a patch restricts rights twice, and
# what it adds to them costs nothing.
set -eu
edmm=$1 jit=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"

# counts ROUNDS: mprotects of enclave mappings, and restricting ioctls
counts() {
	"$edmm" sim --stats=json --stats-file "$tmp/stats" -- "$edmm" run \
		--heap-max 64M "$jit" 'x 1 +' "$1" >"$tmp/out" 2>"$tmp/err"
	python3 - "$tmp/stats" <<'END'
import json, re, sys
text = open(sys.argv[1]).read()
def one(name):
    return max(int(n) for n in re.findall(r'"%s": *(\d+)' % name, text))
print(one("mprotects"), one("ioctl_restrict_permissions"))
END
	rm "$tmp/stats"
}

few=$(counts 3) many=$(counts 53)
if [ "${few% *}" != "${many% *}" ] ||
	[ $((${many#* } - ${few#* })) != 100 ]; then
	echo "mprotects and restrictions: $few for 3 patches, $many for 53" >&2
	cat "$tmp/err" >&2
	exit 1
fi

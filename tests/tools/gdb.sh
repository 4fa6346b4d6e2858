#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# gdb with tools/edmm.gdb stops, steps and looks inside an enclave. Some virtual
# machines have no breakpoint registers: gdb sets them and is never told. There
# nothing stops inside, and what is tested is that the program's symbols are at
# the enclave's address.
# Usage: gdb.sh BUILD
set -eu
build=$(cd "$1" && pwd)
script=$(cd "$(dirname "$0")/../../tools" && pwd)/edmm.gdb
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME="$work/config" DEBUGINFOD_URLS=
cd "$work"

cat >stop.c <<'END'
static int twice(int n)
{
	int m = 2 * n;
	return m;
}

int main(int argc, char **argv)
{
	(void)argv;
	int n = twice(argc);
	return n - 2 * argc;
}
END
cat >commands <<'END'
run
break stop.c:4
continue
print m
finish
next
print n
continue
END
"$build/bin/edmm-cc" -g -O0 stop.c -o stop
gcc -g -O0 stop.c -o native
gdb -nx -batch -ex start -ex 'hbreak stop.c:4' -ex continue -ex 'print m' \
	./native >out 2>&1 || true
if ! grep -q '^\$1 = 2' out; then
	echo "no breakpoint registers here: symbols only"
	cat >commands <<'END'
run
print/x h->base
info symbol twice
print/x (unsigned long)&twice - h->base
continue
END
	gdb -nx -batch -x "$script" -x commands \
		--args "$build/bin/edmm" run --machine soft ./stop a b >out 2>&1
	at=$(nm stop | sed -n 's/^0*\([0-9a-f]*\) t twice$/\1/p')
	for want in 'twice in section .text' "^\\\$2 = 0x$at\$" 'exited normally'; do
		grep -q "$want" out || {
			echo "FAIL: no '$want' in:"
			cat out
			exit 1
		}
	done
	exit 0
fi
gdb -nx -batch -x "$script" -x commands \
	--args "$build/bin/edmm" run --machine soft ./stop a b >out 2>&1 ||
	{ cat out; exit 1; }
for want in 'Breakpoint [0-9]*, twice' '^\$1 = 6' 'Value returned is .* = 6' \
	'^\$3 = 6' 'exited normally'; do
	grep -q "$want" out || {
		echo "FAIL: no '$want' in:"
		cat out
		exit 1
	}
done
echo "ok"

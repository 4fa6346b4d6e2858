#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm convert and edmm check as commands: what is mended, what is refused,
# that nothing is half written, and that large input is refused quickly.
set -eu
edmm=$1
dir=$2
image=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset ENABLE_EDMM SGX_MODE
fails=0

expect() { # WHAT STATUS COMMAND...: standard output in $tmp/out
	what=$1 status=$2
	shift 2
	got=0
	"$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	if [ "$got" != "$status" ]; then
		echo "$what: status $got, not $status: $*"
		cat "$tmp/err"
		fails=$((fails + 1))
	fi
}
says() { # WHAT PATTERN FILE
	grep -q -- "$2" "$3" || {
		echo "$1: no '$2' in:"
		cat "$3"
		fails=$((fails + 1))
	}
}

# Real files have SCONE_ variables that no manual names: no warning; a slip is
# one.
printf 'SCONE_QUOTA_OF_ELVES=1\nSCONE_HAEP=4G\n' >"$tmp/names.env"
expect 'unknown variables' 0 "$edmm" check "$tmp/names.env"
[ "$(wc -l <"$tmp/out")" = 1 ] || fails=$((fails + 1))
says 'a slip' ":2:1: warning: .*SCONE_HAEP.*'SCONE_HEAP'" "$tmp/out"
expect 'as a note' 0 "$edmm" check --level note "$tmp/names.env"
says 'as a note' ':1:1: note: .*SCONE_QUOTA_OF_ELVES' "$tmp/out"

# JSON of nobody's: one line, whatever it is called.
echo '{"name": "app", "version": "0.1", "env": {}}' >"$tmp/app.json"
expect 'nobody' 1 "$edmm" check "$tmp/app.json"
[ "$(wc -l <"$tmp/out")" = 1 ] || fails=$((fails + 1))
says 'nobody' 'app.json: error: of no format that we know' "$tmp/out"
# What is in it tells a file's format, and --from over that.
cp "$dir/../seeds/enclave.json" "$tmp/Occlum.json"
expect 'told' 0 "$edmm" check --strict "$tmp/Occlum.json"
expect 'told otherwise' 1 "$edmm" check --from occlum "$tmp/Occlum.json"
says 'told otherwise' 'user_space_size is missing' "$tmp/out"
expect 'from ego' 0 "$edmm" convert "$tmp/Occlum.json" "$tmp/enclave.conf"
says 'from ego' '^NumHeapPages=196608$' "$tmp/enclave.conf"
says 'from ego' '^NumTCS=32$' "$tmp/enclave.conf"
expect 'to ego' 0 "$edmm" convert "$tmp/enclave.conf" "$tmp/enclave.json"
says 'to ego' '"heapSize": 768' "$tmp/enclave.json"
says 'to ego' 'assumed: exe and key are yours' "$tmp/err"

# What a tool of one release refuses is an error with its rules, a note else.
printf '{"resource_limits": {"kernel_space_heap_size": "4MB",
"kernel_space_stack_size": "1MB", "user_space_size": "64MB",
"max_num_of_threads": 4}, "process": {"default_stack_size": "1MB",
"default_heap_size": "1MB", "default_mmap_size": "1MB"}}' >"$tmp/old.json"
expect 'old Occlum' 0 "$edmm" check --strict "$tmp/old.json"
[ ! -s "$tmp/out" ] || fails=$((fails + 1))
expect 'old Occlum, 0.31' 1 "$edmm" check --compat occlum-0.31 "$tmp/old.json"
[ "$(grep -c 'release 0.31 fails' "$tmp/out")" = 1 ] || fails=$((fails + 1))
expect 'old Occlum, note' 0 "$edmm" check --level note "$tmp/old.json"
[ "$(grep -c 'release 0.31 fails' "$tmp/out")" = 1 ] || fails=$((fails + 1))
# A template is read, and told where it is taken for a manifest; nothing is
# made of what it does not say yet.
printf 'libos.entrypoint = "a"\nfs.mounts = []\nsgx.debug = {{ debug }}\n\n{%% if x %%}\nsgx.isvsvn = 1\n{%% endif %%}\n' \
	>"$tmp/app.manifest.template"
cp "$tmp/app.manifest.template" "$tmp/app.manifest"
expect 'template' 0 "$edmm" check --strict "$tmp/app.manifest.template"
expect 'template, explained' 0 "$edmm" explain "$tmp/app.manifest.template"
expect 'unrendered' 1 "$edmm" check --strict "$tmp/app.manifest"
says 'unrendered' 'warning: a template that was not rendered' "$tmp/out"
expect 'template, converted' 1 "$edmm" convert --quiet \
	"$tmp/app.manifest.template" "$tmp/made.edmm.toml"
[ "$(wc -l <"$tmp/err")" = 1 ] || fails=$((fails + 1))
says 'template, converted' 'error: a template that was not rendered' "$tmp/err"

# --fix: these are right afterwards, and comments elsewhere stay.
for f in occlum-comment.json occlum-trailing-comma.json occlum-unit.json \
	occlum-lower-case.json occlum-number.json occlum-fraction.json \
	occlum-misspelled.json gramine-size.manifest \
	gramine-lower-case.manifest gramine-misspelled.manifest \
	gramine-flag.manifest gramine-fork.manifest \
	gramine-fork-heap.manifest gramine-old.manifest scone-size.env \
	scone-name.env sgx-suffix.xml size.edmm.toml oe-name.conf \
	myst-old.json myst-comment.json; do
	cp "$dir/$f" "$tmp/$f"
	[ "$f" != gramine-size.manifest ] || echo '# kept' >>"$tmp/$f"
	expect "fix $f" 0 "$edmm" check --strict --fix "$tmp/$f"
done
says 'comment kept' '# kept' "$tmp/gramine-size.manifest"
says 'renamed' '^sgx.max_threads = 8' "$tmp/gramine-old.manifest"

# A good file, to a file by its name; standard input and output; env:.
good=$tmp/Occlum.json
cp "$tmp/occlum-comment.json" "$good"
expect 'by name' 0 "$edmm" convert "$good" "$tmp/Enclave.config.xml"
says 'by name' '<TCSNum>32</TCSNum>' "$tmp/Enclave.config.xml"
expect 'stdio' 0 sh -c '"$1" convert --from occlum --to scone --quiet - - <"$2"' \
	sh "$edmm" "$good"
says 'stdio' 'export SCONE_HEAP=300M' "$tmp/out"
expect 'env:' 0 env SCONE_HEAP=8G SCONE_EDMM_MODE=auto \
	"$edmm" convert --quiet --to edmm env: -
says 'env:' 'max = "8GiB"' "$tmp/out"
expect 'enabled' 0 env ENABLE_EDMM=Y "$edmm" convert --quiet "$good" \
	"$tmp/Enclave.xml"
says 'enabled' '<TCSMaxNum>4096</TCSMaxNum>' "$tmp/Enclave.xml"
expect 'simulation wins' 0 env ENABLE_EDMM=Y SGX_MODE=SIM \
	"$edmm" convert --quiet "$good" "$tmp/Enclave.xml"
says 'simulation wins' '<TCSMaxNum>32</TCSMaxNum>' "$tmp/Enclave.xml"
expect 'lossless' 1 "$edmm" convert --lossless "$good" "$tmp/none.xml"
says 'what is lost' 'entry_points, env, feature.io_uring, mount' "$tmp/err"

# What is written fits: a small heap, into each format that has one of its own.
printf '[heap]\nmax = "24MiB"\n[stack]\nmax = "1MiB"\n' >"$tmp/small.edmm.toml"
for to in occlum gramine scone sgx-xml open-enclave ego mystikos edp; do
	expect "small, $to" 0 "$edmm" convert --quiet --to $to \
		"$tmp/small.edmm.toml" "$tmp/small.$to"
	expect "small, $to" 0 "$edmm" check --from $to "$tmp/small.$to"
	! grep P202 "$tmp/out" || fails=$((fails + 1))
done
says 'small, occlum' '"default_heap_size": "11776KB"' "$tmp/small.occlum"

# Bad input: one line, status 1, and the old file stays as it was.
echo old >"$tmp/keep.xml"
for f in "$dir"/occlum-m[i-]*.json "$dir/occlum-unclosed.json" "$tmp/no.json"; do
	case $f in *misspelled* | *misplaced* | *missing-section*) continue ;; esac
	expect "bad $f" 1 "$edmm" convert --quiet --from occlum "$f" \
		"$tmp/keep.xml"
	[ "$(wc -l <"$tmp/err")" = 1 ] || {
		echo "$f: not one line:"
		cat "$tmp/err"
		fails=$((fails + 1))
	}
	says 'kept' '^old$' "$tmp/keep.xml"
done
expect 'usage' 2 "$edmm" convert "$good"
expect 'unknown format' 2 "$edmm" convert --to yaml "$good" -
sed 's/.*no format; //; s/,//g; s/ or / /' "$tmp/err" >"$tmp/names"
expect 'help' 0 "$edmm" convert --help
tr ' ,;' '\n\n\n' <"$tmp/out" >"$tmp/words"
for name in $(cat "$tmp/names"); do
	says 'help names each format' "^$name\$" "$tmp/words"
done
expect 'no file' 1 "$edmm" check "$tmp/nothing.json"
expect 'binary' 1 "$edmm" check --from gramine "$edmm"

# 1 GiB, as a file and as a stream, the largest files that are read at all, and
# deep nesting: refused quickly, in little memory, in every format.
many() { # COUNT TEXT [END]
	awk -v n="$1" -v t="$2" -v e="${3-}" \
		'BEGIN { for (i = 0; i < n; i++) printf "%s", t; printf "%s", e }'
}
mkdir "$tmp/big"
for f in huge.json huge.manifest huge.edmm.toml huge.xml huge.env \
	sgx-musl.conf; do
	truncate -s 1G "$tmp/big/$f"
done
many 9000 '[' >"$tmp/big/deep.json"
many 4194304 '[' >"$tmp/big/deepest.json"
many 400000 '{"a":' >"$tmp/big/objects.json"
many 1398101 '1, ' '1]' | sed 's/^/[/' >"$tmp/big/wide.json"
many 9000 a. 'b=1' >"$tmp/big/deep.manifest"
many 2000000 a. 'b=1' >"$tmp/big/deepest.manifest"
many 4194300 '[' | sed 's/^/a=/' >"$tmp/big/arrays.manifest"
many 800000 '{a=' | sed 's/^/a=/' >"$tmp/big/tables.manifest"
many 400000 '[[a]]
' >"$tmp/big/wide.manifest"
many 9000 a. 'b=1' >"$tmp/big/deep.edmm.toml"
many 4194300 '[' | sed 's/^/a=/' >"$tmp/big/arrays.edmm.toml"
many 9000 '<a>' >"$tmp/big/deep.xml"
many 1398100 '<a>' >"$tmp/big/deepest.xml"
many 900000 '<a/>' '</b>' | sed 's/^/<b>/' >"$tmp/big/wide.xml"
many 200000 'SCONE_A=1
' 'SCONE_HEAP=x' >"$tmp/big/same.env"
many 4194303 S >"$tmp/big/line.env"
awk 'BEGIN { for (i = 0; i < 200000; i++) print "SCONE_V" i "=1" }' \
	>"$tmp/big/wide.env"
mkdir "$tmp/big/lines"
many 400000 'e 1 2 3
' >"$tmp/big/lines/sgx-musl.conf"
# A sanitizer's own shadow memory does not fit into such a limit.
limit='ulimit -v 400000 -t 5'
(eval "$limit" && "$edmm" --version) >/dev/null 2>&1 || limit='ulimit -t 20'
count=0
for f in "$tmp"/big/*.* "$tmp"/big/lines/*; do
	case $f in *line.env) want=0 ;; *) want=1 ;; esac
	expect "$f" "$want" sh -c "$limit"'; exec "$1" check "$2"' \
		sh "$edmm" "$f"
	[ "$(wc -l <"$tmp/out")" -le 200 ] || {
		echo "$f: $(wc -l <"$tmp/out") lines"
		fails=$((fails + 1))
	}
	count=$((count + 1))
done
for format in occlum gramine edmm sgx-xml scone scone-conf open-enclave ego \
	mystikos edp; do
	expect "1 GiB into $format" 1 sh -c "$limit"'
		head -c 1G /dev/zero 2>/dev/null |
		"$1" check --from "$2" -' sh "$edmm" "$format"
	count=$((count + 1))
done
rm -r "$tmp/big"
echo "$count inputs too large or too deep"

# The other outputs are JSON.
for o in json sarif; do
	expect "$o" 1 "$edmm" check --format $o "$dir/occlum-twice.json" \
		"$dir/gramine-fork.manifest"
	python3 -m json.tool <"$tmp/out" >"$tmp/json" || fails=$((fails + 1))
	says "$o" P401 "$tmp/json"
done

# An elastic image's identity knows no maximum and no order; a static one's does.
identity() { # MODE < edmm.toml
	cat >"$tmp/edmm.toml"
	"$edmm" explain --image "$image" "$tmp/edmm.toml" 2>&1 |
		sed -n "s/^MRENCLAVE, $1 *\\([0-9a-f]*\\) .*/\\1/p"
}
a=$(printf '[heap]\ninit="1MiB"\nmax="1GiB"\n[threads]\ninit=2\nmax=8\n' |
	identity elastic)
b=$(printf '[threads]\nmax=64\ninit=2\n[heap]\nmax="9GiB"\ninit=1048576\n' |
	identity elastic)
c=$(printf '[heap]\nmax="1GiB"\ninit="2MiB"\n[threads]\ninit=2\nmax=8\n' |
	identity elastic)
d=$(printf '[heap]\nmax="1GiB"\n' | identity static)
e=$(printf '[heap]\nmax="2GiB"\n' | identity static)
if [ ${#a} != 64 ] || [ "$a" != "$b" ] || [ "$a" = "$c" ] ||
	[ ${#d} != 64 ] || [ "$d" = "$e" ]; then
	printf 'identities: %s %s %s %s %s\n' "$a" "$b" "$c" "$d" "$e"
	fails=$((fails + 1))
fi

# A session lists both identities, the one without EDMM first.
"$edmm" keygen -o "$tmp/k.pem" 2>/dev/null
cp "$image" "$tmp/program"
"$edmm" sign -k "$tmp/k.pem" "$tmp/program" >/dev/null 2>&1
"$edmm" measure --all "$tmp/program" >"$tmp/ids"
expect 'session' 0 "$edmm" policy "$tmp/program"
grep -o '[0-9a-f]\{64\}' "$tmp/out" >"$tmp/listed"
{ sed -n 's/ *static$//p' "$tmp/ids"; sed -n 's/ *elastic$//p' "$tmp/ids"; } |
	cmp - "$tmp/listed" || fails=$((fails + 1))
"$edmm" measure --all "$image" >"$tmp/ids"
expect 'whole session' 0 "$edmm" measure --format scone-session --name a:b \
	"$image"
{ printf 'name: "a:b"\nversion: "0.3"\nservices:\n  - name: "a:b"\n'
	printf '    attestation:\n      - mrenclave:\n'
	sed -n 's/\(.*\)  static$/          - \1  # without EDMM/p' "$tmp/ids"
	sed -n 's/\(.*\)  elastic$/          - \1  # with EDMM/p' "$tmp/ids"
} >"$tmp/wanted"
[ "$(wc -l <"$tmp/wanted")" = 8 ] || fails=$((fails + 1))
cmp "$tmp/wanted" "$tmp/out" || fails=$((fails + 1))
expect 'one identity' 0 "$edmm" measure --format scone-session --mode static \
	"$image"
[ "$(grep -c '# with' "$tmp/out")" = 1 ] || fails=$((fails + 1))
says 'one identity' "^name: ${image##*/}\$" "$tmp/out"
expect 'debug session' 0 "$edmm" measure --format scone-session --debug \
	"$image"
says 'debug session' 'security.attestation.tolerate' "$tmp/out"
expect 'session, usage' 2 "$edmm" measure --format yaml "$tmp/program"
says 'session, usage' 'text, json or scone-session' "$tmp/err"
expect 'no signature' 1 "$edmm" policy "$image.none"

# The doctor only looks, and answers scripts.
expect 'doctor' 0 "$edmm" doctor --json
says 'doctor' '"will_use"' "$tmp/out"
python3 -m json.tool <"$tmp/out" >/dev/null || fails=$((fails + 1))
for name in 'processor: SGX' 'processor: FSGSBASE' 'kernel' \
	'device /dev/sgx_enclave' 'group sgx' '/dev mounted noexec' \
	'software machine: userfaultfd' \
	'limit: mappings (vm.max_map_count)' \
	'limit: address space (ulimit -v)' 'limit: open files (ulimit -n)'; do
	says 'doctor' "\"name\": \"$name\"" "$tmp/out"
done
# On the software machine it finds what hardware would have, and is not fooled.
if "$edmm" sim -- true 2>/dev/null; then
	expect 'doctor, sim' 0 "$edmm" sim -- "$edmm" doctor
	for name in 'SGX2 leaves (EDMM)  *yes' 'AEX-Notify  *yes' \
		'EPC  *1 GiB' 'page calls  *restrict, modify types, remove' \
		'EDMM calls  *yes' \
		'edmm run uses the software machine, which this'; do
		says 'doctor, sim' "$name" "$tmp/out"
	done
	expect 'doctor, sim' 1 "$edmm" sim -- "$edmm" doctor --need edmm
fi
expect 'doctor, quiet' 0 "$edmm" doctor --quiet
[ ! -s "$tmp/out" ] || fails=$((fails + 1))
expect 'doctor, usage' 2 "$edmm" doctor --need more
for f in "$dir"/../seeds/*; do
	expect "explain $f" 0 "$edmm" explain --json "$f"
	python3 -m json.tool <"$tmp/out" >/dev/null || fails=$((fails + 1))
	expect "explain $f" 0 "$edmm" explain "$f"
done
# EDMM off: what if it were on; nothing of that where it is on, or never can be.
for f in scone.env:enable a.manifest:true b.xml:0xFFFFFFFE; do
	name=${f%:*} word=${f#*:}
	case $name in
	*.env) echo SCONE_HEAP=1G ;;
	*.manifest) echo 'sgx.preheat_enclave = true' ;;
	*) echo '<EnclaveConfiguration/>' ;;
	esac >"$tmp/$name"
	expect "what if, $name" 0 "$edmm" explain "$tmp/$name"
	says "what if, $name" "^If EDMM were on (.*$word.*) it would start" \
		"$tmp/out"
	says "what if, $name" '^EDMM  *off  *off  *off  *on$' "$tmp/out"
	expect "what if, $name" 0 "$edmm" explain --json "$tmp/$name"
	says "what if, $name" '"if_edmm_were_on"' "$tmp/out"
done
printf 'SCONE_HEAP=1G\nSCONE_MIN_HEAP=2G\n' >"$tmp/scone.env"
expect 'what if it fails' 0 "$edmm" explain "$tmp/scone.env"
says 'what if it fails' 'were on.*would not start: SCONE_MIN_HEAP (2G) is above' \
	"$tmp/out"
for f in edmm.toml Occlum.json enclave.json app.manifest; do
	expect "no what if, $f" 0 "$edmm" explain "$dir/../seeds/$f"
	! grep 'If EDMM were on' "$tmp/out" || fails=$((fails + 1))
done
expect 'never' 0 "$edmm" explain "$dir/../seeds/enclave.conf"
says 'never' 'open-enclave has no EDMM' "$tmp/out"
# A name whose words the right one has: not the same name in another table.
expect 'hint' 1 "$edmm" check "$dir/gramine-types.manifest"
says 'hint' "'sys.brk.size'.*did you mean 'max_size'" "$tmp/out"
# What could not be read again is not written.
printf 'sgx.enclave_size = "1G"\nsys.stack.size = "0"\n' >"$tmp/least.manifest"
expect 'least, convert' 1 "$edmm" convert --to scone "$tmp/least.manifest" -
says 'least, convert' 'error: SCONE_STACK: 0 is too small' "$tmp/err"
# One answer of what checks and of what runs.
expect 'least, check' 1 "$edmm" check "$dir/scone-least.env"
expect 'least, run' 125 env SCONE_STACK=1K "$edmm" run --machine soft /bin/true
says 'least, run' 'SCONE_STACK: 1024 is too small' "$tmp/err"
[ "$fails" = 0 ]

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# settings.sh EDMM PROGRAM: how many threads there may be, what is kept of
# them, what they cost, and that all of it goes.
set -u
edmm=$1 program=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"
failed=0

fail()
{
	echo "$*" >&2
	cat "$tmp/out" "$tmp/err" >&2
	failed=1
}

run()
{
	"$edmm" run --machine soft "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
}

# Bytes that were committed at the end of the last run.
final()
{
	sed -n 's/.*"committed_final": *\([0-9]*\).*/\1/p' "$tmp/err"
}

# One more than the maximum is EAGAIN, and a line names the setting.
run --threads-max 64 "$program" crowd && fail "64 beside the first fit 64"
grep -q 'create: Resource temporarily unavailable' "$tmp/out" ||
	fail "no EAGAIN"
grep -q 'a thread beside 64 did not fit the maximum: --threads-max' \
	"$tmp/err" || fail "the setting is not named"
run --threads-max 65 "$program" crowd || fail "65 do not fit 65"
grep -q '^at once 64$' "$tmp/out" || fail "65: wrong answers"
run --edmm disable --heap-max 16M --contexts 4 "$program" crowd &&
	fail "a static image makes contexts"
grep -q 'did not fit the maximum: --contexts' "$tmp/err" ||
	fail "static: the setting is not named"
run --elrange 256M --threads-max 9000 "$program" crowd &&
	fail "9000 threads fit a range of 256 MiB"
grep -q 'raise --elrange' "$tmp/err" || fail "the range is not named"

# However many there were, what is there at the end is what the pool keeps,
# and those whose threads have been the last to look: 84 KiB each. Of makers'
# threads some may be on their way out still, whom nobody has joined.
run --heap-idle 0 --report=json "$program" none || fail "none"
without=$(final)
for pool in 0 3; do
	for what in crowd:1 makers:5; do
		last=${what#*:} what=${what%:*}
		run --heap-idle 0 --threads-pool $pool --report=json \
			"$program" "$what" || fail "$what, a pool of $pool"
		most=$((without + (pool + last) * 86016 + 65536))
		[ "$(final)" -le $most ] ||
			fail "$what: $(final) bytes stay, $without without"
	done
done
# What waits longer than it may goes while the program lives, and not before.
idle()
{
	run --heap-idle 0 --threads-pool 9 --threads-idle "$1" --report=json \
		"$program" idle 3 || fail "idle $1"
	final
}
never=$(idle 0) late=$(idle 60) soon=$(idle 1)
[ $((late - soon)) -ge $((8 * 86016)) ] && [ "$late" = "$never" ] ||
	fail "--threads-idle: $soon bytes, $late where it is long, $never where never"

# Threads until one is refused, and what refuses it by what each format has.
refused_at()
{
	run "$@" many 4300
	sed -n 's/^threads //p' "$tmp/out"
}
expect()
{
	got=$(refused_at --config "$tmp/$2" "$program")
	[ "$got" = "$1" ] || fail "$2: $got threads, not $1"
}
# One after the other costs no AEX, no page and no ioctl, but three entries, of the
# call that begins it, of the joiner's wait and of the thread; its way out wakes
# the joiner. Where processors are wanted by others there are some more: the least
# of a few runs counts.
count()
{
	sed -n "s/^ *\"$2\": *\([0-9]*\).*/\1/p" "$tmp/of.$1" | head -n 1
}
# Return: 0 where 1,000 pairs more cost no more than they should.
cost()
{
	for n in 100 1100; do
		run --report=json "$program" pairs $n || fail "pairs $n"
		cp "$tmp/err" "$tmp/of.$n"
	done
	for what in eenter:4500 eexit:4500 aex_kernel:0 aex_exception:0 \
		modify_types:0 remove_pages:0; do
		few=$(count 100 ${what%:*})
		many=$(count 1100 ${what%:*})
		[ $((many - few)) -le ${what#*:} ] || return 1
	done
}
cost || cost || cost || cost ||
	fail "$what: $few for 100 threads, $many for 1,100"

# A stack that is too small is named, and what makes it larger.
run "$program" deep && fail "no end to a stack"
grep -q "area  *guard of a thread's stack" "$tmp/err" &&
	grep -q 'stack size of the thread, which is 10[23][0-9] KiB' "$tmp/err" ||
	fail "the stack is not named"

# What the formats call them acts.
printf '[threads]\nmax = 64\n' >"$tmp/max.edmm.toml"
run --config "$tmp/max.edmm.toml" "$program" crowd && fail "threads.max"
grep -q 'a thread beside 64' "$tmp/err" || fail "threads.max is not named"
run --config "$tmp/max.edmm.toml" --threads-max 65 "$program" crowd ||
	fail "the option is not stronger than the file"
printf '[threads]\nmax = 60000\n' >"$tmp/max.edmm.toml"
run --config "$tmp/max.edmm.toml" "$program" crowd || fail "more than the range"
cat >"$tmp/Enclave.config.xml" <<-'EOF'
	<EnclaveConfiguration><TCSNum>2</TCSNum><TCSMaxNum>40</TCSMaxNum>
	<TCSMinPool>1</TCSMinPool></EnclaveConfiguration>
	EOF
run --config "$tmp/Enclave.config.xml" "$program" crowd && fail "TCSMaxNum"
grep -q 'a thread beside 40' "$tmp/err" || fail "TCSMaxNum is not named"
expect 40 Enclave.config.xml
printf '[threads]\nmax = 33\n' >"$tmp/max.edmm.toml"
expect 33 max.edmm.toml
cat >"$tmp/Enclave.config.xml" <<-'EOF'
	<EnclaveConfiguration><TCSNum>5</TCSNum></EnclaveConfiguration>
	EOF
expect 5 Enclave.config.xml
# Occlum's and Gramine's maximum is 4,096 at least, or at all.
cat >"$tmp/Occlum.json" <<-'EOF'
	{ "resource_limits": { "kernel_space_heap_size": "1MB",
	    "kernel_space_heap_max_size": "64MB",
	    "kernel_space_stack_size": "1MB", "user_space_size": "1MB",
	    "user_space_max_size": "64MB", "init_num_of_threads": 4,
	    "max_num_of_threads": 4200 },
	  "process": { "default_stack_size": "1MB",
	    "default_heap_size": "4MB", "default_mmap_size": "8MB" },
	  "entry_points": [ "/bin" ],
	  "env": { "default": [ "A=b" ], "untrusted": [] },
	  "feature": { "enable_edmm": true },
	  "metadata": { "product_id": 0, "version_number": 0,
	    "debuggable": true } }
	EOF
expect 4200 Occlum.json
printf 'sgx.edmm_enable = true\nsgx.max_threads = 24\nsgx.enclave_size = "4G"
libos.entrypoint = "/x"\n' >"$tmp/g.manifest"
expect 4096 g.manifest
exit $failed

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# async.sh EDMM NATIVE ENCLAVE: the same words and the same ends of both.
set -eu
edmm=$1 native=$2 enclave=$3
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :; rm -rf "$tmp"' EXIT
export XDG_CONFIG_HOME="$tmp/config"
mkfifo "$tmp/fifo"

# run SIDE ARGUMENT...
run()
{
	side=$1
	shift
	case $side in
	native) exec "$native" "$@" ;;
	inside) exec "$edmm" run --machine soft "$enclave" "$@" ;;
	esac
}

# words SIDE ARGUMENT...: what it says, and its status
words()
{
	(run "$@" 2>"$tmp/err") >"$tmp/$1" || echo "status $?" >>"$tmp/$1"
}

# told SIDE ARGUMENT... -- SIGNAL...: a signal each time that it is ready
told()
{
	side=$1
	args=
	shift
	while [ "$1" != -- ]; do
		args="$args $1"
		shift
	done
	shift
	: >"$tmp/$side"
	# shellcheck disable=SC2086
	(run "$side" $args >"$tmp/fifo" 2>"$tmp/err") &
	pid=$!
	exec 3<"$tmp/fifo"
	for sig; do
		while read -r line <&3; do
			echo "$line" >>"$tmp/$side"
			[ "$line" != ready ] || break
		done
		kill -TERM "$pid" 2>/dev/null || :
		sleep 0.1
		kill -"$sig" "$pid" 2>/dev/null || :
	done
	cat <&3 >>"$tmp/$side"
	exec 3<&-
	wait "$pid" || echo "status $?" >>"$tmp/$side"
	pid=
}

same()
{
	if ! diff "$tmp/native" "$tmp/inside"; then
		echo "$*: differs" >&2
		cat "$tmp/err" >&2
		exit 1
	fi
}

for what in all "end pipe" "end alarm" left; do
	for side in native inside; do
		# shellcheck disable=SC2086
		words $side $what
	done
	same "$what"
done
# The report takes longer than the timers do.
"$edmm" run --machine soft --report "$enclave" left >"$tmp/inside" 2>"$tmp/err" ||
	echo "status $?" >>"$tmp/inside"
same "left, with a report"
for side in native inside; do
	(
		trap '' HUP PIPE
		words $side inherited
	)
done
same inherited
for side in native inside; do
	told $side await -- USR1 HUP
done
same await
for how in wait spin; do
	for side in native inside; do
		told $side end $how -- USR2
	done
	same "end $how"
done

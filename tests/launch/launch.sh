#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# edmm sim with programs that no library is preloaded for.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
export EDMM_MACHINE_QUIET=1

# The same answers as without the machine, but for the program's own name.
same_as_native() {
	program=$BUILD/bin/$1
	shift
	"$program" one 'two words' >native 2>&1
	native=$?
	"$@" "$program" one 'two words' >ours 2>&1
	ours=$?
	[ $ours = $native ] || fail "$program: status $ours, not $native"
	diff native ours >difference || fail "$program: $(cat difference)"
}
same_as_native launch_actor edmm sim
same_as_native launch_actor_pie edmm sim
same_as_native launch_actor_dynamic edmm sim
same_as_native launch_actor_dynamic edmm sim --set raw=1
# From a shell, with and without its environment, and by its own PATH.
same_as_native launch_actor edmm sim sh -c '"$@"' sh
same_as_native launch_actor edmm sim env
same_as_native launch_actor edmm sim env -i

# The new program has the machine, whoever has cleared the environment.
for p in launch_device launch_device_raw; do
	run 0 edmm sim "$BUILD/bin/$p"
	run 0 edmm sim env -i "$BUILD/bin/$p"
	run 0 edmm sim sh -c "env -i '$BUILD/bin/$p'"
	run 0 edmm sim --set raw=1 sh -c "env -i sh -c '$BUILD/bin/$p'"
	run 1 "$BUILD/bin/$p"
done
run 1 edmm sim --set raw=0 "$BUILD/bin/launch_device_raw"
PATH=$BUILD/bin:$PATH run 0 edmm sim launch_device

# What cannot be started gets one line.
cp "$BUILD/bin/launch_device" plain && chmod -x plain
bad 125 'plain: cannot be started: Permission denied' edmm sim ./plain
printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000' >arm
printf '\002\000\267\000\001\000\000\000' >>arm
head -c 4096 /dev/zero >>arm
chmod +x arm
bad 125 'arm: not a program for x86-64' edmm sim ./arm
head -c 3000 "$BUILD/bin/launch_device" >cut && chmod +x cut
bad 125 'cut: is cut short' edmm sim ./cut
bad 125 'is a part of edmm sim' "$BUILD/lib/edmm/edmm-launch"
finish

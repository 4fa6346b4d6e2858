# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Sourced by the builds of others' sources, with DOWNLOAD, WORK and PREFIX of the
# command line. unpack PACKAGE: its source package lies unpacked in $src. What is
# said goes to WORK/log, whose end is shown where the build fails; then PREFIX
# goes, too.
download=$1 work=$2 prefix=$3
src=$work/src

unpack() {
	rm -rf "$work" "$prefix"
	mkdir -p "$work"
	trap '[ $? = 0 ] || { tail -30 "$work/log" >&3; rm -rf "$prefix"; }' EXIT
	exec 3>&2 >"$work/log" 2>&1
	# apt-get has checked the package against the archive's signed index.
	dpkg-source --no-check -x "$download/$1"_*.dsc "$src"
}

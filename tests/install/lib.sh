# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Sourced with $1, the build folder: installs it with DESTDIR, as for /opt/edmm,
# and moves what came to $prefix; PATH has its commands and none of the build's.
set -eu
BUILD=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
HOME=$tmp/home
XDG_CONFIG_HOME=$tmp/config
export HOME XDG_CONFIG_HOME
unset LD_PRELOAD EDMM_MACHINE CPATH LIBRARY_PATH
mkdir "$HOME"

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# The manifest is the last `make install`'s.
manifest=$BUILD/install_manifest.txt
[ ! -f "$manifest" ] || cp -p "$manifest" "$tmp/manifest"
umask 077
# shellcheck disable=SC2154  # of who sources
make -s -C "$here/../.." lay BUILD="$BUILD" DESTDIR="$tmp/stage" PREFIX=/opt/edmm
umask 022
rm -f "$manifest"
[ ! -f "$tmp/manifest" ] || mv "$tmp/manifest" "$manifest"
[ "$(ls "$tmp/stage" "$tmp/stage/opt")" = "$tmp/stage:
opt

$tmp/stage/opt:
edmm" ] || fail "files beside the prefix: $(find "$tmp/stage" -maxdepth 3)"
prefix=$tmp/some/where
mkdir "$tmp/some"
mv "$tmp/stage/opt/edmm" "$prefix"
PATH=$prefix/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

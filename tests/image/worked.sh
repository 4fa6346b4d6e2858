#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Prints the three worked values of test_image.c: the blocks are spelled out
# here byte by byte, from the SDM's text, and hashed by sha256sum.
set -eu
zeros() { head -c "$1" /dev/zero; }
u64() { # little-endian
	n=$1; i=0
	while [ $i -lt 8 ]; do
		# shellcheck disable=SC2059  # an octal escape is wanted
		printf "\\$(printf %03o $((n & 255)))"; n=$((n >> 8)); i=$((i + 1))
	done
}
create() { # SSAFRAMESIZE 3, SIZE 0x10000
	printf 'ECREATE\0\003\0\0\0'; u64 65536; zeros 44
}
zero_page() { # at 0x1000, R|W, REG, 16 chunks of zeros
	printf 'EADD\0\0\0\0'; u64 4096; u64 $((0x203)); zeros 40
	at=4096
	while [ $at -lt 8192 ]; do
		printf 'EEXTEND\0'; u64 $at; zeros 48; zeros 256
		at=$((at + 256))
	done
}
tcs() { # at 0x3000, no rights, TCS, not extended
	printf 'EADD\0\0\0\0'; u64 12288; u64 $((0x100)); zeros 40
}
create | sha256sum
{ create; zero_page; } | sha256sum
{ create; zero_page; tcs; } | sha256sum

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A second opinion on identities, written from the SDM alone.

oracle.py measure PROGRAM LAYOUT: MRENCLAVE of an ELF file and the layout page
that its enclave has, in hex. LAYOUT is a file of 4096 bytes.

oracle.py sigstruct FILE: checks a SIGSTRUCT of 1808 bytes as EINIT does, with
Python's integers, and prints ENCLAVEHASH and MRSIGNER.

Nothing of the C code is used: ELF headers are read with struct, pages are
built in a dictionary, and runs do not exist here.
"""
import hashlib
import struct
import sys

PAGE = 4096
REG, TCS = 2 << 8, 1 << 8


def fail(text):
    sys.exit("oracle: " + text)


def without_places(elf):
    """ELF with zeros where the section headers are told, and as build id."""
    elf = bytearray(elf)
    phoff, = struct.unpack_from("<Q", elf, 32)
    phnum, = struct.unpack_from("<H", elf, 56)
    for i in range(phnum):
        typ, _, off, _, _, size = struct.unpack_from("<IIQQQQ", elf,
                                                     phoff + 56 * i)
        end = off + size
        while typ == 4 and end <= PAGE and off + 12 <= end:
            name, desc, kind = struct.unpack_from("<III", elf, off)
            at = off + 12 + (name + 3 & ~3)
            if kind == 3 and elf[off + 12:off + 12 + name] == b"GNU\0":
                elf[at:at + desc] = bytes(desc)
            off = at + (desc + 3 & ~3)
    elf[40:48] = bytes(8)
    elf[58:64] = bytes(6)
    return bytes(elf)


def elf_pages(elf, layout):
    """{offset: (content, secinfo flags)} of the loadable segments."""
    pages = {}
    loaded = without_places(elf)
    phoff, = struct.unpack_from("<Q", elf, 32)
    shoff, = struct.unpack_from("<Q", elf, 40)
    entry, = struct.unpack_from("<Q", elf, 24)
    phnum, = struct.unpack_from("<H", elf, 56)
    shnum, strndx = struct.unpack_from("<HH", elf, 60)
    for i in range(phnum):
        typ, flags, off, vaddr, _, filesz, memsz, _ = struct.unpack_from(
            "<IIQQQQQQ", elf, phoff + 56 * i)
        if typ != 1 or not memsz:
            continue
        rwx = (flags & 4) >> 2 | (flags & 2) | (flags & 1) << 2
        image = bytearray(vaddr % PAGE) + loaded[off:off + filesz]
        image += bytes(vaddr % PAGE + memsz - len(image))
        image += bytes(-len(image) % PAGE)
        first = vaddr - vaddr % PAGE
        for at in range(0, len(image), PAGE):
            pages[first + at] = (bytes(image[at:at + PAGE]), REG | rwx)
    names = struct.unpack_from("<IIQQQQ", elf, shoff + 64 * strndx)[4]
    for i in range(shnum):
        name, _, _, addr = struct.unpack_from("<IIQQ", elf, shoff + 64 * i)
        end = elf.index(0, names + name)
        if elf[names + name:end] == b".edmm.layout":
            pages[addr] = (layout, pages[addr][1])
    return pages, entry


def measure(elf, layout):
    (_, _, flags, elrange, _) = struct.unpack_from("<QIIQQ", layout, 0)
    frame, nssa = struct.unpack_from("<II", layout, 32)
    ctx, stride = struct.unpack_from("<QQ", layout, 40)
    count, = struct.unpack_from("<I", layout, 56)
    ssa, thread, thread_size, xstack, xstack_size = struct.unpack_from(
        "<QQQQQ", layout, 64)
    stack, stack_size, stack_init = struct.unpack_from("<QQQ", layout, 104)
    meta, _, meta_init = struct.unpack_from("<QQQ", layout, 128)
    heap, _, heap_init = struct.unpack_from("<QQQ", layout, 152)
    sys_stack, sys_size = struct.unpack_from("<QQ", layout, 192)
    pages, entry = elf_pages(elf, layout)
    unmeasured = set()

    def zeros(off, size, measured=True):
        for at in range(off, off + size, PAGE):
            pages[at] = (bytes(PAGE), REG | 3)
            if not measured:
                unmeasured.add(at)

    for i in range(count):
        base = ctx + i * stride
        tcs = struct.pack("<QQQIIQQQQII", 0, 0, base + ssa, 0, nssa, entry, 0,
                          base + thread, base + thread, 0xfff, 0xfff)
        pages[base] = (tcs + bytes(PAGE - len(tcs)), TCS)
        zeros(base + ssa, nssa * frame * PAGE)
        zeros(base + thread, thread_size)
        zeros(base + xstack, xstack_size)
        zeros(base + sys_stack, sys_size)
    zeros(stack + stack_size - stack_init, stack_init)
    zeros(meta, meta_init)
    zeros(heap, heap_init, not flags & 8)

    h = hashlib.sha256(struct.pack("<8sIQ44x", b"ECREATE\0", frame, elrange))
    for off in sorted(pages):
        content, secinfo = pages[off]
        h.update(struct.pack("<8sQQ40x", b"EADD\0\0\0\0", off, secinfo))
        if off in unmeasured:
            continue
        for at in range(0, PAGE, 256):
            h.update(struct.pack("<8sQ48x", b"EEXTEND\0", off + at))
            h.update(content[at:at + 256])
    return h.hexdigest()


def sigstruct(s):
    if len(s) != 1808:
        fail("SIGSTRUCT of %d bytes" % len(s))
    n, sig, q1, q2 = (int.from_bytes(s[at:at + 384], "little")
                      for at in (128, 516, 1040, 1424))
    if struct.unpack_from("<I", s, 512)[0] != 3 or n.bit_length() != 3072:
        fail("not a key of SGX")
    if q1 != sig * sig // n or q2 != (sig ** 3 - q1 * sig * n) // n:
        fail("Q1 or Q2")
    digest = hashlib.sha256(s[:128] + s[900:1028]).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    padded = b"\0\1" + b"\xff" * (384 - 3 - len(info)) + b"\0" + info
    if pow(sig, 3, n) != int.from_bytes(padded, "big"):
        fail("signature")
    return s[960:992].hex() + " " + hashlib.sha256(s[128:512]).hexdigest()


def main(argv):
    if len(argv) == 4 and argv[1] == "measure":
        with open(argv[2], "rb") as f, open(argv[3], "rb") as g:
            print(measure(f.read(), g.read()))
    elif len(argv) == 3 and argv[1] == "sigstruct":
        with open(argv[2], "rb") as f:
            print(sigstruct(f.read()))
    else:
        fail("measure PROGRAM LAYOUT, or sigstruct FILE")


main(sys.argv)

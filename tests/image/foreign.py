#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Enclaves of other projects' formats, made up, with what they measure.

foreign.py KEY DIR: writes into DIR, for the RSA key KEY,
  NAME.signed.so  in the form of Intel's SDK, one for each case below
  NAME.sgxs       the same pages as a stream, where they are in order
  NAME.pages, NAME.bin  the same pages as a list
  NAME.hash       MRENCLAVE of it all
Nothing of the C code is used. The form is that of Intel's metadata.h and of
its loader; no file of theirs is in this tree.
"""
import hashlib
import os
import struct
import subprocess
import sys

PAGE = 4096
R, W, X, REG, TCS = 1, 2, 4, 2 << 8, 1 << 8
EADD, EEXTEND = 1, 2
HEAP, ID_TCS, TD, SSA, STACK, GUARD, DYN_TCS = 2, 4, 5, 6, 7, 10, 14
GROUP = 0x1009
MAGIC = 0x86A80294635D0E4C


class Pages:
    """What is EADDed, in order: (offset, secinfo, content, measured)."""

    def __init__(self):
        self.list = []

    def add(self, off, secinfo, content, measured=True):
        assert len(content) == PAGE and off % PAGE == 0
        self.list.append((off, secinfo, content, measured))

    def blocks(self, size, frame, unmeasured=False):
        yield struct.pack("<8sIQ44x", b"ECREATE\0", frame, size)
        for off, secinfo, content, measured in self.list:
            yield struct.pack("<8sQQ40x", b"EADD\0\0\0\0", off, secinfo)
            if not measured and not unmeasured:
                continue
            for at in range(0, PAGE, 256):
                tag = b"EEXTEND\0" if measured else b"UNMEASRD"
                yield struct.pack("<8sQ48x", tag, off + at)
                yield content[at:at + 256]

    def mrenclave(self, size, frame):
        return hashlib.sha256(b"".join(self.blocks(size, frame))).digest()


def sigstruct(key, mrenclave):
    head = struct.pack("<16sII16sI84x",
                       bytes.fromhex("06000000e10000000000010000000000"),
                       0, 0x20260921,
                       bytes.fromhex("01010000600000006000000001000000"), 0)
    body = struct.pack("<II20xQQQQ32s32xHH", 0, 0xffffffff, 4, 3,
                       0xffffffffffffffff, 0xffffffffffffff1b, mrenclave,
                       7, 2)
    assert len(head) == 128 and len(body) == 128
    out = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key],
                         input=head + body, check=True, capture_output=True)
    mod = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"],
                         check=True, capture_output=True).stdout
    n, s = int(mod.split(b"=")[1], 16), int.from_bytes(out.stdout, "big")
    q1 = s * s // n
    q2 = (s ** 3 - q1 * s * n) // n
    little = [x.to_bytes(384, "little") for x in (n, s, q1, q2)]
    sig = (head + little[0] + struct.pack("<I", 3) + little[1] + body +
           bytes(12) + little[2] + little[3])
    assert len(sig) == 1808
    return sig


def entry(ident, attributes, count, rva, secinfo, size=0, off=0):
    return struct.pack("<HHIQIIQ", ident, attributes, count, rva, size, off,
                       secinfo)


def group(count, times, step):
    return struct.pack("<HHIQ16x", GROUP, count, times, step)


class Enclave:
    """Two segments, text relocations on wish, a heap, threads in a group."""
    SIZE = 0x100000
    CODE, DATA, BSS = 0x3000, 0x5010, 0x3800
    STEP = 0x10000

    def __init__(self, version, textrel=False, elrange=None, threads=2):
        self.version, self.textrel = version, textrel
        self.elrange, self.threads = elrange, threads
        self.frame = 2
        self.shift = elrange[0] - elrange[1] if elrange else 0
        self.code = bytearray(os.urandom(self.CODE))
        self.data = bytearray(b"initialised data " * 99)

    def content(self):
        """Metadata's data part, and the patch in it."""
        tcs = struct.pack("<QQQIIQQQQII", 0, 0, 0x1000, 0, 2, 0x1230, 0,
                          0x3000, 0x3000, 0xfff, 0xfff)
        tls = b"thread data, then zeros"
        patch = b"patched!"
        return tcs, tls, patch

    def metadata(self, sig):
        tcs, tls, patch = self.content()
        base = 1904
        blob = tcs + tls + patch
        where = [base, base + len(tcs), base + len(tcs) + len(tls)]
        blob += bytes(-len(blob) % 8)
        patches = struct.pack("<QII16x", self.data_off + 16, where[2],
                              len(patch))
        at = 0x20000
        lay = entry(HEAP, EADD, 4, 0x10000, REG | R | W)
        lay += entry(3, 0, 64, 0x14000, REG | R | W)      # not added
        lay += entry(GUARD, 0, 1, at, 0)
        lay += entry(STACK, EADD | EEXTEND, 3, at + 0x1000, REG | R | W,
                     0xcccccccc)
        lay += entry(ID_TCS, EADD | EEXTEND, 1, at + 0x5000, TCS, len(tcs),
                     where[0])
        lay += entry(SSA, EADD | EEXTEND, 2, at + 0x6000, REG | R | W)
        lay += entry(TD, EADD | EEXTEND, 2, at + 0x8000, REG | R | W,
                     len(tls), where[1])
        if self.threads > 1:
            lay += group(5, self.threads - 1, self.STEP)
        lay += entry(DYN_TCS, 1 << 3, 1, 0x80000, TCS, len(tcs), where[0])
        el = b""
        if self.elrange:
            el = struct.pack("<QQQ", *self.elrange)
        dirs, at = [], base + len(blob)
        for d in (patches, lay, el):
            dirs += [at if d else 0, len(d)]
            at += len(d)
        out = struct.pack("<QQIIIIIIQQQ", MAGIC, self.version,
                          at + 64, 1, self.frame, 0xa48, 0, 0, self.SIZE, 4,
                          3)
        out += sig + struct.pack("<8I", *(dirs + [0, 0]))
        out += blob + patches + lay + el
        return out + bytes(64)

    def pages(self):
        tcs, tls, patch = self.content()
        data = bytearray(self.data)
        data[16:16 + len(patch)] = patch
        p = Pages()
        code = bytes(self.elf_head) + bytes(
            self.code[len(self.elf_head):]) + bytes(-self.CODE % PAGE)
        for off in range(0, len(code), PAGE):
            wr = W if self.textrel and off in (PAGE, 2 * PAGE) else 0
            p.add(self.shift + off, REG | R | X | wr, code[off:off + PAGE])
        mem = bytes(self.DATA % PAGE) + bytes(data)
        mem += bytes(self.DATA % PAGE + self.BSS - len(mem))
        mem += bytes(-len(mem) % PAGE)
        first = self.shift + self.DATA - self.DATA % PAGE
        for off in range(0, len(mem), PAGE):
            p.add(first + off, REG | R | W, mem[off:off + PAGE])
        for i in range(4):
            p.add(self.shift + 0x10000 + i * PAGE, REG | R | W, bytes(PAGE),
                  False)
        for t in range(self.threads):
            at = self.shift + 0x20000 + t * self.STEP
            for i in range(3):
                p.add(at + 0x1000 + i * PAGE, REG | R | W, b"\xcc" * PAGE)
            tcs_at = at + 0x5000
            words = list(struct.unpack("<QQQIIQQQQII", tcs))
            for k in (2, 7, 8):
                # The loader knows the image's addresses only.
                words[k] += tcs_at - self.shift
            page = struct.pack("<QQQIIQQQQII", *words)
            p.add(tcs_at, TCS, page + bytes(PAGE - len(page)))
            for i in range(2):
                p.add(at + 0x6000 + i * PAGE, REG | R | W, bytes(PAGE))
            td = tls + bytes(2 * PAGE - len(tls))
            for i in range(2):
                p.add(at + 0x8000 + i * PAGE, REG | R | W,
                      td[i * PAGE:(i + 1) * PAGE])
        return p

    def elf(self, metas):
        """The headers lie in the first segment, as linkers have it."""
        self.data_off = 0x4000 + self.DATA % PAGE
        dyn = struct.pack("<QQ", 7, 0x800) + struct.pack("<QQ", 8, 24 * 2)
        if self.textrel:
            dyn += struct.pack("<QQ", 22, 0)
        dyn += struct.pack("<QQ", 0, 0)
        # One relocation across the end of page 1, one that is R_NONE.
        rela = struct.pack("<QQq", 2 * PAGE - 4, 8, 1)
        rela += struct.pack("<QQq", 0x10, 0, 0)
        self.code[0x800:0x800 + len(rela)] = rela
        self.code[0xa00:0xa00 + len(dyn)] = dyn
        note = struct.pack("<III13s", 13, sum(map(len, metas)), 1,
                           b"sgx_metadata\0") + b"".join(metas)
        note += bytes(-len(note) % 4)
        note_off = 0x6000
        names = b"\0.note.sgxmeta\0.shstrtab\0"
        names_off = note_off + len(note)
        sh_off = (names_off + len(names) + 7) & ~7
        head = struct.pack("<16sHHIQQQIHHHHHH",
                           b"\x7fELF\2\1\1" + bytes(9), 3, 62, 1, 0x1230, 64,
                           sh_off, 0, 64, 56, 4, 64, 3, 2)
        head += struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, self.CODE, self.CODE,
                            PAGE)
        head += struct.pack("<IIQQQQQQ", 1, 6, self.data_off, self.DATA,
                            self.DATA, len(self.data), self.BSS, PAGE)
        head += struct.pack("<IIQQQQQQ", 2, 6, 0xa00, 0xa00, 0xa00, len(dyn),
                            len(dyn), 8)
        head += struct.pack("<IIQQQQQQ", 4, 4, note_off, 0, 0, len(note),
                            len(note), 4)
        self.elf_head = head
        out = bytearray(head + self.code[len(head):])
        out += bytes(self.data_off - len(out)) + self.data
        out += bytes(note_off - len(out)) + note + names
        out += bytes(sh_off - len(out))
        out += bytes(64)
        out += struct.pack("<IIQQQQIIQQ", 1, 7, 2, 0, note_off, len(note), 0,
                           0, 4, 0)
        out += struct.pack("<IIQQQQIIQQ", 15, 3, 0, 0, names_off, len(names),
                           0, 0, 1, 0)
        return bytes(out)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def write_case(name, e, key, folder, older=()):
    # The headers depend on the notes' size only, so twice is enough.
    def metas(sig):
        out = []
        for version in (e.version,) + tuple(older):
            keep, e.version = e.version, version
            out.append(e.metadata(sig))
            e.version = keep
        return out

    e.elf_head, e.data_off = b"", 0x4000 + e.DATA % PAGE
    e.elf(metas(bytes(1808)))
    size = e.elrange[2] if e.elrange else e.SIZE
    pages = e.pages()
    mr = pages.mrenclave(size, e.frame)
    sig = sigstruct(key, mr)
    path = os.path.join(folder, name)
    write(path + ".signed.so", e.elf(metas(sig)))
    write(path + ".sig", sig)
    write(path + ".hash", mr.hex().encode() + b"\n")
    write(path + ".sgxs", b"".join(pages.blocks(size, e.frame, True)))
    write(path + ".bin", b"".join(p[2] for p in pages.list))
    with open(path + ".pages", "w", encoding="ascii") as f:
        f.write("edmm-pages 1\n# the same\nelrange 0x%x\nssaframe %d\n" %
                (size, e.frame))
        for i, (off, secinfo, _, measured) in enumerate(pages.list):
            flags = "TCS" if secinfo == TCS else "".join(
                c if secinfo & b else "-" for c, b in
                (("R", R), ("W", W), ("X", X)))
            f.write("0x%x %s %s.bin@0x%x %smeasured\n" % (
                off, flags, name, i * PAGE, "" if measured else "un"))


def main(key, folder):
    old = 1 << 32 | 4
    write_case("plain", Enclave(old), key, folder)
    write_case("textrel", Enclave(1 << 32 | 5, textrel=True), key, folder)
    write_case("several", Enclave(2 << 32 | 4, threads=3), key, folder,
               (2 << 32 | 1, old))
    write_case("edmm", Enclave(3 << 32 | 3, threads=1), key, folder)
    write_case("elrange", Enclave(13 << 32 | 3,
                                  elrange=(0x40000, 0, 0x400000)),
               key, folder)


main(*sys.argv[1:])

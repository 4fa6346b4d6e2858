#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does what a document says, and compares what comes with what it shows.

  document.py DOCUMENT        commands as PATH finds them

In an empty folder that is HOME's as well. A ```c block is the file whose
`NAME.c` stands last before it. In an indented block, "$ COMMAND" runs, all of
them in one shell, and the lines below are its output on both streams; a line
"..." stands for any lines. What may differ on another machine is compared by
its kind: a time by being one, a count or size within a quarter, a share within
5 %, a hash by always standing for the same other one. Both lines that `edmm run`
begins with are left out where the document leaves them out; what tells of
progress comes on a slow machine only, and is no output. Exit status 1 if anything
differs.
"""
import os
import re
import subprocess
import sys
import tempfile

WITHIN = 0.25
SHARE = 5
LEFT_OUT = re.compile(r"edmm: (?:\S+ is not signed: |software SGX machine: )")
PROGRESS = re.compile(r"edmm: report: starting a static image ")
# What bash says of a command that a signal ended, at a terminal and in a script.
ENDED = re.compile(r"^\S*bash: (?:line \d+: +)?\d+ ([A-Z][a-z ]+?)  .*$")
TOKEN = re.compile(
    r"(?P<hash>\b[0-9a-f]{64}\b)"
    r"|(?P<place>\+0x[0-9a-f]+)"
    r"|(?P<time>[\d,.]+ (?:us|ms|s|min)\b)"
    r"|(?P<times>[\d,.]+(?= times as long))"
    r"|(?P<share>[\d.]+(?= %))"
    r"|(?P<number>\d[\d,]*(?:\.\d+)?)")


class Different(Exception):
    pass


def read(path):
    """[(number of the line, "file", name, text) or (.., "run", command, lines)]"""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    steps, name, i = [], None, 0
    while i < len(lines):
        line = lines[i]
        named = re.findall(r"`([\w-]+\.c)`", line)
        name = named[-1] if named else name
        if line == "```c":
            end = lines.index("```", i)
            steps.append((i, "file", name, "\n".join(lines[i + 1:end]) + "\n"))
            i = end
        elif line.startswith("    $ "):
            steps.append((i, "run", line[6:], []))
        elif line.startswith("    ") and steps and lines[i - 1].startswith("    "):
            if steps[-1][1] == "run":
                steps[-1][3].append(line[4:])
        i += 1
    return steps


class Shell:
    def __init__(self, home):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("EDMM_", "XDG_")) and k != "LD_PRELOAD"}
        env["HOME"] = self.home = home
        self.p = subprocess.Popen(
            ["bash"], cwd=home, env=env, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        """Its lines; the next command has its status in $?."""
        self.p.stdin.write(f"{command}\n(s=$?; echo; echo '=== '; exit $s)\n")
        self.p.stdin.flush()
        lines = []
        for line in self.p.stdout:
            if line == "=== \n":
                break
            lines.append(line.rstrip("\n").replace(self.home, "~"))
        return [ENDED.sub(r"\1", s) for s in lines[:-1]]


def same(want, have, hashes):
    """Raises Different where two lines differ in more than may be."""
    wants, haves = list(TOKEN.finditer(want)), list(TOKEN.finditer(have))
    if (re.sub(r" +", " ", TOKEN.sub("#", want)) !=
            re.sub(r" +", " ", TOKEN.sub("#", have)) or
            [m.lastgroup for m in wants] != [m.lastgroup for m in haves]):
        raise Different("other words")
    for w, h in zip(wants, haves):
        if w.lastgroup == "hash":
            if hashes.setdefault(w.group(), h.group()) != h.group():
                raise Different(f"{w.group()[:8]}... is another hash here")
        elif w.lastgroup in ("number", "share"):
            a, b = (float(m.group().replace(",", "")) for m in (w, h))
            most = SHARE if w.lastgroup == "share" else WITHIN * max(a, b)
            if abs(a - b) > most:
                raise Different(f"{h.group()} for {w.group()}")


def compare(want, have, hashes):
    have = [s for s in have if not PROGRESS.match(s)]
    if not any(LEFT_OUT.match(s) for s in want):
        have = [s for s in have if not LEFT_OUT.match(s)]
    if want and want[-1].strip() == "...":
        want = want[:-1]
        have = have[:len(want)]
    for w, h in zip(want, have):
        try:
            same(w, h, hashes)
        except Different as e:
            raise Different(f"{e}:\n- {w}\n+ {h}") from e
    if len(want) != len(have):
        raise Different("lines:\n" + "\n".join(
            ["- " + s for s in want[len(have):]] +
            ["+ " + s for s in have[len(want):]]))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: document.py DOCUMENT")
    path = sys.argv[1]
    steps = read(path)
    bad, hashes = 0, {}
    with tempfile.TemporaryDirectory() as home:
        shell = Shell(home)
        for number, kind, what, content in steps:
            if kind == "file":
                with open(os.path.join(home, what), "w",
                          encoding="utf-8") as f:
                    f.write(content)
                continue
            try:
                compare(content, shell.run(what), hashes)
            except Different as e:
                print(f"{path}:{number + 1}: $ {what}: {e}")
                bad += 1
        shell.p.stdin.close()
        shell.p.wait()
    runs = sum(kind == "run" for _, kind, *_ in steps)
    if len(set(hashes.values())) != len(hashes):
        print(f"{path}: hashes that should differ are equal")
        bad += 1
    print(f"document: {runs} commands, {bad} wrong")
    return 1 if bad or not runs else 0


sys.exit(main())

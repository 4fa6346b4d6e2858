#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""drive.py EDMM NATIVE ENCLAVE [--seed N] [--steps N] [--seconds N] [SCRIPT...]

Random signals and faults (script.c), natively and in an enclave: each word of
what main.c tells must be the same, and so must the signal that ends it, after
which the next script goes on. The first script that differs is shrunk, shown
and kept; SCRIPT... are such files, which are run instead."""

import argparse
import os
import subprocess
import sys
import tempfile
import time

BATCH = 100
HANGS = 20 # seconds


class Side:
    """One of both ways to run it."""

    def __init__(self, command, env):
        self.command = command
        self.env = env

    def run(self, *args):
        """What it told, and how it ended."""
        with tempfile.TemporaryFile() as out:
            try:
                status = subprocess.run(
                    self.command + list(args), env=self.env, stdout=out,
                    stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    timeout=HANGS, check=False).returncode
            except subprocess.TimeoutExpired:
                status = "a hang"
            out.seek(0)
            return out.read().decode(errors="replace"), status


class Batch:
    """Scripts [first, first + count) of one side, ends and all."""

    def __init__(self, side, seed, avx):
        self.side, self.seed, self.avx = side, seed, avx
        self.ends = 0

    def told(self, first, count):
        """number -> (its lines, how it ended)"""
        scripts, at, last = {}, first, first + count
        while at < last:
            text, status = self.side.run("run", str(self.seed), str(at),
                                         str(last - at), self.avx)
            parts = text.split("script ")[1:]
            if not parts:
                raise SystemExit(f"signals: {self.side.command}: status "
                                 f"{status} at script {at}, and no word")
            for part in parts:
                number, lines = part.split("\n", 1)
                at = int(number)
                scripts[at] = (lines.removesuffix("end\n"), 0)
            if status:
                scripts[at] = (scripts[at][0], status)
                self.ends += 1
            at += 1
        return scripts


def run_script(sides, lines, avx):
    """The same script on each side, from a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".script") as f:
        f.write("".join(lines))
        f.flush()
        return [side.run("script", f.name, avx) for side in sides]


def differs(sides, lines, avx):
    """Are both sides' answers to a script unlike?"""
    native, inside = run_script(sides, lines, avx)
    return native != inside


def shrink(sides, lines, avx):
    """Fewer lines that still differ: one after the other is left out."""
    if not differs(sides, lines, avx):
        return None
    again = True
    while again:
        again = False
        for i in reversed(range(len(lines))):
            fewer = lines[:i] + lines[i + 1:]
            if differs(sides, fewer, avx):
                lines, again = fewer, True
    return lines


def show(sides, lines, avx):
    """A script, and both answers."""
    native, inside = run_script(sides, lines, avx)
    print("".join(lines), end="")
    for name, (text, status) in (("natively", native), ("inside", inside)):
        print(f"--- {name}: ends with {status}\n{text}", end="")


def report(sides, seed, number, avx, told):
    """The end: what differs, as small as it gets."""
    print(f"signals: script {number} of seed {seed} differs; to repeat:\n"
          f"  {' '.join(sides[0].command)} print {seed} {number} >x.script\n"
          f"  {sys.argv[0]} ... x.script")
    text, _ = sides[0].run("print", str(seed), str(number))
    lines = shrink(sides, text.splitlines(keepends=True), avx)
    if lines is None:
        print("alone it does not differ; natively:\n" + told[0][0] +
              f"{told[0][1]}\ninside:\n" + told[1][0] + f"{told[1][1]}")
        return
    show(sides, lines, avx)
    kept = os.path.join(tempfile.gettempdir(),
                        f"signals-{seed}-{number}.script")
    with open(kept, "w", encoding="ascii") as f:
        f.writelines(lines)
    print(f"signals: kept in {kept}")


def random_scripts(args, sides, avx):
    """Until enough steps are made, or time is out."""
    batches = [Batch(side, args.seed, avx) for side in sides]
    end = time.monotonic() + args.seconds
    steps = number = 0
    while steps < args.steps and time.monotonic() < end:
        native, inside = [b.told(number, BATCH) for b in batches]
        for n in range(number, number + BATCH):
            if native[n] != inside[n]:
                report(sides, args.seed, n, avx, (native[n], inside[n]))
                return 1
            steps += native[n][0].count("\n  = ")
        number += BATCH
    print(f"signals: {steps} steps in {number} scripts are the same, of which "
          f"{batches[0].ends} ended by a signal")
    return 0


def main():
    """See above."""
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("edmm")
    a.add_argument("native")
    a.add_argument("enclave")
    a.add_argument("scripts", nargs="*")
    a.add_argument("--seed", type=int, default=int(time.time()))
    a.add_argument("--steps", type=int, default=10**9)
    a.add_argument("--seconds", type=float, default=10**9)
    a.add_argument("--options", default="")
    args = a.parse_args()
    print(f"signals: --seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CONFIG_HOME=tmp)
        sides = [Side([args.native], env),
                 Side([args.edmm, "run", "--machine", "soft"] +
                      args.options.split() + [args.enclave], env)]
        probes = [side.run("probe")[0].strip() for side in sides]
        avx = min(probes)
        if not args.scripts:
            return random_scripts(args, sides, avx)
        for name in args.scripts:
            with open(name, encoding="ascii") as f:
                lines = f.readlines()
            if differs(sides, lines, avx):
                show(sides, lines, avx)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

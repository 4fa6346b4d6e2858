#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""conform.py EDMM GLIBC MUSL ENCLAVE [--only SIDE]... [CASE...]

The conformance set of threads and signals: natively with glibc and with musl,
and in an enclave, elastic, where contexts are made, and static. Each case has to
say POSIX's words. One that hangs or ends the process is told by its name, and
the next goes on."""

import argparse
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

HANGS = 60 # seconds that a case may take
RUN = ["run", "--machine", "soft", "--heap-max", "64M"]


def how(status):
    """A status as cases of ends.c name it."""
    if status >= 0:
        return f"status {status}"
    # C libraries keep a few of the first to themselves.
    if -status in (34, 35):
        return "SIGRTMIN"
    return signal.Signals(-status).name


class Side:
    """One of the ways to run it."""

    def __init__(self, name, command, env):
        self.name, self.command, self.env = name, command, env

    def start(self, args):
        return subprocess.Popen(
            self.command + args, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def read(self, args):
        """All that it tells, and how it ended; a line may take HANGS."""
        child, text = self.start(args), b""
        until = time.monotonic() + HANGS
        end = None
        while end is None:
            left = until - time.monotonic()
            if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
                end = "hangs"
                break
            more = os.read(child.stdout.fileno(), 65536)
            if not more:
                end = how(child.wait())
            if b"\n" in more:
                until = time.monotonic() + HANGS
            text += more
        if end == "hangs":
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        child.stdout.close()
        return text.decode(errors="replace"), end

    def own(self, name):
        text, end = self.read([name])
        return f"{text.strip()} {end}"

    def one(self, name):
        text, end = self.read([name])
        return text[:-1] if text.endswith("\n") else f"{text} {end}"

    def all(self, names):
        """name -> what was told"""
        told, todo = {}, list(names)
        while todo:
            text, end = self.read(["--from", todo[0]])
            lines = text.split("\n")
            for line in lines[:-1]:
                told[todo.pop(0)] = line
            if todo:
                told[todo.pop(0)] = f"{lines[-1]} {end}"
        return told


def listed(side):
    """(name, whether it runs alone, what has to be told)"""
    text, end = side.read(["--list"])
    if end != "status 0":
        raise SystemExit(f"{side.name}: --list: {end}")
    for line in text.splitlines():
        own, name, clause, words = line.split("\t")
        yield name, own == "own", f"{name} [{clause}]: {words}"


def check(side, cases, only):
    """Cases that tell something else."""
    if only:
        told = {name: side.own(name) if own else side.one(name)
                for name, own, _ in cases}
    else:
        told = side.all(name for name, own, _ in cases if not own)
        told.update((name, side.own(name)) for name, own, _ in cases if own)
    bad = 0
    for name, _, want in cases:
        if told[name] != want:
            bad += 1
            print(f"{side.name}: {told[name]}\n"
                  f"    wanted {want}\n"
                  f"    again: {' '.join(side.command)} {name}")
    return bad


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("edmm")
    args.add_argument("glibc")
    args.add_argument("musl")
    args.add_argument("enclave")
    args.add_argument("--only", action="append")
    args.add_argument("case", nargs="*")
    args = args.parse_intermixed_args()
    bad = 0
    with tempfile.TemporaryDirectory() as config:
        env = dict(os.environ, XDG_CONFIG_HOME=config)
        sides = [
            Side("glibc", [args.glibc], env),
            Side("musl", [args.musl], env),
            Side("elastic", [args.edmm] + RUN + [args.enclave], env),
            Side("static", [args.edmm] + RUN + ["--edmm", "disable",
                 "--contexts", "8", args.enclave], env),
        ]
        cases = [case for case in listed(sides[0])
                 if not args.case or case[0] in args.case]
        if not cases or len(cases) != len({case[0] for case in cases}):
            raise SystemExit("no case, or two of one name")
        for side in sides:
            if args.only and side.name not in args.only:
                continue
            start = time.monotonic()
            found = check(side, cases, args.case)
            print(f"{side.name}: {len(cases)} cases, {found} differ, "
                  f"{time.monotonic() - start:.0f} s")
            bad += found
    return bad != 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""soak.py EDMM MACHINE LIAR NATIVE PROGRAM... [--seconds N] [--seed N]

The soak of threads (main.c), natively and in enclaves whose host is busy,
loses races, lies of wake-ups (liar.c) and is sent signals that mean nothing,
to each of its threads. What is committed at the end is bounded.
"""
import argparse
import ctypes
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

FAULTS = ("restrict_permissions%5=EBUSY", "modify_types%7=EBUSY",
          "remove_pages%6=EBUSY", "page%11=EAGAIN", "eaug%13=EBUSY",
          "eaug-race%17")
LIES = re.compile(r"^liar: (\d+) wake-ups, (\d+) populates, (\d+) ahead$",
                  re.M)
REPORT = re.compile(r"^\{\n.*?^\}$", re.M | re.S)
TGKILL = 234
HANG = 60
# Of memory at the end: the image, a pool of contexts, kept stacks.
FINAL = 12 << 20


def pester(process, rng):
    """Signals that the program ignores, to a thread of the host's."""
    libc = ctypes.CDLL(None)
    while process.poll() is None:
        try:
            tids = os.listdir("/proc/%d/task" % process.pid)
        except FileNotFoundError:
            return
        if tids:
            libc.syscall(TGKILL, process.pid, int(rng.choice(tids)),
                         rng.choice((signal.SIGURG, signal.SIGWINCH)))
        time.sleep(rng.random() / 100)


def soak(command, args, env, rng):
    """Runs it; what it says, and the text behind that."""
    with tempfile.TemporaryFile("w+") as err:
        p = subprocess.Popen([*command, str(args.seconds), str(args.seed),
                              str(HANG)], stdout=subprocess.PIPE, stderr=err,
                             env=env, text=True)
        first = p.stdout.readline()
        if env:
            pester(p, rng)
        out, _ = p.communicate()
        err.seek(0)
        err = err.read()
    print(first + out, end="", flush=True)
    if p.returncode:
        print(err)
        sys.exit("soak: %s: status %d" % (command[-1], p.returncode))
    return err


def main():
    a = argparse.ArgumentParser(usage=__doc__)
    for name in ("edmm", "machine", "liar", "native"):
        a.add_argument(name)
    a.add_argument("program", nargs="+")
    a.add_argument("--seconds", type=float, default=8)
    a.add_argument("--seed", type=int, default=int(time.time()))
    args = a.parse_args()
    rng = random.Random(args.seed)
    print("soak: seed %d, %g seconds each" % (args.seed, args.seconds))
    soak([args.native], args, None, rng)
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CONFIG_HOME=tmp,
                   LD_PRELOAD="%s %s" % (args.liar, args.machine),
                   EDMM_MACHINE=",".join(["populate=1"] +
                                         ["fault=" + f for f in FAULTS]))
        for program in args.program:
            err = soak([args.edmm, "run", "--unsigned", "--heap-max", "128M",
                        "--threads-max", "24", "--populate", "ahead",
                        "--report=json", program],
                       args, env, rng)
            lies = [list(map(int, m)) for m in LIES.findall(err)]
            if not lies or not all(map(max, zip(*lies))):
                sys.exit("soak: %s: the host has not lied: %s" %
                         (program, lies))
            report = json.loads(REPORT.search(err).group())
            if report["committed_final"] > FINAL:
                sys.exit("soak: %s: %d bytes are left" %
                         (program, report["committed_final"]))


if __name__ == "__main__":
    main()

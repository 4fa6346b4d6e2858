#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a small program 200 times, a third of them killed midway, and looks for
what stays behind: processes, files, shared memory.

usage: leak.py EDMM PROGRAM [SEED]
"""
import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

RUNS = 200
PR_SET_CHILD_SUBREAPER = 36


def files(top):
    return {os.path.join(d, n) for d, _, names in os.walk(top) for n in names}


def children():
    """Processes whose parent is this one; orphans come here."""
    mine = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            mine.append((int(pid), fields[0]))
    return mine


def one(edmm, program, env, kill_after):
    # Long enough to be killed in the load, in the program and at the end.
    verb = ["grow", "16"] if kill_after is not None else ["exit", "7"]
    p = subprocess.Popen([edmm, "run", "--machine", "soft", program] + verb,
                         env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if kill_after is not None:
        time.sleep(kill_after)
        p.send_signal(random.choice([signal.SIGKILL, signal.SIGTERM,
                                     signal.SIGINT]))
    err = p.communicate(timeout=60)[1]
    if kill_after is None and p.returncode != 7:
        sys.exit(f"a run ended with {p.returncode}: {err.decode()}")


def main():
    edmm, program = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    random.seed(seed)
    again = f"replay: {sys.argv[0]} {edmm} {program} {seed}"
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as home:
        env = dict(os.environ, HOME=home, TMPDIR=home, XDG_RUNTIME_DIR=home)
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LD_PRELOAD"):
            env.pop(name, None)
        one(edmm, program, env, None)  # makes the development key
        before = files(home)
        shm = set(os.listdir("/dev/shm"))
        beside = set(os.listdir(os.path.dirname(os.path.abspath(program))))
        for i in range(RUNS):
            one(edmm, program, env,
                random.uniform(0, 0.08) if i % 3 == 0 else None)
        left = files(home) - before
        left |= {f for f in set(os.listdir("/dev/shm")) - shm if "edmm" in f}
        left |= {f for f in set(os.listdir(os.path.dirname(
            os.path.abspath(program)))) - beside
            if f.startswith(os.path.basename(program))}
        if left:
            sys.exit(f"files stayed behind: {sorted(left)}\n{again}")
    if children():
        sys.exit(f"processes stayed behind: {children()}\n{again}")
    print(f"{RUNS} runs, {(RUNS + 2) // 3} of them killed: nothing stays")


main()

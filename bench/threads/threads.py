#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Threads in an enclave, beside the same program with musl and with glibc.

  threads.py [--rounds N] BUILD OUT.json OUT.svg

Each work of threads.c runs in turn in all three, N times (5); told are medians
of the time of one operation. What an operation costs besides is counted by the
machine: the work runs for N operations and for 2 N, and the difference of the
counts is divided by N, so that start and end are not in it. The floor is one
exit with its entry: what a call of the host's costs (umask).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing beside the sources
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import bars  # noqa: E402 pylint: disable=wrong-import-position

# Name of the work, its N, operations of N = 1, what an operation is.
ROWS = [("exit", 4000, 1, "an exit and its entry: the floor"),
        ("create", 10000, 1, "create and join, cached block"),
        ("sleeper", 2000, 1, "the same, the joiner asleep"),
        ("awake", 10000, 1, "the same, the joiner awake"),
        ("alone", 2000000, 1, "lock and unlock, nobody else there"),
        ("contended", 400000, 2, "lock and unlock, two threads"),
        ("many", 6000, 16, "16 threads, the lock held 1 of 10"),
        ("pingpong", 3000, 2, "handover by a condition variable"),
        ("clock", 1000000, 1, "clock_gettime(CLOCK_MONOTONIC)"),
        ("asleep", 300, 2, "the same after long work, asleep"),
        ("broadcast", 3, 1000, "a waiter of a broadcast to 1,000"),
        ("churn1", 1000000, 1, "free and malloc, one thread"),
        ("churn2", 1000000, 2, "free and malloc, two threads"),
        ("churn1", 1000000, 1, "the same with musl's malloc, one thread"),
        ("churn2", 1000000, 2, "the same with musl's malloc, two threads")]
COUNTS = ("eexit", "aex", "aex_kernel", "aex_exception", "aex_signal",
          "aex_track")
SIDES = ("inside", "musl", "glibc")
# Of a row, the most there may be. Of transitions each EENTER, EEXIT, AEX and
# ERESUME is one; what the kernel's tracking and the scheduler of a busy machine
# take is in the counts, not in them. A broadcast: an exit of the caller's and
# two of each waiter's, and two for the caller's own wait until all are there.
LIMITS = {"create": {"transitions": 6, "leak": 0},
          "sleeper": {"transitions": 6},
          "awake": {"transitions": 4},
          "contended": {"eexit": 0.01, "of_glibc": 1},
          "many": {"of_glibc": 1.5},
          "pingpong": {"eexit": 0.01},
          "asleep": {"eexit": 2},
          "broadcast": {"eexit": 2.003},
          "churn1": {"of_musl": 1},
          "churn2": {"of_one": 1 / 1.8}}
# Start and end of the two runs are not the same to the last one.
SLACK = {"transitions": 0.05}


class Bench:
    def __init__(self, build, folder):
        self.edmm = os.path.join(build, "bin/edmm")
        self.env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder,
                        EDMM_MACHINE_QUIET="1")
        self.stats = os.path.join(folder, "stats.json")
        self.one = 0
        native = os.path.join(build, "bench/bench_threads_musl")
        self.commands = {
            side: [self.edmm, "run", "--machine", "soft", "--contexts", "80",
                   "--threads-max", "1100",
                   os.path.join(build, "enclave", image)]
            for side, image in (("inside", "bench_threads"),
                                ("other", "bench_threads_malloc"))}
        self.commands |= {
            "musl": [native],
            "glibc": [os.path.join(build, "bin/bench_threads_glibc")]}

    def run(self, command, work, n):
        done = subprocess.run([*command, work, str(n)], env=self.env,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"threads: {' '.join(command)} {work}: status "
                     f"{done.returncode}: {done.stderr}")
        return int(done.stdout)

    def count(self, command, work, n):
        """The counts of a run for N."""
        if os.path.exists(self.stats):
            os.remove(self.stats)
        self.run([self.edmm, "sim", "--stats=json", "--stats-file",
                  self.stats, *command], work, n)
        with open(self.stats, encoding="ascii") as f:
            found = json.load(f)
        return {k: found[k] for k in COUNTS}

    def row(self, name, n, operations, what, rounds):
        times = {side: [] for side in SIDES}
        inside = self.commands["other" if "musl's" in what else "inside"]
        for _ in range(rounds):
            for side in SIDES:
                command = inside if side == "inside" else self.commands[side]
                times[side].append(self.run(command, name, n) / n / operations)
        once, twice = (self.count(inside, name, i * n) for i in (1, 2))
        row = {"name": name, "what": what}
        row.update({f"{side}_ns": round(statistics.median(times[side]), 1)
                    for side in SIDES})
        for side in SIDES[1:]:
            row[f"of_{side}"] = round(row["inside_ns"] / row[f"{side}_ns"], 2)
        row.update({k: max(0, round((twice[k] - once[k]) / n / operations, 3))
                    for k in COUNTS})
        row["transitions"] = round(
            2 * (row["eexit"] + row["aex_kernel"] + row["aex_exception"]), 3)
        # Two threads at 1.8 times one's rate take 1 / 1.8 of its time.
        if name == "churn2":
            row["of_one"] = round(row["inside_ns"] / self.one, 2)
        self.one = row["inside_ns"]
        row["limits"] = {} if "musl's" in what else LIMITS.get(name, {})
        if "leak" in row["limits"]:
            # What is committed is as before: bytes more, after N pairs.
            row["leak"] = self.run(inside, "leak", n)
        row["over"] = [k for k, most in row["limits"].items()
                       if row[k] > most + SLACK.get(k, 0)]
        return row


def verdict(row):
    """What a reader of the row is told of its limits."""
    if not row["limits"]:
        return ""
    return "; ".join([""] + [
        f"{k} {row[k]:g} of {round(most, 2):g} {'over' if k in row['over'] else 'ok'}"
        for k, most in row["limits"].items()])


def picture(rows, path):
    bars.draw(path, "time of one operation", 1, [
        (r["what"], f"{r['eexit']:g} exits, {r['aex']:g} AEX{verdict(r)}",
         [(side, r[f"{side}_ns"], bars.seconds(r[f"{side}_ns"]))
          for side in SIDES]) for r in rows])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("build")
    parser.add_argument("out")
    parser.add_argument("picture")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, folder)
        for row in ROWS:
            print(f"threads: {row[0]}: {row[3]}", file=sys.stderr)
            rows.append(bench.row(*row, args.rounds))
    with open(args.out, "w", encoding="ascii") as f:
        json.dump({"rounds": args.rounds, "rows": rows}, f, indent=2)
        f.write("\n")
    picture(rows, args.picture)
    for r in rows:
        times = ", ".join(f"{side} {bars.seconds(r[f'{side}_ns']):>8}"
                          for side in SIDES)
        print(f"{r['what']:36} {times}; exits {r['eexit']:g}, AEX "
              f"{r['aex']:g} (faults {r['aex_kernel']:g}, exceptions "
              f"{r['aex_exception']:g}, tracking {r['aex_track']:g})"
              + verdict(r))


main()

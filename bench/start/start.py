#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a start costs, by the maximum that it starts under.

  start.py [--rounds N] BUILD OUT.json

Runs enclave/hello of the build folder on the software machine, signed with each
of several ranges of addresses (--elrange, 1 TiB is Gramine's default) and
maxima of the heap, in turn, N times (15), and the same program natively beside
them: the floor. Told are medians of the time outside and of the processor's, the
ratio to the first row, and the counts of one start, which do not depend on the
processor's mood.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# Name, and options of edmm sign and of edmm run.
ROWS = [("ELRANGE 64G", ["--elrange", "64G"], []),
        ("ELRANGE 1T", ["--elrange", "1T"], []),
        ("heap-max 64M", [], ["--heap-max", "64M"]),
        ("heap-max 32G", [], ["--heap-max", "32G"]),
        ("64M, 4 threads", [], ["--heap-max", "64M", "--threads-max", "4"]),
        ("64G, 4,096 threads", ["--elrange", "128G"],
         ["--heap-max", "64G", "--threads-max", "4096"])]
# A large maximum costs at most so many times the small one's start.
SMALL, LARGE, LIMIT = "64M, 4 threads", "64G, 4,096 threads", 1.2
COUNTS = ("pages_added", "pages_measured", "pages_accepted", "host_calls",
          "enters")


class Row:
    def __init__(self, name, command, env):
        self.name, self.command, self.env = name, command, env
        self.wall, self.cpu = [], []
        self.counts = {}

    def start(self):
        begin = time.monotonic()
        child = subprocess.Popen(self.command, env=self.env,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        self.wall.append(time.monotonic() - begin)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        if status != 0 or "hello" not in out:
            sys.exit(f"start: {' '.join(self.command)}: status {status}, "
                     f"{out!r}")

    def count(self):
        """The counts of a start, of edmm run --report."""
        at = self.command.index("run") + 1
        command = [*self.command[:at], "--report=json", *self.command[at:]]
        err = subprocess.run(command, env=self.env, check=True,
                             capture_output=True, text=True).stderr
        found = json.loads(re.search(r"^\{$.*^\}$", err, re.M | re.S)[0])
        self.counts = {k: found[k] for k in COUNTS}

    def result(self, first):
        wall = statistics.median(self.wall)
        return {"name": self.name, "ms": round(1000 * wall, 2),
                "cpu_ms": round(1000 * statistics.median(self.cpu), 2),
                "ratio": round(wall / statistics.median(first.wall), 3),
                "cpu_ratio": round(statistics.median(self.cpu) /
                                   statistics.median(first.cpu), 3),
                **self.counts}


def rows(build, folder):
    edmm = os.path.join(build, "bin/edmm")
    env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder)
    key = os.path.join(folder, "key.pem")
    subprocess.run([edmm, "keygen", key], check=True, env=env,
                   capture_output=True)
    for n, (name, sign, run) in enumerate(ROWS):
        image = os.path.join(folder, f"hello{n}")
        shutil.copy(os.path.join(build, "enclave/hello"), image)
        subprocess.run([edmm, "sign", "-k", key, *sign, image], check=True,
                       env=env, capture_output=True)
        row = Row(name, [edmm, "run", "--machine", "soft", *run, image], env)
        row.count()
        yield row
    yield Row("native", [os.path.join(build, "bin/hello-native")], env)


def parse():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("build")
    parser.add_argument("out")
    return parser.parse_args()


def main():
    args = parse()
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(args.build, folder))
        for n in range(args.rounds + 1):
            print(f"start: round {n} of {args.rounds}", file=sys.stderr)
            for row in found:
                row.start()
            if n == 0:  # the files are in memory now
                for row in found:
                    row.wall.clear()
                    row.cpu.clear()
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    by = {row.name: row for row in found}
    ratio = statistics.median(by[LARGE].wall) / \
        statistics.median(by[SMALL].wall)
    result = {"rounds": args.rounds,
              "rows": [row.result(found[0]) for row in found],
              "limit": {"of": LARGE, "to": SMALL, "ratio": round(ratio, 3),
                        "limit": LIMIT, "ok": ratio <= LIMIT}}
    with open(args.out, "w", encoding="ascii") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    for r in result["rows"]:
        print(f"{r['name']:18} {r['ms']:8.1f} ms, {r['cpu_ms']:8.1f} of the "
              f"processor; {r['ratio']:.2f} and {r['cpu_ratio']:.2f} of the "
              f"first")
    print(f"{'ok' if ratio <= LIMIT else 'over':4} {LARGE}: {ratio:.2f} times "
          f"{SMALL}, at most {LIMIT}")


main()

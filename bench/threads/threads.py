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

# Name of the work, its N, operations of N = 1, what an operation is.
ROWS = [("exit", 4000, 1, "an exit and its entry: the floor"),
        ("create", 300, 1, "create and join"),
        ("alone", 2000000, 1, "lock and unlock, nobody else there"),
        ("contended", 400000, 2, "lock and unlock, two threads"),
        ("many", 6000, 16, "16 threads, the lock held 1 of 10"),
        ("pingpong", 3000, 2, "handover by a condition variable"),
        ("broadcast", 20, 64, "a waiter of a broadcast to 64"),
        ("churn1", 1000000, 1, "free and malloc, one thread"),
        ("churn2", 1000000, 2, "free and malloc, two threads"),
        ("churn1", 1000000, 1, "the same with mimalloc, one thread"),
        ("churn2", 1000000, 2, "the same with mimalloc, two threads")]
COUNTS = ("eexit", "aex", "aex_kernel", "aex_exception", "aex_signal",
          "aex_track")
SIDES = ("inside", "musl", "glibc")


class Bench:
    def __init__(self, build, folder):
        self.edmm = os.path.join(build, "bin/edmm")
        self.env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder,
                        EDMM_MACHINE_QUIET="1")
        self.stats = os.path.join(folder, "stats.json")
        native = os.path.join(build, "bench/bench_threads_musl")
        self.commands = {
            side: [self.edmm, "run", "--machine", "soft", "--contexts", "80",
                   os.path.join(build, "enclave", image)]
            for side, image in (("inside", "bench_threads"),
                                ("mimalloc", "bench_threads_mimalloc"))}
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
        inside = self.commands["mimalloc" if "mimalloc" in what else "inside"]
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
        return row


def draw(rows, path):
    """Bars, a row a work: times of one operation, on a scale of tens."""
    colours = {"inside": "#1f77b4", "musl": "#7f7f7f", "glibc": "#bbbbbb"}
    width, left, top, step = 900, 250, 40, 62
    height = top + step * len(rows) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
           f'height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    most = max(r[f"{s}_ns"] for r in rows for s in SIDES)
    decades = len(str(int(most)))
    scale = (width - left - 150) / decades
    place = lambda ns: scale * len_log(ns)
    for d in range(decades + 1):
        x = left + scale * d
        out.append(f'<path d="M{x:.0f} {top - 8}V{height - 24}" '
                   f'stroke="#ddd"/><text x="{x:.0f}" y="{height - 8}" '
                   f'text-anchor="middle">{unit(10 ** d)}</text>')
    for i, side in enumerate(SIDES):
        out.append(f'<rect x="{left + 130 * i}" y="10" width="12" '
                   f'height="12" fill="{colours[side]}"/><text '
                   f'x="{left + 130 * i + 18}" y="20">{side}</text>')
    out.append(f'<text x="{left + 400}" y="20" fill="#666">time of one '
               'operation</text>')
    for n, r in enumerate(rows):
        y = top + step * n
        out.append(f'<text x="{left - 8}" y="{y + 18}" text-anchor="end">'
                   f'{r["what"]}</text><text x="{left - 8}" y="{y + 34}" '
                   f'text-anchor="end" fill="#666">{r["eexit"]:g} exits, '
                   f'{r["aex"]:g} AEX</text>')
        for i, side in enumerate(SIDES):
            ns = r[f"{side}_ns"]
            out.append(f'<rect x="{left}" y="{y + 16 * i}" width='
                       f'"{place(ns):.1f}" height="13" '
                       f'fill="{colours[side]}"/><text '
                       f'x="{left + place(ns) + 6:.1f}" '
                       f'y="{y + 16 * i + 11}">{unit(ns)}</text>')
    out.append("</svg>")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out) + "\n")


def len_log(ns):
    """Tens of one nanosecond, between two of them by a line."""
    tens, rest = 0, max(ns, 1)
    while rest >= 10:
        rest /= 10
        tens += 1
    return tens + (rest - 1) / 9


def unit(ns):
    for name, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {name}"
    return f"{ns:.3g} ns"


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
    draw(rows, args.picture)
    for r in rows:
        print(f"{r['what']:36} {unit(r['inside_ns']):>8}, musl "
              f"{unit(r['musl_ns']):>8}, glibc {unit(r['glibc_ns']):>8}; "
              f"exits {r['eexit']:g}, AEX {r['aex']:g} (faults "
              f"{r['aex_kernel']:g}, exceptions {r['aex_exception']:g}, "
              f"tracking {r['aex_track']:g})")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What memory costs that comes and goes in an enclave.

  elastic.py BUILD OUT.json OUT.svg

Each work of elastic.c runs as it comes, and as a manager would do it that knows
one page: a fault each, and each free page goes at once (--heap-window 4K,
--heap-idle 0). Counted are transitions (EENTER, EEXIT, AEX, ERESUME) of a page,
as the difference between a run for N and one for 2 N, so that start and end are
not in it; and pages that are committed for one that is touched.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing beside the sources
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import bars  # noqa: E402 pylint: disable=wrong-import-position

NAIVE = ["--heap-window", "4K", "--heap-idle", "0"]
KEPT = ["--heap-idle", "128M", "--heap-idle-percent", "100"]
# Name, work, N, pages of N = 1, ways: what is given to edmm run.
ROWS = [("grow by malloc() and touch", "grow", 64, 256,
         {"as it comes": [], "page by page": NAIVE}),
        ("64 MiB of 256 come and go", "churn", 4, 16384,
         {"as it comes": [], "page by page": NAIVE,
          "idle memory kept": KEPT}),
        ("random pages of 16 GiB", "sparse", 1000, 1,
         {"as it comes": [], "page by page": NAIVE})]
TRANSITIONS = ("eenter", "eexit", "aex", "eresume")


class Bench:
    def __init__(self, build, folder):
        self.edmm = os.path.join(build, "bin/edmm")
        self.image = os.path.join(build, "enclave/bench_elastic")
        self.stats = os.path.join(folder, "stats.json")
        self.env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder,
                        EDMM_MACHINE_QUIET="1")

    def run(self, options, work, n):
        """Time in ns, transitions, pages added at run time."""
        if os.path.exists(self.stats):
            os.remove(self.stats)
        done = subprocess.run(
            [self.edmm, "sim", "--epc", "4G", "--stats=json", "--stats-file",
             self.stats, self.edmm, "run", "--unsigned", "--heap-max", "20G",
             *options, self.image, work, str(n)],
            env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"elastic: {work} {n}: status {done.returncode}: "
                     f"{done.stderr}")
        with open(self.stats, encoding="ascii") as f:
            found = json.load(f)
        return (int(done.stdout), sum(found[k] for k in TRANSITIONS),
                found["pages_augmented"])

    def row(self, name, work, n, pages, ways):
        row = {"name": name, "work": work, "pages": n * pages, "ways": []}
        for way, options in ways.items():
            print(f"elastic: {name}: {way}", file=sys.stderr)
            once, twice = (self.run(options, work, i * n) for i in (1, 2))
            ns, out, added = (b - a for a, b in zip(once, twice))
            row["ways"].append({
                "way": way, "options": options,
                "ns_a_page": round(ns / n / pages, 1),
                "transitions_a_page": round(out / n / pages, 4),
                "added_a_page": round(added / n / pages, 4)})
        return row


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("out")
    parser.add_argument("picture")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, folder)
        rows = [bench.row(*row) for row in ROWS]
    with open(args.out, "w", encoding="ascii") as f:
        json.dump({"rows": rows}, f, indent=2)
        f.write("\n")
    bars.draw(args.picture, "transitions of a page", 0.01, [
        (r["name"], f"{r['ways'][0]['added_a_page']:g} pages added for one", [
            (w["way"], w["transitions_a_page"],
             f"{w['transitions_a_page']:g}") for w in r["ways"]])
        for r in rows])
    for r in rows:
        for w in r["ways"]:
            print(f"{r['name']:28} {w['way']:18} {w['transitions_a_page']:8g} "
                  f"transitions, {w['added_a_page']:g} added, "
                  f"{bars.seconds(w['ns_a_page'])} a page")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What memory costs that comes and goes in an enclave.

  elastic.py BUILD OUT.json OUT.svg

Each work of elastic.c runs as it comes, without hints or calls ahead, and as a
manager would do it that knows one page: a fault each, and each free page goes at
once (--heap-window 4K, --heap-idle 0, --populate no). Counted are transitions
(EENTER, EEXIT, AEX, ERESUME) of a page, as the difference to a run for none, so
that start and end are not in it; and pages that are committed for one that is
touched. Without populate 2 a page is the floor, and a window's own fault comes
on top: the limit is 2.05.
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

NAIVE = ["--heap-window", "4K", "--heap-idle", "0", "--populate", "no"]
KEPT = ["--heap-idle", "128M", "--heap-idle-percent", "100"]
PLAIN, PAGES = "as it comes", "page by page"
AHEAD, NONE = "by a thread ahead", "without populate"
# Name, work, N, pages of it, what is given to edmm run by way.
ROWS = [("1 GiB by malloc() and touch", "grow", 1024, 262144,
         {PLAIN: [], AHEAD: ["--populate", "ahead"],
          NONE: ["--populate", "no"], PAGES: NAIVE}),
        ("64 MiB of 256 come and go", "churn", 8, 8 * 16384,
         {PLAIN: [], PAGES: NAIVE, "idle memory kept": KEPT}),
        ("1 % of the pages of 16 GiB", "sparse", 41943, 41943,
         {PLAIN: [], PAGES: NAIVE})]
# Work, way, what of it, at most; None: a share of page by page's.
LIMITS = [("grow", PLAIN, "transitions_a_page", 0.1, None),
          ("grow", AHEAD, "transitions_a_page", 0.1, None),
          ("grow", NONE, "transitions_a_page", 2.05, None),
          ("churn", PLAIN, "transitions_a_page", None, 0.01),
          ("sparse", PLAIN, "added_a_page", 1.25, None)]
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
        row = {"name": name, "work": work, "pages": pages, "ways": []}
        for way, options in ways.items():
            print(f"elastic: {name}: {way}", file=sys.stderr)
            none, done = (self.run(options, work, i) for i in (0, n))
            ns, out, added = (b - a for a, b in zip(none, done))
            row["ways"].append({
                "way": way, "options": options,
                "ns_a_page": round(ns / pages, 1),
                "transitions_a_page": round(out / pages, 4),
                "added_a_page": round(added / pages, 4)})
        return row


def judge(rows):
    """What each limit says of the rows."""
    by = {(r["work"], w["way"]): w for r in rows for w in r["ways"]}
    for work, way, what, most, share in LIMITS:
        if most is None:
            most = share * by[work, PAGES][what]
        found = by[work, way][what]
        yield {"work": work, "way": way, "what": what, "found": found,
               "limit": round(most, 4), "ok": found <= most}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("out")
    parser.add_argument("picture")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, folder)
        rows = [bench.row(*row) for row in ROWS]
    limits = list(judge(rows))
    with open(args.out, "w", encoding="ascii") as f:
        json.dump({"rows": rows, "limits": limits}, f, indent=2)
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
    for v in limits:
        print(f"{'ok' if v['ok'] else 'over':4} {v['work']}, {v['way']}: "
              f"{v['what']} {v['found']:g}, at most {v['limit']:g}")


main()

# SPDX-License-Identifier: BSD-3-Clause
"""Plot bench_emm's growth curve: plot.py emm.json OUT.svg (log-log)."""
import json
import math
import sys

SERIES = [("pair_ns", "alloc + dealloc", "#1f77b4"),
          ("fault_p50_ns", "fault commit, p50", "#d62728"),
          ("spurious_ns", "spurious fault", "#2ca02c"),
          ("flip_ns", "permission flip (2 calls)", "#9467bd"),
          ("miss_ns", "the machine's own miss", "#7f7f7f")]
W, H, LEFT, TOP = 760, 460, 70, 30
RIGHT, BOTTOM = 530, 400


def main():
    with open(sys.argv[1], encoding="ascii") as f:
        rows = json.load(f)["growth"]
    last = rows[-1]["areas"]
    x = lambda n: LEFT + (RIGHT - LEFT) * math.log10(n / 10) / max(
        1, math.log10(last / 10))
    y = lambda v: BOTTOM - (BOTTOM - TOP) * math.log10(max(v, 1)) / 4
    o = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{W}" height="{H}" '
         'font-family="sans-serif" font-size="12">',
         f'<rect width="{W}" height="{H}" fill="white"/>']
    for e in range(5):
        v = 10 ** e
        o.append(f'<path d="M{LEFT} {y(v):.0f}H{RIGHT}" stroke="#ddd"/>'
                 f'<text x="{LEFT - 8}" y="{y(v) + 4:.0f}" '
                 f'text-anchor="end">{v} ns</text>')
    for r in rows:
        o.append(f'<text x="{x(r["areas"]):.0f}" y="{BOTTOM + 18}" '
                 f'text-anchor="middle">{r["areas"]:,}</text>')
    o.append(f'<text x="{(LEFT + RIGHT) // 2}" y="{BOTTOM + 40}" '
             'text-anchor="middle">areas</text>')
    above = BOTTOM  # labels go upwards, a line apart
    for key, label, colour in sorted(SERIES, key=lambda t: rows[-1][t[0]]):
        p = " ".join(f'{x(r["areas"]):.1f},{y(r[key]):.1f}' for r in rows)
        end = rows[-1][key]
        dash = ' stroke-dasharray="4 3"' if key == "miss_ns" else ""
        o.append(f'<polyline points="{p}" fill="none" stroke="{colour}" '
                 f'stroke-width="2"{dash}/>')
        above = min(y(end) + 4, above - 15)
        o.append(f'<text x="{RIGHT + 8}" y="{above:.0f}" '
                 f'fill="{colour}">{label}: {end:.0f} ns</text>')
    o.append("</svg>")
    with open(sys.argv[2], "w", encoding="ascii") as f:
        f.write("\n".join(o) + "\n")


main()

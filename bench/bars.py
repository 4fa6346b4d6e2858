# SPDX-License-Identifier: BSD-3-Clause
"""Bars on a scale of tens, for the pictures of benchmarks."""

COLOURS = ("#1f77b4", "#7f7f7f", "#bbbbbb", "#d62728", "#2ca02c")
WIDTH, LEFT, TOP, BAR = 900, 250, 40, 16


def seconds(ns):
    for name, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {name}"
    return f"{ns:.3g} ns"


def tens(value):
    """Tens from 1 on; between two of them by a line."""
    whole, rest = 0, max(value, 1)
    while rest >= 10:
        rest /= 10
        whole += 1
    return whole + (rest - 1) / 9


def text(x, y, what, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{what}</text>'


def draw(path, what, least, rows):
    """Rows of (name, line below it, bars of (series, value, text)); LEAST is at
    the left border."""
    series = list(dict.fromkeys(s for _, _, bars in rows for s, _, _ in bars))
    step = BAR * max(2, max(len(bars) for _, _, bars in rows)) + 14
    height = TOP + step * len(rows) + 10
    most = max(v for _, _, bars in rows for _, v, _ in bars) / least
    scale = (WIDTH - LEFT - 150) / max(1, tens(most))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for d in range(int(tens(most)) + 1):
        x = LEFT + scale * d
        out.append(f'<path d="M{x:.0f} {TOP - 8}V{height - 8}" '
                   'stroke="#ddd"/>')
    for i, name in enumerate(series):
        x = LEFT + 130 * i
        out.append(f'<rect x="{x}" y="10" width="12" height="12" '
                   f'fill="{COLOURS[i]}"/>' + text(x + 18, 20, name))
    out.append(text(LEFT + 130 * len(series), 20, what, ' fill="#666"'))
    for n, (name, below, bars) in enumerate(rows):
        y = TOP + step * n
        out.append(text(LEFT - 8, y + 18, name, ' text-anchor="end"'))
        out.append(text(LEFT - 8, y + 34, below,
                        ' text-anchor="end" fill="#666"'))
        for i, (s, value, label) in enumerate(bars):
            wide = scale * tens(value / least)
            out.append(f'<rect x="{LEFT}" y="{y + BAR * i}" '
                       f'width="{wide:.1f}" height="{BAR - 3}" '
                       f'fill="{COLOURS[series.index(s)]}"/>' +
                       text(LEFT + wide + 6, y + BAR * i + 11, label))
    out.append("</svg>")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out) + "\n")

"""The picture: one dot per row and allocator, time above, peak RSS below, both as ratios to glibc on a log scale."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#888888", "#d95f02", "#7570b3", "#1b9e77", "#e7298a", "#66a61e", "#a6761d"]
OUR_COLOUR = "#c00000"
LEFT, TOP, ROW_STEP, PLOT_WIDTH, PANEL_GAP = 170, 70, 16, 360, 60
RATIO_MIN, RATIO_MAX = 0.1, 8.0
TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8]


def colour(results, name):
    return OUR_COLOUR if name == "gcalloc" else COLOURS[results.allocators.index(name) % len(COLOURS)]


def x_of(ratio, panel_left):
    """Ratios beyond the ends are drawn at the ends."""
    clamped = min(max(ratio, RATIO_MIN), RATIO_MAX)
    share = math.log(clamped / RATIO_MIN) / math.log(RATIO_MAX / RATIO_MIN)
    return panel_left + share * PLOT_WIDTH


def text(x, y, content, anchor="start", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {style}>{escape(content)}</text>'


def vertical(x, top, bottom, shade):
    return f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{shade}"/>'


def grid(panel_left, bottom):
    parts = []
    for tick in TICKS:
        x = x_of(tick, panel_left)
        parts.append(vertical(x, TOP - 4, bottom, "#999" if tick == 1 else "#e4e4e4"))
        parts.append(text(x, TOP - 8, f"{tick:g}", "middle"))
    return parts


def dot(x, y, shade, ours):
    radius = 4.5 if ours else 3.2
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{shade}" fill-opacity="0.85"/>'


def panel(results, panel_left, title, measure):
    rows = results.timed_rows()
    parts = [text(panel_left, TOP - 26, title, style='font-weight="bold"')]
    parts += grid(panel_left, TOP + ROW_STEP * len(rows))
    for at, row in enumerate(rows):
        y = TOP + ROW_STEP * (at + 0.6)
        for name in results.allocators:
            ratio = results.ratio(row, name, measure)
            if ratio:
                x = x_of(ratio, panel_left)
                parts.append(dot(x, y, colour(results, name), name == "gcalloc"))
    return parts


def row_names(results):
    return [
        text(LEFT - 10, TOP + ROW_STEP * (at + 0.6) + 4, row.name, "end")
        for at, row in enumerate(results.timed_rows())
    ]


def legend(results):
    parts = []
    for at, name in enumerate(results.allocators):
        x = LEFT + at * 105
        parts.append(dot(x, 20, colour(results, name), name == "gcalloc"))
        parts.append(text(x + 8, 24, name))
    return parts


def svg_report(results):
    width = LEFT + 2 * PLOT_WIDTH + PANEL_GAP + 30
    height = TOP + ROW_STEP * len(results.timed_rows()) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *legend(results),
        *row_names(results),
        *panel(results, LEFT, "time / glibc", results.time),
        *panel(results, LEFT + PLOT_WIDTH + PANEL_GAP, "peak RSS / glibc", results.rss),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"

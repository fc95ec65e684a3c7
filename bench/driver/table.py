"""The text table and the TSV file."""

from driver.results import GROUPS


def cell(value, pattern="{:.2f}"):
    return "-" if value is None else pattern.format(value)


def align(lines):
    """Columns as wide as their widest cell; the first to the left, the rest to the right."""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return [
        "  ".join(
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    ]


def row_line(results, row, measure, base_pattern):
    base = measure(row, "glibc")
    figures = [one for one in (measure(row, name) for name in results.allocators) if one]
    line = [row.name, cell(base.centre if base else None, base_pattern)]
    line += [cell(results.ratio(row, name, measure)) for name in results.allocators if name != "glibc"]
    best = results.best_peer(row, measure)
    line.append(best[0] if best else "-")
    ours = measure(row, "gcalloc")
    line.append(cell(ours.centre / best[1].centre if ours and best and best[1].centre else None))
    line.append(cell(max(one.spread for one in figures) * 100 if figures else None, "{:.0f}%"))
    return line


def mean_line(results, group, measure):
    count = len(results.common_rows(measure, group))
    line = [f"geometric mean, {group} ({count})", "1.00" if count else "-"]
    line += [
        cell(results.mean_ratio(name, measure, group))
        for name in results.allocators
        if name != "glibc"
    ]
    best = results.best_mean_peer(measure, group)
    ours = results.mean_ratio("gcalloc", measure, group) if "gcalloc" in results.allocators else None
    line += [best[1] if best else "-", cell(ours / best[0] if ours and best else None), ""]
    return line


def heading(results, unit):
    others = [name for name in results.allocators if name != "glibc"]
    return ["", f"glibc {unit}", *others, "best peer", "gcalloc/best", "spread"]


def ratio_table(results, title, measure, unit, base_pattern):
    lines = [heading(results, unit)]
    lines += [row_line(results, row, measure, base_pattern) for row in results.timed_rows()]
    lines += [mean_line(results, group, measure) for group in GROUPS]
    return [title, *align(lines), ""]


def memory_table(results):
    rows = results.memory_rows()
    if not rows:
        return []
    lines = [["", *results.allocators, "unit"]]
    for row in rows:
        figures = [results.value(row, name) for name in results.allocators]
        lines.append(
            [row.name, *[cell(one.centre if one else None, "{:.1f}") for one in figures], row.unit]
        )
    return ["What little things cost", *align(lines), ""]


def instruction_table(results):
    if not results.instructions:
        return []
    lines = [["", *results.allocators]]
    for row in results.timed_rows():
        counts = [results.instructions.get((row.name, name)) for name in results.allocators]
        if any(counts):
            lines.append([row.name, *[cell(count and count / 1e6, "{:.1f}") for count in counts]])
    return ["Instructions, millions (callgrind, 2 % of the work)", *align(lines), ""]


def problem_lines(results, missing_peers):
    lines = [f"not installed: {name}" for name in missing_peers]
    lines += [f"not run: {row.name}: {row.missing}" for row in results.rows if row.missing]
    lines += [f"FAILED: {row} under {name}: {text}" for (row, name), text in results.errors.items()]
    lines += [f"CHECKSUM: {line}" for line in results.checksum_errors()]
    return lines + [""] if lines else []


def text_report(results, head, missing_peers, verdict_lines):
    measure = "user + system time" if results.metric == "cpu" else "wall time"
    estimate = "shortest runs" if results.estimate == "min" else "medians"
    lines = [*head, ""]
    if results.timed_rows():
        lines += ratio_table(
            results, f"Time ({measure}, {estimate}, ratio to glibc)", results.time, "ms", "{:.0f}"
        )
        lines += ratio_table(
            results, "Peak RSS (medians, ratio to glibc)", results.rss, "KiB", "{:.0f}"
        )
    lines += memory_table(results)
    lines += instruction_table(results)
    lines += problem_lines(results, missing_peers)
    return "\n".join(lines + verdict_lines) + "\n"


TSV_COLUMNS = "row group allocator runs measure unit centre quartile_low quartile_high".split()


def tsv_measures(results, row):
    if row.unit:
        return [("value", row.unit, results.value)]
    return [
        ("wall_time", "ms", results.wall),
        ("cpu_time", "ms", results.cpu),
        ("peak_rss", "KiB", results.rss),
        ("page_faults", "count", results.faults),
    ]


def tsv_report(results):
    lines = ["\t".join(TSV_COLUMNS)]
    for row in results.rows:
        for name in results.allocators:
            for title, unit, measure in tsv_measures(results, row):
                one = measure(row, name)
                if one:
                    numbers = [f"{value:.3f}" for value in (one.centre, one.low, one.high)]
                    fields = [row.name, row.group, name, str(one.count), title, unit, *numbers]
                    lines.append("\t".join(fields))
    return "\n".join(lines) + "\n"

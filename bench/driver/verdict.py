"""Which of the goals hold. A goal that could not be measured is said to be open, never held."""

TIME_GOAL, RSS_GOAL, ROW_GOAL = 0.95, 1.00, 1.15
TINY_RSS_GOAL_KIB, THREAD_GOAL_KIB = 512, 16
# "Level" of two medians, given that a run on a quiet machine repeats to about this much.
LEVEL = 1.02
LEVEL_ROWS = {
    "random replacement": ("random-1k", "random-16k", "random-full-2t"),
    "producer and consumer": ("handover", "batches"),
    "huge realloc": ("realloc-8m", "realloc-huge"),
    "short-lived threads": ("threads-short",),
}


def line(holds, text):
    word = {True: "holds", False: "MISSED", None: "open"}[holds]
    return f"  {word:7} {text}"


def row_named(results, name):
    return next((row for row in results.rows if row.name == name), None)


def against_best(results, row):
    """Ratio of our time to the best peer's on one row, and that peer."""
    best = results.best_peer(row, results.time)
    ours = results.time(row, "gcalloc")
    if not best or not ours:
        return None
    return ours.centre / best[1].centre, best[0]


def group_measured(results, group):
    """The mean over one group is none over all."""
    parts = ["micro", "programs"] if group == "all" else [group]
    return all(results.common_rows(results.time, part) for part in parts)


def mean_time(results):
    for group in ("micro", "programs", "all"):
        ours = results.mean_ratio("gcalloc", results.time, group)
        best = results.best_mean_peer(results.time, group)
        if not ours or not best or not group_measured(results, group):
            yield line(None, f"time, {group}: not measured")
            continue
        ratio = ours / best[0]
        yield line(
            ratio <= TIME_GOAL,
            f"time, {group}: {ratio:.3f} of the best peer ({best[1]}); goal {TIME_GOAL}",
        )


def mean_rss(results):
    for group in ("micro", "programs", "all"):
        ours = results.mean_ratio("gcalloc", results.rss, group)
        ours = ours if group_measured(results, group) else None
        text = "not measured" if ours is None else f"{ours:.3f} of glibc"
        holds = None if ours is None else ours <= RSS_GOAL
        yield line(holds, f"peak RSS, {group}: {text}; goal {RSS_GOAL:.2f}")


def every_row(results):
    ratios = [(against_best(results, row), row.name) for row in results.timed_rows()]
    ratios = [(found[0], name, found[1]) for found, name in ratios if found]
    if not ratios:
        yield line(None, "time on every row: not measured")
        return
    missed = [one for one in sorted(ratios, reverse=True) if one[0] > ROW_GOAL]
    text = ", ".join(f"{name} {ratio:.2f} ({peer})" for ratio, name, peer in missed)
    if not missed:
        ratio, name, peer = max(ratios)
        text = f"worst is {name} {ratio:.2f} ({peer})"
    title = f"time on each of {len(ratios)} rows at most {ROW_GOAL} of the best peer"
    yield line(not missed, f"{title}: {text}")


def pair_time(results):
    row = row_named(results, "pair-40")
    ours = row and results.time(row, "gcalloc")
    peer = row and results.time(row, "mimalloc")
    if not ours or not peer:
        return line(None, "malloc and free pair against mimalloc: not measured")
    ratio = ours.centre / peer.centre
    return line(ratio <= 1, f"malloc and free pair: {ratio:.2f} of mimalloc's")


def level_rows(results):
    for title, names in LEVEL_ROWS.items():
        found = [(name, row_named(results, name)) for name in names]
        ratios = [(name, row and against_best(results, row)) for name, row in found]
        if any(not ratio for _, ratio in ratios):
            yield line(None, f"{title}: not measured")
            continue
        text = ", ".join(f"{name} {ratio:.2f} ({peer})" for name, (ratio, peer) in ratios)
        holds = all(ratio <= LEVEL for _, (ratio, _) in ratios)
        yield line(holds, f"{title} level with the best peer: {text}")


def little_things(results):
    tiny, thread = row_named(results, "tiny-rss"), row_named(results, "thread-kib")
    ours, base = (tiny and results.value(tiny, name) for name in ("gcalloc", "glibc"))
    if ours and base:
        growth = ours.centre - base.centre
        yield line(
            growth <= TINY_RSS_GOAL_KIB,
            f"tiny program: {growth:+.0f} KiB over glibc; goal {TINY_RSS_GOAL_KIB}",
        )
    else:
        yield line(None, "tiny program's RSS: not measured")
    ours = thread and results.value(thread, "gcalloc")
    if ours:
        holds = ours.centre <= THREAD_GOAL_KIB
        yield line(holds, f"a thread: {ours.centre:.1f} KiB; goal {THREAD_GOAL_KIB}")
    else:
        yield line(None, "KiB per thread: not measured")


def verdict(results):
    if "gcalloc" not in results.allocators:
        return ["Goals: gcalloc was not measured (no --library)."]
    wrong = results.checksum_errors() + [name for _, name in results.errors if name == "gcalloc"]
    return [
        "Goals",
        *mean_time(results),
        *mean_rss(results),
        *every_row(results),
        pair_time(results),
        *level_rows(results),
        *little_things(results),
        line(not wrong, "every row ran to its end with the same output under every allocator"),
    ]

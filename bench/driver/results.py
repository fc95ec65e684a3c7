"""From samples to figures: medians, spread, ratios and geometric means."""

import math
import statistics
from dataclasses import dataclass

from driver.rows import MEMORY, MICRO, PROGRAM

GROUPS = {"micro": (MICRO,), "programs": (PROGRAM,), "all": (MICRO, PROGRAM)}


@dataclass(frozen=True)
class Figure:
    """Centre and quartiles of one measure of one row under one allocator."""

    # The median; or the smallest, where that was asked for.
    centre: float
    low: float
    high: float
    count: int

    @property
    def spread(self):
        """Half the distance of the quartiles, as a share of the centre."""
        return (self.high - self.low) / 2 / self.centre if self.centre else 0.0


def figure(values, estimate):
    if len(values) < 2:
        return Figure(values[0], values[0], values[0], len(values))
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    centre = min(values) if estimate == "min" else statistics.median(values)
    return Figure(centre, low, high, len(values))


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else None


class Results:
    """All samples, by row and allocator, and what went wrong where."""

    def __init__(self, rows, allocators, metric, estimate):
        self.rows = rows
        self.allocators = [allocator.name for allocator in allocators]
        self.metric = metric
        self.estimate = estimate
        self.samples = {}
        self.errors = {}
        self.instructions = {}

    @property
    def peers(self):
        return [name for name in self.allocators if name != "gcalloc"]

    def add(self, row, allocator, sample):
        self.samples.setdefault((row.name, allocator.name), []).append(sample)

    def fail(self, row, allocator, text):
        self.errors.setdefault((row.name, allocator.name), text)

    def time(self, row, name):
        """The time that was asked for: the other one is in the TSV file."""
        in_cpu = row.always_cpu or self.metric == "cpu"
        return self.cpu(row, name) if in_cpu else self.wall(row, name)

    def wall(self, row, name):
        return self._figure(row, name, lambda sample: sample.wall_ms, self.estimate)

    def cpu(self, row, name):
        return self._figure(row, name, lambda sample: sample.cpu_ms, self.estimate)

    def rss(self, row, name):
        return self._figure(row, name, lambda sample: sample.rss_kib)

    def faults(self, row, name):
        return self._figure(row, name, lambda sample: sample.faults)

    def value(self, row, name):
        """What a memory row printed."""
        return self._figure(row, name, lambda sample: float(sample.text))

    def _figure(self, row, name, measure, estimate="median"):
        samples = self.samples.get((row.name, name))
        if not samples or (row.name, name) in self.errors:
            return None
        return figure([measure(sample) for sample in samples], estimate)

    def timed_rows(self):
        return [row for row in self.rows if row.group != MEMORY]

    def memory_rows(self):
        return [row for row in self.rows if row.group == MEMORY]

    def best_peer(self, row, measure):
        """Returns (name, figure) of the peer with the smallest centre, or None."""
        found = [(name, measure(row, name)) for name in self.peers]
        found = [(name, one) for name, one in found if one]
        return min(found, key=lambda pair: pair[1].centre) if found else None

    def ratio(self, row, name, measure, base="glibc"):
        one, other = measure(row, name), measure(row, base)
        return one.centre / other.centre if one and other and other.centre else None

    def mean_ratio(self, name, measure, group="all"):
        """Over the rows that ran under every allocator, so that no one's mean lacks its bad rows."""
        ratios = [self.ratio(row, name, measure) for row in self.common_rows(measure, group)]
        return geometric_mean(ratios)

    def common_rows(self, measure, group="all"):
        return [
            row
            for row in self.timed_rows()
            if row.group in GROUPS[group] and all(measure(row, name) for name in self.allocators)
        ]

    def best_mean_peer(self, measure, group="all"):
        means = [(self.mean_ratio(name, measure, group), name) for name in self.peers]
        means = [pair for pair in means if pair[0]]
        return min(means) if means else None

    def checksum_errors(self):
        """One line for each row whose output differs between allocators, or between two runs under one."""
        lines = []
        for row in self.timed_rows():
            digests = {}
            for name in self.allocators:
                for sample in self.samples.get((row.name, name), []):
                    digests.setdefault(sample.digest, set()).add(name)
            if len(digests) > 1:
                groups = " | ".join(",".join(sorted(names)) for names in digests.values())
                lines.append(f"{row.name}: different output: {groups}")
        return lines

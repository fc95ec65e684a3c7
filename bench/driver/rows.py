"""What is measured: one Row for every micro pattern, every real program and every memory figure."""

import os
import shutil
import sys
from dataclasses import dataclass, field

MICRO, PROGRAM, MEMORY = "micro", "program", "memory"


@dataclass(frozen=True)
class Row:
    name: str
    group: str
    command: tuple
    # Why the row can't run here, or None.
    missing: str = None
    environment: dict = field(default_factory=dict)
    # A program driven from outside: called with the row's work folder once the command runs.
    client: object = None
    # File in the work folder that is compared along with the output.
    output: str = None
    # Measured in CPU time whatever was asked for: its wall time is a client's.
    always_cpu: bool = False
    # Of a memory row: the unit of the number it prints.
    unit: str = None
    # A micro pattern takes the amount of work in percent as its argument.
    scalable: bool = False


MICRO_NAMES = """
pair-40 pair-mixed stack queue simple random-1k random-16k random-full-2t random-2t pareto powers
handover batches larson threads-short threads-leftover mixed-frees mixed-frees-2t
rebuild hashmap trees strings bignum calloc aligned
realloc-small realloc-8m realloc-huge large-2m large-25m false-active false-passive
""".split()

MEMORY_UNITS = {"tiny-rss": "KiB", "thread-kib": "KiB", "kept-mib": "MiB"}


def compiled_row(name, group, programs_folder, **more):
    path = os.path.join(programs_folder, name)
    missing = None if os.access(path, os.X_OK) else f"{path} is not built"
    return Row(name, group, (path,), missing, **more)


def micro_rows(programs_folder):
    return [compiled_row(name, MICRO, programs_folder, scalable=True) for name in MICRO_NAMES]


def memory_rows(programs_folder):
    return [
        compiled_row(name, MEMORY, programs_folder, unit=unit)
        for name, unit in MEMORY_UNITS.items()
    ]


def find_program(name):
    """Debian's own program where there is one: what comes first in PATH may be a shell script that starts it."""
    system = os.path.join("/usr/bin", name)
    return system if os.access(system, os.X_OK) else shutil.which(name)


def select(rows, names):
    """The rows named, in table order; a group's name stands for all its rows."""
    if not names:
        return rows
    known = {row.name for row in rows} | {row.group for row in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench: no such row: {', '.join(unknown)}; see --list")
    return [row for row in rows if row.name in names or row.group in names]

#!/usr/bin/env python3
"""
What looking for leaks costs, with gcalloc and its peers on the same programs in one run: bench/leaks.py --build FOLDER --library libgcalloc.so

Ratios of processor time and peak RSS to the program's on the C library. Tools take turns, round by round. Valgrind and heaptrack are
so much slower that one round of them will do. The last table says what each has found of the blocks that a program has lost, which
holds as many, some of them through the kernel only: a tool that says more is wrong about the rest.
"""

import argparse
import dataclasses
import glob
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from driver import allocators, measure, rows
from driver.programs import program_rows
from driver.results import geometric_mean
from driver.table import align, cell

MICRO = ("bignum", "strings", "trees", "random-1k", "hashmap", "threads-short", "lost")
PROGRAMS = ("gcc", "g++", "python3", "python3-malloc", "perl", "sqlite3", "lua", "ruby", "gs", "z3")
# 32 frames, as gcalloc has; no leak is an error of the benchmark's.
LSAN_OPTIONS = "exitcode=0:malloc_context_size=32"


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    allocator: allocators.Allocator
    prefix: tuple = ()
    is_slow: bool = False


class Finder:
    """Where the tools write to, and what they say there of lost blocks."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "reports")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _text(self, pattern):
        text = ""
        for path in glob.glob(self.path(pattern)):
            with open(path, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return text

    def clean(self):
        for path in glob.glob(self.path("*")):
            os.unlink(path)

    def found(self, tool, printed):
        """How many blocks, as the tool tells them; None if it says nothing."""
        if tool.name.startswith("gcalloc"):
            totals = re.search(r'"totals":\s*({.*?}\s*})', self._text("gcalloc.*"), re.S)
            counts = [re.search(rf'"{name}":\s*{{"blocks":\s*(\d+)', totals.group(1)) for name in ("definite", "indirect")] if totals else []
            return sum(int(count.group(1)) for count in counts) if counts and all(counts) else None
        if tool.name == "lsan":
            summary = re.search(r"SUMMARY: .*leaked in (\d+) allocation", self._text("lsan.*"))
            return int(summary.group(1)) if summary else None
        if tool.name == "valgrind":
            counts = re.findall(r"(?:definitely|indirectly|possibly) lost: [\d,]+ bytes in ([\d,]+) blocks", self._text("valgrind.*"))
            return sum(int(count.replace(",", "")) for count in counts) if counts else None
        leaked = re.search(r"leaked allocations:\s+(\d+)", printed)
        return int(leaked.group(1)) if leaked else None


def tools(library, finder):
    gcalloc = f"exitcode=0,report_file={finder.path('gcalloc.%p')}"
    lsan = allocators.find_library(["liblsan.so.0"], allocators.LIBRARY_FOLDERS)
    plain = allocators.glibc()
    nothing = allocators.Allocator("", "")
    found = [
        Tool("glibc", plain),
        Tool("gcalloc", allocators.Allocator("gcalloc", library, {"GCALLOC_OPTIONS": f"leaks,{gcalloc}"})),
        Tool("gcalloc sampled", allocators.Allocator("sampled", library, {"GCALLOC_OPTIONS": f"leaks,sample=512K,{gcalloc}"})),
    ]
    if lsan:
        found.append(Tool("lsan", allocators.Allocator("lsan", lsan, {"LSAN_OPTIONS": f"{LSAN_OPTIONS}:log_path={finder.path('lsan')}"})))
    if shutil.which("valgrind"):
        command = ("valgrind", "-q", "--leak-check=full", "--num-callers=32", "--trace-children=yes", f"--log-file={finder.path('valgrind.%p')}", "-v")
        found.append(Tool("valgrind", nothing, command, True))
    if shutil.which("heaptrack"):
        command = ("sh", "-c", 'exec heaptrack -o "$0" "$@" 2>&1', finder.path("heaptrack"))  # its figures are on standard error
        found.append(Tool("heaptrack", nothing, command, True))
    return found


def run_row(row, used, launcher, finder, rounds, scale):
    """By tool: all samples or why there are none, and what it has found."""
    samples, found = {tool.name: [] for tool in used}, {}
    for number in range(rounds):
        for tool in used[number % len(used):] + used[:number % len(used)]:
            if (tool.is_slow and samples[tool.name]) or isinstance(samples[tool.name], str):
                continue
            finder.clean()
            try:
                wrapped = dataclasses.replace(row, command=tool.prefix + row.command)
                samples[tool.name].append(launcher.run(wrapped, tool.allocator, scale))
            except (measure.Failed, OSError) as problem:
                samples[tool.name] = str(problem)
                continue
            found[tool.name] = finder.found(tool, samples[tool.name][-1].text) if tool.name != "glibc" else None
    return samples, found


def least(samples, what):
    return None if isinstance(samples, str) or not samples else min(what(sample) for sample in samples)


def ratio_table(title, unit, used, all_samples, what):
    names = [tool.name for tool in used]
    lines = [[title, f"glibc {unit}", *names[1:]]]
    ratios = {name: [] for name in names}
    for row, samples in all_samples.items():
        base = least(samples["glibc"], what)
        line = [row, cell(base, "{:.0f}")]
        for name in names[1:]:
            one = least(samples[name], what)
            ratio = one / base if one and base else None
            if ratio:
                ratios[name].append(ratio)
            line.append(cell(ratio))
        lines.append(line)
    lines.append([f"geometric mean ({len(all_samples)})", "", *[cell(geometric_mean(ratios[name])) for name in names[1:]]])
    return [*align(lines), ""]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="bench", help="folder with launch and micro/")
    parser.add_argument("--library", required=True, help="libgcalloc.so to measure")
    parser.add_argument("--rows", help="only these, separated by commas")
    parser.add_argument("--tools", help="only these beside glibc, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=int, default=20, metavar="PERCENT", help="work in the micro rows")
    return parser.parse_args()


def main():
    options = parse_arguments()
    work_folder = os.path.abspath(os.path.join(options.build, "work"))
    os.makedirs(work_folder, exist_ok=True)
    finder = Finder(work_folder)
    used = tools(os.path.abspath(options.library), finder)
    if options.tools:
        used = [tool for tool in used if tool.name in ("glibc", *options.tools.split(","))]
    micro = [rows.compiled_row(name, rows.MICRO, os.path.join(os.path.abspath(options.build), "micro"), scalable=True) for name in MICRO]
    all_rows = micro + [row for row in program_rows(work_folder) if row.name in PROGRAMS]
    launcher = measure.Launcher(os.path.abspath(os.path.join(options.build, "launch")), work_folder)
    all_samples, lost = {}, []
    for row in rows.select(all_rows, options.rows.split(",") if options.rows else []):
        if row.missing:
            print(f"{row.name}: {row.missing}", file=sys.stderr)
            continue
        samples, found = run_row(row, used, launcher, finder, options.rounds, options.scale)
        all_samples[row.name] = samples
        print(f"{row.name:16} " + "  ".join(f"{name} {cell(least(one, lambda sample: sample.cpu_ms), '{:.0f}')}" for name, one in samples.items()), file=sys.stderr, flush=True)
        if row.name == "lost":
            text = next(one[0].text for one in samples.values() if not isinstance(one, str) and one)
            lost = [re.search("lost .*", text).group(), *[f"{name}: {found.get(name)}" for name in samples if name != "glibc"], ""]
    lines = ratio_table("processor time", "ms", used, all_samples, lambda sample: sample.cpu_ms)
    lines += ratio_table("peak RSS", "KiB", used, all_samples, lambda sample: sample.rss_kib)
    lines += lost
    failed = [f"{row}, {name}: {one}" for row, samples in all_samples.items() for name, one in samples.items() if isinstance(one, str)]
    print("\n".join(lines + failed))
    return 1 if any(isinstance(samples["gcalloc"], str) for samples in all_samples.values() if "gcalloc" in samples) else 0


if __name__ == "__main__":
    sys.exit(main())

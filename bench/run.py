#!/usr/bin/env python3
"""
Compares gcalloc with the C library's malloc and its peers: bench/run.py --build FOLDER --library libgcalloc.so

Each round runs a row once under every allocator, in an order that rotates from round to round, so that a slow
minute of the machine hits all of them alike. Results go to FOLDER/results as table.txt, table.tsv and picture.svg.
"""

import argparse
import os
import platform
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from driver import allocators, instructions, measure, picture, rows, table, verdict
from driver.programs import program_rows
from driver.results import Results

FULL_ROUNDS, QUICK_ROUNDS = 9, 3
FULL_SCALE, QUICK_SCALE = 100, 25


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--build", default="bench-build", help="folder with launch, micro/ and the results")
    add("--library", help="libgcalloc.so to measure; without it only the peers run")
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="set for gcalloc only")
    add("--peer", action="append", default=[], metavar="NAME=PATH", help="one more allocator")
    add("--allocators", help="only these, separated by commas")
    add("--rows", help="only these rows or groups (micro, program, memory), separated by commas")
    add("--rounds", type=int, help=f"runs of each row ({FULL_ROUNDS}; {QUICK_ROUNDS} if quick)")
    add("--quick", action="store_true", help="a quarter of the work in the micro rows")
    add("--scale", type=int, metavar="PERCENT", help="work in the micro rows, in percent")
    add("--metric", choices=["wall", "cpu"], default="wall", help="cpu steadies a busy machine")
    add("--estimate", choices=["median", "min"], default="median", help="min, likewise")
    add("--instructions", action="store_true", help="also count instructions of micro rows")
    add("--list", action="store_true", help="list the rows and end")
    return parser.parse_args()


def split_pairs(texts, option):
    pairs = [text.split("=", 1) for text in texts]
    if any(len(pair) != 2 for pair in pairs):
        sys.exit(f"bench: {option} wants NAME=VALUE")
    return pairs


def chosen_allocators(options):
    environment = dict(split_pairs(options.env, "--env"))
    peers = split_pairs(options.peer, "--peer")
    found, missing = allocators.find_all(options.library, environment, peers)
    for allocator in found:
        if not os.path.exists(allocator.library):
            sys.exit(f"bench: {allocator.name}: no such library: {allocator.library}")
    if options.allocators:
        names = options.allocators.split(",")
        unknown = set(names) - {allocator.name for allocator in found} - set(missing)
        if unknown:
            sys.exit(f"bench: no such allocator: {', '.join(sorted(unknown))}")
        found = [allocator for allocator in found if allocator.name in names]
        missing = [name for name in missing if name in names]
    return found, missing


def chosen_rows(options, work_folder):
    micro_folder = os.path.join(options.build, "micro")
    all_rows = (
        rows.micro_rows(micro_folder)
        + program_rows(work_folder)
        + rows.memory_rows(micro_folder)
    )
    return rows.select(all_rows, options.rows.split(",") if options.rows else [])


def measure_row(results, launcher, row, found, rounds, scale):
    for number in range(rounds):
        shift = number % len(found)
        for allocator in found[shift:] + found[:shift]:
            if (row.name, allocator.name) in results.errors:
                continue
            try:
                results.add(row, allocator, launcher.run(row, allocator, scale))
            except measure.Failed as problem:
                results.fail(row, allocator, str(problem))


def progress(results, row):
    measure_of = results.value if row.unit else results.time
    figures = [(name, measure_of(row, name)) for name in results.allocators]
    unit = row.unit or "ms"
    texts = [f"{name} {one.centre:.0f}" if one else f"{name} -" for name, one in figures]
    print(f"{row.name:18} {unit:4} {'  '.join(texts)}", file=sys.stderr, flush=True)


def head_lines(found, rounds, scale):
    cpus = len(os.sched_getaffinity(0))
    return [
        f"{platform.machine()}, {cpus} CPUs, Linux {platform.release()}, "
        f"{' '.join(platform.libc_ver())}; {rounds} rounds, micro rows at {scale} %",
        *[allocators.describe(allocator) for allocator in found],
    ]


def write_results(folder, results, text):
    os.makedirs(folder, exist_ok=True)
    contents = {
        "table.txt": text,
        "table.tsv": table.tsv_report(results),
        "picture.svg": picture.svg_report(results),
    }
    for name, content in contents.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)
    print(f"{text}\nwritten to {folder}: {', '.join(contents)}")


def main():
    options = parse_arguments()
    options.build = os.path.abspath(options.build)
    work_folder = os.path.join(options.build, "work")
    os.makedirs(work_folder, exist_ok=True)
    chosen = chosen_rows(options, work_folder)
    if options.list:
        for row in chosen:
            print(f"{row.group:8} {row.name:18} {row.missing or ''}".rstrip())
        return 0
    found, missing = chosen_allocators(options)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else FULL_ROUNDS)
    scale = options.scale or (QUICK_SCALE if options.quick else FULL_SCALE)
    results = Results(chosen, found, options.metric, options.estimate)
    launcher = measure.Launcher(os.path.join(options.build, "launch"), work_folder)
    for row in chosen:
        if not row.missing:
            measure_row(results, launcher, row, found, rounds, scale)
            progress(results, row)
    if options.instructions:
        instructions.count_all(results, found, work_folder)
    head = head_lines(found, rounds, scale)
    text = table.text_report(results, head, missing, verdict.verdict(results))
    write_results(os.path.join(options.build, "results"), results, text)
    return 1 if results.errors or results.checksum_errors() else 0


if __name__ == "__main__":
    sys.exit(main())

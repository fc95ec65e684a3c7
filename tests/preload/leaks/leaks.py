#!/usr/bin/env python3
"""Leaks: every shape of blocks, lost from every place and kept there: all that is lost is reported with its class and count, and
nothing else; exit statuses; the form of a report."""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, find_program, run, source_path, status_words, subject_environment

LEAKED = 23
# Each shape is tried in these places, and each place with these shapes: any two differ in one thing only.
USUAL_PLACES = ("in_a_variable", "in_a_thread_that_was_joined", "in_a_block_overwritten", "before_exit_in_a_thread")
USUAL_SHAPES = ("single", "ring", "table", "large", "list")


def program(name):
    return built_path("preload", "leaks", name)


def reports_in(folder):
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found.append(json.load(file))
    return found


def run_reporting(command, options="leaks", **arguments):
    """The result, and all reports of the program and its children."""
    with tempfile.TemporaryDirectory(prefix="gcalloc-leaks-") as folder:
        result = run(command, env=subject_environment(f"{options},report_file={folder}/%p"), **arguments)
        return result, reports_in(folder)


def total(reports, name, what="blocks"):
    return sum(report["totals"][name][what] for report in reports)


def place_case(shape, heads, indirect, inner, place, by_kernel, keeps):
    """Returns what is wrong, or None: run in other threads than the tally's."""
    result, reports = run_reporting([program("places"), shape, place, "keep" if keeps else "lose"])
    lost = (0, 0) if keeps else (heads, indirect)
    found = (total(reports, "definite"), total(reports, "indirect"))
    kernel = heads + indirect - inner if keeps and by_kernel else 0
    possible = inner if keeps else 0
    status = 0 if keeps else LEAKED
    if result.stdout != b"acting\n" or result.stderr != b"":
        return f"it says {result.stdout[-200:]!r} {result.stderr[-300:]!r}, {status_words(result.returncode)}"
    if not reports:
        return "no report"
    if found != lost:
        return f"lost {found}, not {lost}: {reports[-1]['totals']} {reports[-1]['incomplete']}"
    if total(reports, "possible") != possible or total(reports, "kernel") != kernel:
        return f"in doubt or the kernel's: {reports[-1]['totals']}"
    if result.returncode != status:
        return f"{status_words(result.returncode)}, not {status}"
    return None


def check_places(tally):
    shapes, places = run([program("places")]).stdout.decode().split("\n\n")
    shapes = [line.split() for line in shapes.splitlines()]
    places = [line.split() for line in places.splitlines()]
    cases = []
    for shape, heads, indirect, inner in shapes:
        for place, by_kernel in places:
            if place in USUAL_PLACES or shape in USUAL_SHAPES:
                for keeps in (False, True):
                    cases.append((shape, int(heads), int(indirect), int(inner), place, by_kernel == "1", keeps))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: place_case(*case), cases))
    for case, wrong in zip(cases, results):
        tally.case(f"{case[0]} {case[4]}, {'kept' if case[6] else 'lost'}", lambda words: expect(words is None, words), wrong)


def has_the_form_of(sample, found, where="report"):
    """The same keys and kinds of values, wherever the sample has any."""
    if isinstance(sample, dict):
        expect(isinstance(found, dict) and list(sample) == list(found), f"{where}: {list(found)} instead of {list(sample)}")
        for key, value in sample.items():
            has_the_form_of(value, found[key], f"{where}.{key}")
    elif isinstance(sample, list):
        expect(isinstance(found, list), f"{where} is no list")
        if sample and found:
            has_the_form_of(sample[0], found[0], f"{where}[0]")
    elif sample is not None:
        expect(type(sample) is type(found), f"{where} is {found!r}, as if {sample!r}")


def form():
    _, reports = run_reporting([program("places"), "ring", "in_a_variable", "lose"])
    with open(source_path("preload", "leaks", "sample.json"), encoding="utf-8") as file:
        sample = json.load(file)
    has_the_form_of(sample, reports[0])
    report = reports[0]
    record = report["records"][0]
    expect(record["class"] == "definite" and record["blocks"] == 1 and record["indirect_blocks"] == 49, f"{record}")
    expect(record["shape"][0] == "cycle" and sum(site["blocks"] for site in record["shape"][1]) == 49, f"{record['shape']}")
    paths = [report["modules"][module]["path"] for module, _ in report["stacks"][record["stack"]]]
    expect(os.path.basename(paths[0]).endswith("places") and report["modules"][0]["build_id"] != "", f"{paths}")
    expect(record["bytes"] == 40 and record["size_min"] == 40, f"{record}")


def ids_are_stable():
    ids = set()
    for _ in range(3):
        _, reports = run_reporting([program("places"), "tree", "in_a_variable", "lose"])
        ids.add(tuple(record["id"] for record in reports[0]["records"]))
    expect(len(ids) == 1, f"{ids}")


def text():
    result = run([program("places"), "ring", "in_a_variable", "lose"], env=subject_environment("leaks"))
    words = result.stderr.decode()
    expect(result.returncode == LEAKED and result.stdout == b"acting\n", status_words(result.returncode))
    for part in ("LEAK 1/1 definite  40 B in 1 block (+1.9 KiB indirect in 49)", "  cycle\n", "places+0x",
                 "gcalloc: leaked 40 B in 1 block; indirect 1.9 KiB in 49 blocks\n"):
        expect(part in words, words)


def ages():
    """With lifetimes, too, whose clock goes in finer steps: what was allocated just now is not older than the program."""
    step = time.clock_getres(6)  # CLOCK_MONOTONIC_COARSE
    for options in ["leaks"] + ["leaks,lifetimes"] * 12:
        began = time.monotonic()
        result = run([program("places"), "single", "before_underscore_exit", "lose"], env=subject_environment(options))
        words = result.stderr.decode()
        found = re.search(r" age (\d+)(ms|s|m|h)\n", words)
        expect(found is not None, words)
        seconds = int(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found[2]]
        expect(seconds <= time.monotonic() - began + step, f"{options}: {words}")


def statuses():
    for options, arguments, wanted in (
            ("leaks", ("single", "in_a_variable", "keep"), 0),
            ("leaks,exitcode=7", ("single", "in_a_variable", "lose"), 7),
            ("leaks,exitcode=0", ("single", "in_a_variable", "lose"), 0),
            ("leaks,exitcode=9", ("single", "before_underscore_exit", "lose"), 9),
            ("leaks,exitcode=9", ("single", "before_quick_exit", "lose"), 9),
            ("leaks", ("single", "nowhere", "lose"), 99)):
        result = run([program("places"), *arguments], env=subject_environment(options))
        expect(result.returncode == wanted, f"{options} {arguments}: {status_words(result.returncode)}")


def files_are_new():
    """A report neither follows a link nor overwrites anything."""
    with tempfile.TemporaryDirectory(prefix="gcalloc-leaks-") as folder:
        precious = os.path.join(folder, "precious")
        path = os.path.join(folder, "report")
        with open(precious, "w", encoding="ascii") as file:
            file.write("precious")
        os.symlink(precious, path)
        for _ in range(2):
            run([program("places"), "single", "in_a_variable", "lose"], env=subject_environment(f"leaks,report_file={path}"))
        with open(precious, encoding="ascii") as file:
            expect(file.read() == "precious", "it was overwritten")
        expect(sorted(os.listdir(folder)) == ["precious", "report", "report.2", "report.3"], f"{os.listdir(folder)}")
        expect(os.stat(path + ".2").st_mode & 0o777 == 0o600, "others may read it")


def files_at_once():
    """Programs that end at the same moment with the same name for their reports: each writes one of its own, whole."""
    count = 12
    with tempfile.TemporaryDirectory(prefix="gcalloc-leaks-") as folder:
        path = os.path.join(folder, "report")
        command = [program("places"), "single", "in_a_variable", "lose"]
        environment = subject_environment(f"leaks,report_file={path}")
        processes = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(count)]
        expect([process.wait() for process in processes] == [LEAKED] * count, "an exit status")
        names = ["report"] + [f"report.{number}" for number in range(2, count + 1)]
        expect(sorted(os.listdir(folder)) == sorted(names), f"{os.listdir(folder)}")
        pids = set()
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                pids.add(json.load(file)["program"]["pid"])
        expect(pids == {process.pid for process in processes}, f"{pids}")


SUPPRESSIONS = (
    # rules, whether "single in_a_variable lose" is suppressed
    ("leak:single", True), ("leak:^single$", True), ("leak:^singl$", False), ("leak:s*le", True), ("leak:places", True),
    ("leak:^ingle", False), ("leak:in_a_variable\n# comment\n\nleak:x", True), ("leak:single max=1", True),
    ("leak:single max=0", False), ("only:single", False), ("only:other", True),
    ("{\n n\n Memcheck:Leak\n fun:malloc\n fun:single\n}", True),
    ("{\n n\n Memcheck:Leak\n fun:calloc\n fun:single\n}", True),  # libc's and ours don't tell one from the other
    ("{\n n\n Memcheck:Leak\n fun:malloc\n fun:main\n}", False),
    ("{\n n\n Memcheck:Leak\n fun:malloc\n ...\n fun:main\n}", True),
    ("{\n n\n Memcheck:Leak\n match-leak-kinds: possible\n ...\n fun:main\n}", False),
    ("{\n n\n Memcheck:Leak\n match-leak-kinds: definite,possible\n fun:*lloc\n fun:s?ngle\n obj:*/places\n}", True),
    ("{\n n\n Memcheck:Cond\n ...\n}", False),
)


def suppressions():
    with tempfile.TemporaryDirectory(prefix="gcalloc-leaks-") as folder:
        path = os.path.join(folder, "rules")
        for rules, is_suppressed in SUPPRESSIONS:
            with open(path, "w", encoding="ascii") as file:
                file.write(rules)
            result, reports = run_reporting([program("places"), "single", "in_a_variable", "lose"], f"leaks,suppressions={path}")
            found = (total(reports, "definite"), total(reports, "suppressed"), result.returncode)
            expect(found == ((0, 1, 0) if is_suppressed else (1, 0, LEAKED)), f"{rules!r}: {found}")
        with open(path, "w", encoding="ascii") as file:
            file.write("leak:single\nleak:nobody\nnonsense\n")
        result = run([program("places"), "single", "in_a_variable", "lose"], env=subject_environment(f"leaks,suppressions={path}"))
        expect(result.stderr.decode().splitlines() == [
            f"gcalloc: warning: {path}, line 3: not a suppression",
            f"gcalloc: warning: {path}, line 2: no leak matches the suppression leak:nobody"], result.stderr.decode())
        result = run([program("places"), "single", "in_a_variable", "lose"], env=subject_environment(f"leaks,suppressions={folder}/none"))
        expect(result.returncode == LEAKED and b"can't be read from" in result.stderr, result.stderr.decode())


def lsan_interface():
    for what, options, status, said in (
            ("lost", {}, 77, ""), ("off", {}, 0, ""), ("disabled", {}, 0, ""), ("ignored", {}, 0, ""), ("suppressed", {}, 0, ""),
            ("check", {}, 77, ""), ("recoverable", {}, 77, "it goes on\n"), ("region", {}, 0, ""),
            ("lost", {"LSAN_OPTIONS": "exitcode=5"}, 5, ""), ("lost", {"LSAN_OPTIONS": "detect_leaks=0"}, 0, ""),
            ("lost", {"LSAN_OPTIONS": "leak_check_at_exit=0"}, 0, ""),
            ("recoverable", {"LSAN_OPTIONS": "leak_check_at_exit=0"}, 0, "it goes on\n")):
        result = run([program(".libs/lsan"), what], env=subject_environment("leaks", **options))
        expect((result.returncode, result.stdout.decode()) == (status, said), f"{what} {options}: {result}")
    result = run([program(".libs/lsan"), "lost"], env=subject_environment(LSAN_OPTIONS="detect_leaks=1,exitcode=6"))
    expect(result.returncode == 6 and b"LEAK 1/1 definite" in result.stderr, f"{result}")
    result = run([program(".libs/lsan"), "lost"], env=subject_environment(LSAN_OPTIONS="exitcode=6"))
    expect(result.returncode == 0 and result.stderr == b"", f"{result}")


def interface():
    for options, mode in (("leaks", "on"), ("leaks,verify", "on"), ("", "off"), ("gc", "off")):
        result = run([program("api"), mode], env=subject_environment(options + (",leaks_at_exit=0" if mode == "on" else "")))
        expect(result.returncode == 0 and result.stderr == b"", f"{options}: {status_words(result.returncode)} {result.stderr.decode()}")


def objects():
    _, reports = run_reporting([program("objects")])
    expect((total(reports, "definite"), total(reports, "possible")) == (0, 1), f"{reports[0]['totals']}")
    result, reports = run_reporting([program("objects"), "lose"])
    # array, part, virtual part, text, the vector, four tables, what was aligned, and one more; under text its letters, under the vector its array and 50
    expect((total(reports, "definite"), total(reports, "indirect"), result.returncode) == (11, 52, LEAKED), f"{reports[0]['totals']}")


def usual_code(path, name, heads):
    """Lost, so many heads, -1 for some; and given back or held, nothing."""
    result, reports = run_reporting([path, name, "lose"])
    found = total(reports, "definite")
    expect(found == heads or (heads < 0 < found), f"{found} lost instead of {heads}: {reports[-1]['totals']}")
    expect(result.returncode == (LEAKED if heads != 0 else 0), f"{result}")
    result, reports = run_reporting([path, name, "keep"])
    expect((total(reports, "definite"), total(reports, "possible"), result.returncode) == (0, 0, 0),
           f"false leaks: {reports[-1]['totals'] if reports else result}")


def check_usual_code(tally):
    for which in ("library", "library_cc"):
        path = program(which)
        if not os.path.exists(path):
            continue
        for line in run([path], env=subject_environment("")).stdout.decode().splitlines():
            name, heads = line.split()
            tally.case(f"usual code: {name}", usual_code, path, name, int(heads))


def moments():
    result, reports = run_reporting([program("moments"), "exec"])
    expect([report["moment"] for report in reports] == ["exec", "exit"], f"{[report['moment'] for report in reports]}")
    expect(total(reports[:1], "definite") == 1 and result.returncode == 0, f"{result}")
    result, reports = run_reporting([program("moments"), "signal"])
    expect(reports == [] and result.returncode == -signal.SIGTERM, f"{result}")


def inheritance():
    result, reports = run_reporting([program("moments"), "inherit"])
    expect(result.returncode == LEAKED, f"{result}")
    found = sorted((report["program"]["forks"], record["inherited"], record["blocks"]) for report in reports
                   for record in report["records"] if record["class"] == "definite")
    expect(found == [(0, False, 1), (1, False, 2), (1, True, 1)], f"{found}")


def thread_names():
    _, reports = run_reporting([program("moments"), "thread"])
    names = {thread["number"]: thread["name"] for thread in reports[0]["threads"]}
    found = sorted((names[record["thread"]], record["blocks"]) for record in reports[0]["records"])
    expect(found == [("first", 3), ("second", 3)], f"{found}")


def healed():
    result, reports = run_reporting([program("moments"), "gc"], "leaks,gc")
    totals = reports[0]["totals"]
    expect(totals["reclaimed"]["blocks"] > 100000 and totals["reclaimed"]["blocks"] + totals["definite"]["blocks"] >= 299990, f"{totals}")
    records = [record for record in reports[0]["records"] if record["class"] == "reclaimed"]
    expect(len(records) == 1 and records[0]["size_min"] == 200 and records[0]["stack"] >= 0, f"{records}")
    expect(result.returncode in (0, LEAKED), f"{result}")


def healed_among_others():
    """Each block counts once, whoever frees it: what was lost is lost or reclaimed, and lifetimes end for what is not there any more."""
    for options in ("leaks,gc,lifetimes", "leaks,gc,lifetimes,concurrent=always"):
        _, reports = run_reporting([program("moments"), "mixed"], options + ",report_all")
        totals, history = reports[0]["totals"], reports[0]["history"]
        lost = sum(totals[name]["blocks"] for name in ("definite", "indirect", "possible", "reclaimed"))
        expect(299990 <= lost <= 300000, f"{options}: {totals}")
        there = sum(total["blocks"] for name, total in totals.items() if name != "reclaimed")
        expect(sum(life["allocated_blocks"] - life["freed_blocks"] for life in history) == there, f"{options}: {totals} {history}")


def many():
    _, reports = run_reporting([program("moments"), "many"])
    expect(total(reports, "definite") == 300000 and len(reports[0]["records"]) == 1, f"{reports[0]['totals']}")
    _, reports = run_reporting([program("moments"), "many"], "leaks,sample=64KiB")
    expect(total(reports, "definite") == 300000, f"{reports[0]['totals']}")
    weight = sum(record.get("weight_bytes", 0) for record in reports[0]["records"])
    expect(50e6 < weight < 70e6, f"{weight} bytes estimated of 60,000,000")


def short_of_memory():
    """Where the kernel refuses memory there may be no report, but the program does not mind."""
    for refused in [f"fail_map={n}" for n in range(1, 31)] + [f"fail_map_every={n}" for n in (2, 5, 9)]:
        result = run([program("places"), "single", "in_a_variable", "lose"], env=subject_environment(f"leaks,{refused}"))
        expect(result.returncode in (0, 1, LEAKED), f"{refused}: {status_words(result.returncode)}")


def by_signal():
    """A waiting program writes a report of itself when told to, and goes on as if nothing had been."""
    with tempfile.TemporaryDirectory(prefix="gcalloc-leaks-") as folder:
        path = os.path.join(folder, "report")
        environment = subject_environment(f"leaks,report_signal={signal.SIGUSR2.value},report_file={path}")
        process = subprocess.Popen([find_program("cat")], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"before\n")
        process.stdin.flush()
        expect(process.stdout.readline() == b"before\n", "it does not work")
        process.send_signal(signal.SIGUSR2)
        for _ in range(500):
            if os.path.exists(path) and os.path.getsize(path) > 0:
                break
            time.sleep(0.01)
        out, _ = process.communicate(b"after\n")
        expect(out == b"after\n" and process.returncode == 0, f"{out} {process.returncode}")
        moments = [report["moment"] for report in reports_in(folder)]
        expect(moments == ["signal", "exit"], f"{moments}")


def main():
    tally = Tally("leaks")
    tally.case("the form of a report", form)
    tally.case("ids", ids_are_stable)
    tally.case("text", text)
    tally.case("ages", ages)
    tally.case("exit statuses", statuses)
    tally.case("report files are new files", files_are_new)
    tally.case("files at once", files_at_once)
    tally.case("suppressions", suppressions)
    tally.case("LeakSanitizer's interface", lsan_interface)
    tally.case("gcalloc/leak.h", interface)
    tally.case("reports by a signal", by_signal)
    tally.case("objects of C++", objects)
    tally.case("other ends", moments)
    tally.case("memory that runs out", short_of_memory)
    tally.case("what is inherited", inheritance)
    tally.case("names of threads", thread_names)
    tally.case("leaks that were healed", healed)
    tally.case("leaks that were healed among other blocks", healed_among_others)
    tally.case("many blocks, and samples of them", many)
    check_usual_code(tally)
    check_places(tally)
    tally.finish()


main()

#!/usr/bin/env python3
"""The collector from outside: programs that lose memory in every shape stay small, the API keeps its word, a log line
tells of each collection, and `gcalloc run --gc --stats` reports them all."""

import json
import os
import re
import signal
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, plain_environment, run, status_words, subject_environment

COMMAND = os.environ.get("GCALLOC_TEST_COMMAND", "")
LIBRARY = os.environ.get("GCALLOC_TEST_LIBRARY", "")
LINE = re.compile(r"gcalloc: gc \d+ \((asked|grown|exhausted|torture|pressed)\): \d+ us, marked in \d+ us, scanned [\d.]+ [KMG]?i?B; "
                  r"freed \d+ blocks, [\d.]+ [KMG]?i?B; \d+ blocks live, [\d.]+ [KMG]?i?B in [\d.]+ [KMG]?i?B")


def program(name):
    return built_path("preload", "collect", name)


def check(result):
    errors = result.stderr.decode(errors="replace")
    expect(result.returncode == 0, f"{status_words(result.returncode)}: {result.stdout.decode()[-500:]}{errors[-500:]}")
    return errors


def stays_small(shape, mib, limit_kib, options=""):
    """Small beside what is lost; without the collector it would not be, which is shown once."""
    errors = check(run([program("leaks"), shape, str(mib), str(limit_kib)], env=subject_environment("gc" + options)))
    expect(errors == "", f"it said: {errors}")


def churns(threads, rounds, options, *words):
    errors = check(run([program("churn"), str(threads), str(rounds), *words], env=subject_environment("gc" + options)))
    expect(errors == "", f"it said: {errors}")


def carries(options, threads, rounds, *words):
    errors = check(run([program("couriers"), str(threads), str(rounds), *words], env=plain_environment(GCALLOC_OPTIONS=options)))
    expect(errors == "", f"it said: {errors}")


def goes_well(what, options="gc,concurrent=always,verify", *words):
    environment = subject_environment(options)
    errors = check(run([program("alone"), what, *words], env=environment))
    expect(errors == "", f"it said: {errors}")


def grows_without():
    result = run([program("leaks"), "small", "200", "100000"], env=subject_environment())
    expect(result.returncode != 0, "nothing was lost")


def logs():
    errors = check(run([program("leaks"), "mixed", "100", "64000"], env=subject_environment("gc,gc_log,verify")))
    lines = errors.splitlines()
    expect(len(lines) >= 4, f"only {len(lines)} lines")
    for line in lines:
        expect(LINE.fullmatch(line), f"a line is: {line}")


def reports():
    result = run([COMMAND, "run", "--gc", "--stats", "--", program("leaks"), "mixed", "100", "64000"], env=plain_environment())
    errors = check(result)
    for pattern in (r"collections +\d+ \(0 abandoned\)", r"of all +\d+, \d+ ms, \d+ blocks freed, [\d.]+ MiB, \d+% survived",
                    r"allocated, as they found +[\d.]+ MiB", r"live after the last +[\d.]+ [KM]?i?B", r"under +\d+ us +\d+\n", r"pauses +\d+ us mean, \d+ us at most, \d+ ms in all",
                    r"freed by collections +\d{4,} blocks, [\d.]+ MiB"):
        expect(re.search(pattern, errors), f"no {pattern} in {errors}")


def trace_of(options, arguments):
    """The events of a traced program, as a strict reader of JSON finds them."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        check(run(arguments, env=plain_environment(GCALLOC_OPTIONS=f"{options},gc_trace={path}", LD_PRELOAD=LIBRARY)))
        with open(path, encoding="ascii") as file:
            return json.load(file)


def traces():
    events = trace_of("gc", [program("leaks"), "mixed", "100", "64000"])
    spans = [event for event in events if event["ph"] == "X"]
    for event in spans:
        expect(event["dur"] >= 0 and event["ts"] > 0 and event["pid"] > 0 and event["tid"] > 0, f"an event is {event}")
    collections = [event for event in spans if event["name"] == "collection"]
    expect(len(collections) >= 4, f"{len(collections)} collections")
    for kind in ("pause", "mark", "sweep"):
        inside = [event for event in spans if event["name"] == kind]
        expect(len(inside) >= len(collections), f"{len(inside)} times {kind}")
        for event in inside:
            expect(any(whole["ts"] <= event["ts"] and event["ts"] + event["dur"] <= whole["ts"] + whole["dur"] + 1000
                       for whole in collections), f"{event} is in no collection")
    counts = [event for event in events if event["ph"] == "C"]
    expect({event["name"] for event in counts} == {"live", "heap"}, "figures")
    expect(all(event["args"]["bytes"] >= 0 for event in counts), "figures are numbers")


def traces_of_several():
    events = trace_of("gc,collect_every=500", [program("finalizers"), "300"])
    expect(len({event["pid"] for event in events}) > 2, "children add to the file")


def trace_leaves_other_files():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"somebody else's\n")
        file.flush()
        result = run([program("leaks"), "small", "50", "64000"], env=subject_environment(f"gc,gc_trace={file.name}"))
        errors = check(result)
        expect(errors.count("option \"gc_trace\"") == 1, f"it said {errors}")
        with open(file.name, "rb") as again:
            expect(again.read() == b"somebody else's\n", "the file has changed")


def feels_pressure():
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "proc", "pressure"))
        path = os.path.join(folder, "proc", "pressure", "memory")
        errors = check(run([program("pressure"), path], env=plain_environment(GCALLOC_OPTIONS=f"gc,gc_log,pressure_root={folder}")))
        expect("(pressed)" in errors, f"it said {errors}")


def shadow_reports():
    result = run([program("api"), "shadow"], env=plain_environment(GCALLOC_OPTIONS="gc,shadow"))
    expect(result.returncode == -signal.SIGABRT, f"{status_words(result.returncode)} {result.stderr.decode()}")
    expect(b"double free" in result.stderr, f"it said {result.stderr.decode()}")


def finalizes(options, rounds):
    check(run([program("finalizers"), str(rounds)], env=plain_environment(GCALLOC_OPTIONS=options)))


def drives(what, options, *words):
    """The program links the library, so nothing is preloaded."""
    check(run([program("steps"), what, *words], env=plain_environment(GCALLOC_OPTIONS="gc" + options)))


def main():
    tally = Tally("collect")
    tally.case("weak references and finalizers", lambda: finalizes("gc,verify", 5000))
    tally.case("weak references and finalizers, tortured", lambda: finalizes("gc,verify,collect_every=100", 300))
    tally.case("weak references and finalizers, beside the program", lambda: finalizes("gc,verify,concurrent=always,mark_check,collect_every=100", 300))
    tally.case("weak references and finalizers, in the shadow", lambda: finalizes("gc,shadow,collect_every=500", 300))
    for shape in ("small", "mixed", "cyclic", "list", "threads", "kept"):
        tally.case(f"{shape} leaks", lambda shape=shape: stays_small(shape, 300, 64 << 10))
    tally.case("large leaks", lambda: stays_small("large", 1000, 128 << 10))
    tally.case("tortured leaks", lambda: stays_small("kept", 30, 64 << 10, ",collect_every=50,verify"))
    for shape in ("small", "mixed", "large", "threads"):
        tally.case(f"{shape} leaks in a heap without room", lambda shape=shape: stays_small(shape, 100, 64 << 10, ",reserve=40M" if shape == "large" else ",reserve=16M"))
    for options in (",collect_every=40,verify", ",collect_every=7,shadow", ",collect_every=3"):
        tally.case("threads, " + options[1:], lambda options=options: churns(3, 20000, options))
    for options in (",collect_every=5,mark_check=2", ",collect_every=5,verify", ",collect_every=9,shadow"):
        for threads in (0, 3):
            tally.case(f"beside {threads} threads, {options[1:]}",
                       lambda options=options, threads=threads: churns(threads, 40000, ",concurrent=always" + options))
    tally.case("beside threads and forks", lambda: churns(3, 20000, ",concurrent=always,collect_every=5,mark_check=2", "fork"))
    for options in ("gc", "gc,concurrent=always,collect_every=5,mark_check=2", "gc,shadow,collect_every=30", "gc,concurrent=always,gc_threads=4"):
        tally.case(f"couriers, {options}", lambda options=options: carries(options, 3, 200))
    for options in ("gc", "gc,concurrent=always"):
        tally.case(f"couriers that only resize, {options}", lambda options=options: carries(options, 6, 3000, "resize"))
    for shape in ("small", "mixed", "list", "large"):
        limit = 128 << 10 if shape == "large" else 64 << 10
        tally.case(f"{shape} leaks beside the program", lambda shape=shape, limit=limit: stays_small(shape, 300, limit, ",concurrent=always"))
    for what in ("namespace", "guard", "denied", "close", "children", "exec", "main-first", "kernel"):
        tally.case(f"a helper and {what}", lambda what=what: goes_well(what))
        if what != "kernel":
            tally.case(f"the quarantine's helper and {what}",
                       lambda what=what: goes_well(what, "quarantine,quarantine_stop=0,quarantine_min=64K,verify", "free"))
    tally.case("threads and forks", lambda: churns(3, 20000, ",collect_every=30,verify", "fork"))
    for options in ("", "gc,", "gc,gc_mode=memory,", "gc,gc_mode=training,verify,"):
        tally.case(f"a limit of the heap, {options or 'no collector'}",
                   lambda options=options: check(run([program("limit")], env=plain_environment(GCALLOC_OPTIONS=f"{options}heap_limit=16M"))))
    for options in ("", "gc,verify,"):
        tally.case(f"threads at a limit of the heap, {options}", lambda options=options: check(
            run([program("limit"), "threads"], env=plain_environment(GCALLOC_OPTIONS=f"{options}heap_limit=1M"))))
    for mode in ("throughput", "latency", "memory", "training", "inference"):
        tally.case(f"leaks, {mode}", lambda mode=mode: stays_small("mixed", 600, (400 if mode == "training" else 120 if mode == "throughput" else 64) << 10, f",gc_mode={mode}"))
    tally.case("leaks without a collector", grows_without)
    tally.case("the API", lambda: check(run([program("api")], env=plain_environment(GCALLOC_OPTIONS="gc,verify"))))
    tally.case("the API without the option", lambda: check(run([program("api"), "off"], env=plain_environment())))
    for what in ("young", "steps", "others", "growth", "fork", "vfork", "realloc", "library"):
        tally.case(f"collections that the program drives: {what}", lambda what=what: drives(what, ",verify"))
        tally.case(f"collections that the program drives and tells of its writes: {what}",
                   lambda what=what: drives(what, ",verify,gc_tracking=program"))
    for what in ("young", "steps"):
        tally.case(f"collections that the program drives, checked: {what}", lambda what=what: drives(what, ",mark_check=2"))
        tally.case(f"collections that the program drives and tells of its writes, checked: {what}",
                   lambda what=what: drives(what, ",mark_check=2,gc_tracking=program"))
        tally.case(f"collections that the program drives, in one stop: {what}", lambda what=what: drives(what, ",concurrent=never", "one stop"))
    tally.case("blocks in use are reported in shadow mode", shadow_reports)
    tally.case("a line for each collection", logs)
    tally.case("gcalloc run --gc --stats", reports)
    tally.case("memory is short", feels_pressure)
    tally.case("a trace", traces)
    tally.case("a trace of several processes", traces_of_several)
    tally.case("a trace leaves other files alone", trace_leaves_other_files)
    tally.finish()


main()

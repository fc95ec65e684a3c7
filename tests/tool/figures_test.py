#!/usr/bin/env python3
"""What reports tell besides places: estimates from samples, types, what was allocated and freed."""

import json
import os
import re
import shutil
import subprocess

import report_common as made
from common import COMMAND, CommandTally, compiled, expect, expect_line, expect_same, gcalloc, temporary_folder
from harness import LIBRARY, Missing, source_path

TYPED = r"""
#include <gcalloc/own.h>
#include <gcalloc/type.h>
#include <stdlib.h>
struct buf { char *data; struct session *owner; };
struct session { struct buf *buf; };
struct timer { struct session *session; };
GCA_TYPE(struct session);
GCA_TYPE(struct buf);
GCA_TYPE(struct timer);
__attribute__((noinline)) static void *fill(void) { return malloc(100); }
__attribute__((noinline)) static void lose(void) {
    struct session *session = gca_new(struct session);
    session->buf = gca_new(struct buf);
    session->buf->owner = session;
    session->buf->data = fill();
}
struct timer *timers[50];
int main(void) {
    lose();
    for (int i = 0; i < 50; i++) timers[i] = gca_new(struct timer);
    for (int i = 5; i < 50; i++) { gca_drop(timers[i]); timers[i] = NULL; }
    return 0;
}
"""

SAMPLED = r"""
#include <stdlib.h>
void *kept[100000];
__attribute__((noinline)) static void *small(void) { char *volatile made = malloc(100); made[0] = 1; return made; }
__attribute__((noinline)) static void *large(void) { char *volatile made = malloc(3000); made[0] = 1; return made; }
__attribute__((noinline)) static void lose(void) {
    for (int i = 0; i < 20000; i++) {
        void **volatile head = malloc(200);
        *head = malloc(50);
        head = NULL;
    }
}
int main(void) {
    for (int i = 0; i < 100000; i++) kept[i] = i % 10 != 0 ? small() : large();
    lose();
    return 0;
}
"""


CHURNING = r"""
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept[100];
__attribute__((noinline)) static void brief(void) { char *volatile made = malloc(50); made[0] = 1; free(made); }
__attribute__((noinline)) static void *longer(void) { char *volatile made = malloc(500); made[0] = 1; return made; }
__attribute__((noinline)) static void *grow(void *block, size_t size) { return realloc(block, size); }
int main(void) {
    void *volatile block = NULL;
    for (int i = 0; i < 20000; i++) brief();
    for (int i = 0; i < 100; i++) kept[i] = longer();
    usleep(40000);
    for (int i = 0; i < 90; i++) free(kept[i]);
    for (size_t i = 1; i < 2000; i++) block = grow(block, i * 100);
    free(block);
    return 0;
}
"""


def report_of(folder, source, options, *flags):
    program = compiled(folder, source, "-g", "-O1", "-fno-builtin", *flags)
    expect(program is not None, "the program can't be compiled")
    file = os.path.join(folder, "report.json")
    result = gcalloc("run", "-o", options, "-o", f"leaks,exitcode=0,report_all,report_file={file}", "--", program)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    with open(file, encoding="utf-8") as stream:
        return file, json.load(stream)


def shown(*arguments):
    result = gcalloc("report", *arguments)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    return result.stdout


def typed(folder):
    library = os.path.dirname(LIBRARY)
    include = os.path.join(os.path.dirname(os.path.dirname(source_path("tool"))), "include")
    return report_of(folder, TYPED, "stacks=8", f"-I{include}", f"-L{library}", "-lgcalloc", f"-Wl,-rpath,{library}")


def types_are_counted():
    with temporary_folder() as folder:
        file, report = typed(folder)
        counts = {report["types"][one["type"]]: one for one in report["type_statistics"]}
        timer = counts["struct timer"]
        expect_same((timer["size"], timer["made"], timer["blocks"], timer["peak_blocks"]), (8, 50, 5, 50), "what is told of timers")
        expect_same(timer["peak_bytes"], 10 * timer["bytes"], "the peak in bytes")
        lost = [record for record in report["records"] if record["class"] == "definite"]
        heads = [report["types"][record["type"]] for record in lost]
        expect(heads in (["struct session"], ["struct buf"]), f"the types of what is lost: {heads}")
        text = shown(file)
        expect_line(r'  id \w+  thread ".*"  type struct (session|buf)', text)
        expect_line(r"  shape: cycle (session -> fill, buf -> session|buf -> fill, session -> buf)", text)
        expect_line(r"  struct timer: \d+ bytes in 5 blocks; at most \d+ bytes in 50 blocks; 50 made", text)
        again = json.loads(shown("--json", file))
        expect_same(again["type_statistics"], report["type_statistics"], "what --json tells")
        page = os.path.join(folder, "page.html")
        shown(file, "-o", page)
        with open(page, encoding="utf-8") as stream:
            expect('"types":[["struct ' in stream.read(), "no types on the page")


def is_near(found, wanted, words):
    """Of so many samples the estimate is off by a few percent; by a third never."""
    expect(0.67 * wanted < found < 1.5 * wanted, f"{words}: {found} where there are {wanted}")


def folded_of(file):
    return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in shown("--folded", "--class=all", file).splitlines()}


def samples_are_scaled():
    with temporary_folder() as folder:
        file, report = report_of(folder, SAMPLED, "sample=16K")
        expect_same(report["totals"]["definite"]["blocks"], 20000, "what is lost, exactly")
        lines = folded_of(file)
        for stack, wanted in (("definite;main;lose", 5.28e6), ("reachable;main;small", 9e6), ("reachable;main;large", 30e6)):
            is_near(lines.get(stack, 0), wanted, stack)
        rest = sum(count for stack, count in lines.items() if "no stack" in stack and stack.startswith("definite"))
        expect(rest + lines["definite;main;lose"] < 8e6, f"what no sample hit is counted twice: {lines}")
        text = shown(file)
        expect_line(r"LEAK 1/\d definite  ~[\d.]+ MiB in ~[\d,]+ blocks ±[\d.]+ KiB \(\+~[\d.]+ (KiB|MiB) indirect in [\d,]+\).*", text)
        expect_line(r"~ is an estimate from samples, one in 16\.0 KiB, .*", text)
        lost = [record for record in report["records"] if record["class"] == "definite" and record["stack"] >= 0]
        for record in lost:
            mean = record["weight_bytes"] / record["blocks"]
            expect(0.7 * record["blocks"] ** 0.5 * mean < record["weight_error_bytes"] < 1.1 * record["blocks"] ** 0.5 * mean,
                   f"the error of {record}")


def every_form_agrees():
    """One record by hand: two samples of 2,048 bytes that stand for ten, and six blocks that no sample hit."""
    with temporary_folder() as folder:
        program = made.build(folder)
        records = [made.record(weight_blocks=10, weight_bytes=10240, weight_error_bytes=5000),
                   made.record(id="00000001", stack=-1, thread=0, blocks=9, bytes=9216)]
        before = made.report(program, records=[])
        report = made.report(program, records=records, settings={"stacks": 32, "sample_bytes": 4096, "gc": False})
        before["settings"] = report["settings"]
        file, first = made.saved(folder, report), made.saved(folder, before, "before.json")
        text = shown(file)
        expect_line(r"LEAK 1/2 definite  ~10\.0 KiB in ~10 blocks ±4\.9 KiB  age .*", text)
        expect_line(r"LEAK 2/2 definite  1\.0 KiB in 1 block .*", text)
        expect_line(r"    no sample was taken of these", text)
        expect(folded_of(file) == {"definite;main;serve;session_new;make": 10240, "definite;[no stack]": 1024}, f"{folded_of(file)}")
        expect("about 10.0 KiB in 10 blocks" in shown("--sarif", file), "SARIF tells no estimate")
        found = json.loads(shown("--json", file))["records"][0]
        expect_same((found["blocks"], found["weight_blocks"], found["weight_error_bytes"]), (2, 10, 5000), "what --json tells")
        change = gcalloc("diff", first, file).stdout
        expect_line(r"NEW 1/2 definite  ~\+10\.0 KiB in \+10 blocks.*", change)
        site = json.loads(gcalloc("diff", "--json", first, file).stdout)["sites"][0]
        expect_same((site["after"], site.get("error_bytes")), ({"blocks": 10, "bytes": 10240}, 5000), "what diff --json tells")


def lives_of(report, folder):
    """By the function that allocated, from the names that --json finds."""
    file = made.saved(folder, report)
    named = json.loads(shown("--json", file))
    names = {(one["module"], one["offset"]): one["frames"][0].get("function") for one in named["symbols"]}
    return {names.get(tuple(named["stacks"][life["stack"]][0])): life for life in named["history"] if life["stack"] >= 0}


def lifetimes_are_counted():
    with temporary_folder() as folder:
        file, report = report_of(folder, CHURNING, "lifetimes")
        lives = lives_of(report, folder)
        brief, longer, grow = lives["brief"], lives["longer"], lives["grow"]
        expect_same([brief[key] for key in ("allocated_blocks", "allocated_bytes", "freed_blocks", "freed_bytes", "peak_bytes")],
                    [20000, 1000000, 20000, 1000000, 50], "what is told of brief()")
        expect_same(brief["brief_blocks"], 20000, "what was freed at once")
        expect_same(sum(brief["lifetimes"]), 20000, "all lifetimes")
        expect_same((longer["allocated_blocks"], longer["freed_blocks"], longer["peak_bytes"]), (100, 90, 50000), "of longer()")
        expect_same(sum(longer["lifetimes"][:6]), 0, "blocks of longer() that lived less than 32 ms")
        expect_same((grow["allocated_blocks"], grow["freed_blocks"], grow["peak_bytes"]), (1999, 1999, 199900), "of grow()")
        expect_same(grow["allocated_bytes"], grow["freed_bytes"], "the bytes of grow()")
        text = shown(file)
        expect_line(r"FREED 1/\d+  976\.6 KiB in 20,000 blocks, [\d,]+ of them within 1 ms, 20,000 before the next was allocated; "
                    r"at most 50 bytes at once", text)
        expect_line(r"allocated so far: .* in 22,\d+ blocks; freed: .* in 2\d,\d+ blocks", text)
        expect_line(r"lifetimes: [\d.]+% below 1 ms, .*", text)
        page = os.path.join(folder, "page.html")
        shown(file, "-o", page)
        with open(page, encoding="utf-8") as stream:
            expect('"lives":[[[' in stream.read(), "nothing of it on the page")


def lifetimes_are_estimated():
    with temporary_folder() as folder:
        _, report = report_of(folder, CHURNING, "lifetimes,sample=4K")
        brief = lives_of(report, folder)["brief"]
        is_near(brief["allocated_blocks"], 20000, "blocks of brief()")
        is_near(brief["freed_bytes"], 1e6, "bytes of brief()")


def lifetimes_survive(options):
    """In other modes, too, each block begins and ends once."""
    with temporary_folder() as folder:
        _, report = report_of(folder, CHURNING, f"lifetimes,{options}")
        lives = lives_of(report, folder)
        expect_same([lives[name]["freed_blocks"] for name in ("brief", "longer", "grow")], [20000, 90, 1999], "what was freed")


def lifetimes_in_pprof():
    with temporary_folder() as folder:
        program = compiled(folder, CHURNING, "-g", "-O1", "-fno-builtin")
        profile = os.path.join(folder, "held.pb.gz")
        expect_same(gcalloc("run", f"--profile={profile}", "--", program).stderr, "", "the messages")
        result = subprocess.run(["go", "tool", "pprof", "-sample_index=alloc_objects", "-top", "-unit=count", profile],
                                capture_output=True, check=False, env=dict(os.environ, PPROF_TMPDIR=folder)) \
            if shutil.which("go") else None
        if result is None or result.returncode != 0:
            raise Missing("go tool pprof")
        expect(re.search(r"20000\s.*brief", result.stdout.decode()), f"pprof says {result.stdout.decode()}")


def main():
    expect(os.path.exists(COMMAND), "no command")
    tally = CommandTally("what reports tell")
    tally.case("types: counted and named", types_are_counted)
    tally.case("samples: estimates of a program", samples_are_scaled)
    tally.case("samples: the same in every form", every_form_agrees)
    tally.case("lifetimes: counted", lifetimes_are_counted)
    tally.case("lifetimes: of samples", lifetimes_are_estimated)
    for options in ("gc,collect_every=50,verify", "quarantine,verify", "check=report,verify", "guard_sample=50"):
        tally.case(f"lifetimes: {options}", lifetimes_survive, options)
    tally.case("lifetimes: for pprof", lifetimes_in_pprof)
    tally.finish()


main()

#!/usr/bin/env python3
"""gcalloc leaks, profile, snapshot and grow: of a program of which it is known who holds what, live and in cores."""

import json
import os
import random
import re
import signal
import subprocess
import time

from common import (COMMAND, CommandTally, compiled, expect, expect_line, expect_only_line, expect_same, gcalloc,
                    plain_environment, temporary_folder)
from harness import Missing, subject_environment
from kept_program import Kept, core_of

# Of tests/tool/kept: what item_new() has made and nobody holds, with its data; and the block that only an inner address holds.
WANTED = {"definite": (1, 40), "indirect": (1, 1000), "possible": (1, 500), "kernel": (2, 143), "suppressed": (0, 0)}
# The same by the sizes of slots, where nothing is recorded.
SLOTS = {"definite": (1, 48), "indirect": (1, 1024), "possible": (1, 512), "kernel": (2, 160), "suppressed": (0, 0)}

ENDED_THREAD = r"""
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char task[64];
static _Atomic int keeper;
__attribute__((noinline)) static void use(void **blocks) { for (int i = 0; i < 5; i++) blocks[i] = malloc(7000); }
static void *forget(void *unused) { void *volatile blocks[512]; use((void **)blocks); return unused; }
static void *keep(void *unused) { (void)unused; keeper = gettid(); return malloc(9000); }
static pthread_t joined, unjoined;
int main(void) {
    pthread_create(&joined, NULL, forget, NULL);
    pthread_join(joined, NULL);
    pthread_create(&unjoined, NULL, keep, NULL);
    while (keeper == 0) sched_yield();
    snprintf(task, sizeof task, "/proc/self/task/%d", keeper);
    while (access(task, F_OK) == 0) sched_yield();
    puts("done");
    fflush(stdout);
    pause();
}
"""


def report_of(subject, *options, kind="leaks"):
    result = gcalloc(kind, "--json", *options, str(subject))
    expect_same(result.returncode, 0, f"the status of {kind}, which says {result.stderr!r},")
    return json.loads(result.stdout)


def classes_of(report):
    return {name: (report["totals"][name]["blocks"], report["totals"][name]["bytes"]) for name in WANTED}


def classes_are_exact():
    with Kept("stacks=16") as program, temporary_folder() as folder:
        for subject, moment in ((program.pid, "live"), (core_of(program.pid, folder), "core")):
            wanted = dict(WANTED)
            if moment == "core":
                # What only the kernel holds is nobody's, as far as a core tells.
                wanted.update(definite=(3, 183), kernel=(0, 0))
            report = report_of(subject)
            expect_same(classes_of(report), wanted, f"the classes of {moment}")
            expect_same((report["kind"], report["moment"], report["program"]["pid"]), ("leaks", moment, program.pid), "the head")
            expect(report["program"]["path"].endswith("/kept"), report["program"]["path"])
            lost = [record for record in report["records"] if record.get("example") == program.at["lost"]]
            expect_same(len(lost), 1, f"the records of the lost block in {report['records']}")
            expect_same((lost[0]["class"], lost[0]["indirect_bytes"]), ("definite", 1000), "class, and what hangs under it")


def text_names_the_line():
    with Kept("stacks=16") as program:
        result = gcalloc("leaks", str(program.pid))
        expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
        expect_line(rf"gcalloc: leaks of kept \(process {program.pid}\) while it runs.*", result.stdout)
        expect_line(r"LEAK 1/2 definite  40 bytes in 1 block \(\+1000 bytes indirect in 1\)  age .*", result.stdout)
        expect_line(r"    #2  item_new  .*kept\.c:\d+", result.stdout)


def sizes_without_stacks():
    for options in ("", "gc"):
        with Kept(options) as program:
            program.order("watch")  # threads have tables that only the loader knows
            found = classes_of(report_of(program.pid))
            wanted = dict(SLOTS)
            if options == "gc":
                # Blocks are smaller than their slots there.
                found.pop("kernel"), wanted.pop("kernel")
            expect_same(found, wanted, f"the classes with options {options!r}")


def exact_in_every_moment():
    """While threads allocate, move and free without end, and may be stopped in the middle of it."""
    with Kept("stacks=16") as program:
        program.order("busy 3")
        for _ in range(8):
            classes = classes_of(report_of(program.pid))
            for name in ("definite", "indirect", "kernel"):
                expect_same(classes[name], WANTED[name], f"what is {name}")


def ended_threads_hold_nothing():
    with temporary_folder() as folder:
        program = compiled(folder, ENDED_THREAD, "-O1", "-g", "-pthread")
        if program is None:
            raise Missing("a compiler")
        for options in ("stacks=8", "gc,stacks=8"):
            environment = {**subject_environment(), "GCALLOC_OPTIONS": options}
            with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True) as process:
                expect_same(process.stdout.readline(), "done\n", "what the program says")
                result = gcalloc("leaks", "--json", "--class=all", str(process.pid))
                process.kill()
                expect_same(result.returncode, 0, "the status of leaks")
                records = json.loads(result.stdout)["records"]
                lost = sum(record["blocks"] for record in records if record["class"] == "definite" and record["size_min"] == 7000)
                held = [record["class"] for record in records if record["size_min"] == 9000]
            expect_same((lost, held), (5, ["reachable"]), f"what was lost, and what a thread that was not joined returned, with {options}")


ODD = r"""
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
static void *kept;
static pthread_t first;
static sem_t rests;
static void *rest(void *said) { void *volatile mine = malloc(4000); sem_post(&rests); if (said != NULL) { puts(said); fflush(stdout); } for (;;) pause(); return mine; }
static void *last(void *said) { pthread_join(first, NULL); return rest(said); }
__attribute__((noinline)) static void set_up(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = malloc(71)};
    epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, eventfd(0, 0), &event);
    kept = malloc(3000);
    void *volatile lost = malloc(9999);
    lost = NULL;
    (void)lost;
}
__attribute__((noinline)) static void wipe(void) { volatile char frame[65536]; for (unsigned i = 0; i < sizeof frame; i++) frame[i] = 0; }
int main(int count, char **words) {
    static char done[] = "done";
    pthread_t thread;
    char number[32];
    (void)count;
    set_up();
    wipe();
    switch (words[1][0]) {
    case 'e': first = pthread_self(); pthread_create(&thread, NULL, last, done); pthread_exit(NULL);
    case 't': for (int i = 0; i < 100; i++) pthread_create(&thread, NULL, rest, NULL); for (int i = 0; i < 100; i++) sem_wait(&rests); break;
    case 'f': if (fork() != 0) { pause(); } snprintf(number, sizeof number, "%d", (int)getpid()); puts(number); break;
    }
    rest(done);
}
"""


def odd_processes():
    """One whose first thread has ended; one of many threads; the child of a fork."""
    with temporary_folder() as folder:
        program = compiled(folder, ODD, "-O1", "-g", "-pthread")
        if program is None:
            raise Missing("a compiler")
        for how, options in (("e", "stacks=8"), ("e", "gc"), ("t", ""), ("t", "gc"), ("f", "stacks=8"), ("f", "gc"), ("t", "quarantine")):
            environment = {**subject_environment(), "GCALLOC_OPTIONS": options}
            with subprocess.Popen([program, how], env=environment, stdout=subprocess.PIPE, text=True) as process:
                pid = int(process.stdout.readline()) if how == "f" else process.pid
                expect_same(process.stdout.readline(), "done\n", "what the program says")
                result = gcalloc("leaks", "--json", str(pid))
                process.kill()
                if how == "f":
                    os.kill(pid, signal.SIGKILL)
            expect_same((result.returncode, result.stderr), (0, ""), f"status and messages for {how} with {options!r}")
            totals = json.loads(result.stdout)["totals"]
            found = {name: totals[name]["blocks"] for name in ("definite", "indirect", "possible", "kernel")}
            expect_same(found, {"definite": 1, "indirect": 0, "possible": 0, "kernel": 1}, f"the blocks of {how} with {options!r}")


def profile_shows_all():
    with Kept("stacks=16") as program:
        report = report_of(program.pid, "--class=all", kind="profile")
        expect_same(report["kind"], "snapshot", "the kind")
        totals = report["totals"]
        for name in ("definite", "possible", "kernel", "reachable"):
            records = [record for record in report["records"] if record["class"] == name]
            expect_same(sum(record["bytes"] for record in records), totals[name]["bytes"], f"the bytes of {name} records")
        text = gcalloc("profile", str(program.pid)).stdout
        expect_line(r"SITE 1/\d+ reachable  39\.1 KiB in 40 blocks  age .*", text)
        folded = gcalloc("profile", "--folded", str(program.pid)).stdout
        expect(re.search(r"^.*main;keep;item_new;block 40000$", folded, re.MULTILINE), f"not the folded stack in\n{folded}")
        with temporary_folder() as folder:
            for name in ("heap.html", "heap.pb.gz", "heap.sarif"):
                result = gcalloc("profile", str(program.pid), "-o", os.path.join(folder, name))
                expect("not in this build" in result.stderr or (result.returncode == 0 and os.path.getsize(os.path.join(folder, name)) > 100),
                       f"{name}: {result.stderr}")


def snapshots_are_files_of_their_own():
    with Kept("stacks=16") as program, temporary_folder() as folder:
        path, link = os.path.join(folder, "one.json"), os.path.join(folder, "link.json")
        os.symlink(os.path.join(folder, "elsewhere"), link)
        expect_same(gcalloc("snapshot", str(program.pid), "-o", path).returncode, 0, "the status of snapshot")
        expect_same(os.stat(path).st_mode & 0o777, 0o600, "the mode of the file")
        for taken in (path, link):
            result = gcalloc("snapshot", str(program.pid), "-o", taken)
            expect_same(result.returncode, 1, "the status for a file that is there")
            expect_only_line(rf"gcalloc: error: {re.escape(taken)}: File exists", result.stderr)
        expect(not os.path.exists(os.path.join(folder, "elsewhere")), "a link was followed")
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        expect_same((report["format"], report["kind"], classes_of(report)), ("gcalloc-report", "snapshot", WANTED), "the report")
        expect_line(r"SITE 1/\d+ reachable  39\.1 KiB in 40 blocks  age .*", gcalloc("report", path).stdout)
        core = os.path.join(folder, "core.json")
        expect_same(gcalloc("snapshot", core_of(program.pid, folder), "-o", core).returncode, 0, "the status for a core")
        same = gcalloc("snapshot", str(program.pid), "-o", "-")
        expect_same(json.loads(same.stdout)["totals"], report["totals"], "the totals of a second one")


GROWING = r"""
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
struct session { struct session *next; char more[90]; };
static struct session *sessions;
static void *cache[16];
__attribute__((noinline)) void session_new(void) { struct session *made = malloc(sizeof *made); memset(made, 0, sizeof *made); made->next = sessions; sessions = made; }
__attribute__((noinline)) void cache_fill(int i) { free(cache[i % 16]); cache[i % 16] = malloc(500); }
int main(void) { for (int i = 0;; i++) { session_new(); cache_fill(i); usleep(500); if (i == 100) { puts("done"); fflush(stdout); } } }
"""


def grow_shows_what_grows():
    with temporary_folder() as folder:
        program = compiled(folder, GROWING, "-O1", "-g")
        if program is None:
            raise Missing("a compiler")
        environment = {**subject_environment(), "GCALLOC_OPTIONS": "stacks=8"}
        with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True) as process:
            expect_same(process.stdout.readline(), "done\n", "what the program says")
            result = gcalloc("grow", "--every", "1s", "--count", "3", str(process.pid))
            expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
            expect_same(len(re.findall(r"^gcalloc: heap of program", result.stdout, re.MULTILINE)), 4, "the looks")
            for looks in (1, 2, 3):
                expect_line(rf" +\+[\d.]+ \S+ +[\d.]+ \S+/s +[\d.]+ \S+ +[\d,]+ +{looks}/{looks} +session_new < main", result.stdout)
            expect("cache_fill" not in result.stdout, f"what does not grow is shown\n{result.stdout}")
            watching = subprocess.Popen([COMMAND, "grow", "-e", "100ms", str(process.pid)], env=plain_environment(),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(0.5)
            process.kill()
            words = watching.communicate(timeout=30)[1]
            expect(watching.returncode in (0, 1) and re.fullmatch(rf"gcalloc: .*process {process.pid}.*\n", words), f"{watching.returncode}: {words}")


def survives(kind, subject, words):
    result = gcalloc(kind, "--class=all", str(subject), timeout=60)
    expect(result.returncode in (0, 1), f"{words}: status {result.returncode}, {result.stderr[-300:]}")
    expect(result.returncode == 0 or result.stderr.startswith("gcalloc: "), f"{words}: {result.stderr[:300]!r}")


def survives_damaged_tables():
    for seed in range(32):
        with Kept("stacks=16") as program:
            program.order(f"damage {(1, 20, 1000, 100000)[seed % 4]} {1000 + seed}")
            survives(("leaks", "profile")[seed // 4 % 2], program.pid, f"seed {seed}")


def survives_damaged_cores():
    with Kept("stacks=16") as program, temporary_folder() as folder:
        with open(core_of(program.pid, folder), "rb") as file:
            data = file.read()
        broken = os.path.join(folder, "broken")
        for seed in range(40):
            numbers = random.Random(seed)
            changed = bytearray(data)
            limit = (4096, 16384, len(data))[seed % 3]
            for _ in range((2, 30, 3000)[seed % 3]):
                changed[numbers.randrange(64, limit)] = numbers.choice((0, 255, numbers.randrange(256)))
            if seed % 3 == 1:
                changed = changed[:numbers.randrange(len(changed) // 2, len(changed))]
            with open(broken, "wb") as file:
                file.write(changed)
            survives("leaks", broken, f"seed {seed}")


def wrong_calls():
    for arguments, words in ((("leaks",), "give one process id or core file; see gcalloc help leaks"),
                             (("profile", "1", "2"), "give one process id or core file; see gcalloc help profile"),
                             (("snapshot", "1"), "name a file with -o; see gcalloc help snapshot"),
                             (("snapshot", "-o", "x"), "give one process id or core file; see gcalloc help snapshot"),
                             (("grow",), "give one process id; see gcalloc help grow"),
                             (("grow", "core"), "not a process id: core; see gcalloc help grow"),
                             (("grow", "-e", "x", "1"), "not a time from 10ms up: x; see gcalloc help grow"),
                             (("grow", "-n", "0", "1"), "not a number from 1 up: 0; see gcalloc help grow")):
        result = gcalloc(*arguments)
        expect_same((result.returncode, result.stdout), (2, ""), f"status and output for {arguments}")
        expect_only_line(rf"gcalloc: error: {words}", result.stderr)
    for name in ("leaks", "profile", "snapshot", "grow"):
        expect(gcalloc("help", name).stdout == gcalloc(name, "--help").stdout != "", f"the help of {name} differs")


def main():
    tally = CommandTally("leaks")
    for case in (classes_are_exact, odd_processes, text_names_the_line, sizes_without_stacks, exact_in_every_moment, ended_threads_hold_nothing,
                 profile_shows_all, snapshots_are_files_of_their_own, grow_shows_what_grows, survives_damaged_tables,
                 survives_damaged_cores, wrong_calls):
        tally.case(case.__name__.replace("_", " "), case)
    tally.finish()


if __name__ == "__main__":
    main()

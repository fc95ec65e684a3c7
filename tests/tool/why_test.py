#!/usr/bin/env python3
"""gcalloc why: how a block is held, in a process and in core files; and what it says of those it can't look into."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

from common import (COMMAND, CommandTally, compiled, copied, expect, expect_line, expect_only_line, expect_same, gcalloc, need_root,
                    plain_environment, temporary_folder)
from harness import Missing, find_program, subject_environment
from kept_program import Kept, core_of, expect_same_in

NOBODY = 65534


def why(subject, *addresses):
    return gcalloc("why", str(subject), *addresses)


def answer_of(subject, address):
    result = why(subject, address)
    expect_same(result.returncode, 0, f"the status of why, which says {result.stderr!r},")
    return result.stdout


def tells_the_way():
    with Kept() as program:
        def check(subject):
            text = answer_of(subject, program.at["deep"])
            expect_line(r"0x[0-9a-f]+: 1000 bytes, allocated by", text)
            expect_line(r"    #1  block .*kept\.c:\d+", text)
            expect_line(r"    #2  item_new .*kept\.c:\d+", text)
            expect_line(r"held by variable kept_table of \S+/kept, at 0x[0-9a-f]+", text)
            expect_line(rf"      -> {program.at['table']}  16 bytes  block .* < keep .*", text)
            expect_line(r"  \+8   -> 0x[0-9a-f]+  40 bytes  block .* < item_new .*", text)
            expect_line(r"      \.\.\. 17 more", text)
            expect_line(rf"  \+8   -> {program.at['deep']}  1000 bytes  block .*", text)
            expect_line(r"without 0x[0-9a-f]+ it would be lost: every way leads through that", text)
            expect_line(r"freed with it: 1 block, 1024 bytes of heap", text)
        expect_same_in(program, check)


INLINED = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct node { char *name; };
struct node *kept;
static inline __attribute__((always_inline)) char *copied(const char *text) { return strdup(text); }
__attribute__((noinline)) static struct node *node_new(void) {
    struct node *made = malloc(sizeof *made);
    made->name = copied("a name");
    return made;
}
int main(void) {
    kept = node_new();
    printf("%p\n", (void *)kept->name);
    fflush(stdout);
    pause();
}
"""


def names_inlined_calls():
    """The frames of a report: inlined calls by name, libc's functions, and nothing outside main()."""
    with temporary_folder() as folder:
        program = compiled(folder, INLINED, "-g", "-O2")
        with subprocess.Popen([program], env=subject_environment("stacks=16"), stdout=subprocess.PIPE) as process:
            address = process.stdout.readline().decode().strip()
            text = answer_of(process.pid, address)
            process.kill()
        expect_line(r"    #1  \S*strdup  .*", text)
        expect_line(r"    #2  copied \[inlined\]  .*:\d+", text)
        expect_line(r"    #3  node_new .*:\d+", text)
        expect_line(r"    #4  main .*:\d+", text)
        expect("#5" not in text, f"frames outside of main():\n{text}")
        expect_line(r"  \+0   -> 0x[0-9a-f]+  7 bytes  .*strdup.* < copied .* < node_new .*", text)


def tells_what_would_be_freed():
    with Kept() as program:
        text = answer_of(program.pid, program.at["table"])
        expect_line(r"freed with it: 81 blocks, 42896 bytes of heap", text)
        expect("without" not in text, f"a block held by a variable has no block before it:\n{text}")
        text = gcalloc("why", "--all", str(program.pid), program.at["deep"]).stdout
        expect_same(len(re.findall(r"->", text)), 33, "the steps")


def tells_roots():
    wanted = {
        "inside": r"held by variable kept_inside of \S+/kept, at 0x[0-9a-f]+",
        "local": r"held by thread-local memory of thread \d+ \"kept\", at 0x[0-9a-f]+",
        "stack": r"held by the stack of thread \d+ \"kept\", in main .*kept\.c:\d+, at 0x[0-9a-f]+",
        "epoll": r"held by data of epoll, descriptor \d+",
        "timer": r"held by the value of timer \d+",
        "lost": r"lost: nothing holds its address",
        "lost-data": r"lost: only blocks that are lost themselves hold its address",
    }
    with Kept() as program:
        result = why(program.pid, *(program.at[name] for name in wanted))
        expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
        answers = result.stdout.split("\n\n")
        for (name, line), answer in zip(wanted.items(), answers):
            expect(answer.startswith(program.at[name]), f"the answers are not in order:\n{answer}")
            expect_line(line, answer)
        expect_line(rf"      -> {program.at['inside']}  500 bytes, by its byte 16  block .*", result.stdout)
        expect_line(rf"  at \+8    of {program.at['lost']}  40 bytes  .*", result.stdout)


def tells_roots_of_cores():
    with Kept() as program, temporary_folder() as folder:
        core = core_of(program.pid, folder)
        for name, line in (("inside", r"held by variable kept_inside of .*"), ("local", r"held by thread-local memory of thread \d+, at .*"),
                           ("stack", r"held by the stack of thread \d+, in main .*"), ("lost", "lost: nothing .*"),
                           ("epoll", "lost: nothing .*")):
            expect_line(line, answer_of(core, program.at[name]))
        expect_only_line("gcalloc: what epoll, timers and pipes hold is not in a core file", why(core, program.at["lost"]).stderr)


def reads_a_kernels_core():
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        if file.read().strip() != "core":
            raise Missing("cores that the kernel writes to the working folder")
    with temporary_folder() as folder:
        def unlimited():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with Kept(cwd=folder, preexec_fn=unlimited) as program:
            program.process.stdin.write("abort\n")
            program.process.stdin.flush()
            expect_same(program.process.wait(), -signal.SIGABRT, "the end of the program")
            cores = [name for name in os.listdir(folder) if name.startswith("core")]
            expect_same(len(cores), 1, "the number of cores")
            text = answer_of(os.path.join(folder, cores[0]), program.at["deep"])
            expect_line(r"held by variable kept_table of \S+/kept, at 0x[0-9a-f]+", text)


def works_without_stacks():
    for options in ("", "gc", "gc,stacks=4"):
        with Kept(options) as program:
            text = answer_of(program.pid, program.at["deep"])
            expect_line(r"held by variable kept_table of \S+/kept, at 0x[0-9a-f]+", text)
            expect_line(r"freed with it: 1 block, 1024 bytes of heap", text)


def works_while_threads_allocate():
    """Whatever moment it is: the same way, and no block of it missing."""
    with Kept() as program:
        program.order("busy 3")
        for _ in range(8):
            text = answer_of(program.pid, program.at["table"])
            expect_line(r"freed with it: 81 blocks, 42896 bytes of heap", text)


def interrupts_no_call():
    with Kept("") as program:
        program.order("watch")
        for _ in range(12):
            answer_of(program.pid, program.at["deep"])
        expect_same(program.order("count"), ["interruptions 0\n"], "what the program saw")


def lets_go_when_killed():
    """At any moment: the process goes on and can be looked into again."""
    with Kept("") as program:
        program.order("large 100")
        for delay_ms in (20, 60, 100, 150, 200, 300):
            command = subprocess.Popen([COMMAND, "why", str(program.pid), program.at["deep"]], env=plain_environment(),
                                       stdout=subprocess.DEVNULL)
            time.sleep(delay_ms / 1000)
            command.kill()
            command.wait()
            expect_same(program.order("count"), ["interruptions 0\n"], "the answer of the process")
        with open(f"/proc/{program.pid}/status", encoding="ascii") as file:
            expect_line(r"TracerPid:\s+0", file.read())
        answer_of(program.pid, program.at["deep"])


def survives_its_end():
    for delay_ms in (5, 30, 60, 100, 150, 250):
        with Kept("") as program:
            program.order("large 60")
            command = subprocess.Popen([COMMAND, "why", str(program.pid), program.at["deep"]], env=plain_environment(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(delay_ms / 1000)
            program.process.kill()
            words = command.communicate()[1]
            expect(command.returncode in (0, 1), f"status {command.returncode}: {words}")
            expect(words.count("\n") == (1 if command.returncode else 0), f"not one line: {words!r}")


def names_what_is_no_block():
    with Kept() as program:
        for address, words in ((program.at["freed"], "free, in a slot of 3072 bytes"), ("0x10", "not in the heap"),
                               (hex(int(program.at["deep"], 16) + (64 << 20)), "free memory of the heap")):
            result = why(program.pid, address)
            expect_same((result.returncode, result.stdout), (1, ""), "status and output")
            expect_only_line(rf"gcalloc: error: {address}: {words}", result.stderr)


def refuses(subject, words, **more):
    result = gcalloc("why", str(subject), "0x1000", **more)
    expect_same((result.returncode, result.stdout), (1, ""), "status and output")
    name = f"process {subject}" if str(subject).isdigit() else re.escape(str(subject))
    expect_only_line(rf"gcalloc: error: {name}: {words}", result.stderr)


def refuses_processes():
    refuses(2**22 + 1, "there is no such process")
    with subprocess.Popen(["sleep", "100"], env=plain_environment()) as other:
        refuses(other.pid, "it does not run on gcalloc")
        other.kill()
    with Kept("") as program:
        tracer = subprocess.Popen([find_program("gdb"), "-nx", "-batch", "-p", str(program.pid), "-ex", "shell sleep 100"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=plain_environment(), start_new_session=True)
        deadline = time.monotonic() + 30
        while "TracerPid:\t0\n" in open(f"/proc/{program.pid}/status", encoding="ascii").read() and time.monotonic() < deadline:
            time.sleep(0.05)
        refuses(program.pid, "it is being traced by another process")
        os.killpg(tracer.pid, signal.SIGKILL)
        tracer.wait()


def as_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def follows_the_rules_of_ptrace():
    need_root()
    with Kept("") as program, temporary_folder() as folder:
        os.chmod(folder, 0o755)
        command = copied(COMMAND, folder)
        if os.path.exists(os.path.join(os.path.dirname(COMMAND), ".libs", "gcalloc")):
            raise Missing("a command that is no script of libtool's")
        result = subprocess.run([command, "why", str(program.pid), "0x1000"], preexec_fn=as_nobody, capture_output=True,
                                text=True, env=plain_environment(), check=False)
        expect_same(result.returncode, 1, "the status for another user's process")
        expect_only_line(rf"gcalloc: error: process {program.pid}: not permitted: .*ptrace\(2\)", result.stderr)


def refuses_other_rights():
    """Even to root."""
    need_root()
    source = ("import ctypes, os, sys, time\n"
              "if sys.argv[1] == 'ids': os.setresuid(0, 65534, 0)\n"
              "if sys.argv[1] == 'dump':\n"
              "    os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534); ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"
              "print('done', flush=True); time.sleep(100)\n")
    for how in ("ids", "dump"):
        with subprocess.Popen([sys.executable, "-c", source, how], env=subject_environment(), stdout=subprocess.PIPE, text=True) as other:
            expect_same(other.stdout.readline(), "done\n", "what the program says")
            refuses(other.pid, "refused: it changed its rights when it started, or does not want to be dumped")
            other.kill()


def refuses_files():
    with Kept("") as program, temporary_folder() as folder:
        core = core_of(program.pid, folder)
        with open(core, "rb") as file:
            data = file.read()
        cut = os.path.join(folder, "cut")
        for length, words in ((0, "it is no core file"), (40, "it is no core file"),
                              (8000, "(?:.*cut short.*|.*damaged)")):
            with open(cut, "wb") as file:
                file.write(data[:length])
            refuses(cut, words)
        refuses(sys.executable, "it is no core file")
        refuses(folder, "it is no core file")
        refuses(os.path.join(folder, "none"), "No such file or directory")
        with open(cut, "wb") as file:
            file.write(data[:18] + b"\x02\x00" + data[20:])
        refuses(cut, "it was written on another kind of machine")
        # What is there is shown, and that it is not all.
        for part in range(1, 12):
            with open(cut, "wb") as file:
                file.write(data[:len(data) * part // 12])
            result = why(cut, program.at["table"])
            expect(result.returncode in (0, 1) and "cut short" in result.stderr, f"{result.returncode}: {result.stderr}")


def survives(subject, address, words):
    """It may be wrong about what is damaged, but says so in words, and soon."""
    result = gcalloc("why", str(subject), address, timeout=30)
    expect(result.returncode in (0, 1), f"{words}: status {result.returncode}, {result.stderr[-300:]}")
    expect(result.returncode == 0 or result.stderr.startswith("gcalloc: "), f"{words}: {result.stderr[:300]!r}")


def survives_damaged_tables():
    for seed in range(40):
        with Kept() as program:
            program.order(f"damage {(1, 20, 1000, 100000)[seed % 4]} {seed}")
            survives(program.pid, program.at[("deep", "table", "lost-data", "inside")[seed // 4 % 4]], f"seed {seed}")


def survives_damaged_cores():
    with Kept() as program, temporary_folder() as folder:
        with open(core_of(program.pid, folder), "rb") as file:
            data = file.read()
        broken = os.path.join(folder, "broken")
        for seed in range(60):
            numbers = random.Random(seed)
            changed = bytearray(data)
            # ELF header and program headers; the notes; anywhere.
            limit = (4096, 16384, len(data))[seed % 3]
            for _ in range((2, 30, 3000)[seed % 3]):
                changed[numbers.randrange(16 if seed % 3 == 0 else 64, limit)] = numbers.choice((0, 255, numbers.randrange(256)))
            if seed % 3 == 1:
                changed = changed[:numbers.randrange(len(changed) // 2, len(changed))]
            with open(broken, "wb") as file:
                file.write(changed)
            survives(broken, program.at["deep"], f"seed {seed}")


def wrong_calls():
    for arguments, words in (((), "no process id or core file given"), (("1",), "no address given"), (("1", "x"), "not an address: x"),
                             (("1", "-5"), ".*"), (("--wrong", "1", "2"), ".*")):
        result = gcalloc("why", *arguments)
        expect_same((result.returncode, result.stdout), (2, ""), f"status and output for {arguments}")
        expect(re.match(rf"gcalloc: error: {words}; see gcalloc help why\n|gcalloc why: .*\n", result.stderr), result.stderr)
    expect(gcalloc("help", "why").stdout == gcalloc("why", "--help").stdout != "", "the help differs")


def main():
    tally = CommandTally("why")
    for case in (tells_the_way, names_inlined_calls, tells_what_would_be_freed, tells_roots, tells_roots_of_cores, reads_a_kernels_core,
                 works_without_stacks, works_while_threads_allocate, interrupts_no_call, lets_go_when_killed, survives_its_end,
                 names_what_is_no_block, refuses_processes, follows_the_rules_of_ptrace, refuses_other_rights, refuses_files,
                 survives_damaged_tables, survives_damaged_cores, wrong_calls):
        tally.case(case.__name__.replace("_", " "), case)
    tally.finish()


if __name__ == "__main__":
    main()

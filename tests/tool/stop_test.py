#!/usr/bin/env python3
"""Looking into programs that work all the time: what is seen is of one moment, and no trace of it is left, whatever happens."""

import json
import os
import random
import signal
import subprocess
import time

from common import COMMAND, CommandTally, Running, expect, expect_same, gcalloc, plain_environment
from harness import Missing, built_path, find_program, subject_environment

WATCHED = built_path("tool", "watched")
BLOCKS = 4096


class Watched(Running):
    """tests/tool/watched, running."""

    def __init__(self, *arguments, options="stacks=8", **more):
        environment = {**subject_environment(), "GCALLOC_OPTIONS": options}
        self.process = subprocess.Popen([WATCHED, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
        self.pid = self.process.pid
        first = self.process.stdout.readline()
        if first == "" and self.process.wait() == 77:
            raise Missing("seccomp")
        expect_same(first, "ready 0\n", "what the program says")

    def end(self, byte=""):
        """What the program has found out about itself."""
        output = self.process.communicate(byte, timeout=100)[0]
        expect_same(self.process.returncode, 0, "the program's status")
        return {name: int(number) for name, number in (line.split() for line in output.splitlines())}

    def text(self, name):
        with open(f"/proc/{self.pid}/{name}", encoding="ascii", errors="replace") as file:
            return file.read()

    def state(self):
        """What a look must leave as it was."""
        status = [line for line in self.text("status").splitlines() if line.startswith(("SigBlk", "SigPnd", "ShdPnd", "TracerPid", "Threads"))]
        files = sorted((name, os.readlink(f"/proc/{self.pid}/fd/{name}")) for name in os.listdir(f"/proc/{self.pid}/fd"))
        children = self.text(f"task/{self.pid}/children")
        # Mappings of which writes are followed, in the kernel's words.
        followed = sum(1 for line in self.text("smaps").splitlines() if line.startswith("VmFlags:") and " uw" in line)
        return status, files, children, followed


def follows_writes():
    """Whether this machine lets a tool do so; then all cases must be about that."""
    with Watched("call", "pause") as program:
        gcalloc("leaks", str(program.pid))
        os.kill(program.pid, signal.SIGUSR1)
        return program.end()["errands"] == 1


def report_of(program):
    result = gcalloc("leaks", "--json", "--class=all", str(program.pid))
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    return json.loads(result.stdout)


def wanders(mode, options, errands, looks=6):
    with Watched(mode, options=options) as program:
        before = program.state()
        for look in range(looks):
            totals = report_of(program)["totals"]
            # A thread that has just moved one still has its address in a register.
            expect_same(totals["definite"]["blocks"], 0, f"at look {look} what nobody holds")
            expect(totals["reachable"]["blocks"] >= BLOCKS, f"at look {look} only {totals['reachable']} are held")
        expect_same(program.state(), before, "what was left of looking")
        if mode != "strict":
            found = program.end()
            expect_same(found["found"], BLOCKS, "the blocks the program has")
            expect_same(found["errands"], errands, "how often a thread was sent")


def what_is_gone_is_gone():
    seen = set()
    with Watched("gone") as program:
        for look in range(12):
            classes = {record["size_min"]: record["class"] for record in report_of(program)["records"] if record["size_min"] in (7001, 9001)}
            expect_same(sorted(classes), [7001, 9001], "the blocks in the report")
            held = tuple(size for size in (7001, 9001) if classes[size] != "definite")
            seen.add(held)
            expect(len(held) < 2, f"at look {look} both are held, which they never were")
    expect(seen & {(7001,), (9001,)}, "neither was ever held")


def signals_arrive():
    with Watched("count") as program:
        before = program.state()
        sent = 0
        for _ in range(5):
            with subprocess.Popen([COMMAND, "leaks", str(program.pid)], env=plain_environment(), stdout=subprocess.DEVNULL) as tool:
                while tool.poll() is None:
                    os.kill(program.pid, signal.SIGRTMIN + 3)
                    sent += 1
                    time.sleep(0.001)
            expect_same(tool.returncode, 0, "the status of leaks")
        while program.state() != before:
            time.sleep(0.01)
        found = program.end("x")
        expect_same((found["came"], found["wrong"]), (sent, 0), "signals that came, and what was computed")


def call_goes_on(name, release, wanted):
    with Watched("call", name) as program:
        while not any(line.startswith("State:\tS") for line in program.text("status").splitlines()):
            time.sleep(0.01)
        before = program.state()
        for _ in range(4 if release is not None else 1):
            report_of(program)
        if release is not None:
            expect(program.process.poll() is None, "the call has returned")
            expect_same(program.state(), before, "what was left of looking")
        if release == "signal":
            os.kill(program.pid, signal.SIGUSR1)
        found = program.end("x" if release == "byte" else "")
        expect_same((found["returned"], found["errno"], found["came"]), wanted, "what it returned, with what error, and the signals")
        expect(release is not None or found["ms"] >= 4000, f"it slept only {found['ms']} ms")


def tool_is_killed(mode):
    """Whenever that happens the program goes on, and the next look works."""
    with Watched(mode, options="stacks=8") as program:
        before = program.state()
        dice = random.Random(7)
        start = time.monotonic()
        report_of(program)
        whole_s = time.monotonic() - start
        for _ in range(20):
            with subprocess.Popen([COMMAND, "leaks", str(program.pid)], env=plain_environment(), stdout=subprocess.DEVNULL) as tool:
                time.sleep(dice.random() * whole_s)
                tool.kill()
        while program.state() != before:  # the kernel takes back what a dead process had in its own time
            time.sleep(0.01)
        report_of(program)
        found = program.end("x" if mode == "count" else "")
        expect_same(found.get("found", BLOCKS), BLOCKS, "the blocks the program has")
        expect_same(found.get("wrong", 0), 0, "what was computed wrongly")


def tool_is_killed_at(mode, step):
    """The same while it has a thread in its hands, at each of its calls that change it."""
    debugger = find_program("gdb")
    with Watched(*mode) as program:
        before = program.state()
        for calls in range(0, 28, step):
            orders = ("catch syscall process_vm_writev", "run", "delete", "catch syscall ptrace", f"ignore 2 {calls}", "continue", "kill")
            command = [debugger, "-nx", "-batch", *(word for order in orders for word in ("-ex", order)), "--args", COMMAND, "leaks", str(program.pid)]
            result = subprocess.run(command, env=plain_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            expect("Catchpoint 2 (" in result.stdout and "killed]" in result.stdout, f"the debugger says {result.stdout} {result.stderr}")
            while program.state() != before:
                expect(program.process.poll() is None, f"the program ended when the tool was killed at call {calls}")
                time.sleep(0.01)
        if mode[0] == "call":
            expect(program.process.poll() is None, "the call has returned")
            os.kill(program.pid, signal.SIGUSR1)
        found = program.end("x")
        wanted = {"returned": -1, "errno": 4, "came": 1} if mode[0] == "call" else {"wrong": 0}
        expect_same({name: found[name] for name in wanted}, wanted, "what it found")


def stopped_program():
    with Watched("wander") as program:
        os.kill(program.pid, signal.SIGSTOP)
        while "T (stopped)" not in program.text("status"):
            time.sleep(0.01)
        expect_same(report_of(program)["totals"]["definite"]["blocks"], 0, "what nobody holds")
        expect("T (stopped)" in program.text("status"), "it runs again")
        os.kill(program.pid, signal.SIGCONT)
        expect_same(program.end()["found"], BLOCKS, "the blocks the program has")


CALLS = {
    "read": ("byte", (1, 0, 0)),
    "poll": ("byte", (1, 0, 0)),
    "poll-timeout": ("byte", (1, 0, 0)),
    "select": ("byte", (1, 0, 0)),
    "epoll_wait": ("byte", (1, 0, 0)),
    "pause": ("signal", (-1, 4, 1)),
    "sigsuspend": ("signal", (-1, 4, 1)),
    "ppoll": ("signal", (-1, 4, 1)),
    "futex": ("signal", (-1, 4, 1)),
    "sigtimedwait": ("signal", (int(signal.SIGUSR1), 0, 0)),
    "nanosleep": (None, (0, 0, 0)),
    "clock_nanosleep": (None, (0, 0, 0)),
}


def main():
    tally = CommandTally("looks at programs that work")
    errands = 1 if follows_writes() else 0
    if errands == 0:
        print("writes can't be followed here: only copies in the stop are tested")
    tally.case("blocks that wander", wanders, "wander", "stacks=8", errands)
    tally.case("blocks that wander, with a collector", wanders, "wander", "gc,stacks=8", 0)
    tally.case("blocks that wander, in a sandbox", wanders, "sandbox", "stacks=8", 0)
    tally.case("blocks that wander, in seccomp's strict mode", wanders, "strict", "stacks=8", 0)
    tally.case("pages that are gone", what_is_gone_is_gone)
    tally.case("signals arrive", signals_arrive)
    for name, (release, wanted) in CALLS.items():
        tally.case(f"{name} goes on", call_goes_on, name, release, wanted)
    for mode in ("wander", "count"):
        tally.case(f"the tool is killed, {mode}", tool_is_killed, mode)
    for mode, step in ((("count",), 1), (("call", "pause"), 2), (("call", "sigsuspend"), 3)):
        if errands:
            tally.case(f"the tool is killed at its calls, {mode[-1]}", tool_is_killed_at, mode, step)
    tally.case("a stopped program", stopped_program)
    tally.finish()


if __name__ == "__main__":
    main()

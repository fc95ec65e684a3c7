#!/usr/bin/env python3
"""gcalloc dangling, and gcalloc why for freed blocks: who still points to them, in a process and in core files."""

import re

from common import CommandTally, expect, expect_line, expect_same, gcalloc
from harness import built_path
from kept_program import Kept, expect_same_in

QUARANTINE = "quarantine,quarantine_min=64M,stacks=8"
PROGRAM = (built_path("tool", "dangling"),)


def answer_of(*arguments):
    result = gcalloc(*(str(argument) for argument in arguments))
    expect_same(result.returncode, 0, f"the status of {arguments[0]}, which says {result.stderr!r},")
    return result.stdout


def part_of(text, address):
    """What is said of this block."""
    found = re.search(rf"^{address}: .*\n(?:  .*\n)*", text, re.MULTILINE)
    expect(found is not None, f"nothing of {address}:\n{text}")
    return found.group(0)


def expect_parts(text, program, sizes=(100, 200, 300), extra=""):
    names = ("global", "inside", "stack")
    parts = {name: part_of(text, program.at[name]) for name in names}
    for name, size in zip(names, sizes):
        expect_line(rf"{program.at[name]}: {size} bytes, freed{extra}", parts[name])
        expect_line(r"    #1  block .*dangling\.c:\d+", parts[name])
        expect_line(r"  freed by", parts[name])
        expect_line(r"    #1  drop .*dangling\.c:\d+", parts[name])
    expect_line(r"  pointed to by variable dangling_global of \S+/dangling, at 0x[0-9a-f]+", parts["global"])
    expect_line(r"  pointed to by 0x[0-9a-f]+\+8, a block of 16 bytes.*, to its byte 24", parts["inside"])
    expect_line(r"  pointed to by the stack of thread \d+.*, in main .*dangling\.c:\d+, at 0x[0-9a-f]+", parts["stack"])


def tells_who_points():
    with Kept(QUARANTINE, PROGRAM) as program:
        def check(subject):
            text = answer_of("dangling", subject)
            expect_parts(text, program)
            expect(f"\n{program.at['nobody']}:" not in "\n" + text, f"nobody points to {program.at['nobody']}:\n{text}")
            expect_line(r"4 freed blocks of \d+ bytes held, 3 still pointed to, from [3-9] places", text)
        expect_same_in(program, check)


def tells_of_guarded_blocks():
    with Kept("guard_sample=1", PROGRAM) as program:
        expect_parts(answer_of("dangling", program.pid), program, extra=", between guard pages")


def tells_as_many_as_wanted():
    with Kept(QUARANTINE, PROGRAM) as program:
        text = answer_of("dangling", "--max=1", program.pid)
        expect_same(len(re.findall(r", freed$", text, re.MULTILINE)), 1, "the blocks shown")
        expect_line(r"4 freed blocks .*, 3 still pointed to, .*", text)


def why_tells_the_same():
    with Kept(QUARANTINE, PROGRAM) as program:
        def check(subject):
            text = answer_of("why", subject, program.at["inside"])
            expect_line(r"  pointed to by 0x[0-9a-f]+\+8, a block of 16 bytes.*, to its byte 24", text)
            expect_line(r"    #1  drop .*dangling\.c:\d+", text)
            text = answer_of("why", subject, hex(int(program.at["nobody"], 16) + 8))
            expect_line(rf"{program.at['nobody']}: 400 bytes, freed", text)
            expect_line(r"  nothing points to it", text)
        expect_same_in(program, check)


def says_when_nothing_is_held():
    with Kept("", PROGRAM) as program:
        expect_same(answer_of("dangling", program.pid), "0 freed blocks of 0 bytes held, 0 still pointed to, from 0 places\n", "the answer")


def refuses_wrong_calls():
    for arguments in ((), ("1", "2"), ("--max=some", "1"), ("--none", "1")):
        result = gcalloc("dangling", *arguments)
        expect_same(result.returncode, 2, f"the status of dangling {arguments}")
    expect_same(gcalloc("dangling", "/dev/null").returncode, 1, "the status for what is no core file")


def main():
    tally = CommandTally("gcalloc dangling")
    tally.case("who points to freed blocks", tells_who_points)
    tally.case("blocks between guard pages", tells_of_guarded_blocks)
    tally.case("no more than wanted", tells_as_many_as_wanted)
    tally.case("why, of freed blocks", why_tells_the_same)
    tally.case("nothing is held", says_when_nothing_is_held)
    tally.case("wrong calls", refuses_wrong_calls)
    tally.finish()


main()

#!/usr/bin/env python3
"""Every kernel call for memory fails once, and then every Nth does. The program (endure.c) must see NULL and ENOMEM,
lose nothing and go on. What a program does before main (ld.so, libc's own start) may end in libc's own words."""

import os
import re
import signal
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import ON_GCALLOC, Tally, built_path, expect, run, status_words, subject_environment

PROGRAM = built_path("fault", "endure")
LAST = 201


def endure(options, *arguments):
    result = run([PROGRAM, *arguments], env=subject_environment(options), timeout=120)
    errors = result.stderr.decode(errors="replace")
    expect(result.returncode == 0, f"{options}: {status_words(result.returncode)}: {errors}")
    expect(errors == "", f"{options}: it said {errors}")
    return int(result.stdout)


def nothing_fails():
    expect(endure("") == 0, "requests are refused although nothing fails")


def each_once(first, last):
    """One after the other, so that each fault meets the heap in another state."""
    for number in range(first, last):
        endure(f"fail_map={number}", "once")


def every(number):
    endure(f"fail_map_every={number}")


def faults_are_felt():
    """Where most calls fail, requests are refused; otherwise nothing was tested at all."""
    refused = endure("fail_map_every=1") + endure("fail_map_every=2")
    expect(refused > 100 or not ON_GCALLOC, f"only {refused} requests were refused: the faults do not happen")


def libc_programs_end_in_order():
    """A real program ends with an error message of its own or does its work; it is never killed."""
    for number in list(range(1, 30)) + list(range(30, 200, 17)):
        result = run(["/bin/sh", "-c", "x=$(ls /); test -n \"$x\"; echo $?"], env=subject_environment(f"fail_map={number}"))
        crashed = result.returncode < 0 and result.returncode != -signal.SIGABRT or re.search(b"Segmentation|Bus error", result.stderr)
        expect(not crashed, f"fail_map={number}: {status_words(result.returncode)} {result.stderr[-300:]}")
        expect(b"gcalloc: error" not in result.stderr, f"fail_map={number}: {result.stderr[-300:]}")


def main():
    tally = Tally("fault")
    tally.case("no fault", nothing_fails)
    tally.case("faults are felt", faults_are_felt)
    for first in range(1, LAST, 25):
        tally.case(f"kernel calls {first} to {first + 24} fail", each_once, first, first + 25)
    for number in (1, 2, 3, 4, 5, 7, 10, 16, 25, 50, 100):
        tally.case(f"every kernel call of {number} fails", every, number)
    tally.case("sh and ls", libc_programs_end_in_order)
    tally.finish()


main()

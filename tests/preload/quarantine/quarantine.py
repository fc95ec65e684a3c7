#!/usr/bin/env python3
"""The quarantine from outside: nobody gets a block that something still points to, everybody gets it soon after."""

import os
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, plain_environment, run, status_words


def program(name):
    return built_path("preload", "quarantine", name)


def check(result):
    errors = result.stderr.decode(errors="replace")
    expect(result.returncode == 0, f"{status_words(result.returncode)}: {result.stdout.decode()[-1500:]}{errors[-500:]}")
    return errors


def places(options):
    errors = check(run([program("places")] + (["collected"] if ",gc" in options else []), env=plain_environment(GCALLOC_OPTIONS=options)))
    expect(errors == "", f"it said: {errors}")


def main():
    tally = Tally("quarantine")
    for options in ("quarantine", "quarantine,wipe=pattern", "quarantine,gc", "quarantine,trap_min=1G"):
        tally.case(f"places, {options}", lambda options=options: places(options))
    tally.finish()


main()

#!/usr/bin/env python3
"""A program under AddressSanitizer that uses arenas and pools: what is nobody's memory there is reported as malloc's would
be, by gcc's and by clang's, and what is right is not."""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import LIBRARY, Missing, Tally, expect, find_program, needed_variable, plain_environment, run, source_path, status_words

WRONG = ("past_the_end", "past_a_text", "before_any", "after_rewind", "after_reset", "by_libc", "after_put")


def build(compiler, path, level):
    include = os.path.join(needed_variable("top_srcdir"), "include")
    result = subprocess.run([find_program(compiler), level, "-g", "-std=gnu11", "-D_GNU_SOURCE", "-fsanitize=address", "-I" + include,
                             "-o", path, source_path("preload", "watched", "watched.c"), LIBRARY, "-lpthread",
                             "-Wl,-rpath," + os.path.dirname(LIBRARY)], capture_output=True, check=False)
    if b"asan" in result.stderr and result.returncode != 0:
        raise Missing(compiler + "'s AddressSanitizer")
    expect(result.returncode == 0, result.stderr.decode()[-500:])


def try_all(compiler, level):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "watched")
        build(compiler, path, level)
        for options in ("", "poison"):
            result = run([path, "right"], env=plain_environment(GCALLOC_OPTIONS=options))
            expect(result.returncode == 0 and result.stderr == b"", f"of what is right: {status_words(result.returncode)}, "
                   f"{result.stderr.decode(errors='replace')[:500]}")
        for mode in WRONG:
            result = run([path, mode], env=plain_environment())
            expect(result.returncode != 0 and b"use-after-poison" in result.stderr,
                   f"{mode}: {status_words(result.returncode)}, {result.stderr.decode(errors='replace')[:300]}")


def main():
    tally = Tally("watched")
    for compiler in ("gcc", "clang"):
        for level in ("-O0", "-O2"):
            tally.case(f"{compiler} {level}", try_all, compiler, level)
    tally.finish()


main()

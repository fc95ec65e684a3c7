#!/usr/bin/env python3
"""Real programs, each doing deterministic work twice: without gcalloc, then on it. Everything that can be seen of it
(both outputs, exit status, the files made, a server's answers) must be the same to the byte, and each process is asked
whether it really ran on gcalloc. A program that is not installed is named, and does not count as passed.

    programs.py [NAME...]    only those

GCALLOC_TEST_OPTIONS holds more options of the library's, as gc,collect_every=100.
"""

import os
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally

from commands import COMMANDS
from servers import SERVERS


def main():
    wanted = sys.argv[1:]
    tally = Tally("programs")
    for name, function in COMMANDS + SERVERS:
        if not wanted or name in wanted:
            tally.case(name, function)
    tally.finish()


main()

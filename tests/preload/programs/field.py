#!/usr/bin/env python3
"""More real programs than programs.py runs, for who has changed something that any program may depend on: make check-field.
They are as many gigabytes to install (tests/field-packages), so they are not part of make check.

    field.py [NAME...]    only those
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally

from field_commands import FIELD


def main():
    wanted = sys.argv[1:]
    tally = Tally("field")
    for name, function in FIELD:
        if not wanted or name in wanted:
            tally.case(name, function)
    tally.finish()


main()

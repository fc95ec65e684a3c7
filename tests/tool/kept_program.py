"""kept_program: tests/tool/kept, running, and cores of it."""

import os
import subprocess

from common import Running, expect, temporary_folder
from harness import built_path, find_program, subject_environment

KEPT = built_path("tool", "kept")


class Kept(Running):
    """tests/tool/kept, running; `at` says where its blocks are."""

    def __init__(self, options="stacks=8", command=(KEPT,), **more):
        environment = dict(subject_environment())
        if options:
            environment["GCALLOC_OPTIONS"] = options
        self.process = subprocess.Popen(list(command), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, **more)
        self.pid = self.process.pid
        self.at = dict(line.split() for line in self.answer())

    def answer(self):
        lines = []
        while True:
            line = self.process.stdout.readline()
            expect(line != "", "the program has ended")
            if line == "done\n":
                return lines
            lines.append(line)

    def order(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.answer()


def core_of(pid, folder):
    subprocess.run([find_program("gcore"), "-o", os.path.join(folder, "core"), str(pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return os.path.join(folder, f"core.{pid}")


def expect_same_in(program, check):
    """The same of the process and of a core of it."""
    check(program.pid)
    with temporary_folder() as folder:
        check(core_of(program.pid, folder))

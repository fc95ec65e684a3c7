"""common: what the tests of the command share."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import LIBRARY, Failure, Missing, Tally, expect, needed_variable, plain_environment, run

COMMAND = needed_variable("GCALLOC_TEST_COMMAND")
CASE_LIMIT_S = 120  # only a hang reaches it
PR_SET_CHILD_SUBREAPER = 36


def end_children():
    """Whatever a case that went wrong has left running; also what its own children left to us."""
    while True:
        with open("/proc/thread-self/children", encoding="ascii") as file:
            children = [int(word) for word in file.read().split()]
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
        if not children:
            return


def limited(function, *arguments):
    def hangs(*_):
        raise Failure("hangs")

    signal.signal(signal.SIGALRM, hangs)
    signal.alarm(CASE_LIMIT_S)
    try:
        function(*arguments)
    finally:
        signal.alarm(0)
        end_children()


class CommandTally(Tally):
    """Cases that wait for signals and terminals may wait for ever when the command is wrong."""

    def __init__(self, title):
        super().__init__(title)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def case(self, name, function, *arguments):
        super().case(name, limited, function, *arguments)


def gcalloc(*arguments, env=None, **more):
    """Runs the command to its end; outputs as text."""
    result = run([COMMAND, *arguments], env=env or plain_environment(), **more)
    result.stdout = result.stdout.decode(errors="replace")
    result.stderr = result.stderr.decode(errors="replace")
    return result


def expect_same(found, wanted, words):
    expect(found == wanted, f"{words} is {found!r} instead of {wanted!r}")


def expect_line(pattern, text):
    """One line of the text is exactly this."""
    expect(re.search(rf"^{pattern}$", text, re.MULTILINE), f"no line {pattern!r} in\n{text}")


def expect_only_line(pattern, text):
    expect(re.fullmatch(pattern + "\n", text), f"expected only a line {pattern!r}, not\n{text}")


def report_pattern(name=r"\S+"):
    """The first line of an exit report."""
    return rf"gcalloc: heap of {name} \(process \d+\) at exit"


def report_count(text, name=r"\S+"):
    return len(re.findall(rf"^{report_pattern(name)}$", text, re.MULTILINE))


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="gcalloc-test-")


def compiled(folder, source, *options):
    """A program made of C source, for what no installed program is sure to be."""
    path = os.path.join(folder, "program")
    compiler = needed_variable("CC").split()
    result = subprocess.run([*compiler, "-x", "c", "-", "-o", path, *options], input=source.encode(),
                            capture_output=True, check=False)
    return path if result.returncode == 0 else None


def script(folder, name, text, mode=0o755):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def need_root():
    if os.geteuid() != 0:
        raise Missing("the right of root to use other users' ids")


def copied(path, folder):
    return shutil.copy(path, folder)


class Running:
    """A program of the tests with a pipe each way, until the end of a with block."""

    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

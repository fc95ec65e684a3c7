"""comparison: runs the same work without and with the allocator under test and compares what can be seen of it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import LIBRARY, ON_GCALLOC, Failure, expect, plain_environment, run, source_path, status_words

WORK = source_path("preload", "programs", "work")
STARTED = re.compile(r"gcalloc: process \d+ runs on gcalloc")


class Place:
    """One folder, at the same path for both runs, since paths find their way into outputs. What the allocator logs goes
    to a folder beside it, a file for each process: that is the proof that the program ran on it, and must hold nothing
    but that."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="gcalloc-programs-")
        os.chmod(self.top, 0o755)
        self.folder = os.path.join(self.top, "run")
        self.logs = os.path.join(self.top, "logs")
        self.library = LIBRARY
        os.mkdir(self.logs)
        os.chmod(self.logs, 0o1777)
        if ON_GCALLOC:  # where any user may read it
            self.library = shutil.copy(LIBRARY, self.top)
            os.chmod(self.library, 0o755)

    def clean(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o777)
        for name in os.listdir(self.logs):
            os.unlink(os.path.join(self.logs, name))

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def environment(self, on_subject):
        environment = plain_environment(HOME=self.folder, TMPDIR=self.folder, PATH="/usr/bin:/bin:/usr/sbin:/sbin")
        if on_subject and ON_GCALLOC:
            environment["LD_PRELOAD"] = self.library
            more = os.environ.get("GCALLOC_TEST_OPTIONS", "")
            environment["GCALLOC_OPTIONS"] = f"verbose=1,log_file={self.logs}/%p,{more}"
        if not on_subject:
            environment.pop("LD_PRELOAD", None)
        return environment

    def prove(self, process_id):
        """That process ran on the allocator, and no process had anything to complain of."""
        if not ON_GCALLOC:
            return
        expect(os.path.exists(os.path.join(self.logs, str(process_id))), "it did not run on gcalloc")
        for name in os.listdir(self.logs):
            with open(os.path.join(self.logs, name), encoding="utf-8", errors="replace") as log:
                for line in log:
                    expect(STARTED.fullmatch(line.strip()), f"process {name}: {line.strip()}")

    def files(self):
        """Every file under the folder with its contents and mode."""
        found = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.folder)] = (os.lstat(path).st_mode, file.read())
        return found


def first_difference(plain, ours):
    at = next((i for i, (a, b) in enumerate(zip(plain, ours)) if a != b), min(len(plain), len(ours)))
    return f"differ from byte {at}: {plain[max(0, at - 40):at + 80]!r} against {ours[max(0, at - 40):at + 80]!r}"


def run_once(place, command, prepare, on_subject, settings):
    place.clean()
    prepare(place.folder)
    process = subprocess.Popen(command, cwd=place.folder, env={**place.environment(on_subject), **settings},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, error = process.communicate(timeout=200)
    except subprocess.TimeoutExpired as expired:
        process.kill()
        process.communicate()
        raise Failure(f"{command[0]} hangs {'on gcalloc' if on_subject else 'without gcalloc'}") from expired
    if on_subject:
        place.prove(process.pid)
    return process.returncode, out, error, place.files()


def compare(command, prepare=lambda folder: None, settings=None, least_output=100):
    """The command must succeed in the first place, and say enough to be worth a comparison."""
    place = Place()
    try:
        plain = run_once(place, command, prepare, False, settings or {})
        ours = run_once(place, command, prepare, True, settings or {})
    finally:
        place.remove()
    expect(plain[0] == 0, f"fails without gcalloc, too: {status_words(plain[0])} {plain[2][-500:].decode(errors='replace')}")
    expect(ours[0] == 0, f"{status_words(ours[0])} on gcalloc: {ours[2][-500:].decode(errors='replace')}")
    for name, a, b in (("stdout", plain[1], ours[1]), ("stderr", plain[2], ours[2])):
        expect(a == b, f"{name}: {first_difference(a, b)}")
    expect(sorted(plain[3]) == sorted(ours[3]), f"other files: {set(plain[3]) ^ set(ours[3])}")
    for name, (mode, contents) in plain[3].items():
        expect(ours[3][name] == (mode, contents), f"{name}: {first_difference(contents, ours[3][name][1])}")
    size = len(plain[1]) + sum(len(contents) for _, contents in plain[3].values())
    expect(size >= least_output, f"only {size} bytes came out: nothing was tested")


def compare_sessions(session):
    """For servers: session(place, environment) starts one, talks to it, stops it, and returns its process id and all
    that it answered."""
    place = Place()
    try:
        place.clean()
        _, plain = session(place, place.environment(False))
        place.clean()
        process_id, ours = session(place, place.environment(True))
        place.prove(process_id)
    finally:
        place.remove()
    expect(len(plain) > 10000, f"only {len(plain)} bytes were answered: nothing was tested")
    expect(plain == ours, f"answers {first_difference(plain, ours)}")


def work_file(name):
    return os.path.join(WORK, name)


__all__ = ["Place", "compare", "compare_sessions", "run", "work_file"]

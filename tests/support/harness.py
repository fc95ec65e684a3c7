"""harness: what the test drivers in Python share: counting, naming and running programs on the allocator under test.

GCALLOC_TEST_LIBRARY names the shared object, or is "none": then programs run as they are, which is how the tests are
themselves tested on libc's malloc. "LD_PRELOAD=x GCALLOC_TEST_LIBRARY=none" does the same for a peer.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback

HARD_ERROR = 99

# A shell that runs the tests in the background ignores these for all of them; the programs here shall not.
for name in ("SIGHUP", "SIGINT", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)


def needed_variable(name):
    value = os.environ.get(name)
    if not value:
        print(f"{name} is not set: run this test through 'make check'")
        sys.exit(HARD_ERROR)
    return value


LIBRARY = needed_variable("GCALLOC_TEST_LIBRARY")
ON_GCALLOC = LIBRARY != "none"


def source_path(*parts):
    return os.path.join(needed_variable("top_srcdir"), "tests", *parts)


def built_path(*parts):
    """A program this build made for the tests."""
    return os.path.join(needed_variable("top_builddir"), "tests", *parts)


def plain_environment(**more):
    """The environment of a program that must not depend on who runs the tests."""
    kept = ("PATH", "HOME", "USER", "TMPDIR", "LD_LIBRARY_PATH", "GCALLOC_TEST_LIBRARY", "top_srcdir", "top_builddir")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment.update(LC_ALL="C", TZ="UTC", **more)
    if not ON_GCALLOC and "LD_PRELOAD" in os.environ:
        environment["LD_PRELOAD"] = os.environ["LD_PRELOAD"]
    return environment


def subject_environment(options="", **more):
    """The same with the allocator under test in front."""
    environment = plain_environment(**more)
    if ON_GCALLOC:
        environment["LD_PRELOAD"] = LIBRARY
        if options:
            environment["GCALLOC_OPTIONS"] = options
    return environment


def status_words(status):
    if status is not None and status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


class Failure(Exception):
    """What a case found wrong, in words."""


class Missing(Exception):
    """What a case needs and this machine lacks."""


def expect(condition, words):
    if not condition:
        raise Failure(words)


def run(command, timeout=100, **arguments):
    """subprocess.run with both outputs captured as bytes and a limit that only a hang reaches."""
    arguments.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout, check=False, **arguments)
    except subprocess.TimeoutExpired as expired:
        output = (expired.stderr or b"")[-2000:].decode(errors="replace")
        raise Failure(f"{command[0]} hangs; its stderr so far: {output}") from expired


def find_program(*names):
    """The first of the names that is installed; Debian's own place before any version manager's shim."""
    places = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin"
    for name in names:
        path = shutil.which(name, path=places) or shutil.which(name)
        if path:
            return path
    raise Missing(names[0])


class Tally:
    """Runs cases, says how each went and ends with the one line that counts them."""

    def __init__(self, title):
        self.title = title
        self.passed = 0
        self.failed = 0
        self.missing = []

    def case(self, name, function, *arguments):
        start = time.monotonic()
        try:
            function(*arguments)
        except Missing as missing:
            print(f"missing: {name}: {missing} is not installed")
            self.missing.append(name)
        except Failure as failure:
            print(f"not ok: {name}: {failure}")
            self.failed += 1
        except Exception:
            print(f"not ok: {name}: the test itself broke")
            traceback.print_exc(file=sys.stdout)
            self.failed += 1
        else:
            print(f"ok: {name} ({time.monotonic() - start:.1f} s)")
            self.passed += 1
        sys.stdout.flush()

    def finish(self):
        """A case that could not run is named and is no pass; with no pass at all nothing was tested."""
        skipped = f", {len(self.missing)} skipped" if self.missing else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}")
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)

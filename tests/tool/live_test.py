#!/usr/bin/env python3
"""gcalloc leaks of real programs while they work: redis, python3, postgres. They leak nothing, go on, and their cores tell the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from common import CommandTally, expect, expect_same, gcalloc
from harness import LIBRARY, find_program, run, source_path, subject_environment
from kept_program import core_of

sys.path.insert(0, source_path("preload", "programs"))
from servers import Lines, Server, postgres_programs, postgres_user, resp, resp_answer

PYTHON_WORK = r"""
import sys, threading, time, json, re, collections
held = {i: [str(i)] * 3 for i in range(20000)}
tree = collections.OrderedDict((str(i), json.loads('{"a": [1, 2, {"b": "c"}]}')) for i in range(2000))
cycle = []; cycle.append(cycle)
stop = threading.Event()
def work():
    while not stop.is_set():
        [re.sub("a", "b", str(i)) for i in range(100)]
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
print("ready", flush=True)
sys.stdin.readline()
stop.set()
for thread in threads: thread.join()
print(len(held), flush=True)
"""


class Place:
    """What Server needs to know."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="gcalloc-test-")
        self.top = self.temporary.name
        self.folder = os.path.join(self.top, "folder")
        os.mkdir(self.folder)
        os.chmod(self.top, 0o755)
        os.chmod(self.folder, 0o777)
        self.library = shutil.copy(LIBRARY, self.top)  # where any user may read it
        os.chmod(self.library, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def environment(self, options=""):
        return {**options_of(options), "LD_PRELOAD": self.library}


def options_of(options):
    environment = subject_environment()
    if options:
        environment["GCALLOC_OPTIONS"] = options
    return environment


def leaks_nothing(subject, words, least_blocks):
    result = gcalloc("leaks", "--json", str(subject))
    expect_same(result.returncode, 0, f"{words}: the status of leaks, which says {result.stderr!r},")
    report = json.loads(result.stdout)
    totals = report["totals"]
    expect_same(totals["definite"]["blocks"], 0, f"{words}: definite leaks, {json.dumps(report['records'][:3])}")
    expect(totals["reachable"]["blocks"] >= least_blocks, f"{words}: only {totals['reachable']} are reachable")


# What postgres does not free: a copy of its environment, and of the option -D.
POSTGRES_LEAKS = ("save_ps_display_args", "PostmasterMain")


def leaks_only(pid, names, words):
    result = gcalloc("leaks", "--class=definite", str(pid))
    expect_same((result.returncode, result.stderr), (0, ""), f"{words}: status and messages")
    for leak in result.stdout.split("LEAK ")[1:]:
        expect(any(name in leak for name in names), f"{words}: {leak}")


def redis():
    for options in ("stacks=12", "gc"):
        with Place() as place:
            path = os.path.join(place.folder, "socket")
            command = [find_program("redis-server"), "--port", "0", "--unixsocket", path, "--save", "", "--dir", place.folder,
                       "--enable-debug-command", "local"]
            with Server(place, command, options_of(options)) as server:
                lines = Lines(server.connect(path))
                for words in (("DEBUG", "POPULATE", 30000), ("LPUSH", "list", *range(1000)), ("HSET", "hash", *range(2000))):
                    lines.send(resp(*words))
                    resp_answer(lines.reader)
                for _ in range(3):
                    leaks_nothing(server.process.pid, f"redis with {options}", 3000)
                    lines.send(resp("PING"))
                    expect_same(resp_answer(lines.reader), b"+PONG\r\n", "what redis answers afterwards")
                leaks_nothing(core_of(server.process.pid, place.top), f"a core of redis with {options}", 3000)
                lines.close()
                server.end(signal.SIGTERM)


def python():
    for options, memory in (("stacks=12", "malloc"), ("", "pymalloc"), ("gc", "malloc")):
        environment = options_of(options)
        environment["PYTHONMALLOC"] = memory
        with Place() as place, subprocess.Popen([find_program("python3"), "-c", PYTHON_WORK], env=environment, stdin=subprocess.PIPE,
                                                stdout=subprocess.PIPE, text=True) as process:
            expect_same(process.stdout.readline(), "ready\n", "what python says")
            for _ in range(3):
                leaks_nothing(process.pid, f"python with {options} and {memory}", 100)
            leaks_nothing(core_of(process.pid, place.top), f"a core of python with {options} and {memory}", 100)
            output = process.communicate("\n", timeout=60)[0]
            expect_same((process.returncode, output), (0, "20000\n"), "how python ends")


def postgres():
    programs, user = postgres_programs(), postgres_user()
    with Place() as place:
        data = os.path.join(place.folder, "data")
        environment = place.environment("stacks=12")

        def client(*command):
            result = run(command, cwd=place.folder, env=place.environment(), **user)
            expect(result.returncode == 0, f"{command[0]}: {result.stderr[-500:]}")
            return result.stdout

        client(programs["initdb"], "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
        command = [programs["postgres"], "-D", data, "-k", place.folder, "-h", "", "-F"]
        connection = ("-X", "-q", "-t", "-h", place.folder, "-U", "tester", "-d", "postgres")
        with Server(place, command, environment, **user) as server:
            server.connect(os.path.join(place.folder, ".s.PGSQL.5432")).close()
            while run([programs["psql"], *connection, "-c", "SELECT 1"], cwd=place.folder, env=environment, **user).returncode != 0:
                expect(server.process.poll() is None, "postgres ended early")
            with subprocess.Popen([programs["psql"], *connection], cwd=place.folder, env=place.environment(), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True, **user) as session:
                session.stdin.write("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i;\n"
                                    "SELECT pg_backend_pid();\n")
                session.stdin.flush()
                backend = int(session.stdout.readline())
                for pid, words in ((backend, "a backend"), (server.process.pid, "the postmaster")):
                    leaks_only(pid, POSTGRES_LEAKS, f"postgres, {words}")
                answers = session.communicate("\nSELECT count(*) FROM t;\n", timeout=60)[0]
                expect_same(answers.split(), ["20000"], "what postgres answers afterwards")
            server.end(signal.SIGINT)


def main():
    tally = CommandTally("live programs")
    for case in (redis, python, postgres):
        tally.case(case.__name__, case)
    tally.finish()


if __name__ == "__main__":
    main()

"""Real programs as rows: what each is given to do, and where its input comes from."""

import os
import subprocess
import sys

from driver.redis import redis_client, redis_command
from driver.rows import PROGRAM, Row, find_program

INPUTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs")

# name, program, its arguments; {inputs} and {work} are folders. A file named in output is compared as well.
PROGRAMS = [
    ("gcc", "gcc", "-O1 -w -c -o gcc.o {work}/generated.c", {"output": "gcc.o"}),
    ("g++", "g++", "-std=c++17 -O0 -c -o g++.o {inputs}/stl.cc", {"output": "g++.o"}),
    ("python3", "python3", "-I {inputs}/words.py", {}),
    # Without Python's own pools, every object is a block: what debugging and embedding do.
    ("python3-malloc", "python3", "{inputs}/words.py", {"environment": {"PYTHONMALLOC": "malloc"}}),
    ("sqlite3", "sqlite3", "-batch -init /dev/null :memory: .read\\ {inputs}/orders.sql", {}),
    (
        "gs",
        "gs",
        "-q -dNOPAUSE -dBATCH -sDEVICE=ppmraw -r130 -sOutputFile=gs.ppm {inputs}/render.ps",
        {"output": "gs.ppm"},
    ),
    ("z3", "z3", "{work}/schedule.smt2", {}),
    ("lua", "lua5.4", "{inputs}/tables.lua", {}),
    ("ruby", "ruby", "--disable-gems {inputs}/objects.rb", {}),
    ("perl", "perl", "{inputs}/text.pl", {"environment": {"PERL_HASH_SEED": "0"}}),
]

GENERATED = {"generated.c": "generate_c.py", "schedule.smt2": "generate_smt2.py"}


def generate_inputs(work_folder):
    """Made anew on every run: cheap, and never stale."""
    for name, script in GENERATED.items():
        with open(os.path.join(work_folder, name), "wb") as file:
            subprocess.run([sys.executable, os.path.join(INPUTS, script)], stdout=file, check=True)


def arguments_of(pattern, work_folder):
    """Split first, so that a folder may have spaces; "\\ " is a space within an argument."""
    words = pattern.replace("\\ ", "\0").split()
    return [word.replace("\0", " ").format(inputs=INPUTS, work=work_folder) for word in words]


def program_row(name, program, pattern, more, work_folder):
    path = find_program(program)
    command = (path or program, *arguments_of(pattern, work_folder))
    return Row(name, PROGRAM, command, None if path else f"{program} is not installed", **more)


def redis_row():
    missing = [name for name in ("redis-server", "redis-benchmark", "redis-cli") if not find_program(name)]
    return Row(
        "redis",
        PROGRAM,
        redis_command(find_program("redis-server") or "redis-server"),
        f"{', '.join(missing)}: not installed" if missing else None,
        client=redis_client,
        always_cpu=True,
    )


def program_rows(work_folder):
    generate_inputs(work_folder)
    rows = [program_row(*program, work_folder) for program in PROGRAMS]
    return rows + [redis_row()]

"""report_common: reports made by hand for the tests of what shows them: real programs, real offsets."""

import copy
import json
import os
import re
import subprocess

from common import Failure, Missing, needed_variable

SOURCE = """\
#include <stdlib.h>
#include <string.h>
void *kept[4];
static inline __attribute__((always_inline)) void *make(size_t size)
{
    return malloc(size);
}
KEEP void *session_new(size_t size)
{
    void *made = make(size);
    kept[0] = made;
    return made;
}
KEEP void *buffer_new(size_t size)
{
    void *made = calloc(1, size);
    kept[1] = made;
    return made;
}
KEEP void *serve(int count)
{
    void *one = session_new((size_t)count * 8);
    void *two = buffer_new((size_t)count * 3);
    return *(char *)one != 0 ? one : two;
}
int main(int argc, char **argv)
{
    (void)argv;
    return serve(argc) == NULL;
}
"""
SESSION_LINE, CALLER_LINE, SERVE_LINE, MAIN_LINE = 6, 10, 22, 29


def tool(*arguments):
    try:
        return subprocess.run(arguments, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise Missing(arguments[0]) from error
    except subprocess.CalledProcessError as error:
        raise Failure(f"{arguments[0]}: {error.stderr.decode()}") from error


def build(folder, source=SOURCE, name="server", suffix=".c", compiler="CC", options=()):
    file = os.path.join(folder, name + suffix)
    program = os.path.join(folder, name)
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(source)
    # Whatever the compiler would do to the functions' arguments and names, it shall not.
    keep = "-DKEEP=__attribute__((" + ("noinline" if "clang" in needed_variable(compiler) else "noipa") + "))"
    tool(*needed_variable(compiler).split(), "-g", "-O2", "-gdwarf-4", "-Wl,--build-id=sha1", keep, "-o", program, file, *options)
    return program


def build_id(program):
    found = re.search(r"Build ID: ([0-9a-f]+)", tool("readelf", "-n", program).decode())
    return found[1] if found else ""


def calls(program):
    """{function: [(return address, who is called)]}"""
    result = {}
    function = callee = None
    for line in tool("objdump", "-d", "--no-show-raw-insn", program).decode().splitlines():
        begins = re.match(r"[0-9a-f]+ <(.+)>:", line)
        instruction = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)
        if begins:
            function, callee = begins[1], None
        elif instruction:
            if callee:
                result.setdefault(function, []).append((int(instruction[1], 16), callee))
            named = re.search(r"<(.+)>", instruction[3])
            callee = (named[1] if named else "?") if instruction[2].startswith("call") else None
    return result


def return_address(program, function, callee):
    for address, name in calls(program).get(function, []):
        if name.startswith(callee):
            return address
    raise Failure(f"{function} does not call {callee}")


def record(**values):
    made = {"class": "definite", "id": "5d1e0c77", "stack": 0, "thread": 1, "type": -1, "inherited": False, "blocks": 2,
            "bytes": 2048, "indirect_blocks": 0, "indirect_bytes": 0, "age_min_ms": 3000, "age_max_ms": 65000,
            "size_min": 1024, "size_max": 1024, "example": "0x7f0000001000"}
    made.update(values)
    return made


def report(program, **values):
    """Two leaks and a block that is reachable: session_new() through an inlined function, buffer_new(), an unloaded one."""
    in_session = return_address(program, "session_new", "malloc")
    in_buffer = return_address(program, "buffer_new", "calloc")
    to_session = return_address(program, "serve", "session_new")
    to_buffer = return_address(program, "serve", "buffer_new")
    to_serve = return_address(program, "main", "serve")
    made = {
        "format": "gcalloc-report", "version": 1, "kind": "leaks", "moment": "exit",
        "program": {"pid": 4711, "path": program, "arguments": ["server", "-x"], "parent_pid": 1, "forks": 0},
        "taken_ms": 1790000000000, "running_ms": 100000,
        "settings": {"stacks": 32, "sample_bytes": 0, "gc": False},
        "incomplete": [],
        "totals": {"definite": {"blocks": 2, "bytes": 2048}, "indirect": {"blocks": 6, "bytes": 6000},
                   "possible": {"blocks": 1, "bytes": 300}, "reachable": {"blocks": 7, "bytes": 700}},
        "threads": [{"number": 1, "name": "main", "tid": 4711, "alive": True}, {"number": 2, "name": "worker-3", "tid": 4712,
                                                                                 "alive": False}],
        "modules": [{"path": program, "build_id": build_id(program), "loaded_ms": 0, "unloaded_ms": None},
                    {"path": "/nowhere/plugin.so", "build_id": "9f3c0123456789ab", "loaded_ms": 5, "unloaded_ms": 60000}],
        "stacks": [[[0, hex(in_session)], [0, hex(to_session)], [0, hex(to_serve)]],
                   [[0, hex(in_buffer)], [0, hex(to_buffer)], [0, hex(to_serve)]],
                   [[1, "0x41c2"], [-1, "0x7f0000123456"], [0, hex(to_serve)]]],
        "types": [],
        "records": [record(indirect_blocks=6, indirect_bytes=6000, shape=["cycle", [{"stack": 1, "blocks": 6}]]),
                    record(**{"class": "possible"}, id="0badcafe", stack=2, thread=2, blocks=1, bytes=300, size_min=300,
                           size_max=300),
                    record(**{"class": "reachable"}, id="00c0ffee", stack=1, blocks=7, bytes=700, size_min=100, size_max=100)],
        "sizes": [{"bytes": 1024, "blocks": 2}, {"bytes": 112, "blocks": 7}],
        "suppressions": [],
    }
    made.update(values)
    return copy.deepcopy(made)


def saved(folder, made, name="report.json"):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(made if isinstance(made, bytes) else json.dumps(made).encode())
    return path

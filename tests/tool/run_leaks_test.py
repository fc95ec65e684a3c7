#!/usr/bin/env python3
"""gcalloc run --leaks and --profile: the program runs as without, what it lost is told by names, and suppressions decide."""

import json
import os
import pty
import re
import subprocess

import report_common as made
from common import COMMAND, CommandTally, Missing, expect, expect_line, expect_same, gcalloc, plain_environment, temporary_folder
from harness import built_path

LEAKY = os.path.normpath(built_path("..", "examples", "leaky"))
SOURCE = """\
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
KEEP void *lose(int count)
{
    void *volatile block = NULL;
    for (int i = 0; i < count; i++)
        block = malloc(100);
    block = NULL;
    return block;
}
KEEP void *keep(void)
{
    static void *volatile kept;
    kept = malloc(5000);
    return kept;
}
KEEP void clean_stack(void)
{
    volatile char area[4096];
    memset((char *)area, 0, sizeof area);
}
KEEP void *work(void *none)
{
    lose(10);
    clean_stack();
    return none;
}
int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "return";
    keep();
    puts("hello");
    if (strcmp(way, "clean") == 0)
        return 0;
    if (strcmp(way, "thread") == 0) {
        pthread_t thread;
        return pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0;
    }
    lose(10);
    clean_stack();
    if (strcmp(way, "abort") == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    if (strcmp(way, "_exit") == 0) {
        fflush(stdout);
        _exit(0);
    }
    return argc > 2 ? atoi(argv[2]) : 0;
}
"""
LOSE_LINE, WORK_LINE, MAIN_LINE = 11, 28, 43


def in_folder(case):
    def wrapped():
        with temporary_folder() as folder:
            private = os.path.join(folder, "tmp")
            os.mkdir(private)
            program = made.build(folder, SOURCE, "loser")
            case(folder, program, plain_environment(TMPDIR=private))
            expect_same(os.listdir(private), [], "what is left in TMPDIR")
    wrapped.__name__ = case.__name__
    return wrapped


def run(environment, *arguments):
    return gcalloc("run", *arguments, env=environment)


def has_leak(text):
    expect_line(rf"    #1  lose  .*loser\.c:{LOSE_LINE}", text)
    expect_line(rf"    #2  main  .*loser\.c:{MAIN_LINE}", text)
    expect_line(r"LEAK 1/1 definite  1000 bytes in 10 blocks  age \d+m?s.*", text)


@in_folder
def finds_the_line(_, program, environment):
    result = run(environment, "--leaks", "--", program)
    expect_same((result.returncode, result.stdout), (23, "hello\n"), "status and output")
    expect_line(r"gcalloc: leaks of loser \(process \d+\) at exit.*", result.stderr)
    has_leak(result.stderr)
    expect("keep" not in result.stderr and "\033" not in result.stderr, "too much on standard error")


@in_folder
def stripped_program(_, program, environment):
    """Frames of libc around main() are left out also where nobody knows the program's own."""
    made.tool("strip", program)
    text = run(environment, "--leaks", "--", program).stderr
    expect_line(r"    #1  \?  loser\+0x[0-9a-f]+", text)
    expect_line(r"  suppress: leak:loser", text)
    expect("__libc_start" not in text and "libc.so" not in text, f"libc in\n{text}")


@in_folder
def in_a_thread(_, program, environment):
    """What is ours below a thread's function is left out as libc's is, and in a program that is stripped, too."""
    for strip in (False, True):
        if strip:
            made.tool("strip", program)
        text = run(environment, "--leaks", "--", program, "thread").stderr
        expect_line(r"    #2  \?  loser\+0x.*" if strip else rf"    #2  work  .*loser\.c:{WORK_LINE}", text)
        expect("#3" not in text, f"more than the program's frames in\n{text}")


def example():
    result = gcalloc("run", "--leaks", "--", LEAKY)
    expect_same((result.returncode, result.stdout), (23, "36 words\n"), "status and output")
    expect_line(r"    #\d  line_count.*leaky\.c:48", result.stderr)
    expect_line(r"LEAK 1/1 definite  48 bytes in 3 blocks \(\+693 bytes indirect in 69\) .*", result.stderr)


@in_folder
def no_leaks(_, program, environment):
    result = run(environment, "--leaks", "--", program, "clean")
    expect_same((result.returncode, result.stdout), (0, "hello\n"), "status and output")
    expect(re.fullmatch(r"gcalloc: no leaks of loser \(process \d+\)\n", result.stderr), result.stderr)


@in_folder
def ends_as_the_program(_, program, environment):
    for arguments, options, status in ((("return", "5"), (), 5), (("_exit",), (), 23), ((), ("-o", "exitcode=9"), 9),
                                       ((), ("-o", "exitcode=0"), 0)):
        result = run(environment, "--leaks", *options, "--", program, *arguments)
        expect_same(result.returncode, status, f"the status with {arguments} {options}")
        has_leak(result.stderr)
    result = run(environment, "--leaks", "--", program, "abort")
    expect_same(result.returncode, -6, "the end")
    expect_line(r"gcalloc: no report of leaks: .*loser was killed by signal 6 \(.*\)", result.stderr)
    result = run(environment, "--leaks", "--", "/no/such/program")
    expect_same((result.returncode, result.stderr), (127, "gcalloc: error: /no/such/program: No such file or directory\n"), "the end")


@in_folder
def suppressions_decide(folder, program, environment):
    path = os.path.join(folder, "list.supp")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("leak:^lose$\nleak:nothing\n")
    result = run(environment, "--leaks", f"--suppressions={path}", "--", program)
    expect_same(result.returncode, 0, "the status")
    expect_line(r"gcalloc: no leaks of loser \(process \d+\); suppressed 1000 bytes in 10 blocks", result.stderr)
    expect_line(r'gcalloc: warning: .*list\.supp:2: nothing matches "leak:nothing"', result.stderr)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("leak:loser.c\n")
    for more in ({"LSAN_OPTIONS": f"verbosity=0:suppressions={path}"}, {"GCALLOC_OPTIONS": f"suppressions={path}"}):
        result = run({**environment, **more}, "--leaks", "--", program)
        expect_same(result.returncode, 0, f"the status with {more}")
        expect_line(r"gcalloc: no leaks of loser .*; suppressed 1000 bytes in 10 blocks", result.stderr)
    expect_same(run(environment, "--leaks", "--suppressions=/none", "--", program).returncode, 125, "the status without the file")


@in_folder
def children_are_told(folder, program, environment):
    page = os.path.join(folder, "page.html")
    result = run(environment, "--leaks", f"--html={page}", "--", "sh", "-c", f"{program}; exit 3")
    expect_same(result.returncode, 3, "the status")
    has_leak(result.stderr)
    child = re.search(r"leaks of loser \(process (\d+)\)", result.stderr)[1]
    expect(os.path.exists(os.path.join(folder, f"page.{child}.html")), "no page of the child")
    result = run(environment, "--leaks", "--", "sh", "-c", f"exec {program}")
    expect_same(result.returncode, 23, "the status after exec")
    has_leak(result.stderr)


@in_folder
def files_are_written(folder, program, environment):
    names = [os.path.join(folder, "out." + form) for form in ("json", "html", "pprof", "folded", "sarif")]
    result = run(environment, "--leaks", *(f"--{name.rsplit('.', 1)[1]}={name}" for name in names), "--", program)
    expect_same(result.returncode, 23, "the status")
    with open(names[0], encoding="utf-8") as stream:
        report = json.load(stream)
    expect_same([(one["class"], one["blocks"]) for one in report["records"]], [("definite", 10)], "the records")
    functions = {frame["function"] for symbol in report["symbols"] for frame in symbol["frames"]}
    expect({"lose", "main"} <= functions, f"not all named: {functions}")
    has_leak(gcalloc("report", names[0]).stderr + gcalloc("report", names[0]).stdout)
    with open(names[3], encoding="utf-8") as stream:
        expect_same(stream.read(), "definite;main;lose 1000\n", "folded stacks")
    with open(names[2], "rb") as stream:
        expect_same(stream.read(2), b"\x1f\x8b", "what the profile begins with")
    with open(names[4], encoding="utf-8") as stream:
        expect_same(json.load(stream)["runs"][0]["results"][0]["ruleId"], "definite-leak", "the finding")


@in_folder
def profile_has_all(folder, program, environment):
    path = os.path.join(folder, "held.folded")
    result = run(environment, f"--profile={path}", "--", program)
    expect_same((result.returncode, result.stdout, result.stderr), (0, "hello\n", ""), "status and outputs")
    with open(path, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    expect({"definite;main;lose 1000", "reachable;main;keep 5000"} <= set(lines), f"not in the profile: {lines}")


@in_folder
def with_statistics(_, program, environment):
    result = run(environment, "--leaks", "--stats", "--", program)
    expect_same(result.returncode, 23, "the status")
    expect_line(r"gcalloc: heap of loser \(process \d+\) at exit", result.stderr)
    has_leak(result.stderr)


@in_folder
def unloaded_plugin(folder, _, environment):
    """Its blocks are lost after dlclose(); the file is there, so its lines are known all the same."""
    plugin = made.build(folder, "#include <stdlib.h>\nvoid *volatile last;\nvoid lose(int count)\n{\n    while (count-- > 0)\n"
                        "        last = malloc(77);\n    last = NULL;\n}\n", "plugin.so", options=("-shared", "-fPIC"))
    host = made.build(folder, f"""\
#include <dlfcn.h>
#include <string.h>
int main(void)
{{
    void *plugin = dlopen("{plugin}", RTLD_NOW);
    ((void (*)(int))dlsym(plugin, "lose"))(5);
    dlclose(plugin);
    volatile char area[4096];
    memset((char *)area, 0, sizeof area);
    return 0;
}}
""", "host", options=("-ldl",))
    text = run(environment, "--leaks", "--", host).stderr
    expect_line(r"    #1  lose  .*plugin\.so\.c:6 \(plugin\.so unloaded \d\d:\d\d, build-id [0-9a-f]{8}…\)", text)


def without_the_library():
    with temporary_folder() as folder:
        try:
            program = made.build(folder, "int main(void) { return 4; }\n", "alone", options=("-static",))
        except Exception as error:
            raise Missing("a static libc") from error
        result = gcalloc("run", "--leaks", "--", program)
        expect_same(result.returncode, 4, "the status")
        expect_line(r"gcalloc: no report of leaks: .*alone is statically linked.*", result.stderr)


def on_terminal(arguments, environment):
    """What comes out of a terminal."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([COMMAND, *arguments], stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    text = b""
    while True:
        try:
            more = os.read(leader, 4096)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(leader)
    child.wait()
    return text.decode()


@in_folder
def colours_on_terminals(_, program, environment):
    environment["TERM"] = "xterm"
    expect("\033[1;31mLEAK 1/1 definite" in on_terminal(["run", "--leaks", "--", program], environment), "no colours")
    environment["NO_COLOR"] = "1"
    text = on_terminal(["run", "--leaks", "--", program], environment)
    expect("\033" not in text and "LEAK 1/1" in text, "colours in spite of NO_COLOR")


def main():
    tally = CommandTally("gcalloc run --leaks")
    if "jansson" in gcalloc("help").stdout:
        raise SystemExit(77)
    tally.case("the line", finds_the_line)
    tally.case("a stripped program", stripped_program)
    tally.case("a thread", in_a_thread)
    tally.case("the example", example)
    tally.case("no leaks", no_leaks)
    tally.case("statuses and signals", ends_as_the_program)
    tally.case("suppressions", suppressions_decide)
    tally.case("children and exec", children_are_told)
    tally.case("files", files_are_written)
    tally.case("--profile", profile_has_all)
    tally.case("with --stats", with_statistics)
    tally.case("a plugin that was unloaded", unloaded_plugin)
    tally.case("a program without the library", without_the_library)
    tally.case("colours", colours_on_terminals)
    tally.finish()


if __name__ == "__main__":
    main()

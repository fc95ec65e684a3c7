#!/usr/bin/env python3
"""check_static.py [OPTIONS] [CASE...]: what compilers, cppcheck and the library find of the mistakes in tests/static/cases.

Each case is a small program with one mistake, which -DBUG puts in; without it the program is right. Every checker of
this machine reads both. A mistake is caught when the checker says something of the one that it does not say of the
other; what it says of the right one is a false alarm. Last the programs are run on the library, with checks on.

The table is printed, and compared with tests/static/expected.txt, which says what each checker is known to catch: to catch
less is a failure, and so is a false alarm. Only for checkers of the version that was recorded; others are shown.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.realpath(os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.path.join(SOURCE, "tests", "static")
EXPECTED = os.path.join(FOLDER, "expected.txt")
LIMIT_S = 300
SKIPPED = 77

# Of what compilers warn of without being asked, this is about memory.
GCC_KINDS = ("use-after-free", "mismatched-dealloc", "free-nonheap-object", "dangling-pointer", "return-local-addr",
             "unused-result", "alloc-size-larger-than")
WARNING = r"^[^\s:]+\.[ch]:(\d+):\d+: warning: .*\[-W([\w-]+)[^\]]*\]$"
ANALYZER_WARNING = r"^[^\s:]+\.[ch]:(\d+):\d+: warning: .*\[([\w.-]+)\]$"
CPPCHECK_WARNING = r"^(\d+): (\w+)$"
RUN_OPTIONS = "check=abort,leaks,poison"


def environment():
    return dict(os.environ, LC_ALL="C")


def flags(variable):
    """What gcalloc.pc tells the programs that use gcalloc."""
    with open(os.path.join(SOURCE, "gcalloc.pc.in"), encoding="utf-8") as file:
        match = re.search(r"^check_%s=(.*)$" % variable, file.read(), re.MULTILINE)
    return match.group(1).split()


class Checker:
    """One compiler with one set of flags."""

    def __init__(self, name, title, command, pattern, keep=lambda kind: True):
        self.name, self.title, self.command, self.pattern, self.keep = name, title, command, pattern, keep

    def says(self, source, define):
        """The findings: pairs of a kind and a line."""
        command = self.command + [define, source]
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment(),
                                timeout=LIMIT_S, check=False)
        output = result.stdout + result.stderr
        if result.returncode != 0:
            raise RuntimeError(" ".join(command) + "\n" + output)
        found = re.findall(self.pattern, output, re.MULTILINE)
        return [(kind, line) for line, kind in found if self.keep(kind)]


class Run:
    """The program itself, on the library: with checks on it must not end as if nothing had been."""

    name = "run"

    def __init__(self, library, compiler, cflags):
        self.title = "run, " + RUN_OPTIONS
        self.library, self.compiler, self.cflags = library, compiler, cflags
        self.folder = tempfile.mkdtemp()

    def says(self, source, define):
        program = os.path.join(self.folder, os.path.basename(source)[:-2] + define)
        subprocess.run([self.compiler, "-g", "-O1", "-w", "-pthread", *self.cflags, define, "-o", program, source, self.library,
                        "-Wl,-rpath," + os.path.dirname(self.library)], check=True)
        result = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=LIMIT_S,
                                check=False, env=dict(environment(), GCALLOC_OPTIONS=RUN_OPTIONS))
        first = next((line for line in result.stderr.splitlines() if line.startswith("gcalloc")), "")
        if result.returncode == 0 and not first:
            return []
        return [(first or "exit status %d" % result.returncode, "-")]

    def close(self):
        shutil.rmtree(self.folder)


def version_of(program, macro):
    """0 when it is not there."""
    if shutil.which(program) is None:
        return 0
    result = subprocess.run([program, "-E", "-P", "-x", "c", "-"], input=macro, capture_output=True, text=True, check=False)
    word = result.stdout.split()[-1:]
    return int(word[0]) if word and word[0].isdigit() else 0


def find_checkers():
    """Those this machine has, best known first."""
    cflags = ["-std=gnu11", "-D_GNU_SOURCE", "-I" + os.path.join(SOURCE, "include")]
    checkers = []
    gcc = version_of("gcc", "__GNUC__")
    if gcc >= 12:
        checkers.append(Checker("gcc", "gcc %d -O2" % gcc, ["gcc", *cflags, *flags("gcc")], WARNING,
                                lambda kind: kind.startswith(GCC_KINDS)))
        checkers.append(Checker("fanalyzer", "gcc %d -fanalyzer" % gcc, ["gcc", *cflags, *flags("gcc_paths")], WARNING,
                                lambda kind: kind.startswith("analyzer-")))
    names = ["clang"] + ["clang-%d" % number for number in range(22, 30)]
    clang, newest = max(((name, version_of(name, "__clang_major__")) for name in names), key=lambda pair: pair[1])
    if newest >= 22:
        checkers.append(Checker("analyze", "clang %d --analyze" % newest, [clang, *cflags, *flags("clang_paths")],
                                ANALYZER_WARNING))
        checkers.append(Checker("borrows", "clang %d -Wthread-safety" % newest, [clang, *cflags, *flags("clang")], WARNING,
                                lambda kind: kind.startswith("thread-safety")))
    if shutil.which("cppcheck"):
        version = subprocess.run(["cppcheck", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        options = [word for word in flags("cppcheck") if not word.startswith("--library")]
        checkers.append(Checker("cppcheck", "cppcheck " + version, ["cppcheck", *options, "--template={line}: {id}",
                                "--library=" + os.path.join(SOURCE, "gcalloc.cfg")], CPPCHECK_WARNING))
    library = os.environ.get("GCALLOC_TEST_LIBRARY", "")
    if gcc and os.path.exists(library):
        checkers.append(Run(library, "gcc", cflags))
    return checkers


def examine(checker, case):
    """What it says of the program as it should be, and what more it says of the one with the mistake."""
    source = os.path.join(FOLDER, "cases", case + ".c")
    clean = checker.says(source, "-UBUG")
    known = [kind for kind, _ in clean]
    found = []
    for kind, line in checker.says(source, "-DBUG"):
        if kind in known:
            known.remove(kind)
        else:
            found.append((kind, line))
    return clean, found


def read_expected():
    """By checker's title, the cases that it catches."""
    expected = {}
    if os.path.exists(EXPECTED):
        with open(EXPECTED, encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#") and ":" in line:
                    title, cases = line.split(":")
                    expected[title] = set(cases.split())
    return expected


def write_expected(checkers, outcome, caught):
    """Whether a leak is seen while a program runs hangs on what its stack happens to hold: those are not expected."""
    expected = read_expected()
    for checker in checkers:
        expected[checker.title] = {case for case in caught[checker.name]
                                   if not any(kind.startswith("gcalloc: leaks") for kind, _ in outcome[case, checker.name][1])}
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write("# What each checker catches; check_static.py --record writes this.\n")
        for title in sorted(expected):
            file.write("%s: %s\n" % (title, " ".join(sorted(expected[title]))))


def print_table(checkers, cases, outcome, verbose):
    width = max(len(case) for case in cases)
    for number, checker in enumerate(checkers):
        print("%-*s %s%s" % (width, "", "|  " * number, checker.title))
    for case in cases:
        cells = ["".join(("X" if outcome[case, checker.name][1] else ".", "!" if outcome[case, checker.name][0] else " "))
                 for checker in checkers]
        print("%-*s %s" % (width, case, " ".join(cells)))
        for checker in checkers if verbose else []:
            clean, found = outcome[case, checker.name]
            for words, findings in (("caught", found), ("FALSE ALARM", clean)):
                for kind, line in findings:
                    print("    %s: %s, line %s: %s" % (words, checker.name, line, kind))


def print_totals(checkers, cases, caught, false):
    print()
    for checker in checkers:
        print("%-28s %2d of %d caught, %d false alarms" % (checker.title, len(caught[checker.name]), len(cases),
                                                           len(false[checker.name])))

    def together(words, names):
        names = [checker.name for checker in checkers if checker.name in names]
        if len(names) > 1:
            missed = [case for case in cases if not any(case in caught[name] for name in names)]
            alarmed = set().union(*(false[name] for name in names))
            print("%-28s %2d of %d caught, %d false alarms; not: %s" % (
                words, len(cases) - len(missed), len(cases), len(alarmed), " ".join(missed) or "none"))

    together("the compilers together", ("gcc", "fanalyzer", "analyze", "borrows"))
    together("before the program runs", ("gcc", "fanalyzer", "analyze", "borrows", "cppcheck"))
    together("all together", [checker.name for checker in checkers])


def count_failures(checkers, cases, caught, false):
    expected = read_expected()
    failures = 0
    for checker in checkers:
        for case in sorted(false[checker.name]):
            print("%s: false alarm of %s" % (case, checker.title))
            failures += 1
        if checker.title not in expected:
            print("%s is not in expected.txt: its catches are not compared" % checker.title)
        for case in sorted((expected.get(checker.title, set()) & set(cases)) - caught[checker.name]):
            print("%s: no longer caught by %s" % (case, checker.title))
            failures += 1
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--checkers", default="", help="a list of gcc,fanalyzer,analyze,borrows,cppcheck,run; all")
    parser.add_argument("--verbose", action="store_true", help="what each checker said")
    parser.add_argument("--record", action="store_true", help="write expected.txt")
    arguments = parser.parse_args()
    checkers = find_checkers()
    wanted = arguments.checkers.split(",") if arguments.checkers else [checker.name for checker in checkers]
    used = [checker for checker in checkers if checker.name in wanted]
    if not used:
        print("missing: clang 22, gcc 12 or cppcheck")
        return SKIPPED
    cases = arguments.cases or sorted(name[:-2] for name in os.listdir(os.path.join(FOLDER, "cases")) if name.endswith(".c"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        work = {(case, checker.name): pool.submit(examine, checker, case) for checker in used for case in cases}
        outcome = {key: future.result() for key, future in work.items()}
    for checker in checkers:
        if checker.name == "run":
            checker.close()
    caught = {checker.name: {case for case in cases if outcome[case, checker.name][1]} for checker in used}
    false = {checker.name: {case for case in cases if outcome[case, checker.name][0]} for checker in used}
    print_table(used, cases, outcome, arguments.verbose)
    print_totals(used, cases, caught, false)
    if arguments.record:
        write_expected(used, outcome, caught)
    failures = count_failures(used, cases, caught, false)
    checks = len(cases) * len(used)
    print("%d%%: Checks: %d, Failures: %d, Errors: 0" % ((checks - failures) * 100 // checks, checks, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

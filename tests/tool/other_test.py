#!/usr/bin/env python3
"""gcalloc options, help and version, and the manual pages."""

import os
import re
import subprocess

from common import expect, expect_line, expect_only_line, expect_same, gcalloc, plain_environment
from harness import Tally, find_program, needed_variable

ROOT = needed_variable("top_srcdir")
BUILT = needed_variable("top_builddir")
COMMANDS = ("run", "top", "report", "diff", "options")
PAGES = ("gcalloc.1", "gcalloc-report.5", "gcalloc-check.1", "gcalloc_annotate.3", "gcalloc.3", "gcalloc.7", "gcalloc_arena.3", "gcalloc_pool.3")


def page_path(name):
    """In the source, or made by the build."""
    return next(path for path in (os.path.join(root, "man", name) for root in (ROOT, BUILT)) if os.path.exists(path))


def table():
    """Name, default and meaning of every option, read from options.def by other means than the command's."""
    with open(os.path.join(ROOT, "src", "base", "options.def"), encoding="utf-8") as file:
        text = file.read().split("*/", 1)[1]
    entries = re.findall(r'^(OPTION|CHOICE|TEXT)\((\w+),(.*)"([^"]*)"\)$', text, re.MULTILINE)
    expect(len(entries) >= 5, "options.def can't be read")
    return [(name, kind, rest.split(","), meaning) for kind, name, rest, meaning in entries]


def bytes_of(text):
    number, suffix = re.fullmatch(r"(\d+)([KMGT]?)", text).groups()
    return int(number) * 1024 ** " KMGT".index(suffix or " ")


def shown_value(kind, type_name, text):
    """A value as the list shows it, as options.def writes it."""
    if kind == "TEXT":
        return {"(none)": ""}.get(text, text)
    if kind == "CHOICE":
        return f'"{text}"'
    return str({"yes": 1, "no": 0}[text]) if type_name == "bool" else str(bytes_of(text))


def lists_every_option():
    result = gcalloc("options")
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    lines = result.stdout.splitlines()
    for name, kind, fields, meaning in table():
        index = next((i for i, line in enumerate(lines) if line.startswith(f"{name} ")), None)
        expect(index is not None, f"{name} is not listed")
        words = lines[index].split()
        if kind != "TEXT":
            initial = fields[0 if kind == "CHOICE" else 1].strip()
            expect_same(shown_value(kind, words[1], words[2]), initial, f"the default of {name}")
        if kind == "OPTION" and words[1] != "bool":
            expect_same([str(bytes_of(words[3])), str(bytes_of(words[5]))], [field.strip() for field in fields[2:4]],
                        f"the range of {name}")
        expect_same(lines[index + 1].strip(), meaning, f"the meaning of {name}")
    expect_same(len(lines), 1 + 2 * len(table()), "the number of lines")


def shows_values_now():
    environment = plain_environment(GCALLOC_OPTIONS="stats,reserve=3G,on_error=report,log_file=/tmp/%p.log")
    result = gcalloc("options", env=environment)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    for pattern in (r"NAME .* NOW", r"stats +bool +no .* yes", r"reserve +size +1T .* 3G",
                    r"on_error +choice +abort .* report", r"log_file +text .* /tmp/%p.log"):
        expect_line(pattern, result.stdout)


def complains(item, problem):
    result = gcalloc("options", env=plain_environment(GCALLOC_OPTIONS=f"stats,{item},reserve=3G"))
    expect_same(result.returncode, 1, "the exit status")
    expect_only_line(f'gcalloc: error: GCALLOC_OPTIONS: "{re.escape(item)}": {problem}', result.stderr)
    expect_line(r"reserve +size +1T .* 3G", result.stdout)


def wrong_call(pattern, *arguments):
    result = gcalloc(*arguments)
    expect_same((result.returncode, result.stdout), (2, ""), "status and output")
    expect_line(pattern, result.stderr)


def help_names_commands():
    for arguments in (("--help",), ("-h",), ("help",)):
        result = gcalloc(*arguments)
        expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
        for name in COMMANDS:
            expect_line(rf"  {name} +\w.*", result.stdout)


def help_of(name):
    """Both ways give the same, and every option in it is understood."""
    result = gcalloc("help", name)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    expect_line(rf"Usage: gcalloc {name}.*", result.stdout)
    expect_same(gcalloc(name, "--help").stdout, result.stdout, "what --help prints")
    with open(page_path("gcalloc.1"), encoding="utf-8") as page:
        text = page.read().replace("\\-", "-")
    for option in re.findall(r"^  -., --(\w+)", result.stdout, re.MULTILINE):
        expect(f"Fl -{option}" in text, f"--{option} is not in gcalloc(1)")


def version():
    with open(os.path.join(ROOT, "configure.ac"), encoding="utf-8") as file:
        number = re.search(r"AC_INIT\(\[gcalloc\], \[([^]]*)\]", file.read()).group(1)
    for option in ("--version", "-V"):
        expect_same(gcalloc(option).stdout, f"gcalloc {number}\n", "what is printed")


def full_disk(*arguments):
    with open("/dev/full", "wb") as full:
        command = [needed_variable("GCALLOC_TEST_COMMAND"), *arguments]
        result = subprocess.run(command, env=plain_environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    expect_same(result.returncode, 1, "the exit status")
    expect_only_line("gcalloc: error: standard output: No space left on device", result.stderr.decode())


def page_has_no_faults(name):
    path = page_path(name)
    result = subprocess.run([find_program("groff"), "-mandoc", "-Tutf8", "-ww", "-z", path], capture_output=True,
                            check=False)
    expect_same((result.returncode, result.stderr.decode()), (0, ""), "status and messages of groff")


def page_is_filled_in():
    """Nothing that the build should have replaced is left, and the library's place is an absolute path."""
    with open(page_path("gcalloc.7"), encoding="utf-8") as page:
        text = page.read()
    expect_same(re.findall(r"[@%][A-Za-z_]+[@%]", text), [], "what was not filled in")
    expect_line(r"\.It Pa /.*/libgcalloc\.so", text)


def page_passes_lint(name):
    """All that mandoc finds but references to manuals that are not installed here."""
    result = subprocess.run([find_program("mandoc"), "-Tlint", page_path(name)], capture_output=True, check=False)
    faults = [line for line in result.stdout.decode().splitlines() if "referenced manual not found" not in line]
    expect_same(faults, [], "what mandoc finds")


def functions_are_described():
    with open(os.path.join(ROOT, "include", "gcalloc", "heap.h"), encoding="utf-8") as header:
        text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.DOTALL)
    with open(page_path("gcalloc.3"), encoding="utf-8") as page:
        described = page.read()
    functions = re.findall(r"\b(gca_\w+)\(", text)
    members = re.findall(r"^ +uint\d+_t (\w+);", text, re.MULTILINE)
    expect(len(functions) >= 10 and len(members) >= 10, "heap.h can't be read")
    for name in functions:
        expect(re.search(rf"^\.F[no] {name}\b", described, re.MULTILINE), f"{name} is not in gcalloc(3)")
    for name in members:
        expect(re.search(rf"^\.(It )?Fa .*\b{name}\b", described, re.MULTILINE), f"{name} is not in gcalloc(3)")


def own_functions_are_described():
    for page_name, headers in (("gcalloc_arena.3", ("arena", "scratch", "text")), ("gcalloc_pool.3", ("pool", "alloc"))):
        with open(page_path(page_name), encoding="utf-8") as page:
            described = page.read()
        for name in headers:
            with open(os.path.join(ROOT, "include", "gcalloc", name + ".h"), encoding="utf-8") as header:
                text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.DOTALL)
            # Those with an underscore at the end are the header's own.
            functions = re.findall(r"^[a-z#][^=\n]*?\b(gca_\w*[a-z0-9])\([^)]", text, re.MULTILINE)
            expect(len(functions) >= 5, f"{name}.h can't be read")
            for function in functions:
                expect(re.search(rf"^\.(F[no]|Nm) {function}\b", described, re.MULTILINE), f"{function} is not in {page_name}")


def sections_of_reports_exist():
    """Whatever `see gcalloc(7), "..."` says is there."""
    with open(page_path("gcalloc.7"), encoding="utf-8") as page:
        sections = set(re.findall(r"^\.Ss (.*)$", page.read(), re.MULTILINE))
    named = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as source:
                    text = source.read()
                named |= set(re.findall(r'see gcalloc\(7\), \\"([a-z ]+)\\"', text))
                named |= set(re.findall(r'^    finish\(.*"([a-z ]+)"\);$', text, re.MULTILINE))
    expect(len(named) >= 4, f"only {named} found in the sources")
    expect_same(named - sections, set(), "what gcalloc(7) lacks")


def main():
    tally = Tally("gcalloc options, help, manual pages")
    tally.case("options: all of them", lists_every_option)
    tally.case("options: values now", shows_values_now)
    for item, problem in (("what", "unknown"), ("what=1", "unknown"), ("verbose=x", "not a number"),
                          ("reserve=1X", "not a size"), ("verbose=9", "out of range"), ("on_error", "needs a value"),
                          ("on_error=maybe", "not one of its choices"), ("stats=maybe", "neither yes nor no")):
        tally.case(f"options: {item}", complains, item, problem)
    tally.case("options: argument", wrong_call, "gcalloc: error: takes no arguments: x; .*", "options", "x")
    tally.case("options: unknown option", wrong_call, "gcalloc: error: options: unknown option '--x'; see gcalloc help options", "options", "--x")
    tally.case("unknown command", wrong_call, 'gcalloc: error: no command named "what"; .*', "what")
    tally.case("help on an unknown command", wrong_call, 'gcalloc: error: no command named "what"; .*', "help", "what")
    tally.case("unknown option", wrong_call, "gcalloc: error: unknown option '--what'; see gcalloc --help", "--what")
    for words, problem in ((("--x",), "unknown option '--x'"), (("-q",), "unknown option '-q'"), (("--html", "-q"), "unknown option '-q'"),
                           (("--html=3",), "option '--html' takes no argument"), (("-o",), "option '-o' needs an argument"),
                           (("--output",), "option '--output' needs an argument"), (("--s",), "option '--s' may be one of several")):
        tally.case(f"report {' '.join(words)}", wrong_call, f"gcalloc: error: report: {problem}; see gcalloc help report", "report", *words)
    tally.case("an ending that says nothing", wrong_call, r"gcalloc: error: no form goes by the ending of x\.foo: .*", "report", "x", "-o", "x.foo")
    tally.case("nothing", wrong_call, "Usage: gcalloc .*")
    tally.case("help", help_names_commands)
    for name in COMMANDS:
        tally.case(f"help on {name}", help_of, name)
    tally.case("version", version)
    for arguments in (("--help",), ("--version",), ("help", "run"), ("options",), ("top", "-h")):
        tally.case(f"full disk: {' '.join(arguments)}", full_disk, *arguments)
    for name in PAGES:
        tally.case(f"{name}: groff", page_has_no_faults, name)
        tally.case(f"{name}: mandoc", page_passes_lint, name)
    tally.case("gcalloc.7: filled in", page_is_filled_in)
    tally.case("gcalloc.3: every function and member", functions_are_described)
    tally.case("pages of arenas and pools: every function", own_functions_are_described)
    tally.case("gcalloc.7: every section a report names", sections_of_reports_exist)
    tally.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Each program of this folder is wrong in one way. What is reported is compared to the letter with the "expect:" lines
at its head, addresses included: the program names them on its standard output. See misuse.h."""

import os
import re
import signal
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import LIBRARY, Tally, expect, plain_environment, run, source_path, status_words, subject_environment
from harness import built_path

HERE = source_path("preload", "misuse")
SECTIONS = (("double free", "double free"), ("invalid free", "invalid free"), ("realloc of freed", "invalid realloc"),
            ("invalid realloc", "invalid realloc"), ("sized delete", "sized delete"),
            ("gca_arena", "arena misuse"), ("memory of arena", "arena misuse"), ("gca_pool", "pool misuse"))


def programs():
    names = (name[:-2] for name in sorted(os.listdir(HERE)) if name.endswith(".c"))
    return [name for name in names if name != "misuse"]


def head_lines(name, word):
    with open(os.path.join(HERE, name + ".c"), encoding="utf-8") as source:
        comment = source.read().split("*/")[0]
    return re.findall(rf"^ \* {word}: (.*)$", comment, re.MULTILINE)


def report_pattern(text, name, addresses):
    """The whole report: title, where the program was, where to read on."""
    title = re.escape(text.format(program=name, **addresses))
    section = next(section for start, section in SECTIONS if text.startswith(start))
    action = "called now" if "realloc" in text or text.startswith("gca_") else "freed now"
    place = rf"  {action}  {re.escape(name)}\+0x[0-9a-f]+\n" if "nobody's" not in text else ""
    return rf"gcalloc: error: {title}\n" + place + rf'  see gcalloc\(7\), "{section}"\n'


def run_program(name, options):
    options = ",".join(filter(None, [options] + head_lines(name, "options")))
    result = run([built_path("preload", "misuse", name)], env=subject_environment(options))
    output = result.stdout.decode()
    addresses = dict(re.findall(r"^(\w+) (0x[0-9a-f]+)$", output, re.MULTILINE))
    return result.returncode, output, result.stderr.decode(), addresses


def check_reports(name, errors, texts, addresses):
    pattern = "".join(report_pattern(text, name, addresses) for text in texts)
    expect(re.fullmatch(pattern, errors), f"reported\n{errors}expected to match\n{pattern}")


def survives(name, options, texts):
    status, output, errors, addresses = run_program(name, options)
    check_reports(name, errors, texts, addresses)
    expect(status == 0, f"{status_words(status)} instead of going on; it said\n{output}{errors}")
    expect(output.endswith("survived\n"), f"did not come to its end; it said\n{output}")


def aborts(name, options, texts):
    status, output, errors, addresses = run_program(name, options)
    check_reports(name, errors, texts[:1], addresses)
    expect(status == -signal.SIGABRT, f"{status_words(status)} instead of SIGABRT")
    expect("survived" not in output, "went on after the report")


def options_warn(options, warnings):
    """A bad option is one line, and the program runs as if it had not been given."""
    result = run(["/bin/echo", "ran"], env=subject_environment(options))
    lines = "".join(f'gcalloc: warning: option "{item}": {problem}\n' for item, problem in warnings)
    expect(result.stdout == b"ran\n" and result.returncode == 0, f"the program broke: {status_words(result.returncode)}")
    expect(result.stderr.decode() == lines, f"{options}: said\n{result.stderr.decode()}instead of\n{lines}")


OPTION_CASES = (
    ("", ()),
    (",", ()),
    ("stats=no,on_error=report,dirty_min=2M,dirty_min=64KiB,dirty_share=3", ()),
    ("foo", (("foo", "unknown; see gcalloc options"),)),
    ("foo=1", (("foo=1", "unknown; see gcalloc options"),)),
    ("=", (("=", "unknown; see gcalloc options"),)),
    ("Stats", (("Stats", "unknown; see gcalloc options"),)),
    (" stats", ((" stats", "unknown; see gcalloc options"),)),
    ("stats=maybe", (("stats=maybe", "neither yes nor no"),)),
    ("stats=", (("stats=", "neither yes nor no"),)),
    ("verbose=x", (("verbose=x", "not a number"),)),
    ("verbose=", (("verbose=", "not a number"),)),
    ("verbose=1K", (("verbose=1K", "not a number"),)),
    ("verbose=-1", (("verbose=-1", "not a number"),)),
    ("verbose=4", (("verbose=4", "out of range"),)),
    ("reserve", (("reserve", "needs a value"),)),
    ("reserve=1X", (("reserve=1X", "not a size"),)),
    ("reserve=12", (("reserve=12", "out of range"),)),
    ("reserve=99999999999999999999", (("reserve=99999999999999999999", "out of range"),)),
    ("reserve=17179869184T", (("reserve=17179869184T", "out of range"),)),
    ("on_error=ignore", (("on_error=ignore", "not one of its choices"),)),
    ("on_error=abort|report", (("on_error=abort|report", "not one of its choices"),)),
    ("on_error", (("on_error", "needs a value"),)),
    ("log_file", (("log_file", "needs a value"),)),
    ("log_file=" + 256 * "x", (("log_file=" + 70 * "x", "too long"),)),
    ("bar,stats=2,baz=,on_error=report", (("bar", "unknown; see gcalloc options"), ("stats=2", "neither yes nor no"),
                                          ("baz=", "unknown; see gcalloc options"))),
)


def known_misuse_is_silent_on_libc(_name):
    """The programs mean to be wrong, and the harness must notice one that is not: without gcalloc none may report."""
    result = run([built_path("preload", "misuse", "free_stack")], env=plain_environment())
    expect("gcalloc" not in result.stderr.decode(), "reports without gcalloc")
    expect(result.returncode != 0, "a free of the stack passes without gcalloc")


def main():
    tally = Tally("misuse")
    for name in programs():
        texts = head_lines(name, "expect")
        if texts:
            tally.case(f"{name} aborts", aborts, name, "", texts)
            tally.case(f"{name} is reported and survived", survives, name, "on_error=report", texts)
        else:
            tally.case(f"{name} does no harm", survives, name, "", texts)
    for options, warnings in OPTION_CASES:
        tally.case(f"GCALLOC_OPTIONS={options[:40]!r}", options_warn, options, warnings)
    tally.case("free_stack on libc", known_misuse_is_silent_on_libc, LIBRARY)
    tally.finish()


main()

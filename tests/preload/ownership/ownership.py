#!/usr/bin/env python3
"""What ownership reports, to the letter: each case of wrong.c with the reports it must make. {a} is the address that the case printed,
{at:TAG} the line in wrong.c that TAG stands on, {here} a place in the program."""

import os
import re
import signal
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, run, source_path, status_words, subject_environment

PROGRAM = built_path("preload", "ownership", "wrong")
NODE = "{a} (24 bytes, struct node)"
BLOCK = "{a} ({size} bytes)"

# name: is it found without the option check, section, title, places
CASES = {
    "dropped_twice": (True, "ownership misuse", "gca_drop({a}): not an object, or one that has ended", ("{here}",)),
    "freed_by_its_function": (True, "ownership misuse", "the drop function of struct suicide has freed {a} itself", ()),
    "freed_with_all_others": (True, "ownership misuse", "the drop function of struct lemming has freed {a} itself", ()),
    "drop_of_the_stack": (True, "ownership misuse", "gca_drop({a}): not an object, or one that has ended", ("{here}",)),
    "owns_itself": (True, "ownership misuse", f"gca_own(): {NODE} would own itself", ("{here}",)),
    "counted_is_owned": (True, "ownership misuse", f"gca_own(): {NODE} is counted: references hold it, not an owner",
                         ("{here}",)),
    "owner_is_freed": (False, "ownership misuse", f"free() of {NODE}, which owns 2: gca_drop() drops them", ("{here}",)),
    "released_too_often": (True, "ownership misuse", "gca_release({a}): not a counted object, or one that has ended",
                           ("{here}",)),
    "retained_too_late": (True, "ownership misuse", "gca_retain({a}): not a counted object, or one that has ended",
                          ("{here}",)),
    "counted_is_freed": (True, "ownership misuse",
                         f"free() of {NODE}, which has 2 references: gca_release() gives one up", ("{here}",)),
    "counted_is_resized": (True, "ownership misuse", f"realloc() of {NODE}, which has 2 references", ("{here}",)),
    "plain_is_released": (True, "ownership misuse", f"gca_release({NODE}): not a counted object, or one that has ended",
                          ("{here}",)),
    "two_writers": (False, "borrow conflict", f"mutable borrow of {NODE}, which is borrowed",
                    ("borrowed     two_writers  wrong.c:{at:first}", "called now   two_writers  wrong.c:{at:second}")),
    "write_beside_readers": (False, "borrow conflict", f"mutable borrow of {NODE}, which is borrowed",
                             ("borrowed     write_beside_readers  wrong.c:{at:reader}",
                              "called now   write_beside_readers  wrong.c:{at:writer}")),
    "freed_while_borrowed": (False, "borrow conflict", f"{BLOCK} is freed while it is borrowed",
                             ("borrowed     freed_while_borrowed  wrong.c:{at:borrow}", "{here}")),
    "resized_while_borrowed": (False, "borrow conflict", f"{BLOCK} is resized while it is borrowed",
                               ("borrowed     resized_while_borrowed  wrong.c:{at:resized}", "{here}")),
    "dropped_while_borrowed": (False, "borrow conflict", f"{NODE} is dropped while it is borrowed",
                               ("borrowed     dropped_while_borrowed  wrong.c:{at:dropped}", "{here}")),
    "borrow_never_ended": (False, "borrow conflict", f"a borrow of {NODE} has not ended",
                           ("borrowed     borrow_never_ended  wrong.c:{at:forever}",)),
    "thread_ends_with_a_borrow": (False, "borrow conflict", f"a borrow of {NODE} has not ended",
                                  ("borrowed     borrow_for_ever  wrong.c:{at:thread}",)),
    "ended_twice": (False, "borrow conflict", f"end of a borrow of {NODE}, which has ended or never began",
                    ("called now   ended_twice  wrong.c:{at:again}",)),
    "borrow_of_the_dead": (False, "borrow conflict", "borrow of {a}, which has ended",
                           ("called now   borrow_of_the_dead  wrong.c:{at:dead}",)),
    "changed_while_borrowed": (False, "borrow conflict", f"{NODE} is borrowed, and must not be here",
                               ("borrowed     changed_while_borrowed  wrong.c:{at:watching}",
                                "called now   changed_while_borrowed  wrong.c:{at:changing}")),
    "used_by_another_thread": (False, "thread ownership", f"{NODE} is borrowed by a thread that does not have it",
                               ("called now   borrow_it  wrong.c:{at:foreign}",)),
    "received_unsent": (False, "thread ownership", f"{NODE} is received, but was not sent", ("{here}",)),
    "index_outside": (False, "invalid index", "index 16 of {a}, where there is room for 16",
                      ("called now   index_outside  wrong.c:{at:index}",)),
}


# What an audit says, whole, with any address for {x}; and whether it needs the option check.
AUDITS = {
    "unreferenced_but_owned": (False, "  {x} (24 bytes, struct node) is unreferenced, but owned by {a} (24 bytes, struct node)\n"),
    "owner_gone": (False, "  {a} (24 bytes, struct node) is alive, but its owner {x} is gone\n"),
    "count_above": (False, "  {a} (24 bytes, struct node) has 11 references, but only {n} can be seen\n"),
    "count_below": (False, "  {a} (24 bytes, struct node) has 1 references, but 3 fields hold it\n"),
    "borrow_without_end": (True, "  {a} (24 bytes, struct node) is borrowed\n"),
    "into_a_dead_arena": (False, "  {a} (24 bytes, struct node) at offset 8 points to {x}, in an arena that is gone\n"),
}


def lines_by_tag():
    with open(source_path("preload", "ownership", "wrong.c"), encoding="utf-8") as source:
        return {tag: number for number, line in enumerate(source, 1) for tag in re.findall(r"/\* @(\w+) \*/", line)}


LINES = lines_by_tag()


def pattern_of(section, title, places, address):
    title = title.replace("{a}", address)
    lines = re.escape(f"gcalloc: error: {title}\n").replace(r"\{size\}", r"\d+")
    for place in places:
        if place == "{here}":
            lines += r"  called now  [\w.]+\+0x[0-9a-f]+" + "\n"
        else:
            tagged = re.sub(r"{at:(\w+)}", lambda match: str(LINES[match.group(1)]), place)
            lines += re.escape(f"  {tagged}\n")
    return lines + re.escape(f'  see gcalloc(7), "{section}"\n')


def run_case(name, options):
    result = run([PROGRAM, name], env=subject_environment(options))
    output = result.stdout.decode()
    return result.returncode, output, result.stderr.decode(), output.split("\n")[0]


def reports(name, options, is_fatal):
    _, section, title, places = CASES[name]
    status, output, errors, address = run_case(name, options)
    pattern = pattern_of(section, title, places, address)
    expect(re.fullmatch(pattern, errors), f"reported\n{errors}expected to match\n{pattern}")
    wanted = -signal.SIGABRT if is_fatal else 0
    expect(status == wanted, f"{status_words(status)} instead of {status_words(wanted)}; it said\n{output}")
    if not is_fatal:
        expect("survived\n" in output, f"did not come to its end; it said\n{output}")


def audit_finds(name, options):
    status, output, errors, address = run_case(name, options)
    pattern = re.escape("gcalloc: audit: 1 finding\n" + AUDITS[name][1].replace("{a}", address))
    pattern = pattern.replace(r"\{x\}", "0x[0-9a-f]+").replace(r"\{n\}", "[1-5]")  # dead words on the stack count
    expect(re.fullmatch(pattern, errors), f"said\n{errors}expected to match\n{pattern}")
    expect(status == 0 and "survived\n" in output, f"{status_words(status)}; it said\n{output}")


def repeats_are_counted(name):
    _, _, errors, address = run_case(name, "check=report")
    outer, inner = LINES["outer"], LINES["inner"]
    title = f"borrow of {NODE}, which is mutably borrowed".replace("{a}", address)
    expect(errors.startswith(f"gcalloc: error: {title}\n") and errors.count(title) == 1, f"said\n{errors}")
    expect(f"gcalloc: 499 times more: borrow of an object, which is mutably borrowed, borrowed in {name} wrong.c:{outer}, "
           f"called in {name} wrong.c:{inner}\n" in errors and errors.count(" times more: ") == 1, f"said\n{errors}")


def a_dead_arena_is_named(_name):
    _, _, errors, address = run_case("into_a_dead_arena", "check=report")
    title = 'gcalloc: error: gca_arena_free: 1 pointer into arena "requests" will dangle\n'
    holder = f"  {address} (24 bytes, struct node) at offset 8, to "
    expect(errors.startswith(title + holder), f"said\n{errors}")
    expect('  see gcalloc(7), "dangling pointer"\n' in errors, f"said\n{errors}")


# Options with which each example says what its head promises.
EXAMPLES = {
    "unreferenced_but_owned": ("", "check=report", "gc", "leaks,exitcode=0"),
    "owner_gone": ("", "gc"),
    "count_off": ("", "check=report", "gc"),
    "borrow_without_end": ("check=report",),
    "dangling_into_arena": ("check=report",),
}


def promised_by(name):
    """Lines, as patterns: addresses, and how much dead words on the stack add, may be others."""
    with open(os.path.join(source_path(), "..", "examples", "reports", name + ".c"), encoding="utf-8") as source:
        head = source.read().split("*/")[0]
    lines = re.findall(r"^ \*     (.*)$", head.split("It says:", 1)[1] if "It says:" in head else head.split("says:")[-1], re.MULTILINE)
    expect(lines, f"{name} promises nothing")
    patterns = [re.sub("0x[0-9a-f]+", "0x[0-9a-f]+", re.escape(line).replace(r"\ ", " ")) for line in lines]
    return [re.sub(r"only \d can", "only [1-5] can", re.sub(name + r"\\\+", r"[\\w.-]+\\+", pattern)) for pattern in patterns]


def example_says(name, options):
    result = run([built_path("..", "examples", "reports", name)], env=subject_environment(options))
    lines, patterns = result.stderr.decode().splitlines(), promised_by(name)
    expect(result.returncode == 0, f"{status_words(result.returncode)}: {lines}")
    for pattern in patterns:
        expect(sum(re.fullmatch(pattern, line) is not None for line in lines) == patterns.count(pattern), f"no {pattern!r} in {lines}")
    if "leaks" not in options:
        expect(len(lines) == len(patterns), f"it said {lines}")


def no_driver(_name):
    """On a machine that has one, its absence can't be tried."""
    if any(os.path.exists(os.path.join(folder, "libcuda.so.1")) for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64")):
        return
    result = run([built_path("preload", "ownership", "cuda")], env=subject_environment(""))
    expect(result.stdout.decode() == "fine\n", result.stdout.decode() + result.stderr.decode())


def a_driver(_name):
    library = built_path("preload", "ownership", ".libs", "fake_driver.so")
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(library, os.path.join(folder, "libcuda.so.1"))
        environment = dict(subject_environment(""), LD_LIBRARY_PATH=folder)
        result = run([built_path("preload", "ownership", "cuda"), "with"], env=environment)
    expect(result.stdout.decode() == "fine\n", result.stdout.decode() + result.stderr.decode())


def is_silent(name, options):
    status, output, errors, _ = run_case(name, options)
    expect(errors == "" and status == 0 and "survived\n" in output, f"{status_words(status)}\n{output}{errors}")


def main():
    tally = Tally("ownership")
    for name, (is_always_found, *_) in CASES.items():
        if is_always_found:
            tally.case(f"{name} aborts", reports, name, "", True)
            tally.case(f"{name} is survived", reports, name, "on_error=report", False)
        else:
            if not name.endswith("_while_borrowed") or name.startswith("changed"):  # those free twice, then
                tally.case(f"{name} is not looked for", is_silent, name, "")
            tally.case(f"{name} aborts", reports, name, "check=abort", True)
            tally.case(f"{name} is survived", reports, name, "check=report", False)
    for name, (needs_check, _) in AUDITS.items():
        tally.case(f"an audit finds {name}", audit_finds, name, "check=report" if needs_check else "")
    for name, all_options in EXAMPLES.items():
        for options in all_options:
            tally.case(f"the example {name}, {options or 'plain'}", example_says, name, options)
    tally.case("one mistake many times", repeats_are_counted, "write_in_a_loop")
    tally.case("an arena's end names who points into it", a_dead_arena_is_named, "")
    tally.case("CUDA without a driver", no_driver, "")
    tally.case("CUDA with a driver", a_driver, "")
    tally.case("what is right is not reported", is_silent, "right", "check=abort")
    tally.case("what is right is not reported unchecked", is_silent, "right", "")
    tally.finish()


main()

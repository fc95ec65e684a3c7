#!/usr/bin/env python3
"""The quarantine from outside: nobody gets a block that something still points to, everybody gets it soon after."""

import os
import re
import signal
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, plain_environment, run, status_words, subject_environment

COMMAND = os.environ.get("GCALLOC_TEST_COMMAND", "")


def program(name):
    return built_path("preload", "quarantine", name)


def check(result):
    errors = result.stderr.decode(errors="replace")
    expect(result.returncode == 0, f"{status_words(result.returncode)}: {result.stdout.decode()[-1500:]}{errors[-500:]}")
    return errors


def places(options):
    errors = check(run([program("places")] + (["collected"] if ",gc" in options else []), env=plain_environment(GCALLOC_OPTIONS=options)))
    expect(errors == "", f"it said: {errors}")


def exploits():
    """Each wrong call is reported; none has any other effect."""
    result = run([program("exploits")], env=plain_environment(GCALLOC_OPTIONS="quarantine,on_error=report,quarantine_report=silent"))
    errors = check(result)
    for words in ("double free", "invalid free", "realloc of freed"):
        expect(words in errors, f"no {words} in {errors[-1000:]}")


def churns(threads, rounds, options, *words):
    result = run([program("churn"), str(threads), str(rounds), "120000", *words], env=subject_environment(options))
    errors = check(result)
    expect(errors == "", f"it said: {errors}")


STACK = r"(             \S+\+0x[0-9a-f]+\n)*"


def finds(what, options, pattern, status=0):
    result = run([program("changed"), what], env=plain_environment(GCALLOC_OPTIONS=options))
    errors = result.stderr.decode()
    expect(result.returncode == status, f"{status_words(result.returncode)}: {errors}")
    expect(re.match(pattern, errors), f"it said: {errors}")


def reports():
    result = run([COMMAND, "run", "--quarantine", "--stats", "--", program("churn"), "1", "50000", "120000"], env=plain_environment())
    errors = check(result)
    for pattern in (r"sweeps +[1-9]\d* \(\d+ abandoned, 0 by age\)", r"released by sweeps +\d{4,} blocks, ", r"written after free +0\n"):
        expect(re.search(pattern, errors), f"no {pattern} in {errors}")


def hardened(what, options):
    result = run([program("hardened"), what], env=subject_environment(options))
    check(result)
    return result.stdout


def guards(what, pattern, status, options=""):
    result = run([program("guarded"), what], env=plain_environment(GCALLOC_OPTIONS="guard_sample=1" + options))
    errors = result.stderr.decode()
    expect(result.returncode == status, f"{status_words(result.returncode)}: {errors}")
    expect(re.match(pattern, errors), f"it said: {errors}")


def guards_what_is_right(options):
    errors = check(run([program("guarded")], env=plain_environment(GCALLOC_OPTIONS=options)))
    expect(errors == "", f"it said: {errors}")


def finds_beside_guards():
    number, place = r"0x[0-9a-f]+", rf"\S+\+0x[0-9a-f]+\n{STACK}"
    allocated, freed = rf"  allocated  {place}", rf"  freed      {place}"
    for options in ("", ",stacks=4", ",quarantine", ",gc"):
        guards("behind", rf"gcalloc: error: access of {number}: 1 byte past the end of a block of 64 bytes at {number}\n{allocated}  accessed   ", -signal.SIGSEGV, options)
        guards("before", rf"gcalloc: error: access of {number}: 1 byte before a block of 64 bytes at {number}\n{allocated}  accessed   ", -signal.SIGSEGV, options)
        guards("handled", rf"gcalloc: error: access of {number}: 1 byte past the end of ", 0, options)
        guards("beside", rf"gcalloc: error: write 3 bytes past the end of a block of 20 bytes at {number} was found when it was freed\n{allocated}", -signal.SIGABRT, options)
        guards("below", rf"gcalloc: error: write 3 bytes before a block of 20 bytes at {number} was found when it was freed\n{allocated}", -signal.SIGABRT, options)
        for what, size in (("after", 100), ("large", 40000)):
            guards(what, rf"gcalloc: error: access of {number}, which was freed: offset 8 of a block of {size} bytes at {number}\n{allocated}{freed}  accessed   ", -signal.SIGSEGV, options)
        guards("twice", rf"gcalloc: error: double free of {number} \(112 bytes\)\n{allocated}{freed}  freed now  ", -signal.SIGABRT, options)


def shuffles():
    orders = {hardened("shuffle", "shuffle,verify") for _ in range(4)}
    expect(len(orders) == 4, "the order was the same twice")
    expect(len({hardened("shuffle", "verify") for _ in range(4)}) == 1, "the order differs without the option")


def frees_unused(options):
    result = run([program("hardened"), "unused"], env=subject_environment("guard_slots=8,on_error=report" + options))
    errors = check(result)
    expect(re.match(r"gcalloc: error: invalid free of 0x[0-9a-f]+: never allocated\n", errors), f"it said: {errors}")


def main():
    tally = Tally("quarantine")
    for options in ("quarantine", "quarantine,quarantine_stop=0", "quarantine,quarantine_stop=0,concurrent=never", "quarantine,quarantine_stop=0,concurrent=always", "quarantine,wipe=pattern", "quarantine,gc", "quarantine,trap_min=1G"):
        tally.case(f"places, {options}", lambda options=options: places(options))
    for size in (80, 144):
        tally.case(f"sweeps at the border of what there is, {size} bytes",
                   lambda size=size: check(run([program("border"), str(size)], env=subject_environment("quarantine,quarantine_stop=0,concurrent=never"))))
    tally.case("exploits", exploits)
    for options in ("", ",quarantine_stop=0", ",quarantine_stop=0,quarantine_min=64K", ",quarantine_stop=0,quarantine_min=64K,concurrent=never", ",quarantine_stop=0,quarantine_min=64K,concurrent=always", ",quarantine_min=32K", ",gc", ",wipe=no", ",stacks=8", ",collect_every=50,gc"):
        tally.case(f"threads{options}", lambda options=options: churns(4, 8000, "quarantine,verify" + options))
    for options in ("", ",quarantine_stop=0,quarantine_min=64K", ",quarantine_stop=0,quarantine_min=64K,concurrent=never", ",quarantine_stop=0,quarantine_min=64K,concurrent=always"):
        tally.case(f"threads and forks{options}", lambda options=options: churns(3, 21000, "quarantine,verify" + options, "fork"))
    history = rf"  allocated  changed\+0x[0-9a-f]+\n{STACK}  freed      changed\+0x[0-9a-f]+\n{STACK}"
    written = r"gcalloc: error: write after free of 0x[0-9a-f]+ \(64 bytes\), at offset 16\n"
    tally.case("a write after free", lambda: finds("write", "quarantine", written + '  see gcalloc\\(7\\), "write after free"'))
    tally.case("a write after free, with stacks", lambda: finds("write", "quarantine,stacks=8", written + history))
    tally.case("a write after free aborts", lambda: finds("write", "quarantine,quarantine_report=abort", written, -signal.SIGABRT))
    tally.case("a write after free in silence", lambda: finds("write", "quarantine,quarantine_report=silent", r"$"))
    tally.case("a late double free, with stacks", lambda: finds("late", "quarantine,stacks=8", r"gcalloc: error: double free of 0x[0-9a-f]+ \(64 bytes\)\n" + history + "  freed now  ", -signal.SIGABRT))
    accessed = r"gcalloc: error: access of 0x[0-9a-f]+, which was freed: offset 4096 of a block of 1064960 bytes at 0x[0-9a-f]+\n"
    tally.case("a fault elsewhere", lambda: finds("null", "quarantine", r"$", -signal.SIGSEGV))
    tally.case("a signal without a fault", lambda: finds("raise", "quarantine", r"$", -signal.SIGSEGV))
    tally.case("a read of a large block", lambda: finds("trap", "quarantine,stacks=8", accessed, -signal.SIGSEGV))
    tally.case("a read of a large block, handled", lambda: finds("handled", "quarantine", accessed))
    for options in ("zero", "zero,quarantine", "zero,shuffle,gc", "zero,stacks=4"):
        tally.case(f"what malloc hands out, {options}", lambda options=options: hardened("zero", options + ",verify"))
    tally.case("guard pages find", finds_beside_guards)
    for options in ("", ",zero,shuffle", ",quarantine,quarantine_min=16K,trap_min=16K", ",gc", ",gc,shadow,collect_every=20", ",gc,quarantine,collect_every=50"):
        for mean in (1, 3, 50):
            tally.case(f"guard pages, one in {mean}{options}", lambda options=options, mean=mean: guards_what_is_right(f"guard_sample={mean},verify{options}"))
    for options in ("", ",quarantine", ",gc,collect_every=50"):
        tally.case(f"threads and forks, guard pages{options}", lambda options=options: churns(3, 11000, "guard_sample=20,verify" + options, "fork"))
    for options in ("", ",zero,shuffle", ",quarantine,quarantine_min=64K", ",gc,shadow,collect_every=200", ",gc,quarantine", ",stacks=4,leaks"):
        tally.case(f"places that are never used{options}", lambda options=options: hardened("slots", "guard_slots=8,verify" + options))
    for options in ("", ",quarantine", ",gc"):
        tally.case(f"a free of one{options}", lambda options=options: frees_unused(options))
        tally.case(f"threads and forks between them{options}", lambda options=options: churns(3, 21000, "guard_slots=2,verify" + options, "fork"))
    tally.case("the order of addresses", shuffles)
    tally.case("threads, shuffled and zeroed", lambda: churns(4, 8000, "quarantine,shuffle,zero,verify"))
    tally.case("gcalloc run --quarantine --stats", reports)
    tally.finish()


main()

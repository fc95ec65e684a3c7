#!/usr/bin/env python3
"""Programs of this folder in the surroundings that a preloaded allocator meets: little address space, closed files,
forks, sandboxes, plugins. Each program judges itself; what can only be seen from outside is judged here."""

import os
import re
import resource
import shutil
import signal
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import (LIBRARY, ON_GCALLOC, Failure, Missing, Tally, built_path, expect, find_program, plain_environment,
                     run, status_words, subject_environment)

MIB = 1 << 20
SKIPPED = 77


def program(name):
    return built_path("preload", "process", name)


def plugin(name):
    """A module that libtool built: the real file, not its script."""
    return built_path("preload", "process", ".libs", name + ".so")


def check(result, words=""):
    """A program that found something wrong says so on its standard error; one that is content says nothing there."""
    errors = result.stderr.decode(errors="replace")
    if result.returncode == SKIPPED:
        raise Missing("what it needs (root, chroot)")
    expect(result.returncode == 0, f"{status_words(result.returncode)} {words}: {result.stdout.decode()[-500:]}{errors}")
    expect(errors == "", f"it said: {errors}")
    return result.stdout.decode()


def runs(name, *arguments, options="", **settings):
    check(run([program(name), *arguments], env=subject_environment(options), **settings))


def runs_with(options, name, *arguments):
    runs(name, *arguments, options=options)


def with_limit(name, kind, size_bytes, *arguments):
    limit = lambda: resource.setrlimit(kind, (size_bytes, size_bytes))
    check(run([program(name), *arguments], env=subject_environment(), preexec_fn=limit), f"with a limit of {size_bytes >> 20} MiB")


def as_nobody(name):
    """The library may lie where only its owner may look: a copy, then."""
    if os.geteuid() != 0:
        raise Missing("root")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for path in (program(name), *([LIBRARY] if ON_GCALLOC else [])):
            shutil.copy(path, folder)
            os.chmod(os.path.join(folder, os.path.basename(path)), 0o755)
        environment = subject_environment()
        if ON_GCALLOC:
            copy = os.path.join(folder, os.path.basename(LIBRARY))
            environment.update(LD_PRELOAD=copy, GCALLOC_TEST_LIBRARY=copy)
        check(run([os.path.join(folder, name)], env=environment, user=65534, group=65534, extra_groups=[]))


def misuse_is_unheard(options, expected_status):
    result = run([program("closed_stderr")], env=subject_environment(options))
    expect(result.returncode == expected_status, status_words(result.returncode))
    expect(result.stdout == b"" and result.stderr == b"", "something was written")


def jailed():
    """Reports from where /proc is gone; only the module's name may be missing in them."""
    with tempfile.TemporaryDirectory() as folder:
        result = run([program("jail"), folder], env=subject_environment("on_error=report"))
    if result.returncode == SKIPPED:
        raise Missing("root")
    errors = result.stderr.decode()
    expect(result.returncode == 0, f"{status_words(result.returncode)}: {errors}")
    pattern = r'gcalloc: error: double free of 0x[0-9a-f]+ \(48 bytes\)\n  freed now  .+\n  see gcalloc\(7\), "double free"\n'
    expect(not ON_GCALLOC or re.fullmatch(pattern, errors), f"the report is {errors}")


def core_is_small():
    """20 MiB were taken, half of it freed: the core holds what is in memory, not the reservation."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        if file.read().strip() not in ("core", "core.%p"):
            raise Missing("a core_pattern that writes core files here")
    with tempfile.TemporaryDirectory() as folder:
        result = run([program("core_dump")], env=subject_environment(), cwd=folder)
        expect(result.returncode == -signal.SIGABRT, status_words(result.returncode))
        cores = [os.path.join(folder, name) for name in os.listdir(folder)]
        if not cores:
            raise Missing("core files (a hard limit?)")
        on_disk = os.stat(cores[0]).st_blocks * 512
    expect(on_disk < 26 * MIB, f"the core takes {on_disk / MIB:.1f} MiB on disk")
    expect(on_disk > 9 * MIB, f"the core takes {on_disk / MIB:.1f} MiB: live blocks are missing")


def opened_late(scope):
    if not ON_GCALLOC:
        raise Missing("libgcalloc.so")
    check(run([program("opened_late"), LIBRARY, scope], env=plain_environment()))


def preloaded_twice(copied):
    """The same file twice in LD_PRELOAD, or two copies of it under two names."""
    if not ON_GCALLOC:
        raise Missing("libgcalloc.so")
    with tempfile.TemporaryDirectory() as folder:
        second = shutil.copy(LIBRARY, os.path.join(folder, "libcopy.so")) if copied else LIBRARY
        environment = plain_environment(LD_PRELOAD=f"{LIBRARY}:{second}")
        for command in (["/bin/ls", "/"], [find_program("python3"), "-c", "print(len(list(range(100000))))"]):
            result = run(command, env=environment)
            plain = run(command, env=plain_environment())
            expect(result.stdout == plain.stdout and result.returncode == 0, f"{command[0]}: {status_words(result.returncode)}")
            expect(result.stderr == b"", result.stderr.decode())
        check(run([program("fork_handlers")], env=environment))


def wrapped():
    """A wrapper in front of the library sees each call and passes it on."""
    environment = subject_environment()
    environment["LD_PRELOAD"] = plugin("wrapper") + (":" + LIBRARY if ON_GCALLOC else "")
    command = [find_program("python3"), "-c", "import ctypes; print(ctypes.CDLL(None).wrapper_calls() > 1000)"]
    expect(check(run(command, env=environment)) == "True\n", "the wrapper was not asked")


def median_kib(what, environment):
    values = [int(check(run([program("resident"), what], env=environment))) for _ in range(7)]
    return statistics.median(values)


def tiny_program():
    """A program that allocates next to nothing pays at most 512 KiB for another malloc: the kernel counts in steps of 128."""
    plain, ours = median_kib("tiny", plain_environment()), median_kib("tiny", subject_environment())
    print(f"a tiny program: {plain} KiB on libc, {ours} KiB")
    expect(ours <= plain + 512, f"{ours} KiB resident, {plain} on libc's malloc")


def untouched_rest():
    """What few programs need lies in pages of its own (preload/segments.ld), and no ordinary program touches one."""
    kib = check(run([program("resident"), "rest"], env=subject_environment()))
    if kib == "":
        raise Missing("a library with a segment for what few programs need")
    expect(int(kib) == 0, f"{kib.strip()} KiB resident: name what ran in preload/segments.ld, or don't run it in every process")


def thread_cost():
    """64 threads that allocate one block each: at most 16 KiB a thread."""
    total = median_kib("threads", subject_environment())
    print(f"a thread's first block: {total / 64:.1f} KiB")
    expect(total <= 64 * 16, f"{total / 64:.1f} KiB a thread")


def personality(switch):
    """Without address randomisation, and with mappings that grow upwards."""
    tool = find_program("setarch")
    if run([tool, switch, "/bin/true"]).returncode != 0:
        raise Missing(f"leave to use setarch {switch}")
    check(run([tool, switch, program("plugins"), plugin("plugin")], env=subject_environment()))
    check(run([tool, switch, program("mappings")], env=subject_environment()))


def no_environment():
    """Not even an environment: execve with an empty one takes LD_PRELOAD away, too, and that must be all."""
    result = run([find_program("env"), "-i", "/bin/ls", "/"], env=subject_environment())
    expect(result.returncode == 0 and result.stderr == b"", "env -i fails")


PLAIN_CASES = ("fork_under_load", "fork_threads_again", "fork_handlers", "spawn", "exec_from_thread", "key_destructors",
               "adoption", "exit_handlers", "main_thread_exits", "libc_blocks", "tiny_stacks", "closed_files", "seccomp",
               "locked_memory", "mappings")


def main():
    tally = Tally("process")
    for name in PLAIN_CASES:
        tally.case(name, runs, name)
    if os.path.exists(program("thread_local_objects")):
        tally.case("thread_local_objects", runs, "thread_local_objects")
    for microseconds in (0, 2000, 300):
        options = f"gc,stop_every_us={microseconds}" if microseconds else ""
        tally.case(f"blocked calls, a stop every {microseconds} us", runs_with, options, "blocked_calls")
    for name in ("fork_under_load", "spawn", "exec_from_thread", "tiny_stacks", "main_thread_exits", "key_destructors",
                 "seccomp"):
        tally.case(f"{name}, a stop every 1000 us", runs_with, "gc,stop_every_us=1000", name)
    tally.case("plugins", runs, "plugins", plugin("plugin"))
    for mib in (48, 64, 100, 200, 500, 1500, 5000):
        tally.case(f"address space of {mib} MiB", with_limit, "address_limit", resource.RLIMIT_AS, mib * MIB)
    for mib in (100, 1000):
        tally.case(f"address space cut to {mib} MiB later", runs, "address_limit", str(mib))
    tally.case("no locked memory", with_limit, "locked_memory", resource.RLIMIT_MEMLOCK, 0)
    tally.case("8 MiB of locked memory", with_limit, "locked_memory", resource.RLIMIT_MEMLOCK, 8 * MIB)
    tally.case("small stack", with_limit, "fork_handlers", resource.RLIMIT_STACK, 64 * 1024)
    tally.case("unlimited stack", with_limit, "fork_handlers", resource.RLIMIT_STACK, resource.RLIM_INFINITY)
    tally.case("as nobody", as_nobody, "fork_handlers")
    tally.case("jail", jailed)
    tally.case("misuse with closed stderr, report", misuse_is_unheard, "on_error=report", 0)
    tally.case("misuse with closed stderr, abort", misuse_is_unheard, "", -signal.SIGABRT)
    tally.case("core file", core_is_small)
    tally.case("opened late, local", opened_late, "l")
    tally.case("opened late, global", opened_late, "g")
    tally.case("preloaded twice", preloaded_twice, False)
    tally.case("preloaded as two copies", preloaded_twice, True)
    tally.case("wrapped by another preload", wrapped)
    tally.case("setarch -R", personality, "-R")
    tally.case("setarch -L", personality, "-L")
    tally.case("env -i", no_environment)
    sizes = ("64", "1000", "20000", "100000", "1500000", "50000000")
    for order, words in (("f", "first to last"), ("b", "backwards"), ("s", "scattered"), ("t", "by another thread"),
                         ("o", "after its owner ended")):
        for size in sizes:
            tally.case(f"memory of {size} bytes goes back, freed {words}", runs, "memory_returned", order, size)
        tally.case(f"memory of all sizes in turn goes back a second later, freed {words}", runs, "memory_returned", order, *sizes)
    tally.case("a tiny program", tiny_program)
    tally.case("what few programs need", untouched_rest)
    tally.case("a thread", thread_cost)
    tally.finish()


main()

#!/usr/bin/env python3
"""gcalloc run: the program's end, its surroundings and its outputs are what they are without the command."""

import os
import pty
import re
import signal
import subprocess
import sys

from common import (COMMAND, LIBRARY, CommandTally, Missing, compiled, copied, expect, expect_line, expect_only_line, expect_same,
                    gcalloc, need_root, plain_environment, report_count, report_pattern, script, temporary_folder)

PYTHON = sys.executable
WAYS = ((), ("--stats",))
# Writes by itself: a signal during a print would find the stream busy.
# Not pause(): a signal just before it, whose handler python runs later, would be waited for in vain.
WAITING_PROGRAM = """
import os, signal, sys
def say(*words):
    os.write(1, (" ".join(words) + "\\n").encode())
signals = [getattr(signal, name) for name in sys.argv[1:]]
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
say("ready", str(os.getpid()))
while True:
    say("got", signal.Signals(signal.sigwait(signals)).name)
"""


def status_is(way, status):
    result = gcalloc("run", *way, "--", "sh", "-c", f"exit {status}")
    expect_same(result.returncode, status, "the exit status")


def signal_is(way, name):
    number = getattr(signal, name)
    result = gcalloc("run", *way, "--", "sh", "-c", f"kill -{int(number)} $$")
    expect_same(result.returncode, -number, "the end")
    if way:
        expect_only_line(rf"gcalloc: no report: sh was killed by signal {int(number)} \(.*\)", result.stderr)


def no_second_core():
    """The program may leave a core dump; the command that ends by the same signal must not."""
    with temporary_folder() as folder:
        command = f"ulimit -c unlimited; cd {folder}; exec {COMMAND} run --stats -- sh -c 'kill -SEGV $$'"
        child = subprocess.Popen(["sh", "-c", command], env=plain_environment(), stderr=subprocess.DEVNULL)
        _, status = os.waitpid(child.pid, 0)
        expect_same(os.WTERMSIG(status), signal.SIGSEGV, "the signal")
        expect(not os.WCOREDUMP(status), "the command dumped core")


def end_of_its_own(way, arguments, status, pattern):
    result = gcalloc("run", *way, *arguments)
    expect_same(result.returncode, status, "the exit status")
    expect_line(pattern, result.stderr)
    expect_same(result.stdout, "", "the output")


def not_executable(way):
    with temporary_folder() as folder:
        path = script(folder, "plain", "hello\n", 0o644)
        end_of_its_own(way, [path], 126, f"gcalloc: error: {path}: Permission denied")
        end_of_its_own(way, [folder], 126, f"gcalloc: error: {folder}: Permission denied")


def library_named_wrongly():
    environment = plain_environment(GCALLOC_LIBRARY="/no/such/library.so")
    result = gcalloc("run", "true", env=environment)
    expect_same(result.returncode, 125, "the exit status")
    expect_only_line("gcalloc: error: GCALLOC_LIBRARY names no library: /no/such/library.so: No such file or directory",
                     result.stderr)


def library_chosen():
    """--library goes before GCALLOC_LIBRARY."""
    with temporary_folder() as folder:
        path = copied(LIBRARY, folder)
        result = gcalloc("run", "--library", path, "printenv", "LD_PRELOAD",
                         env=plain_environment(GCALLOC_LIBRARY="/no/such/library.so"))
        expect_same(result.stdout, path + "\n", "LD_PRELOAD")


def library_path_with_space():
    with temporary_folder() as folder:
        place = os.path.join(folder, "a b")
        os.mkdir(place)
        path = copied(LIBRARY, place)
        end_of_its_own((), ["--library", path, "true"], 125,
                       f"gcalloc: error: LD_PRELOAD can't carry a path with a space or colon: {path}")


def library_beside_moved_command(library_folder):
    """An installed tree that was moved as a whole finds its own library."""
    with temporary_folder() as folder:
        os.makedirs(os.path.join(folder, "bin"))
        os.makedirs(os.path.join(folder, library_folder))
        command = copied(COMMAND, os.path.join(folder, "bin"))
        library = copied(LIBRARY, os.path.join(folder, library_folder))
        result = subprocess.run([command, "run", "printenv", "LD_PRELOAD"], env=plain_environment(),
                                capture_output=True, check=True)
        expect_same(result.stdout.decode(), os.path.realpath(library) + "\n", "LD_PRELOAD")


def runs_on_gcalloc():
    result = gcalloc("run", "cat", "/proc/self/maps")
    expect(os.path.realpath(LIBRARY) in result.stdout, "the library is not mapped")


def preload_is_kept():
    """What was preloaded stays, behind; a gcalloc under a gcalloc adds nothing."""
    environment = plain_environment(LD_PRELOAD=f"libm.so.6 libdl.so.2:{LIBRARY}")
    result = gcalloc("run", COMMAND, "run", "printenv", "LD_PRELOAD", env=environment)
    expect_same(result.stdout, f"{os.path.realpath(LIBRARY)}:libm.so.6:libdl.so.2\n", "LD_PRELOAD")


def options_are_merged():
    environment = plain_environment(GCALLOC_OPTIONS="verbose=0,reserve=1G")
    result = gcalloc("run", "-o", "on_error=report", "--options=reserve=2G", "printenv", "GCALLOC_OPTIONS",
                     env=environment)
    expect_same(result.stdout, "verbose=0,reserve=1G,on_error=report,reserve=2G\n", "GCALLOC_OPTIONS")
    result = gcalloc("run", "printenv", "GCALLOC_OPTIONS")
    expect_same((result.stdout, result.returncode), ("", 1), "GCALLOC_OPTIONS without any")


def verbose_says_what_is_set():
    result = gcalloc("run", "-v", "--stats", "true")
    expect_line(f"gcalloc: LD_PRELOAD={re.escape(os.path.realpath(LIBRARY))}", result.stderr)
    expect_line(r"gcalloc: GCALLOC_OPTIONS=verbose=1,stats,log_file=.*", result.stderr)
    expect_line("gcalloc: starting true", result.stderr)
    expect_line(r"gcalloc: process \d+ runs on gcalloc", result.stderr)
    expect("gcalloc: options:" not in result.stderr, "says more than it was asked for")
    twice = gcalloc("run", "-vv", "-o", "stacks=3,check=report", "true").stderr
    expect_line("gcalloc: options: stacks=3,verbose=2,check=report", twice)
    expect_line("gcalloc: heap of true .*", gcalloc("run", "-vvv", "true").stderr)


def becomes_the_program():
    """Without --stats there is no process between."""
    child = subprocess.Popen([COMMAND, "run", "sh", "-c", "echo $$"], env=plain_environment(), stdout=subprocess.PIPE)
    output, _ = child.communicate()
    expect_same(int(output), child.pid, "the program's process id")


def outputs_are_untouched():
    result = gcalloc("run", "--stats", "--", PYTHON, "-c", "import sys; print('out'); print('err', file=sys.stderr)")
    expect_same(result.stdout, "out\n", "the output")
    expect(re.match(rf"err\n{report_pattern('python3?[.0-9]*')}\n", result.stderr),
           f"no report after the program's own errors:\n{result.stderr}")


def arguments_are_kept():
    words = ["a b", "", "--stats", "-x", "--", "*"]
    result = gcalloc("run", PYTHON, "-c", "import sys; print(sys.argv[1:])", *words)
    expect_same(result.stdout, f"{words}\n", "the arguments")


def input_is_passed():
    result = run_with_input(["cat"], b"some text")
    expect_same(result.stdout, b"some text", "the output")


def run_with_input(program, data):
    return subprocess.run([COMMAND, "run", "--stats", "--", *program], env=plain_environment(), input=data,
                          capture_output=True, check=True)


def every_process_reports():
    result = gcalloc("run", "--stats", "--", PYTHON, "-c",
                     "import subprocess; subprocess.run(['true']); subprocess.run(['ls', '/'], stdout=-3)")
    expect_same(report_count(result.stderr), 3, "the number of reports")
    for name in ("true", "ls"):
        expect_same(report_count(result.stderr, name), 1, f"the number of reports of {name}")


def report_goes_where_told():
    with temporary_folder() as folder:
        path = os.path.join(folder, "log")
        result = gcalloc("run", "--stats", "-o", f"log_file={path}", "true")
        expect_same(result.stderr, "", "what is on standard error")
        with open(path, encoding="utf-8") as log:
            expect_same(report_count(log.read(), "true"), 1, "the number of reports in the file")


def misuse_is_shown():
    """What the library says before the program's end is not lost with it."""
    with temporary_folder() as folder:
        source = "#include <stdlib.h>\nint main(void) { int local = 0; int *volatile p = &local; free(p); return 0; }"
        program = compiled(folder, source, "-w")
        result = gcalloc("run", "--stats", program)
        expect_same(result.returncode, -signal.SIGABRT, "the end")
        expect_line(r"gcalloc: error: invalid free of 0x[0-9a-f]+: .*", result.stderr)


def nothing_is_left(parent_name):
    with temporary_folder() as folder:
        parent = os.path.join(folder, parent_name)
        os.mkdir(parent)
        result = gcalloc("run", "--stats", "true", env=plain_environment(TMPDIR=parent))
        expect_same(report_count(result.stderr, "true"), 1, "the number of reports")
        expect_same(os.listdir(parent), [], "what is left in TMPDIR")


def exit_without_handlers():
    result = gcalloc("run", "--stats", "--", PYTHON, "-c", "import os; os._exit(5)")
    expect_same(result.returncode, 5, "the exit status")
    expect_only_line("gcalloc: no report: .* ended without its exit handlers .*", result.stderr)


def static_program(way, *options):
    with temporary_folder() as folder:
        program = compiled(folder, "int main(void) { return 7; }", *options)
        if program is None:
            raise Missing(f"what {' '.join(options)} needs")
        through = script(folder, "script", f"#! {program} argument\n")
        for path in (program, through):
            result = gcalloc("run", *way, path)
            expect_same(result.returncode, 7, "the exit status")
            expect_line(f"gcalloc: warning: {path} is statically linked: .*", result.stderr)
            if way:
                expect_line(f"gcalloc: no report: {path} is statically linked: .*", result.stderr)


def loader_is_not_static():
    """ld.so names no interpreter either, but preloads."""
    loader = next((name for name in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
                   if os.path.exists(name)), None)
    if loader is None:
        raise Missing("a loader known here")
    result = gcalloc("run", "--stats", loader, "/bin/true")
    expect_same((result.returncode, report_count(result.stderr)), (0, 1), "status and number of reports")
    expect("warning" not in result.stderr, f"a warning:\n{result.stderr}")


def other_machine():
    with temporary_folder() as folder:
        path = script(folder, "program", "")
        header = bytearray(64)
        header[:7] = b"\x7fELF\x01\x01\x01"
        with open(path, "wb") as file:
            file.write(header)
        result = gcalloc("run", path)
        expect(result.returncode != 0, "the program ran")
        expect_line(f"gcalloc: warning: {path} is a program for another kind of machine .*", result.stderr)


def set_user_id():
    need_root()
    with temporary_folder() as folder:
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            raise Missing("a temporary folder with set-user-ID programs")
        path = copied("/bin/true", folder)
        os.chmod(folder, 0o755)
        os.chown(path, 65534, -1)
        os.chmod(path, 0o4755)
        result = gcalloc("run", "--stats", path)
        expect_same(result.returncode, 0, "the exit status")
        expect_line(f"gcalloc: warning: {path} is set-uid.*", result.stderr)
        expect_line(f"gcalloc: no report: {path} is set-uid.*", result.stderr)


def surroundings(way, environment):
    """What a program can see of how it was started: signals, descriptors, limits."""
    show = "grep -E '^(Sig(Blk|Ign|Cgt)|ShdPnd)' /proc/self/status; ls /proc/self/fd; ulimit -a; umask"

    def prepare():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGWINCH])

    return subprocess.run([*way, "bash", "-c", show], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          check=True, preexec_fn=prepare).stdout.decode()


def surroundings_are_the_same(way):
    plain = surroundings((), plain_environment())
    expect_same(surroundings((COMMAND, "run", *way, "--"), plain_environment()), plain, "what the program sees")


def start_waiting(way, *names, **more):
    child = subprocess.Popen([COMMAND, "run", *way, "--", PYTHON, "-c", WAITING_PROGRAM, *names],
                             env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             **more)
    words = child.stdout.readline().split()
    expect(words[:1] == ["ready"], f"the program says {words}")
    return child, int(words[1])


def signals_are_handed_on():
    names = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGWINCH", "SIGCONT")
    child, _ = start_waiting(("--stats",), *names)
    for name in names:
        child.send_signal(getattr(signal, name))
        expect_same(child.stdout.readline(), f"got {name}\n", f"the answer to {name}")
    child.send_signal(signal.SIGRTMIN)
    expect_same(child.wait(), -signal.SIGRTMIN, "the end")


def stops_and_continues():
    # A group of its own: with nobody outside it to continue it, the kernel would not stop it.
    child, program = start_waiting(("--stats",), "SIGCONT", preexec_fn=os.setpgrp)
    os.kill(program, signal.SIGTSTP)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    expect(os.WIFSTOPPED(status), "the command does not stop with the program")
    os.kill(child.pid, signal.SIGCONT)
    expect_same(child.stdout.readline(), "got SIGCONT\n", "the program's answer")
    child.terminate()
    expect_same(child.wait(), -signal.SIGTERM, "the end")


def alarm_reaches_the_program():
    """`alarm 1; exec gcalloc run ...` is how some limit a program's time."""
    source = "import os, signal, sys; signal.alarm(1); os.execv(sys.argv[1], sys.argv[1:])"
    result = subprocess.run([PYTHON, "-c", source, COMMAND, "run", "--stats", "--", PYTHON, "-c",
                             "import signal; signal.pause()"], env=plain_environment(), capture_output=True, check=False)
    expect_same(result.returncode, -signal.SIGALRM, "the end")


def read_until(descriptor, *texts):
    """What comes up to the first of the texts."""
    found = b""
    while not any(text in found for text in texts):
        piece = os.read(descriptor, 1000)
        expect(piece, f"the terminal was closed after {found!r}")
        found += piece
    return found


def typed_signal_comes_once():
    """Ctrl-C reaches the program from the terminal, and not a second time from the command."""
    rounds = 10
    program = ("import signal\nsignals = [signal.SIGINT]\nsignal.pthread_sigmask(signal.SIG_BLOCK, signals)\n"
               f"for count in range({rounds}):\n    print('<ready>')\n    signal.sigwait(signals)\n"
               "    if signal.sigtimedwait(signals, 0.1) is not None:\n        raise SystemExit(12)\n"
               "raise SystemExit(11)\n")
    child, terminal = pty.fork()
    if child == 0:
        os.execve(COMMAND, [COMMAND, "run", "--stats", "--", PYTHON, "-u", "-c", program], plain_environment())
    text = b""
    for _ in range(rounds):
        text = read_until(terminal, b"<ready>", b"at exit")
        if b"at exit" in text:
            break
        os.write(terminal, b"\x03")
    if b"at exit" not in text:
        read_until(terminal, b"at exit")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    expect_same(os.waitstatus_to_exitcode(status), 11, "the exit status")


def typed_stop_stops_both():
    """Ctrl-Z as a shell sees it: the job stops as a whole, and fg continues it."""
    program = "print('<ready>', flush=True); print('<' + input() + '>', flush=True); raise SystemExit(4)"
    job = f'"{COMMAND}" run --stats -- {PYTHON} -c "$PROGRAM"'
    commands = f'{job}; echo "<stopped $?>"; fg; echo "<ended $?>"'
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("bash", ["bash", "-m", "-c", commands], plain_environment(PROGRAM=program))
    read_until(terminal, b"<ready>")
    os.write(terminal, b"\x1a")
    read_until(terminal, f"<stopped {128 + signal.SIGSTOP}>".encode())
    os.write(terminal, b"word\n")
    last = read_until(terminal, b"<ended 4>")
    expect(b"<word>" in last, f"it said {last!r}")
    os.waitpid(child, 0)
    os.close(terminal)


def main():
    tally = CommandTally("gcalloc run")
    for way in WAYS:
        words = " ".join(("run", *way))
        for status in (0, 1, 3, 125, 126, 127, 128, 255):
            tally.case(f"{words}: exit status {status}", status_is, way, status)
        for name in ("SIGTERM", "SIGKILL", "SIGSEGV", "SIGABRT", "SIGPIPE", "SIGINT"):
            tally.case(f"{words}: {name}", signal_is, way, name)
        tally.case(f"{words}: not found", end_of_its_own, way, ["no-such-program-here"], 127,
                   "gcalloc: error: no-such-program-here: No such file or directory")
        tally.case(f"{words}: not executable", not_executable, way)
        tally.case(f"{words}: no program", end_of_its_own, way, [], 125,
                   "gcalloc: error: no program given; see gcalloc help run")
        tally.case(f"{words}: unknown option", end_of_its_own, way, ["--no-such-option", "true"], 125,
                   "gcalloc: error: run: unknown option '--no-such-option'; see gcalloc help run")
        tally.case(f"{words}: no options", end_of_its_own, way, ["-o", "--", "true"], 125,
                   "gcalloc: error: -o is followed by options of the library, as stacks=16; see gcalloc help run")
        tally.case(f"{words}: no such library", end_of_its_own, way, ["-l", "/no/such/library.so", "true"], 125,
                   "gcalloc: error: --library names no library: /no/such/library.so: No such file or directory")
        tally.case(f"{words}: static program", static_program, way, "-static")
        tally.case(f"{words}: static position-independent program", static_program, way, "-static-pie")
        tally.case(f"{words}: surroundings", surroundings_are_the_same, way)
    tally.case("GCALLOC_LIBRARY names nothing", library_named_wrongly)
    tally.case("--library", library_chosen)
    tally.case("a library that LD_PRELOAD can't carry", library_path_with_space)
    for place in ("lib", "lib64", f"lib/{os.uname().machine}-linux-gnu"):
        tally.case(f"library in ../{place}", library_beside_moved_command, place)
    tally.case("the library is in the program", runs_on_gcalloc)
    tally.case("LD_PRELOAD is kept", preload_is_kept)
    tally.case("options are merged", options_are_merged)
    tally.case("--verbose", verbose_says_what_is_set)
    tally.case("no process between", becomes_the_program)
    tally.case("arguments", arguments_are_kept)
    tally.case("standard input", input_is_passed)
    tally.case("outputs are untouched", outputs_are_untouched)
    tally.case("every process reports", every_process_reports)
    tally.case("log_file of the user", report_goes_where_told)
    tally.case("misuse under --stats", misuse_is_shown)
    for name in ("plain", "with,comma", "with%p"):
        tally.case(f"nothing is left in TMPDIR {name}", nothing_is_left, name)
    tally.case("exit without handlers", exit_without_handlers)
    tally.case("ld.so as a program", loader_is_not_static)
    tally.case("program for another machine", other_machine)
    tally.case("set-user-ID program", set_user_id)
    tally.case("no second core dump", no_second_core)
    tally.case("signals are handed on", signals_are_handed_on)
    tally.case("an alarm from before", alarm_reaches_the_program)
    tally.case("stop and continue", stops_and_continues)
    tally.case("Ctrl-C", typed_signal_comes_once)
    tally.case("Ctrl-Z", typed_stop_stops_both)
    tally.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""gcalloc top: what it shows of a program whose heap is known, and what it says of those it can't show."""

import os
import pty
import re
import signal
import subprocess
import termios
import fcntl
import struct
import time

from common import (COMMAND, LIBRARY, CommandTally, Running, copied, expect, expect_line, expect_only_line, expect_same, gcalloc, need_root,
                    plain_environment, temporary_folder)
from harness import built_path, subject_environment

HOLDER = built_path("tool", "holder")
NOBODY = 65534
KIB = 1024


class Holder(Running):
    """tests/tool/holder, running; each order is carried out when the call returns."""

    def __init__(self, command=(HOLDER,), env=None, **more):
        self.process = subprocess.Popen(list(command), env=env or subject_environment(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **more)
        self.pid = self.process.pid
        self.await_answer()

    def await_answer(self):
        expect_same(self.process.stdout.readline(), "done\n", "the holder's answer")

    def order(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        self.await_answer()


def top(pid, *options, **more):
    return gcalloc("top", *options, str(pid), **more)


def page_of(pid, *options, **more):
    result = top(pid, "--once", *options, **more)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages of top")
    return result.stdout


def blocks_of(page):
    return int(re.search(r"^allocated .* (\d+) blocks", page, re.MULTILINE).group(1))


def class_rows(page):
    """The rows by slot size: spans, slots, blocks, and the rest as text."""
    rows = re.findall(r"^ *(\d+) +(\d+) +(\d+) +(\d+) +([\d.]+)% +([\d.]+ [KMGT]?i?B) +(\S+)$", page, re.MULTILINE)
    return {int(row[0]): (int(row[1]), int(row[2]), int(row[3]), float(row[4]), row[5], row[6]) for row in rows}


def blocks_in(page, size):
    return class_rows(page).get(size, (0, 0, 0))[2]


def shows_heap(holder, **more):
    """The holder's heap can be seen at all. Others of its blocks may share the class."""
    before = blocks_in(page_of(holder.pid, **more), 3072)
    holder.order("take 400 3000")
    expect_same(blocks_in(page_of(holder.pid, **more), 3072) - before, 400, "the new blocks of 3000 bytes")


def shows_collections():
    """With the option gc, and not without."""
    with Holder(env=subject_environment("gc,collect_every=100")) as holder:
        holder.order("take 20000 5000")
        page = page_of(holder.pid)
        rows = re.search(r"^collected +[\d.]+ [KMG]?i?B +- +(\d+) collections, \d+ of young blocks only\n"
                         r"  live +([\d.]+ [KMG]?i?B) +- +after the last collection; [\d.]+% of what it saw\n"
                         r"paused +[\d.]+ ms +- +(\d+) times, [\d.]+ ms at most, \d+ ms in all$", page, re.MULTILINE)
        expect(rows and int(rows.group(1)) > 0 and int(rows.group(3)) >= int(rows.group(1)), f"the page is {page}")
    with Holder() as holder:
        expect("collected" not in page_of(holder.pid), "a program without a collector")


def counts_every_block():
    with Holder() as holder:
        before = page_of(holder.pid)
        holder.order("take 10000 6100")  # a size that has its own slots from the first block on
        after = page_of(holder.pid)
        # The holder's own array of pointers is one more.
        expect_same(blocks_of(after) - blocks_of(before), 10001, "the number of new blocks")
        spans, slots, blocks, full, _, _ = class_rows(after)[6144]
        expect_same(blocks, 10000, "the blocks of the class of 6144 bytes")
        expect(10000 <= slots <= 10500 and spans >= 2, f"{slots} slots in {spans} spans")
        expect_same(full, round(100 * blocks / slots, 1), "the share of allocated slots")
        holder.order("drop")
        expect_same(blocks_in(page_of(holder.pid), 6144), 0, "the blocks after all were freed")


def counts_large_blocks():
    with Holder() as holder:
        holder.order("take 7 1048576")
        page = page_of(holder.pid)
        expect(re.search(r"^  large +7\.[0-3] MiB +\S+  7 blocks beyond", page, re.MULTILINE),
               f"not 7 large blocks of 1 MiB in\n{page}")


def shows_resident_memory():
    """Within a few pages of what the kernel says."""
    with Holder() as holder:
        holder.order("take 1 1")
        shown = re.search(r"^resident +([\d.]+) ([KM])iB", page_of(holder.pid), re.MULTILINE)
        with open(f"/proc/{holder.pid}/status", encoding="ascii") as file:
            kernel = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
        kib = float(shown.group(1)) * (1 if shown.group(2) == "K" else KIB)
        expect(abs(kib - kernel) <= 300, f"{kib} KiB resident shown, {kernel} KiB in /proc")


def shows_change():
    """Second page: what was gained since the first, by the second. A key asks for it, so it is after the gain."""
    with Holder() as holder:
        before_first = time.monotonic()
        screen = Screen(holder.pid)
        screen.page()
        after_first = time.monotonic()
        holder.order("take 1000 3000")
        before_second = time.monotonic()
        screen.type(b" ")
        page = "\n".join(screen.page())
        after_second = time.monotonic()
        screen.type(b"q")
        expect_same(screen.end(), (0, True), "the exit status, and whether the terminal is as before")
        change = class_rows(page)[3072][5]
        least, most = 1000 / (after_second - before_first), 1000 / (before_second - after_first)
        expect(re.fullmatch(r"\+\d+", change) and least - 1 <= int(change) <= most + 1,
               f"1000 new blocks are shown as {change} per second, not {least} to {most}")
        expect(re.search(r"^allocated .* \+[\d.]+ [KMG]iB  \d+ blocks, \+\d+ per second$", page, re.MULTILINE),
               f"no gain of bytes in\n{page}")


def shows_as_often_as_told():
    with Holder() as holder:
        for count in (1, 3):
            page = gcalloc("top", "-n", str(count), "-i", "0.05", str(holder.pid)).stdout
            expect_same(len(re.findall(r"^allocated", page, re.MULTILINE)), count, "the number of pages")


def sorts(order, key):
    with Holder() as holder:
        holder.order("take 300 40")
        holder.order("take 20 60000")
        holder.order("take 3 2000")
        page = page_of(holder.pid, f"--sort={order}")
        keys = [key(size, row) for size, row in class_rows(page).items()]
        expect(len(keys) >= 3, f"too few classes in\n{page}")
        expect_same(keys, sorted(keys), f"the order by {order}")


def size_of(text):
    number, unit = text.split()
    return float(number) * {"B": 1, "KiB": KIB, "MiB": KIB**2, "GiB": KIB**3}[unit]


def library_deleted():
    """As after an upgrade under a running program."""
    with temporary_folder() as folder:
        path = copied(LIBRARY, folder)
        with Holder(env=plain_environment(LD_PRELOAD=path)) as holder:
            os.unlink(path)
            shows_heap(holder)


def library_renamed():
    with temporary_folder() as folder:
        path = os.path.join(folder, "another-name.so")
        os.rename(copied(LIBRARY, folder), path)
        with Holder(env=plain_environment(LD_PRELOAD=path)) as holder:
            shows_heap(holder)


def first_thread_gone():
    with Holder() as holder:
        holder.order("leave")
        shows_heap(holder)


def own_heap_of_top():
    """top itself may run on gcalloc, which takes up a terabyte of the addresses that the target's copy needs."""
    with Holder() as holder:
        shows_heap(holder)
        for _ in range(5):
            expect_same(blocks_of(page_of(holder.pid, env=subject_environment())), 401, "the blocks")


def same_addresses():
    """Without randomisation everything of ours lies where everything of the target lies."""
    with Holder(command=("setarch", "-R", HOLDER)) as holder:
        result = gcalloc("top", "--once", str(holder.pid))
        expect_same(result.returncode, 0, f"the exit status, after {result.stderr!r}")
        result = subprocess.run(["setarch", "-R", COMMAND, "top", "--once", str(holder.pid)], env=plain_environment(),
                                capture_output=True, check=False)
        expect_same(result.returncode, 0, f"the exit status, after {result.stderr!r}")


def exec_while_watched():
    with Holder() as holder:
        holder.order("take 500 3000")
        screen = Screen(holder.pid)
        before = "\n".join(screen.page())
        expect(3072 in class_rows(before), f"not the heap before exec:\n{before}")
        holder.order(f"become {HOLDER}")
        screen.type(b" ")
        after = "\n".join(screen.page())
        screen.type(b"q")
        expect_same(screen.end(), (0, True), "the exit status, and whether the terminal is as before")
        expect(blocks_of(after) < 500 and 3072 not in class_rows(after), f"not the heap after exec:\n{after}")


def for_everyone(folder):
    """Copies of the command, the holder and the library that other users may use, too."""
    os.chmod(folder, 0o755)
    return [copied(path, folder) for path in (COMMAND, HOLDER, LIBRARY)]


def damaged_tables():
    """Whatever the tables hold, top ends, and not by a signal."""
    for seed in range(1, 41):
        with Holder() as holder:
            holder.order("take 2000 100")
            holder.order("take 20 100000")
            for count in (1, 10, 100, 1000):
                holder.order(f"damage {count} {seed}")
                result = top(holder.pid, "--once")
                expect_same((result.returncode, result.stderr), (0, ""), f"the end of top after damage by seed {seed}")


def image_of_another_version():
    with Holder() as holder:
        holder.order("forge")
        result = top(holder.pid, "--once")
        expect_same((result.returncode, result.stdout), (1, ""), "status and output")
        expect_only_line(f"gcalloc: error: process {holder.pid}: its heap is of another version of gcalloc .*",
                         result.stderr)


def unprivileged():
    need_root()
    with temporary_folder() as folder:
        command, program, library = for_everyone(folder)
        with Holder((program,), env=plain_environment(LD_PRELOAD=library), user=NOBODY) as holder:
            holder.order("take 400 6100")
            result = subprocess.run([command, "top", "-1", str(holder.pid)], env=plain_environment(), user=NOBODY,
                                    cwd="/", capture_output=True, text=True, check=False)
            expect_same((result.returncode, result.stderr), (0, ""), "status and messages of top")
            expect_same(blocks_in(result.stdout, 6144), 400, "the blocks of 6100 bytes")


def not_permitted():
    need_root()
    with temporary_folder() as folder, Holder() as holder:
        result = subprocess.run([for_everyone(folder)[0], "top", "-1", str(holder.pid)], env=plain_environment(),
                                user=NOBODY, cwd="/", capture_output=True, text=True, check=False)
        expect_same(result.returncode, 1, "the exit status")
        expect_only_line(f"gcalloc: error: process {holder.pid}: not permitted: .*", result.stderr)


def not_on_gcalloc():
    plain = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=plain_environment())
    try:
        result = top(plain.pid, "--once")
    finally:
        plain.communicate()
    expect_same(result.returncode, 1, "the exit status")
    expect_only_line(f"gcalloc: error: process {plain.pid}: it does not run on gcalloc", result.stderr)


def no_such_process():
    child = subprocess.Popen(["true"], env=plain_environment())
    child.wait()
    result = top(child.pid, "--once")
    expect_same(result.returncode, 1, "the exit status")
    expect_only_line(f"gcalloc: error: process {child.pid}: there is no such process", result.stderr)


def zombie():
    child = subprocess.Popen(["true"], env=subject_environment())
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    result = top(child.pid, "--once")
    child.wait()
    expect_same(result.returncode, 1, "the exit status")
    expect_only_line(f"gcalloc: error: process {child.pid}: there is no such process", result.stderr)


def ends_while_watched(options, status):
    """Noticed at once, not at the next look."""
    with Holder() as holder:
        watcher = subprocess.Popen([COMMAND, "top", *options, "-i", "1000", str(holder.pid)], env=plain_environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watcher.stdout.readline()
        holder.process.stdin.close()
        holder.process.wait()
        _, errors = watcher.communicate()
        expect_same(watcher.returncode, status, "the exit status")
        expect_only_line(f"gcalloc: process {holder.pid} has ended", errors)


def wrong_call(pattern, *arguments):
    result = gcalloc("top", *arguments)
    expect_same((result.returncode, result.stdout), (2, ""), "status and output")
    expect_line(pattern, result.stderr)


class Screen:
    """top on a terminal of 24 lines."""

    def __init__(self, pid, columns=80):
        self.terminal, line = pty.openpty()
        self.resize(columns)
        self.modes = termios.tcgetattr(line)
        self.line = line
        self.process = subprocess.Popen([COMMAND, "top", "-i", "1000", str(pid)],
                                        env=plain_environment(TERM="xterm"), stdin=line, stdout=line,
                                        stderr=subprocess.PIPE, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(line, termios.TIOCSCTTY, 0))

    def resize(self, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def page(self):
        """The lines of the next page drawn, without control sequences."""
        text = b""
        while not text.endswith(b"\033[J") or b"allocated" not in text:
            piece = os.read(self.terminal, 10000)
            expect(piece, "the terminal was closed")
            text += piece
        plain = re.sub(rb"\033\[[\d;]*[A-Za-z]", b"", text[text.rindex(b"\033[H"):])
        return plain.decode().split("\r\n")

    def type(self, key):
        os.write(self.terminal, key)

    def end(self):
        """The exit status, and whether the terminal is as it was."""
        _, errors = self.process.communicate()
        same = termios.tcgetattr(self.line) == self.modes
        os.close(self.terminal)
        os.close(self.line)
        expect_same(errors, b"", "what top says on standard error")
        return self.process.returncode, same


def ends_on_terminal(key):
    with Holder() as holder:
        screen = Screen(holder.pid)
        screen.page()
        screen.type(key)
        expect_same(screen.end(), (0, True), "the exit status, and whether the terminal is as before")


def keys_on_terminal():
    with Holder() as holder:
        screen = Screen(holder.pid)
        expect("classes by memory" in screen.page()[0], "the first page is not by memory")
        screen.type(b"s")
        expect("classes by blocks" in screen.page()[0], "no new order after s")
        holder.order("take 1234 3000")
        screen.type(b" ")
        expect(any(" 1234 " in line for line in screen.page()), "no new look after a key")
        screen.type(b"q")
        screen.end()


def fits_the_window():
    with Holder() as holder:
        for size in range(16, 3000, 100):
            if size < 1600:
                holder.order(f"take 1 {size}")
        screen = Screen(holder.pid, columns=40)
        for columns in (40, 30, 100):
            screen.resize(columns)
            lines = screen.page()
            expect(max(map(len, lines)) <= columns and len(lines) <= 24,
                   f"{len(lines)} lines of up to {max(map(len, lines))} columns in a window of {columns}")
        screen.type(b"q")
        screen.end()


def stops_on_terminal():
    """Ctrl-Z gives the terminal back for the time being."""
    with Holder() as holder:
        screen = Screen(holder.pid)
        screen.page()
        os.kill(screen.process.pid, signal.SIGTSTP)
        os.waitpid(screen.process.pid, os.WUNTRACED)
        expect_same(termios.tcgetattr(screen.line), screen.modes, "the terminal while top is stopped")
        os.kill(screen.process.pid, signal.SIGCONT)
        screen.page()
        screen.type(b"q")
        expect_same(screen.end(), (0, True), "the exit status, and whether the terminal is as before")


def held_memory():
    """What a quarantine holds is told, and nothing of the kind where there is none."""
    for options, least in (("quarantine", 2000), ("gc", 0)):
        with Holder(env=subject_environment(options)) as holder:
            holder.order("take 2000 100")
            holder.order("drop")
            page = page_of(holder.pid)
            found = re.search(r"^  held +[\d.]+ KiB +- +(\d+) freed blocks in quarantine$", page, re.MULTILINE)
            expect((int(found.group(1)) if found else 0) >= least and (found is None) == (least == 0), f"{options}:\n{page}")


def main():
    tally = CommandTally("gcalloc top")
    tally.case("shows collections", shows_collections)
    tally.case("counts every block", counts_every_block)
    tally.case("counts large blocks", counts_large_blocks)
    tally.case("resident memory", shows_resident_memory)
    tally.case("change per second", shows_change)
    tally.case("number of pages", shows_as_often_as_told)
    tally.case("sort by size", sorts, "size", lambda size, row: size)
    tally.case("sort by blocks", sorts, "blocks", lambda size, row: -row[2])
    tally.case("sort by memory", sorts, "memory", lambda size, row: -size_of(row[4]))
    tally.case("library deleted", library_deleted)
    tally.case("library renamed", library_renamed)
    tally.case("first thread gone", first_thread_gone)
    tally.case("top on gcalloc", own_heap_of_top)
    tally.case("no randomisation", same_addresses)
    tally.case("exec while watched", exec_while_watched)
    tally.case("damaged tables", damaged_tables)
    tally.case("image of another version", image_of_another_version)
    tally.case("without privileges", unprivileged)
    tally.case("not permitted", not_permitted)
    tally.case("not on gcalloc", not_on_gcalloc)
    tally.case("no such process", no_such_process)
    tally.case("zombie", zombie)
    tally.case("end while watched", ends_while_watched, (), 0)
    tally.case("end before the last look", ends_while_watched, ("-n", "5"), 1)
    tally.case("no process id", wrong_call, "gcalloc: error: no process id given; see gcalloc help top")
    tally.case("two process ids", wrong_call, "gcalloc: error: more than one process id: 2; .*", "1", "2")
    for word in ("x", "0", "-1", "1x", "99999999999999"):
        tally.case(f"process id {word}", wrong_call, f"gcalloc: error: not a process id: {word}; .*", "--", word)
    for word in ("x", "0", "-1", "1e9", "nan"):
        tally.case(f"interval {word}", wrong_call, "gcalloc: error: not a number of seconds .*", "-i", word, "1")
    tally.case("wrong order", wrong_call, "gcalloc: error: not an order of size classes: x; .*", "-s", "x", "1")
    tally.case("unknown option", wrong_call, "gcalloc: error: top: unknown option '--what'; see gcalloc help top", "--what", "1")
    for name, key in (("q", b"q"), ("Ctrl-C", b"\x03")):
        tally.case(f"terminal: {name} ends", ends_on_terminal, key)
    tally.case("terminal: keys", keys_on_terminal)
    tally.case("terminal: window size", fits_the_window)
    tally.case("terminal: stop and continue", stops_on_terminal)
    tally.case("what a quarantine holds", held_memory)
    tally.finish()


if __name__ == "__main__":
    main()

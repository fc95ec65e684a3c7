"""commands: programs that read, work, write and end. Each is found on this machine or named as missing."""

import os

from comparison import compare, work_file
from harness import find_program
from inputs import c_source, text_file, tree


def script(interpreter, name, *arguments, prepare=lambda folder: None, settings=None):
    return lambda: compare([find_program(*interpreter), *arguments, work_file(name)], prepare, settings)


def shell(program, text, prepare=lambda folder: None, settings=None, least_output=100):
    """The program first on the PATH of a shell script, so that a case can have several steps; the shell and whatever it
    starts run on the same allocator."""
    def case():
        find_program(program)
        compare([find_program("sh"), "-euc", text], prepare, settings, least_output)
    return case


def git():
    person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"), ("DATE", "2024-01-01T00:00:00Z"))}
    find_program("git")
    compare([find_program("sh"), "-eu", work_file("work-git.sh")], tree,
            {**person, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"})


def xz():
    shell("xz", "xz -k -6 -T2 --block-size=1MiB text && xz -k -9e --stdout text | xz -d | cmp - text && xz -d <text.xz | cmp - text && "
          "xz --format=lzma -k -3 text && xz -lvv text.xz | sed 1,3d >/dev/null && xz -t text.xz && xz --robot -l text.xz",
          text_file("text", 20000))()


def sort():
    shell("sort", "sort -S 2M --parallel=2 -T . text >by-line; sort -n text >by-number; sort -k3,3 -k2r -s text >by-word; "
          "sort -u -R --random-source=text text >shuffled; sort -m by-line by-line | uniq -c | sort -rn >counted; wc *",
          text_file("text", 50000))()


def tar():
    shell("tar", "tar -c --sort=name --mtime=@0 --owner=0 --group=0 -f a.tar tree; tar -tvf a.tar | cut -c1-10; mkdir x; "
          "tar -x -C x -f a.tar; diff -r tree x/tree && tar -c --sort=name --mtime=@0 --owner=0 --group=0 -J -f a.tar.xz x; "
          "tar -xJf a.tar.xz --to-stdout x/tree/large | cksum; tar --delete -f a.tar tree/large", tree)()


def gcc():
    shell("gcc", "gcc -O2 -g -c work.c -o work.o && gcc -O3 -S work.c -o work.s && gcc -O0 work.c -o work && ./work && "
          "gcc -O2 -flto -frandom-seed=1 work.c -o work-lto && ./work-lto | cksum && gcc -E -dM work.c | sort", c_source)()


def gxx():
    source = work_file("work.cc")
    shell("g++", f"g++ -std=c++17 -O1 -c '{source}' -o work.o && g++ work.o -o work && ./work && nm -C work.o | cut -c18-", None or (lambda folder: None))()


def gdb():
    """The program it debugs runs without the allocator: what gdb says of its addresses must be the same."""
    find_program("gcc")
    compare([find_program("sh"), "-euc", f"env -u LD_PRELOAD gcc -g -O0 work.c -o work && gdb -nx -batch -x '{work_file('work.gdb')}' work"], c_source)


def vim():
    compare([find_program("vim", "vim.basic", "vim.tiny"), "-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S", work_file("work.vim"), "text"],
            text_file("text", 3000))


def java():
    """The compiler is a Java program itself; both run with little memory, so that the collector works."""
    options = ["-Xmx256m", "-XX:+UseSerialGC", "-Xshare:auto"]
    find_program("javac")
    compare([find_program("java"), *options, work_file("Work.java")])


def sqlite3():
    text = f"sqlite3 work.db <'{work_file('work.sql')}' && sqlite3 work.db .dump | cksum"
    shell("sqlite3", text)()


def emacs():
    def prepare(folder):
        with open(work_file("work.el"), encoding="ascii") as source, open(os.path.join(folder, "work.el"), "w", encoding="ascii") as copy:
            copy.write(source.read())
    compare([find_program("emacs-nox", "emacs"), "-Q", "--batch", "-l", "work.el"], prepare)


COMMANDS = (
    ("sh", script(("dash", "sh"), "work.sh")),
    ("bash", script(("bash",), "work.bash")),
    ("python3", script(("python3",), "work.py", "-I", settings={"PYTHONHASHSEED": "0"})),
    ("perl", script(("perl",), "work.pl", settings={"PERL_HASH_SEED": "0"})),
    ("ruby", script(("ruby",), "work.rb")),
    ("lua", script(("lua5.4", "lua"), "work.lua")),
    ("php", script(("php",), "work.php")),
    ("node", script(("node", "nodejs"), "work.js")),
    ("java", java),
    ("sqlite3", sqlite3),
    ("git", git),
    ("gcc", gcc),
    ("g++", gxx),
    ("xz", xz),
    ("tar", tar),
    ("sort", sort),
    ("gdb", gdb),
    ("vim", vim),
    ("emacs", emacs),
)

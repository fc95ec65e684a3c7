#!/usr/bin/env python3
"""Call stacks of allocations: known chains are recorded as they were, wherever they run; objects that are unloaded keep
their names; programs do with the option what they do without."""

import os
import sys

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, built_path, expect, find_program, plain_environment, run, status_words, subject_environment

CHAINS = ("tree", "every_way", "threads", "contexts", "signals", "interruptions", "forks", "deep_recursion", "deduplicated")

PYTHON = """
import gc, json, re, threading
words = [str(i) * (i % 50) for i in range(20000)]
def work(depth):
    return work(depth - 1) if depth else json.loads(json.dumps({w: [i, w] for i, w in enumerate(words)}))
threads = [threading.Thread(target=work, args=(50,)) for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(work(100)), sum(len(re.sub('1+', '-', w)) for w in words), gc.collect() >= 0)
"""
LUA = """
local t = {} for i = 1, 100000 do t[i] = string.rep(tostring(i), i % 20) end
local co = coroutine.wrap(function() for i = 1, #t do coroutine.yield(t[i]:gsub("1", "-")) end end)
local n = 0 for i = 1, #t do n = n + #co() end print(n)
"""
PERL = """
my %h; $h{$_ x ($_ % 9)} .= "v$_" for 1 .. 100000; my $n = 0;
for (sort keys %h) { (my $v = $h{$_}) =~ s/(\\d)/<$1>/g; $n += length $v; eval { die { at => $n } }; } print "$n\\n";
"""


def program(name):
    return built_path("preload", "stacks", name)


def works(options, name, *arguments):
    result = run([program(name), *arguments], env=subject_environment(options))
    expect(result.returncode == 0 and result.stderr == b"", f"{status_words(result.returncode)}: {result.stderr.decode()}")


def is_the_same(names, *arguments):
    command = [find_program(*names), *arguments]
    plain = run(command, env=plain_environment())
    recorded = run(command, env=subject_environment("stacks=32,verify"))
    expect(plain.returncode == 0, f"without the library: {status_words(plain.returncode)}")
    expect((recorded.returncode, recorded.stdout, recorded.stderr) == (0, plain.stdout, plain.stderr),
           f"{status_words(recorded.returncode)}: {recorded.stdout[-300:]} {recorded.stderr[-300:]}")


def main():
    tally = Tally("stacks")
    for chain in CHAINS:
        for options in ("stacks=32,verify", "stacks=10", "stacks=128"):
            tally.case(f"chains {chain} {options}", works, options, "chains", chain)
    tally.case("with a collector", works, "stacks=32,gc,collect_every=500,verify", "chains")
    tally.case("objects that are unloaded", works, "stacks=32,verify", "unloading", program(".libs/plugin.so"))
    tally.case("samples", works, "sample=1024,verify", "sampled")
    tally.case("samples of short stacks", works, "sample=1K,stacks=3", "sampled")
    tally.case("exceptions", works, "stacks=32,verify", "thrown")
    tally.case("cancelled threads", works, "stacks=32,verify", "cancelled")
    tally.case("python3", is_the_same, ["python3"], "-c", PYTHON)
    tally.case("lua", is_the_same, ["lua5.4", "lua5.3", "lua"], "-e", LUA)
    tally.case("perl", is_the_same, ["perl"], "-e", PERL)
    tally.finish()


main()

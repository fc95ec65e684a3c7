#!/usr/bin/env python3
"""gcalloc report and diff: what they show of a report is right in every form, and nothing in a file makes it fail otherwise than in one line."""

import contextlib
import gzip
import json
import os
import random
import re
import resource
import shutil
import subprocess
import time

import report_common as made
from common import COMMAND, CommandTally, Missing, expect, expect_line, expect_same, gcalloc, plain_environment, temporary_folder
from sarif_schema import SCHEMA

SOURCE_ROOT = os.environ["top_srcdir"]


@contextlib.contextmanager
def subject(**values):
    """A folder, a program in it, a report of it."""
    with temporary_folder() as folder:
        program = made.build(folder)
        yield folder, program, made.saved(folder, made.report(program, **values))


def shown(*arguments, **more):
    result = gcalloc("report", *arguments, **more)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    return result.stdout


def text_names_lines():
    with subject() as (folder, program, file):
        text = shown(file)
        source = re.escape(program + ".c")
        expect_line(r"gcalloc: leaks of server \(process 4711\) at exit, after 100s", text)
        expect_line(r"LEAK 1/2 definite  2\.0 KiB in 2 blocks \(\+5\.9 KiB indirect in 6\)  age 3s\.\.65s", text)
        expect_line(r'  id 5d1e0c77  thread "main"', text)
        expect_line(rf"    #1  make \[inlined\]  {source}:{made.SESSION_LINE}", text)
        expect_line(rf"    #2  session_new     {source}:{made.CALLER_LINE}", text)
        expect_line(rf"    #3  serve           {source}:{made.SERVE_LINE}", text)
        expect_line(rf"    #4  main            {source}:{made.MAIN_LINE}", text)
        expect_line(r"  shape: cycle make -> 6 buffer_new -> make", text)
        expect_line(r"  suppress: leak:make", text)
        expect_line(r'  id 0badcafe  thread "worker-3"', text)
        expect_line(r"    #1  \?     plugin\.so\+0x41c2 \(unloaded 14:12, build-id 9f3c0123…\)", text)
        expect_line(r"    #2  \?     0x7f0000123456", text)
        expect_line(r"total: definite 2\.0 KiB in 2 blocks, indirect 5\.9 KiB in 6 blocks, possible 300 bytes in 1 block, "
                    r"reachable 700 bytes in 7 blocks", text)
        expect("\033" not in text, "colours where there is no terminal")
        expect_line(rf"    #3  serve           server\.c:{made.SERVE_LINE}", shown(file, cwd=folder))


def names_of_rust():
    """The standard library's frames name nobody, and what calls main() is left out."""
    functions = {"make": "<alloc::raw_vec::RawVec<T> as core::default::Default>::default", "session_new": "hashbrown::map::HashMap<K,V>::insert",
                 "serve": "shop::stock", "main": "std::sys::backtrace::__rust_begin_short_backtrace"}
    with subject() as (folder, _, file):
        report = json.loads(shown("--json", file))
        for symbol in report["symbols"]:
            for frame in symbol["frames"]:
                frame["function"] = functions.get(frame.get("function"), "?")
        text = shown(made.saved(folder, report, "rust.json"))
        expect_line(r"    #1  hashbrown::map::HashMap<K,V>::insert .*", text)
        expect_line(r"    #2  shop::stock .*", text)
        expect_line(r"  suppress: leak:shop::stock", text)
        expect_line(r"  shape: cycle shop::stock -> .*", text)
        expect("backtrace" not in text and "raw_vec" not in text, f"more than the program's frames in\n{text}")


def text_is_short():
    with subject() as (folder, program, _):
        records = [made.record(id=f"{i:08x}", bytes=2048 + i) for i in range(30)]
        text = shown(made.saved(folder, made.report(program, records=records)))
        expect_same(len(re.findall(r"^LEAK \d+/30 ", text, re.MULTILINE)), 20, "the sites shown")
        expect_line(r"\.\.\. and 10 more: 20\.0 KiB in 20 blocks \(--top shows more\)", text)
        expect_same(len(re.findall("^LEAK", shown(made.saved(folder, made.report(program, records=records)), "--top=3"),
                                   re.MULTILINE)), 3, "the sites with --top=3")


def threads_are_one_site():
    with subject() as (folder, program, _):
        records = [made.record(), made.record(thread=2, blocks=3, bytes=100), made.record(inherited=True)]
        text = shown(made.saved(folder, made.report(program, records=records)))
        expect_line(r"LEAK 1/2 definite  2\.1 KiB in 5 blocks .*", text)
        expect_line(r'  id 5d1e0c77  threads "main", "worker-3"', text)
        expect_line(r'  id 5d1e0c77  thread "main"  inherited: from before the fork', text)


def other_classes():
    with subject() as (_, _, file):
        expect_line(r"SITE 1/1 reachable  700 bytes in 7 blocks .*", shown(file, "--class=reachable"))
        expect_same(gcalloc("report", "--class=lost", file).returncode, 2, "the status for an unknown class")


def changed_file():
    with subject() as (folder, program, file):
        made.build(folder, made.SOURCE.replace("* 8", "* 16"))
        result = gcalloc("report", file)
        expect_line(rf"gcalloc: warning: {re.escape(program)}: has changed since: its build-id is another one; .*", result.stderr)
        expect_line(r"    #1  \?  server\+0x[0-9a-f]+", result.stdout)


def separate_debug_file():
    with subject() as (folder, program, file):
        made.tool("objcopy", "--only-keep-debug", program, program + ".debug")
        made.tool("objcopy", "--strip-all", program)
        made.tool("objcopy", f"--add-gnu-debuglink={program}.debug", program)
        expect_line(rf"    #3  serve           server\.c:{made.SERVE_LINE}", shown(file, cwd=folder))


def debug_file_by_build_id():
    """The program is gone; who keeps debug files still has its names."""
    if os.geteuid() != 0:
        raise Missing("the right to write to /usr/lib/debug")
    with subject() as (_, program, file):
        identity = made.build_id(program)
        path = f"/usr/lib/debug/.build-id/{identity[:2]}/{identity[2:]}.debug"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            made.tool("objcopy", "--only-keep-debug", program, path)
            os.remove(program)
            expect(f"server.c:{made.SERVE_LINE}\n" in shown(file), "no line from the debug file")
        finally:
            os.remove(path)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(path))


def cplusplus_names():
    source = """
#include <vector>
namespace net { template <class T> struct queue { KEEP T *grow(int n) { T *made = new T[n]; made[0] = 1; return made; } }; }
void *kept;
int main(int argc, char **) { net::queue<long> q; kept = q.grow(argc); return kept == nullptr; }
"""
    with temporary_folder() as folder:
        program = made.build(folder, source, "cpp", ".cc", "CXX")
        grow = next(name for name in made.calls(program) if "grow" in name and "." not in name)
        where = made.return_address(program, grow, "_Znam")
        main = made.return_address(program, "main", grow)
        report = {"format": "gcalloc-report", "version": 1, "kind": "leaks", "modules": [{"path": program}],
                  "stacks": [[[0, hex(where)], [0, hex(main)]]], "records": [made.record(thread=-1)]}
        file = made.saved(folder, report)
        expect_line(r"    #1  net::queue<long>::grow  .*cpp\.cc:3", shown(file))
        frame = json.loads(shown("--json", file))["symbols"][0]["frames"][0]
        names = sorted(one["frames"][0].get("signature", "") for one in json.loads(shown("--json", file))["symbols"])
        expect("net::queue<long>::grow(int)" in names, f"no parameters in {names} ({frame})")


REFUSED = (
    (b"", "empty, not a report of gcalloc"),
    (b"\x7fELF\x02\x01", "not a report of gcalloc"),
    (b"hello", "not a report of gcalloc"),
    (b"[1, 2]", "not a report of gcalloc"),
    (b'{"format": "other", "version": 1}', "not a report of gcalloc"),
    (b'{"format": "gcalloc-report", "version": 2}', "a report of version 2; this command reads version 1"),
    (b'{"format": "gcalloc-report", "version": 1', "cut short: a report of gcalloc ends with a closing brace"),
    (b'{"format": "gcalloc-report", "version": 1}', 'damaged: "kind" is not "leaks" or "snapshot"'),
    (b'{"format": "gcalloc-report", "version": 1, "kind": "leaks", "records": [{"class": "x"}]}',
     "damaged: records[0].class is not a class of blocks"),
    (b'{"format": "gcalloc-report", "version": 1, "kind": "leaks", "records": [{"class": "definite", "stack": 0}]}',
     "damaged: records[0].stack is not in its range"),
    (b'{"format": "gcalloc-report", "version": 1, "kind": "leaks", "stacks": [[[0, "0x1"]]]}',
     'damaged: stacks[0].frames is not a list of [module, "0xoffset"]'),
    (b'{"format": "gcalloc-report", "version": 1, "kind": "leaks", "totals": {"definite": {"blocks": -1}}}',
     'damaged: "blocks" is not in its range'),
)


def refuses(content, words):
    with temporary_folder() as folder:
        file = made.saved(folder, content)
        result = gcalloc("report", file)
        expect_same((result.returncode, result.stdout, result.stderr), (1, "", f"gcalloc: error: {file}: {words}\n"), "the answer")


def refuses_what_is_no_file():
    with temporary_folder() as folder:
        for path, words in ((folder, "Is a directory"), (folder + "/none", "No such file or directory")):
            result = gcalloc("report", path)
            expect_same((result.returncode, result.stderr), (1, f"gcalloc: error: {path}: {words}\n"), "the answer")
        os.mkfifo(folder + "/fifo")
        expect_same(gcalloc("report", folder + "/fifo").returncode, 1, "the status for a fifo")


def ends_well(file, form):
    result = gcalloc("report", form, file)
    expect(result.returncode in (0, 1), f"status {result.returncode} for {file}")
    expect(result.returncode == 0 or re.fullmatch(r"gcalloc: error: .*\n", result.stderr),
           f"not one line of error:\n{result.stderr}")
    return result.returncode


def cut_anywhere():
    with subject() as (folder, _, file):
        with open(file, "rb") as stream:
            whole = stream.read()
        for length in range(1, len(whole) - 1, len(whole) // 80):
            expect_same(ends_well(made.saved(folder, whole[:length], "cut"), "--text"), 1, "the status")


def changed_value(value, source):
    """Some value of the JSON replaced by one that may not fit."""
    strange = (None, -1, 0, 1 << 40, 1 << 62, 1.5, "", "0x", "0xffffffffffffffff", "\x1b[31m<b>", [], {}, True, [[[0, "0x1"]]])
    if isinstance(value, (dict, list)) and value and source.random() < 0.85:
        key = source.choice(list(value)) if isinstance(value, dict) else source.randrange(len(value))
        value[key] = changed_value(value[key], source)
        return value
    return source.choice(strange)


def any_change():
    source = random.Random(int(os.environ.get("GCALLOC_TEST_SEED", "7")))
    forms = ("--text", "--json", "--html", "--folded", "--sarif", "--gen-suppressions")
    with subject() as (folder, program, file):
        for i in range(120):
            ends_well(made.saved(folder, changed_value(made.report(program) if i % 10 == 0 else json.load(open(file, "rb")), source),
                                 "changed"), forms[i % len(forms)])
        with open(file, "rb") as stream:
            whole = stream.read()
        for i in range(120):
            damaged = bytearray(whole)
            for _ in range(source.randrange(1, 4)):
                damaged[source.randrange(len(damaged))] = source.randrange(256)
            ends_well(made.saved(folder, bytes(damaged), "damaged"), forms[i % len(forms)])


def damaged_programs():
    """libdw is asked about what the file says; a damaged program must not end the report."""
    source = random.Random(11)
    with subject() as (folder, program, file):
        with open(program, "rb") as stream:
            whole = stream.read()
        report = made.report(program)
        report["modules"][0]["build_id"] = ""
        file = made.saved(folder, report)
        for _ in range(40):
            damaged = bytearray(whole)
            for _ in range(30):
                damaged[source.randrange(64, len(damaged))] = source.randrange(256)
            with open(program, "wb") as stream:
                stream.write(damaged)
            expect(gcalloc("report", file).returncode == 0, "the report failed")


def json_carries_names():
    with subject() as (folder, program, file):
        first = os.path.join(folder, "named.json")
        shown("--json", "-o", first, file)
        text = shown(file)
        os.remove(program)
        expect_same(shown(first), text, "the text made from JSON with names")
        if shutil.which("jq") is None:
            raise Missing("jq")
        with open(first, "rb") as stream:
            names = subprocess.run(["jq", "-r", ".symbols[].frames[].function"], stdin=stream, capture_output=True, check=True)
        expect_same(sorted(set(names.stdout.decode().split())), ["buffer_new", "main", "make", "serve", "session_new"], "the names")


def decoded_profile(path):
    with gzip.open(path) as stream:
        raw = stream.read()
    folder = os.path.join(SOURCE_ROOT, "tools", "report")
    if shutil.which("protoc") is None:
        raise Missing("protoc")
    result = subprocess.run(["protoc", f"--proto_path={folder}", "--decode=pprof.Profile", "profile.proto"], input=raw,
                            capture_output=True, check=False)
    expect_same((result.returncode, result.stderr), (0, b""), "what protoc says")
    return result.stdout.decode()


def messages(text, name):
    """The top-level messages of this name, each a list of (key, value) of its own fields."""
    return [re.findall(r"^  (\w+): (.+)$", body, re.MULTILINE) for body in re.findall(rf"^{name} {{\n(.*?)^}}", text, re.M | re.S)]


def pprof_reads_it():
    with subject() as (folder, program, file):
        path = os.path.join(folder, "profile.pb.gz")
        shown(file, "-o", path)
        text = decoded_profile(path)
        strings = [json.loads(one) for one in re.findall(r"^string_table: (\".*\")$", text, re.MULTILINE)]
        expect_same(strings[0], "", "the first string")
        types = [[strings[int(value)] for _, value in one] for one in messages(text, "sample_type")]
        expect_same(types, [["leak_objects", "count"], ["leak_space", "bytes"], ["inuse_objects", "count"],
                            ["inuse_space", "bytes"]], "the types")
        samples = [[int(value) for key, value in one if key == "value"] for one in messages(text, "sample")]
        expect_same(sorted(samples), [[0, 0, 7, 700], [1, 300, 1, 300], [2, 2048, 2, 2048]], "the values")
        functions = {strings[int(dict(one)["name"])] for one in messages(text, "function")}
        expect({"make", "session_new", "serve", "main"} <= functions, f"functions {functions}")
        lines = re.findall(r"^  line {\n    function_id: \d+\n    line: (\d+)\n  }", text, re.MULTILINE)
        expect({str(made.SESSION_LINE), str(made.CALLER_LINE)} <= set(lines), f"lines {lines}")
        mapping = dict(messages(text, "mapping")[0])
        expect_same(strings[int(mapping["filename"])], program, "the mapping's file")
        expect_same(strings[int(mapping["build_id"])], made.build_id(program), "its build-id")
        check_ids(text)


def go_opens_it():
    """Google's pprof, as Go brings it along."""
    if shutil.which("go") is None:
        raise Missing("go")
    with subject() as (folder, program, file):
        path = os.path.join(folder, "profile.pb.gz")
        shown(file, "-o", path)
        environment = plain_environment(HOME=folder)
        result = subprocess.run(["go", "tool", "pprof", "-lines", "-sample_index=leak_space", "-top", path], capture_output=True, check=False,
                                env=environment)
        text = result.stdout.decode()
        expect(result.returncode == 0 and re.search(r"^File: server$", text, re.MULTILINE), f"{text}{result.stderr.decode()}")
        expect(re.search(rf"2048B .* make {re.escape(program)}\.c:{made.SESSION_LINE} \(inline\)", text), f"no leak in\n{text}")
        expect(f"session_new {program}.c:{made.CALLER_LINE}" in text, f"no caller in\n{text}")


def check_ids(text):
    """What refers to something refers to something that is there, as pprof's CheckValid demands."""
    locations = {dict(one)["id"] for one in messages(text, "location")}
    functions = {dict(one)["id"] for one in messages(text, "function")}
    mappings = {dict(one)["id"] for one in messages(text, "mapping")}
    used = {value for one in messages(text, "sample") for key, value in one if key == "location_id"}
    expect(used <= locations, "a sample has a location that is not there")
    expect(set(re.findall(r"function_id: (\d+)", text)) <= functions, "a line has a function that is not there")
    expect({dict(one).get("mapping_id", "0") for one in messages(text, "location")} - {"0"} <= mappings, "no such mapping")
    for one in messages(text, "mapping"):
        expect(int(dict(one)["memory_start"]) < int(dict(one)["memory_limit"]), "an empty mapping")


def folded_adds_up():
    with subject() as (_, _, file):
        lines = shown("--folded", file).splitlines()
        expect(all(re.fullmatch(r"[^;]+(;[^;]+)* \d+", line) for line in lines), f"not folded: {lines}")
        expect(f"definite;main;serve;session_new;make {2048 + 6000}" in lines, f"no such stack in {lines}")
        expect_same(sum(int(line.rsplit(" ", 1)[1]) for line in lines), 2048 + 6000 + 300, "the sum")
        expect("definite;main;serve;session_new;make 8" in shown("--folded", "--blocks", file).splitlines(), "blocks are wrong")


def sarif_is_valid():
    try:
        import jsonschema
    except ImportError as error:
        raise Missing("python3-jsonschema") from error
    with subject() as (folder, _, file):
        with open(os.path.join(folder, "list.supp"), "w", encoding="utf-8") as stream:
            stream.write("leak:plugin.so\n")
        sarif = json.loads(shown("--sarif", f"--suppressions={folder}/list.supp", file))
        jsonschema.validate(sarif, SCHEMA)
        run = sarif["runs"][0]
        for result in run["results"]:
            expect_same(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"], result["ruleId"], "the rule")
        place = run["results"][0]["locations"][0]["physicalLocation"]
        expect_same(place["region"]["startLine"], made.SESSION_LINE, "the line")
        expect(place["artifactLocation"]["uri"].endswith("/server.c"), "the file")
        expect_same(run["results"][1]["suppressions"], [{"kind": "external"}], "the suppressed one")


def suppressed(folder, file, lines, *options):
    path = os.path.join(folder, "list.supp")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(lines)
    return gcalloc("report", f"--suppressions={path}", *options, file)


def leaks_left(result):
    return len(re.findall("^LEAK", result.stdout, re.MULTILINE))


SUPPRESSIONS = (
    ("function", "leak:session_new\n", 1), ("part of a function", "leak:ession\n", 1), ("inlined function", "leak:^make$\n", 1),
    ("anchored, wrong", "leak:^ession\n", 2), ("file", "leak:server.c\n", 0), ("file with star", "leak:serv*.c$\n", 0),
    ("module", "leak:plugin.so\n", 1), ("comment and blanks", "# known\n\n  leak:session_new  \n", 1),
    ("several", "leak:session_new\nleak:plugin.so\n", 0), ("only", "only:session_new\n", 1), ("only nothing", "only:none\n", 0),
    ("max that suffices", "leak:session_new max=2\n", 1), ("max that is too small", "leak:session_new max=1\n", 2),
    ("max, then another", "leak:session_new max=1\nleak:server.c\n", 0),
    ("valgrind", "{\n name\n Memcheck:Leak\n fun:malloc\n fun:make\n fun:session_new\n}\n", 1),
    ("valgrind, allocator left out", "{\n name\n Memcheck:Leak\n fun:make\n ...\n fun:main\n}\n", 1),
    ("valgrind, wildcards", "{\n name\n Memcheck:Leak\n fun:*alloc\n ...\n fun:serv?\n obj:*/server\n}\n", 1),
    ("valgrind, wrong order", "{\n name\n Memcheck:Leak\n fun:session_new\n fun:make\n}\n", 2),
    ("valgrind, object", "{\n name\n Memcheck:Leak\n obj:*/plugin.so\n}\n", 1),
    ("valgrind, source", f"{{\n name\n Memcheck:Leak\n src:server.c:{made.SESSION_LINE}\n}}\n", 1),
    ("valgrind, kinds", "{\n name\n Memcheck:Leak\n match-leak-kinds: possible, reachable\n ...\n fun:main\n}\n", 1),
    ("valgrind, other error", "{\n name\n Memcheck:Cond\n fun:main\n}\n", 2),
)


def suppresses(lines, left):
    with subject() as (folder, _, file):
        result = suppressed(folder, file, lines)
        expect_same(result.returncode, 0, "the status")
        expect_same(leaks_left(result), left, f"the leaks left with {lines!r}: {result.stderr}")


def suppressions_are_counted():
    with subject() as (folder, _, file):
        result = suppressed(folder, file, "leak:session_new\nleak:nothing\n")
        expect_line(r"total: definite none, possible .*, suppressed 7\.9 KiB in 8 blocks", result.stdout)
        expect_line(r"suppressed by leak:session_new \(.*list\.supp:1\): 7\.9 KiB in 8 blocks", result.stdout)
        expect_line(r'gcalloc: warning: .*list\.supp:2: nothing matches "leak:nothing"', result.stderr)
        document = json.loads(suppressed(folder, file, "leak:session_new\n", "--json").stdout)
        expect_same((document["records"][0]["class"], document["records"][0]["suppressed_by"]),
                    ("suppressed", "leak:session_new"), "the record")


def generated_suppressions_suffice():
    with subject() as (folder, _, file):
        path = os.path.join(folder, "all.supp")
        shown("--gen-suppressions", "-o", path, file)
        expect_same(leaks_left(gcalloc("report", f"--suppressions={path}", file)), 0, "the leaks left")


def wrong_suppressions():
    with subject() as (folder, _, file):
        for lines, words in (("race:x\n", r"1: a suppression is leak:PATTERN, only:PATTERN or a block in { }"),
                             ("\nleak:\n", r"2: a pattern is missing"), ("leak:x max=y\n", r"1: max= takes a number of blocks"),
                             ("{\n name\n Memcheck:Leak\n fun:x\n", r"4: the file ends within { }"),
                             ("{\n name\n Memcheck:Leak\n}\n", r"4: a suppression without frames"),
                             ("{\n name\n Memcheck:Leak\n what\n}\n", r"4: a frame is fun:, obj:, src: or \.\.\.")):
            result = suppressed(folder, file, lines)
            expect_same((result.returncode, result.stdout), (2, ""), "status and output")
            expect(re.fullmatch(rf"gcalloc: error: .*list\.supp:{words}\n", result.stderr), f"not {words!r}: {result.stderr}")


HOSTILE = "</script><script>document.title='hacked'</script><img src=x onerror=document.title='hacked'>&amp;\u2028'\""


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    raise Missing("chromium")


def drawn_page(page):
    result = subprocess.run([browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=2000",
                             f"--user-data-dir={page}.profile", "--dump-dom", f"file://{page}"], capture_output=True, check=False,
                            env=plain_environment(), timeout=100)
    text = result.stdout.decode(errors="replace")
    expect("</html>" in text, f"the browser made no page: {result.stderr.decode(errors='replace')[-500:]}")
    return text


def html_holds(folder, report):
    page = os.path.join(folder, "page.html")
    shown(made.saved(folder, report), "-o", page)
    return page, drawn_page(page)


def page_in_browser():
    with subject() as (folder, program, _):
        report = made.report(program)
        report["program"]["path"] = "/srv/" + HOSTILE
        report["program"]["arguments"] = [HOSTILE]
        report["incomplete"] = [HOSTILE]
        report["threads"][0]["name"] = HOSTILE
        report["modules"][1]["path"] = "/x/" + HOSTILE
        report["types"] = [HOSTILE]
        for record in report["records"]:
            record.update(id=HOSTILE + record["id"], type=0, example=HOSTILE)
        page, drawn = html_holds(folder, report)
        body = re.sub(r"<script.*?</script>", "", drawn, flags=re.S)
        expect("<title>hacked" not in drawn and "<img" not in body, "a hostile name became markup")
        expect_same(len(re.findall(r'<tr class="row"', body)), 2, "the rows")
        for words in ("session_new", "2.0 KiB", f"server.c:{made.SESSION_LINE}", "&lt;img src=x", "<rect", 'class="flame" id="flame"'):
            expect(words in body, f"{words!r} is not on the page")
        expect(re.search(r'id="flame"[^>]*>.*?>serve<', body, re.S), "no flame graph")
        with open(page, encoding="utf-8") as stream:
            source = stream.read()
        expect("default-src 'none'" in source, "no content security policy")
        addresses = set(re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:|//)", source))
        expect_same(addresses, set(), "addresses that would be fetched")


def page_is_alive():
    """A row opens, the search finds, the graph is gone into, the theme changes."""
    clicks = """<script>
document.getElementById('theme').click();
document.querySelector('#sites tbody tr.row').click();
[...document.querySelectorAll('#flame div')].find((box) => box.textContent === 'serve').click();
document.getElementById('find').value = 'session_NEW';
document.getElementById('find').dispatchEvent(new Event('input'));
document.querySelector('#sites thead th:nth-child(3) button').click();
</script></body>"""
    with subject() as (folder, _, file):
        page = os.path.join(folder, "page.html")
        shown(file, "-o", page)
        with open(page, encoding="utf-8") as stream:
            source = stream.read()
        with open(page, "w", encoding="utf-8") as stream:
            stream.write(source.replace("</body>", clicks))
        body = drawn_page(page)
        for words in ('data-theme="dark"', '<tr class="detail">', "suppress with", "show all", "1 of 1 shown", 'aria-sort="descending"',
                      "cycle make → 6 buffer_new → make"):
            expect(words in body, f"{words!r} is not on the page")


@contextlib.contextmanager
def pair():
    """Two reports of one process, a minute apart: a site grown, one gone, one new, one the same."""
    with temporary_folder() as folder:
        program = made.build(folder)
        before = made.report(program)
        after = made.report(program, taken_ms=1790000060000, running_ms=160000)
        before["records"] = [made.record(), made.record(id="0badcafe", stack=2, blocks=1, bytes=300),
                             made.record(id="11111111", stack=1, blocks=5, bytes=50)]
        after["records"] = [made.record(blocks=6, bytes=6144), made.record(id="22222222", stack=1, thread=2, blocks=1, bytes=100),
                            made.record(id="11111111", stack=1, blocks=5, bytes=50)]
        after["totals"]["definite"] = {"blocks": 12, "bytes": 6294}
        yield folder, made.saved(folder, before, "before.json"), made.saved(folder, after, "after.json")


def compared(*arguments):
    result = gcalloc("diff", *arguments)
    expect_same((result.returncode, result.stderr), (0, ""), "status and messages")
    return result.stdout


def diff_in_text():
    with pair() as (_, before, after):
        text = compared(before, after)
        expect_line(rf"gcalloc: leaks of server \(process 4711\), 60s from {before} to {after}", text)
        expect_line(r"GROWN 1/3 definite  \+4\.0 KiB in \+4 blocks  \+68 bytes/s  now 6\.0 KiB in 6 blocks", text)
        expect_line(r"GONE 2/3 definite  -300 bytes in -1 blocks  -5 bytes/s", text)
        expect_line(r"NEW 3/3 definite  \+100 bytes in \+1 blocks  \+1 byte/s", text)
        expect_line(r"change: definite \+4\.1 KiB in \+10 blocks", text)
        expect(f"server.c:{made.SERVE_LINE}" in text, "no lines")
        expect_line(r"change: none", compared(before, before))
        other = gcalloc("diff", before)
        expect_same((other.returncode, other.stderr), (2, "gcalloc: error: give two reports; see gcalloc --help\n"), "the answer")


def diff_in_json():
    with pair() as (_, before, after):
        found = json.loads(compared("--json", before, after))
        expect_same({site["id"]: (site["state"], site["change"]["bytes"], site["bytes_per_s"]) for site in found["sites"]},
                    {"5d1e0c77": ("grown", 4096, 68), "0badcafe": ("gone", -300, -5), "22222222": ("new", 100, 1)}, "the sites")
        expect_same(found["sites"][0]["stack"][1]["function"], "session_new", "the stack")
        expect_same(found["between_ms"], 60000, "the time between")


def diff_in_other_forms():
    with pair() as (folder, before, after):
        lines = compared("--folded", before, after).splitlines()
        expect("definite;main;serve;session_new;make 2048 6144" in lines, f"no such stack in {lines}")
        expect_line(r"leak:make", compared("--gen-suppressions", before, after))
        sarif = json.loads(compared("--sarif", before, after))
        states = sorted(result["baselineState"] for result in sarif["runs"][0]["results"])
        expect_same(states, ["absent", "new", "unchanged", "updated"], "the states")
        with contextlib.suppress(ImportError):
            import jsonschema
            jsonschema.validate(sarif, SCHEMA)
        path = os.path.join(folder, "diff.pb.gz")
        compared(before, after, "-o", path)
        samples = [[int(value) for key, value in one if key == "value"] for one in messages(decoded_profile(path), "sample")]
        expect_same(sorted(samples), [[-1, -300, -1, -300], [1, 100, 1, 100], [4, 4096, 4, 4096]], "the values")


def diff_in_browser():
    with pair() as (folder, before, after):
        page = os.path.join(folder, "diff.html")
        compared(before, after, "-o", page)
        body = re.sub(r"<script.*?</script>", "", drawn_page(page), flags=re.S)
        expect_same(len(re.findall(r'<tr class="row"', body)), 4, "the rows")
        for words in ("Two reports compared", "+4.0 KiB", ">gone<", "Growth"):
            expect(words in body, f"{words!r} is not on the page")


def is_quick():
    """2,000 distinct frames in half a second of processor time, names, lines and inlined calls."""
    with temporary_folder() as folder:
        offsets = sorted(address for found in made.calls(COMMAND).values() for address, _ in found)
        offsets = offsets[::max(1, len(offsets) // 2000)][:2000]
        if len(offsets) < 1500:
            raise Missing("a command with 1,500 calls in it")
        stacks = [[[0, hex(offset)] for offset in offsets[i:i + 10]] for i in range(0, len(offsets), 10)]
        report = {"format": "gcalloc-report", "version": 1, "kind": "leaks", "modules": [{"path": os.path.realpath(COMMAND)}],
                  "stacks": stacks, "records": [made.record(id=f"{i:08x}", stack=i, thread=-1) for i in range(len(stacks))]}
        file = made.saved(folder, report)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        text = shown("--top=10000", "--full", file)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"    {len(offsets)} frames: {seconds:.3f} s of processor time, {time.monotonic() - began:.3f} s in all")
        expect(len(re.findall(r"^    #", text, re.MULTILINE)) >= len(offsets), "frames are missing")
        expect(seconds < 0.5, f"{seconds:.2f} s")


def output_that_fails():
    with subject() as (_, _, file):
        for form in ("--text", "--json", "--html", "--folded", "--sarif", "--pprof"):
            result = gcalloc("report", form, "-o", "/dev/full", file)
            expect_same((result.returncode, result.stderr),
                        (1, "gcalloc: error: /dev/full: No space left on device\n"), f"the answer with {form}")


def main():
    tally = CommandTally("gcalloc report")
    if "not in this build" in gcalloc("help").stdout:
        raise SystemExit(77)
    tally.case("text: names, lines, inlined calls", text_names_lines)
    tally.case("text: names of Rust", names_of_rust)
    tally.case("text: top 20", text_is_short)
    tally.case("text: threads of one site", threads_are_one_site)
    tally.case("text: other classes", other_classes)
    tally.case("symbols: the file has changed", changed_file)
    tally.case("symbols: a separate debug file", separate_debug_file)
    tally.case("symbols: a debug file by build-id", debug_file_by_build_id)
    tally.case("symbols: C++", cplusplus_names)
    tally.case("symbols: speed", is_quick)
    for content, words in REFUSED:
        tally.case(f"refused: {words[:40]}", refuses, content, words)
    tally.case("refused: no file", refuses_what_is_no_file)
    tally.case("refused: cut anywhere", cut_anywhere)
    tally.case("any change of a value or byte", any_change)
    tally.case("damaged programs", damaged_programs)
    tally.case("json: carries names, jq reads it", json_carries_names)
    tally.case("pprof: protoc reads it", pprof_reads_it)
    tally.case("pprof: Google's opens it", go_opens_it)
    tally.case("folded", folded_adds_up)
    tally.case("sarif: valid", sarif_is_valid)
    for name, lines, left in SUPPRESSIONS:
        tally.case(f"suppressions: {name}", suppresses, lines, left)
    tally.case("suppressions: counted", suppressions_are_counted)
    tally.case("suppressions: generated", generated_suppressions_suffice)
    tally.case("suppressions: mistakes", wrong_suppressions)
    tally.case("html: in a browser, with hostile names", page_in_browser)
    tally.case("html: rows, search, zoom, theme", page_is_alive)
    tally.case("diff: text", diff_in_text)
    tally.case("diff: json", diff_in_json)
    tally.case("diff: folded, sarif, pprof, suppressions", diff_in_other_forms)
    tally.case("diff: html in a browser", diff_in_browser)
    tally.case("output that can't be written", output_that_fails)
    tally.finish()


if __name__ == "__main__":
    main()

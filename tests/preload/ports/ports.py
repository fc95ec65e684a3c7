#!/usr/bin/env python3
"""The larger examples at work: the JSON reader on right and wrong texts, the server under load while its configuration
changes; with borrows and ownership checked, and nothing lost at the end. GCALLOC_TEST_LOAD=N makes N times the requests."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from harness import Tally, expect, needed_variable, plain_environment, run, status_words

LOAD = int(os.environ.get("GCALLOC_TEST_LOAD", "1"))
CHECKED = "check=report,leaks"

RIGHT = ["0", "-0.5e3", "true", "null", '""', '"\\u00e9\\ud83d\\ude00\\n\\\\"', "[]", "{}", " [ 1 , [ ] , { } ] ",
         '{"a":{"b":[1,2,{"c":null}]},"d":"e"}', "123456789012", "1e300", "[" * 500 + "]" * 500]
WRONG = ["", "{", "[1,", "[1 2]", '{"a" 1}', "{1:2}", '"', '"\\x"', '"\\ud83d"', '"\t"', "01", "1.", ".5", "-", "1e", "tru", "1 1",
         "[" * 600 + "]" * 600, "1e999", '{"a":1,}', "nan"]


def example(name):
    return os.path.join(needed_variable("top_builddir"), "examples", "ports", name)


def environment(options=CHECKED):
    return plain_environment(GCALLOC_OPTIONS=options)


def check(result, status=0):
    errors = result.stderr.decode(errors="replace")
    expect(result.returncode == status, f"{status_words(result.returncode)}: {errors[-1000:]}")
    return errors


def reads_what_is_right(folder):
    path = os.path.join(folder, "right.json")
    for text in RIGHT:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for layout in ("--line", "--check", "--repeat=3"):
            result = run([example("json"), layout, path], env=environment())
            expect(check(result) == "", f"of {text[:60]} it said {result.stderr.decode()}")
            if layout == "--line":
                expect(json.loads(result.stdout) == json.loads(text), f"{text[:60]} became {result.stdout[:60]}")


def says_what_is_wrong(folder):
    path = os.path.join(folder, "wrong.json")
    for text in WRONG:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        errors = check(run([example("json"), path], env=environment()), 1)
        expect(errors.startswith(f"json: {path}:1:") and errors.count("\n") == 1, f"of {text[:60]} it said {errors}")


def document(generator, depth):
    if depth == 0 or generator.random() < 0.3:
        return generator.choice([None, True, 1, -2.5, "text", "\u00fc\n", 1e20, generator.getrandbits(40)])
    if generator.random() < 0.5:
        return [document(generator, depth - 1) for _ in range(generator.randrange(6))]
    return {f"name {i}": document(generator, depth - 1) for i in range(generator.randrange(6))}


def reads_large_ones(folder):
    generator = random.Random(7)
    path = os.path.join(folder, "large.json")
    value = [document(generator, 6) for _ in range(500)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    result = run([example("json"), f"--repeat={3 * LOAD}", "--line", path], env=environment(CHECKED + ",verify"))
    check(result)
    lines = result.stdout.splitlines()
    expect(len(lines) == 3 * LOAD and all(json.loads(line) == value for line in set(lines)), "it is not what was written")


started = []  # servers; a case that fails leaves its own


class Server:
    """The server on a configuration of its own."""

    def __init__(self, folder, options=CHECKED):
        self.root = tempfile.mkdtemp(dir=folder)
        with open(os.path.join(self.root, "page.html"), "wb") as file:
            file.write(b"<p>" * 5000)
        self.config = os.path.join(self.root, "config.json")
        self.write_config("good morning")
        self.errors = open(os.path.join(self.root, "stderr"), "w+b")
        self.process = subprocess.Popen([example("server"), self.config, "4"], stdout=subprocess.PIPE, stderr=self.errors,
                                        env=environment(options))
        started.append(self.process)
        line = self.process.stdout.readline().decode()
        expect(line.startswith("http://127.0.0.1:"), f"it began with {line!r}")
        self.port = int(line.rsplit(":", 1)[1])

    def write_config(self, greeting):
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            json.dump({"greeting": greeting, "root": self.root, "body_bytes_max": 100000}, file)
        os.rename(self.config + ".new", self.config)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, connection=None):
        connection = connection or self.connect()
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def end(self):
        """Its exit status is that of a program that lost nothing."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace")
        expect(status == 0 and said == "", f"{status_words(status)}: {said[-2000:]}")


def answers(folder):
    server = Server(folder)
    for method, path, body, status, part in (
            ("GET", "/", None, 200, b"good morning (configuration 1)"), ("GET", "/files/page.html", None, 200, b"<p>" * 5000),
            ("GET", "/files/../config.json", None, 404, b""), ("GET", "/files/%2e%2e", None, 404, b""),
            ("GET", "/files/none", None, 404, b""), ("GET", "/elsewhere", None, 404, b""), ("DELETE", "/", None, 405, b""),
            ("POST", "/json", b'{"a":[1,2]}', 200, b'"a": ['), ("POST", "/json", b"{", 400, b"1:2"),
            ("POST", "/json", b"", 400, b"1:1"), ("POST", "/json", b"[" * 200000, 413, b""), ("GET", "/status", None, 200, b"requests")):
        got = server.ask(method, path, body)
        expect(got[0] == status and part in got[1], f"{method} {path}: {got[0]} {got[1][:100]}")
    server.write_config("good evening")
    expect(server.ask("POST", "/reload")[0] == 200, "it does not reload")
    expect(b"good evening (configuration 2)" in server.ask("GET", "/")[1], "it has the old configuration")
    with open(server.config, "w", encoding="utf-8") as file:
        file.write("{")
    expect(server.ask("POST", "/reload")[0] == 500, "it takes a broken configuration")
    expect(b"good evening" in server.ask("GET", "/")[1], "a broken configuration took over")
    server.end()


def survives_nonsense(folder):
    server = Server(folder)
    for bytes_ in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /%zz HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                   b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                   b"GET /" + b"a" * 9000, b"POST /json HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort", b"\0" * 100, b"GET / HTT"):
        connection = server.connect()
        connection.connect()
        try:
            connection.sock.sendall(bytes_)
            connection.sock.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.sock.recv(65536), b""))
        except OSError:  # it did not want to read the rest, and is gone
            answer = b""
        expect(answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), f"to {bytes_[:40]} it said {answer[:60]}")
        connection.close()
    expect(server.ask("GET", "/")[0] == 200, "it is gone")
    server.end()


def holds_under_load(folder, options):
    server = Server(folder, options)
    wrong = []

    def client(number):
        generator = random.Random(number)
        connection = server.connect()
        try:
            for i in range(150 * LOAD):
                kind = generator.randrange(10)
                if kind == 0 and number == 0:
                    server.write_config(f"greeting {i}")
                    got = server.ask("POST", "/reload", None, connection)
                elif kind < 4:
                    got = server.ask("GET", "/", None, connection)
                    if b"(configuration " not in got[1]:
                        wrong.append(got)
                elif kind < 6:
                    got = server.ask("GET", "/files/page.html", None, connection)
                else:
                    value = document(generator, 5)
                    got = server.ask("POST", "/json", json.dumps(value), connection)
                    if json.loads(got[1]) != value:
                        wrong.append(got)
                if got[0] != 200:
                    wrong.append(got)
        except Exception as error:  # whatever it was, it is the server's doing
            wrong.append(error)
        connection.close()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    expect(not wrong, f"{len(wrong)} wrong answers, such as {wrong[:1]}")
    status = json.loads(server.ask("GET", "/status")[1])
    expect(status["errors"] == 0 and status["requests"] >= 600 * LOAD, f"its own counts are {status}")
    expect(status["arena_bytes"] < 4 << 20, f"an arena has grown to {status['arena_bytes']} bytes")
    server.end()


def main():
    tally = Tally("ports")
    with tempfile.TemporaryDirectory() as folder:
        tally.case("json reads what is right", reads_what_is_right, folder)
        tally.case("json says what is wrong", says_what_is_wrong, folder)
        tally.case("json reads large documents", reads_large_ones, folder)
        tally.case("the server answers", answers, folder)
        tally.case("the server survives nonsense", survives_nonsense, folder)
        tally.case("the server under load", holds_under_load, folder, CHECKED)
        tally.case("the server under load, poisoned and verified", holds_under_load, folder, CHECKED + ",poison,verify")
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
    tally.finish()


if __name__ == "__main__":
    main()

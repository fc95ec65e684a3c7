"""servers: programs that run until told to stop. Each is started on a socket in its folder, put to work by clients in
several threads, and shut down in the way it likes best; what it answered is compared."""

import glob
import http.client
import os
import pwd
import signal
import socket
import subprocess
import threading
import time

from comparison import compare_sessions
from harness import Failure, expect, find_program, run, status_words

CLIENTS = 4


class Server:
    """A started server. Leaving the block stops it; it must end as a server should."""

    def __init__(self, place, command, environment, **arguments):
        self.log_path = os.path.join(place.top, "server.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, cwd=place.folder, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, **arguments)

    def failure(self, words):
        with open(self.log_path, "rb") as log:
            return Failure(f"{words}; its log ends with {log.read()[-1500:].decode(errors='replace')}")

    def connect(self, path):
        """Waits for the socket as long as the server lives."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self.failure(f"it ended early, {status_words(self.process.returncode)}")
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
                return connection
            except OSError:
                connection.close()
                time.sleep(0.02)
        raise self.failure("it never listened")

    def end(self, how, expected=0):
        self.process.send_signal(how)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired as expired:
            raise self.failure("it does not stop") from expired
        if status != expected:
            raise self.failure(f"it ended with {status_words(status)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def in_threads(client):
    """Runs client(number) for each number at once; the answers come back in the order of the numbers."""
    answers, errors = [None] * CLIENTS, []

    def one(number):
        try:
            answers[number] = client(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return b"".join(answers)


class Lines:
    """A connection of requests and answers that end in a known way."""

    def __init__(self, connection):
        connection.settimeout(60)
        self.connection = connection
        self.reader = connection.makefile("rb")

    def send(self, data):
        self.connection.sendall(data)

    def close(self):
        self.reader.close()
        self.connection.close()


def resp(*words):
    """A command as redis reads it."""
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def resp_answer(reader):
    line = reader.readline()
    expect(line.endswith(b"\r\n"), f"redis closed the connection after {line!r}")
    if line[:1] == b"$" and line != b"$-1\r\n":
        return line + reader.read(int(line[1:]) + 2)
    if line[:1] == b"*":
        return line + b"".join(resp_answer(reader) for _ in range(max(0, int(line[1:]))))
    return line


def redis_client(server, path):
    def client(number):
        lines, answers = Lines(server.connect(path)), []
        for i in range(3000):
            key = f"{number}:{i * 7919 % 499}"
            value = f"value {i} " * (i % 60)
            for command in (("SET", "s" + key, value), ("APPEND", "s" + key, "more"), ("GET", f"s{number}:{i % 499}"),
                            ("LPUSH", "l" + key, i, value[:40]), ("LTRIM", "l" + key, 0, 20), ("HSET", "h" + key, f"field{i}", value[:100]),
                            ("ZADD", "z" + key, i % 31, f"member{i}"), ("DEL", f"s{number}:{i * 3 % 499}") if i % 5 == 0 else ("EXISTS", "s" + key)):
                lines.send(resp(*command))
                answers.append(resp_answer(lines.reader))
        lines.close()
        return b"".join(answers)
    return client


def redis_session(place, environment):
    path = os.path.join(place.folder, "socket")
    command = [find_program("redis-server"), "--port", "0", "--unixsocket", path, "--save", "", "--dir", place.folder,
               "--enable-debug-command", "local", "--appendonly", "no"]
    with Server(place, command, environment) as server:
        answers = in_threads(redis_client(server, path))
        lines = Lines(server.connect(path))
        for command in (("BGSAVE",), ("DBSIZE",), ("DEBUG", "DIGEST"), ("SAVE",), ("DEBUG", "RELOAD"), ("DEBUG", "DIGEST"), ("FLUSHALL",), ("DBSIZE",)):
            if command == ("SAVE",):
                wait_for_background_save(lines)
            lines.send(resp(*command))
            answers += resp_answer(lines.reader)
        lines.close()
        server.end(signal.SIGTERM)
        return server.process.pid, answers


def wait_for_background_save(lines):
    while True:
        lines.send(resp("INFO", "persistence"))
        answer = resp_answer(lines.reader)
        if b"rdb_bgsave_in_progress:0" in answer:
            expect(b"rdb_last_bgsave_status:ok" in answer, "the child that saves failed")
            return
        time.sleep(0.02)


def memcached_client(server, path):
    def client(number):
        lines, answers = Lines(server.connect(path)), []
        for i in range(4000):
            key = f"k{number}-{i * 7919 % 997}"
            value = (f"value {i} " * (i % 300)).encode()
            for request, ends in ((b"set %s 0 0 %d\r\n%s\r\n" % (key.encode(), len(value), value), (b"STORED\r\n",)),
                                  (b"get k%d-%d\r\n" % (number, i % 997), (b"END\r\n",)),
                                  (b"append %s 0 0 4\r\nmore\r\n" % key.encode(), (b"STORED\r\n", b"NOT_STORED\r\n")),
                                  (b"delete k%d-%d\r\n" % (number, i * 3 % 997), (b"DELETED\r\n", b"NOT_FOUND\r\n"))):
                lines.send(request)
                line = None
                while line not in ends:
                    line = lines.reader.readline()
                    expect(line, "memcached closed the connection")
                    answers.append(line)
                    if line.startswith(b"VALUE "):
                        answers.append(lines.reader.read(int(line.split()[3]) + 2))
        lines.close()
        return b"".join(answers)
    return client


def memcached_session(place, environment):
    path = os.path.join(place.folder, "socket")
    with Server(place, [find_program("memcached"), "-s", path, "-u", pwd.getpwuid(os.geteuid()).pw_name, "-t", "4", "-m", "64"], environment) as server:
        answers = in_threads(memcached_client(server, path))
        server.end(signal.SIGTERM)
        return server.process.pid, answers


NGINX_CONFIGURATION = """
{user}
worker_processes 2;
daemon off;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    gzip on; gzip_types text/plain; gzip_min_length 100;
    default_type text/plain;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen unix:{folder}/socket;
        root {folder}/site;
        location /again/ {{ proxy_pass http://unix:{folder}/socket:/; }}
        location /echo {{ return 200 "you asked for $request_uri with $args\\n"; }}
    }}
}}
"""


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, server, path):
        super().__init__("localhost", timeout=60)
        self.server, self.path = server, path

    def connect(self):
        self.sock = self.server.connect(self.path)
        self.sock.settimeout(60)


def nginx_client(server, path, keep_alive):
    def client(number):
        connection, answers = UnixHttp(server, path), []
        for i in range(300):
            target = (f"/file{i * 7 % 20}.txt", f"/again/file{i % 20}.txt", f"/echo?{i}={'x' * (i % 500)}", f"/missing{i}")[i % 4]
            headers = {"Accept-Encoding": "gzip"} if i % 3 == 0 else {}
            connection.request("GET", target, headers={**headers, "Connection": "keep-alive" if keep_alive else "close"})
            response = connection.getresponse()
            headers = sorted((name, value) for name, value in response.getheaders() if name != "Date")
            answers.append(f"{number} {target[:30]} {response.status} {headers}\n".encode() + response.read())
        connection.close()
        return b"".join(answers)
    return client


def nginx_session(place, environment):
    site = os.path.join(place.folder, "site")
    os.mkdir(site)
    for i in range(20):
        path = os.path.join(site, f"file{i}.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write("".join(f"line {k} of file {i}\n" for k in range(i * i * 20)))
        os.utime(path, (10**9, 10**9))
    configuration = os.path.join(place.folder, "nginx.conf")
    with open(configuration, "w", encoding="ascii") as file:
        user = "user root;" if os.geteuid() == 0 else ""
        file.write(NGINX_CONFIGURATION.format(folder=place.folder, user=user))
    path = os.path.join(place.folder, "socket")
    with Server(place, [find_program("nginx"), "-p", place.folder, "-c", configuration, "-e", "stderr"], environment) as server:
        answers = in_threads(nginx_client(server, path, True))
        # Workers that make way for new ones close connections that wait for a next request.
        server.process.send_signal(signal.SIGHUP)
        answers += in_threads(nginx_client(server, path, False))
        server.end(signal.SIGQUIT)
        return server.process.pid, answers


POSTGRES_WORK = """
CREATE TABLE item(id int PRIMARY KEY, name text, weight numeric, tags jsonb);
INSERT INTO item SELECT i, 'item ' || i * 7919 % 10007, i * 1.5, jsonb_build_object('a', i, 'b', ARRAY[i, i * 2]) FROM generate_series(1, 20000) i;
CREATE INDEX ON item(name);
CREATE INDEX ON item USING gin(tags);
ANALYZE;
SELECT count(*), sum(weight), min(name), max(name) FROM item;
SELECT name, count(*), string_agg(id::text, ',' ORDER BY id) FROM item GROUP BY name ORDER BY 2 DESC, 1 LIMIT 50;
SELECT a.id, b.name, rank() OVER (ORDER BY a.weight) FROM item a JOIN item b ON b.id = a.id / 2 WHERE a.id % 501 = 0 ORDER BY 1;
WITH RECURSIVE n(i, s) AS (SELECT 1, '1' UNION ALL SELECT i + 1, s || i FROM n WHERE i < 300) SELECT max(length(s)) FROM n;
CREATE FUNCTION twice(x int) RETURNS int AS $$ BEGIN RETURN (SELECT x * 2); END $$ LANGUAGE plpgsql;
SELECT sum(twice(id)) FROM item;
UPDATE item SET name = upper(name), tags = tags || '{"c": 1}' WHERE id % 3 = 0;
DELETE FROM item WHERE id % 7 = 0;
SELECT md5(string_agg(item::text, '' ORDER BY id)) FROM item;
SELECT 1 / 0;
SELECT regexp_replace(name, '(.)(.)', '\\\\2\\\\1', 'g') FROM item ORDER BY id LIMIT 300;
VACUUM FULL item;
"""


def postgres_user():
    """postgres refuses to run as root; any other user will do."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def postgres_programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(find_program("postgres"))]
    return {name: os.path.join(folders[-1], name) for name in ("initdb", "postgres", "psql", "pg_dump")}


def postgres_session(place, environment):
    programs, user = postgres_programs(), postgres_user()
    data = os.path.join(place.folder, "data")

    def client(*command, **arguments):
        result = run(command, cwd=place.folder, env=environment, **user, **arguments)
        expect(result.returncode == 0, f"{command[0]}: {status_words(result.returncode)} {result.stderr[-500:]}")
        return result.stdout

    connection = ("-X", "-h", place.folder, "-U", "tester", "-d", "postgres")
    client(programs["initdb"], "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
    command = [programs["postgres"], "-D", data, "-k", place.folder, "-h", "", "-F", "-c", "dynamic_shared_memory_type=mmap"]
    with Server(place, command, environment, **user) as server:
        server.connect(os.path.join(place.folder, ".s.PGSQL.5432")).close()
        while run([programs["psql"], *connection, "-c", "SELECT 1"], env=environment, cwd=place.folder, **user).returncode != 0:
            expect(server.process.poll() is None, "postgres ended early")
            time.sleep(0.05)
        work = os.path.join(place.top, "work.sql")
        with open(work, "w", encoding="ascii") as file:
            file.write(POSTGRES_WORK)
        os.chmod(work, 0o644)
        answers = client(programs["psql"], *connection, "-a", "-f", work)
        answers += in_threads(lambda number: client(programs["psql"], *connection, "-c",
                                                    f"SELECT md5(string_agg(name, '' ORDER BY id)) FROM item WHERE id % {CLIENTS} = {number}"))
        # Newer ones put a random word into each dump unless it is given.
        word = ["--restrict-key=word"] if b"--restrict-key" in client(programs["pg_dump"], "--help") else []
        answers += client(programs["pg_dump"], *word, "-h", place.folder, "-U", "tester", "postgres")
        server.end(signal.SIGINT)
        return server.process.pid, answers


def case(program, session):
    def check():
        if program != "postgres" or not glob.glob("/usr/lib/postgresql/*/bin"):
            find_program(program)
        compare_sessions(session)
    return check


SERVERS = (
    ("redis", case("redis-server", redis_session)),
    ("memcached", case("memcached", memcached_session)),
    ("nginx", case("nginx", nginx_session)),
    ("postgres", case("postgres", postgres_session)),
)

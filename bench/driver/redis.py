"""
The redis row: the server runs under the allocator, redis-benchmark drives it with a fixed number of requests.

What counts is the server's own CPU time, since the client shares the machine with it. The socket lies in the work
folder: no port is taken, and two runs in two folders do not meet. Its path is relative, since it may only be short.
"""

import os
import socket
import subprocess
import time

from driver.rows import find_program

SOCKET = "redis.sock"
START_LIMIT_S, CLIENT_LIMIT_S = 30, 300
BENCHMARK = f"-s {SOCKET} -q -c 16 -P 32 -r 40000"
# Requests per run, by command: strings of two sizes, hashes, lists and sets.
LOADS = [
    "-n 120000 -d 40 -t set,get,incr,lpush,rpop,sadd,hset",
    "-n 60000 -d 900 -t set,get",
    "-n 60000 zadd ranking __rand_int__ member:__rand_int__",
]


def redis_command(server):
    options = "--port 0 --save  --appendonly no --daemonize no --loglevel warning"
    return (server, *options.split(" "), "--unixsocket", SOCKET)


def redis_client(work_folder):
    wait_for_server(os.path.join(work_folder, SOCKET), work_folder)
    for load in LOADS:
        run([find_program("redis-benchmark"), *BENCHMARK.split(), *load.split()], work_folder)
    run([find_program("redis-cli"), "-s", SOCKET, "shutdown", "nosave"], work_folder)


def run(command, work_folder):
    subprocess.run(
        command,
        cwd=work_folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=CLIENT_LIMIT_S,
        check=True,
    )


def wait_for_server(path, work_folder):
    """Returns once the server answers; a server that never does is an error."""
    deadline = time.monotonic() + START_LIMIT_S
    while not answers(work_folder):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no server at {path} after {START_LIMIT_S} s")
        time.sleep(0.02)


def answers(work_folder):
    # By its name within the folder, through /proc, for the sake of the short limit on a socket's path.
    folder = os.open(work_folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"/proc/self/fd/{folder}/{SOCKET}")
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
    finally:
        os.close(folder)

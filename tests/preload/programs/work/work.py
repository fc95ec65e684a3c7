"""Objects of all kinds, threads, a child, big numbers, text, compression, a database, compiled code."""
import ast
import collections
import decimal
import gc
import hashlib
import json
import os
import random
import re
import sqlite3
import threading
import zlib

generator = random.Random(5)
data = {f"key{i}": [generator.random() for _ in range(i % 20)] for i in range(5000)}
text = json.dumps(data, sort_keys=True)
assert json.loads(text) == data
print(len(text), hashlib.sha256(text.encode()).hexdigest())
words = re.findall(r"[0-9a-f]{3}", text)
print(collections.Counter(words).most_common(5))
packed = zlib.compress(text.encode(), 6)
print(len(packed), zlib.decompress(packed) == text.encode())
print(len(hex(3**20000)), pow(7, 12345, 10**50))
decimal.getcontext().prec = 200
print(decimal.Decimal(2).sqrt())
results = [None] * 4


def thread(number):
    table = {}
    for i in range(20000):
        table[i * number % 7777] = "x" * (i % 50)
    results[number] = sum(len(value) for value in table.values())


threads = [threading.Thread(target=thread, args=(i,)) for i in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
print(results)


class Node:
    def __init__(self, left=None, right=None):
        self.left, self.right, self.me = left, right, self


def tree(depth):
    return Node(tree(depth - 1), tree(depth - 1)) if depth else Node()


trees = [tree(10) for _ in range(10)]
del trees
gc.collect()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    trees = [tree(8) for _ in range(10)]
    os.write(writer, str(len(data)).encode())
    os._exit(0)
print(os.read(reader, 10), os.waitpid(child, 0)[1])
base = sqlite3.connect("python.db")
base.execute("create table t(a integer primary key, b text)")
base.executemany("insert into t values(?, ?)", ((i, str(i) * 5) for i in range(20000)))
base.commit()
print(base.execute("select count(*), sum(length(b)) from t where a % 3 = 1").fetchall())
base.close()
source = "\n".join(f"def f{i}(x):\n    return x + {i} if x > {i} else [x] * {i % 5}" for i in range(1500))
space = {}
exec(compile(ast.parse(source), "generated", "exec"), space)
print(sum(space[f"f{i}"](10**6) for i in range(1500)))

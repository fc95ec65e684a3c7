"""inputs: files for the programs to work on, the same at every run."""

import functools
import os
import random


@functools.cache
def vocabulary():
    generator = random.Random(0)
    return ["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(2, 12))) for _ in range(4000)]


def words(count, seed):
    """Lines of words that repeat as in a text, with a number in front."""
    generator = random.Random(seed)
    lines = []
    for _ in range(count):
        line = generator.choices(vocabulary(), k=generator.randint(3, 14))
        lines.append(f"{generator.randint(0, 10**9)} " + " ".join(line))
    return "\n".join(lines) + "\n"


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write(text)


def text_file(name, count, seed=1):
    return lambda folder: write(folder, name, words(count, seed))


def tree(folder):
    """Folders three deep with 600 small files, one large one and links."""
    generator = random.Random(2)
    for i in range(600):
        place = os.path.join(folder, "tree", f"a{i % 7}", f"b{i % 11}")
        os.makedirs(place, exist_ok=True)
        write(place, f"file{i}.txt", words(generator.randint(0, 40), i))
    write(os.path.join(folder, "tree"), "large", words(12000, 3))
    os.symlink("large", os.path.join(folder, "tree", "link"))
    os.link(os.path.join(folder, "tree", "large"), os.path.join(folder, "tree", "hard"))


def c_source(folder):
    """A C program of many functions: something for the optimiser to chew on."""
    generator = random.Random(4)
    parts = ["#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nstruct node { struct node *next; long key; char text[40]; };\n"]
    for i in range(100):
        a, b, c = (generator.randint(1, 999) for _ in range(3))
        parts.append(f"static long work{i}(long x, struct node *list)\n{{\n    long sum = x * {a};\n"
                     f"    for (long i = 0; i < {b % 90 + 10}; i++) {{\n        switch ((sum + i) % {c % 9 + 3}) {{\n"
                     + "".join(f"        case {k}: sum ^= i * {a + k}; break;\n" for k in range(c % 9 + 2))
                     + "        default: sum += i;\n        }\n    }\n"
                     f"    for (struct node *n = list; n; n = n->next)\n        sum += n->key * {b} + (long)strlen(n->text);\n"
                     "    return sum;\n}\n")
    parts.append("int main(void)\n{\n    struct node *list = NULL;\n    long sum = 1;\n    for (int i = 0; i < 50; i++) {\n"
                 "        struct node *n = malloc(sizeof *n);\n        n->next = list; n->key = i; sprintf(n->text, \"node %d\", i); list = n;\n    }\n")
    parts.append("".join(f"    sum = work{i}(sum, list); printf(\"{i} %ld\\n\", sum);\n" for i in range(100)))
    parts.append("    return 0;\n}\n")
    write(folder, "work.c", "".join(parts))

"""Prints a C file of many middling functions, as a program's generated parser or bindings would be."""

import random

FUNCTIONS, STATEMENTS, STRUCTS, FIELDS = 100, 14, 40, 8

EXPRESSIONS = ["({a} + {n}) * {b}", "{a} ^ ({b} >> {s})", "{a} % ({n} | 1) + {b}", "({a} << {s}) - {b}"]


def struct(number):
    fields = "".join(f"    unsigned long field{at};\n" for at in range(FIELDS))
    return f"struct record{number} {{\n{fields}    struct record{number} *next;\n}};\n"


def expression(rng):
    values = [f"record->field{rng.randrange(FIELDS)}" for _ in range(3)] + ["sum", "argument"]
    pattern = rng.choice(EXPRESSIONS)
    return pattern.format(
        a=rng.choice(values), b=rng.choice(values), n=rng.randrange(1, 1000), s=rng.randrange(1, 30)
    )


def statement(rng):
    kind = rng.randrange(4)
    field = f"record->field{rng.randrange(FIELDS)}"
    if kind == 0:
        return f"    {field} = {expression(rng)};\n"
    if kind == 1:
        return f"    if ({expression(rng)} > {rng.randrange(10000)})\n        sum += {expression(rng)};\n"
    if kind == 2:
        loop = f"for (unsigned long i = 0; i < {field} % {rng.randrange(2, 50)}; i++)"
        return f"    {loop}\n        sum = {expression(rng)} + i;\n"
    cases = "".join(f"    case {at}:\n        sum += {expression(rng)};\n        break;\n" for at in range(4))
    return f"    switch ({field} % 4) {{\n{cases}    }}\n"


def function(rng, number):
    body = "".join(statement(rng) for _ in range(STATEMENTS))
    call = f"function{rng.randrange(number)}((void *)record, sum)" if number else "sum"
    return (
        f"unsigned long function{number}(struct record{number % STRUCTS} *record, unsigned long argument)\n"
        f"{{\n    unsigned long sum = argument;\n{body}    return record->next ? {call} : sum;\n}}\n"
    )


def main():
    rng = random.Random(1)
    for number in range(STRUCTS):
        print(struct(number))
    for number in range(FUNCTIONS):
        print(function(rng, number))


if __name__ == "__main__":
    main()

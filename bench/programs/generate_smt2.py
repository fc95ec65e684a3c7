"""Prints a scheduling problem for an SMT solver: jobs of known lengths on machines, in integer arithmetic."""

import random

JOBS, MACHINES, LENGTH_MAX = 8, 4, 9


def main():
    rng = random.Random(3)
    lengths = [[rng.randrange(1, LENGTH_MAX) for _ in range(MACHINES)] for _ in range(JOBS)]
    end = max(sum(one[machine] for one in lengths) for machine in range(MACHINES)) + 9
    print("(set-option :smt.random_seed 7)")
    for job in range(JOBS):
        for machine in range(MACHINES):
            print(f"(declare-const s{job}_{machine} Int)(assert (>= s{job}_{machine} 0))")
            print(f"(assert (<= (+ s{job}_{machine} {lengths[job][machine]}) {end}))")
        for machine in range(1, MACHINES):
            before = f"(+ s{job}_{machine - 1} {lengths[job][machine - 1]})"
            print(f"(assert (>= s{job}_{machine} {before}))")
    for machine in range(MACHINES):
        for job in range(JOBS):
            for other in range(job):
                first = f"(<= (+ s{job}_{machine} {lengths[job][machine]}) s{other}_{machine})"
                second = f"(<= (+ s{other}_{machine} {lengths[other][machine]}) s{job}_{machine})"
                print(f"(assert (or {first} {second}))")
    print("(check-sat)")


if __name__ == "__main__":
    main()

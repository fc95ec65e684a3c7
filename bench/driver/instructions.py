"""Instruction counts of the micro rows by callgrind: exact, repeatable, and not disturbed by a busy machine."""

import os
import re
import shutil
import subprocess

SCALE_PERCENT = 2


def count_all(results, allocators, work_folder):
    if shutil.which("valgrind") is None:
        results.errors[("instructions", "all")] = "valgrind is not installed"
        return
    for row in results.rows:
        for allocator in allocators:
            if row.scalable and not row.missing:
                count_row(results, row, allocator, work_folder)


def count_row(results, row, allocator, work_folder):
    # Preloaded by env(1), which callgrind follows: valgrind itself shall not run on the allocator.
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=yes"]
    command += ["env", f"LD_PRELOAD={allocator.library}", *row.command, str(SCALE_PERCENT)]
    done = subprocess.run(
        command,
        env={**os.environ, **allocator.environment},
        cwd=work_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    counts = re.findall(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not counts:
        results.fail(row, allocator, f"callgrind ended with {done.returncode}")
        return
    results.instructions[(row.name, allocator.name)] = int(counts[-1])

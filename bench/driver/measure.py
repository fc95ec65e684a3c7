"""Runs one row under one allocator, through bench/launch, and reads what it cost."""

import hashlib
import os
import subprocess
from dataclasses import dataclass

# No row needs a tenth of this: a program that hangs is reported as failed, not waited for.
LIMIT_SECONDS = 600


class Failed(Exception):
    """The row did not run to its end; the text says how."""


@dataclass(frozen=True)
class Sample:
    wall_ms: float
    user_ms: float
    sys_ms: float
    rss_kib: int
    faults: int
    # What the program printed and wrote: equal for all allocators, or one of them is wrong.
    digest: str
    text: str

    @property
    def cpu_ms(self):
        return self.user_ms + self.sys_ms


class Launcher:
    def __init__(self, launch, work_folder):
        self.launch = launch
        self.work_folder = work_folder
        self.report = os.path.join(work_folder, "report")

    def run(self, row, allocator, scale_percent):
        command = list(row.command)
        if row.scalable:
            command.append(str(scale_percent))
        self._remove(self.report)
        output = self._output_path(row)
        self._remove(output)
        text = self._run_command(row, command, allocator)
        return self._sample(row, text, output)

    def _output_path(self, row):
        return os.path.join(self.work_folder, row.output) if row.output else None

    @staticmethod
    def _remove(path):
        if path and os.path.exists(path):
            os.unlink(path)

    def _run_command(self, row, command, allocator):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **row.environment, **allocator.environment}
        process = subprocess.Popen(
            [self.launch, self.report, allocator.library, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=self.work_folder,
            start_new_session=True,
        )
        try:
            if row.client:
                row.client(self.work_folder)
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError, OSError) as problem:
            os.killpg(process.pid, 9)
            process.communicate()
            raise Failed(f"{type(problem).__name__}: {problem}") from problem
        if process.returncode != 0:
            raise Failed(f"launch ended with {process.returncode}: {err.decode(errors='replace')}")
        self._check_status(err)
        return out

    def _check_status(self, err):
        status = int(self._figures()[5])
        if status != 0:
            lines = err.decode(errors="replace").strip().splitlines()
            raise Failed(f"exit status {status}" + (f": {lines[-1]}" if lines else ""))

    def _figures(self):
        with open(self.report, encoding="ascii") as file:
            return file.read().split()

    def _sample(self, row, text, output):
        wall, user, sys_time, rss, faults = map(int, self._figures()[:5])
        digest = hashlib.sha256(b"" if row.client else text)
        if output:
            with open(output, "rb") as file:
                digest.update(file.read())
        return Sample(
            wall / 1000,
            user / 1000,
            sys_time / 1000,
            rss,
            faults,
            digest.hexdigest()[:16],
            text.decode(errors="replace"),
        )

"""Runs a program and says what it cost: wall time, CPU time and peak RSS of that process alone."""
import dataclasses
import os
import subprocess
import tempfile

TIMEOUT_S = 120


class Failed(Exception):
    """A run that gave no figures; the text says why."""


class Skip(Exception):
    """A workload or side that this machine does not have; the text says why."""


@dataclasses.dataclass
class Sample:
    wall_s: float
    cpu_s: float
    rss_kib: int
    helper_cpu_s: float = 0.0  # of the tool's second process
    more: dict = dataclasses.field(default_factory=dict)  # what the side read from its output
    note: str = None  # what a reader of the figures must know


@dataclasses.dataclass
class Command:
    words: list
    env: dict = dataclasses.field(default_factory=dict)
    stdin: str = None


def clean_environment():
    """Of the session only what programs need: a run must not depend on somebody's locale or git configuration."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "TMPDIR": tempfile.gettempdir()}


class Process:
    """A program under tests/bench/measure.c, which ends with the script."""

    def __init__(self, measure, command, directory, **redirections):
        handle, self.result = tempfile.mkstemp(prefix="result.", dir=directory)
        os.close(handle)
        self.words = command.words
        self.errors = tempfile.TemporaryFile(dir=directory)
        stdin = ["-i", command.stdin] if command.stdin else []
        variables = ["%s=%s" % item for item in command.env.items()]
        redirections.setdefault("stdout", subprocess.DEVNULL)
        self.popen = subprocess.Popen([measure, self.result, *stdin, *variables, "--", *command.words],
                                      stdin=subprocess.DEVNULL, stderr=self.errors, cwd=directory,
                                      env=clean_environment(), **redirections)

    def alive(self):
        return self.popen.poll() is None

    def kill(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait()

    def sample(self, timeout=TIMEOUT_S):
        """Waits for the end; Failed if it is a bad one."""
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("%s did not end within %d s" % (self.name(), timeout)) from None
        with open(self.result, encoding="ascii") as file:
            numbers = [int(word) for word in file.read().split()]
        os.unlink(self.result)
        if not numbers or numbers[4] != 0:
            raise Failed("%s: %s" % (self.name(), self.complaint(numbers[4] if numbers else None)))
        return Sample(numbers[0] / 1e9, (numbers[1] + numbers[2]) / 1e6, numbers[3])

    def name(self):
        return os.path.basename(self.words[0])

    def complaint(self, status):
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        how = "did not start" if status is None else "signal %d" % -status if status < 0 else "exit code %d" % status
        return how + (" (%s)" % lines[-1][:100] if lines else "")


class Tools:
    """Where the build's programs are."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.library = os.path.join(self.build, "libleaktrack.so")
        self.report = os.path.join(self.build, "leaktrack-report")
        self.measure = self.program("measure")
        self.forward = self.program("libleaktrack-forward.so")
        self.count = self.program("libleaktrack-count.so")

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", name)

    def run(self, command, directory):
        process = Process(self.measure, command, directory)
        try:
            return process.sample()
        finally:
            process.kill()

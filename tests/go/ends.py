#!/usr/bin/env python3
"""What is left of a Go program that ends without running anybody's code: os.Exit, a panic, SIGTERM, SIGKILL. Periodic
snapshots while it idles, none older than the interval; one on request; no signal used for any of it."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import golang
import harness

SOURCE = os.path.join(HERE, "ends.go")
LINE = golang.marked_lines(SOURCE)["taken"]
INTERVAL, BLOCK = 1, 48


class Program:
    def __init__(self, path, env):
        self.process = subprocess.Popen([path], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.says("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def says(self, words):
        line = self.process.stdout.readline().decode()
        harness.need(line == words + "\n", "the program said %r, not %r" % (line, words))

    def tell(self, word):
        self.process.stdin.write(b"%s\n" % word.encode())
        self.process.stdin.flush()

    def take(self, count):
        self.tell(str(count))
        self.says("taken %d" % count)

    def signals(self):
        """What the process ignores and catches, and what its main thread blocks."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return [line for line in file if line.startswith(("SigIgn", "SigCgt", "SigBlk"))]


class Lateness:
    """How much later than asked for this machine wakes a sleeper at the moment, at worst."""

    def __init__(self):
        self.worst, self.done = 0, threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while not self.done.is_set():
            asleep = time.monotonic()
            time.sleep(0.05)
            self.worst = max(self.worst, time.monotonic() - asleep - 0.05)


def dump_in(directory):
    dumps = glob.glob(os.path.join(directory, "*.bin"))
    harness.need(len(dumps) == 1, "dumps: %s" % dumps)
    return dumps[0]


def holds(report, count):
    return golang.live_at(report, SOURCE, LINE) == (count, count * BLOCK)


def wait_for(shim, directory, count):
    """The first report of a periodic snapshot in which the line holds so many blocks."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            report = shim.read(dump_in(directory))
            if holds(report, count):
                return report
        except harness.Failure:
            pass  # no snapshot yet
        time.sleep(0.1)
    raise harness.Failure("no periodic snapshot holds %d blocks" % count)


def times(shim, directory):
    dump = dump_in(directory)
    last = shim.read(dump)["snapshot"]["index"]
    snapshots = [shim.read(dump, "--snapshot", str(i))["snapshot"] for i in range(1, last + 1)]
    harness.need(all(s["trigger"] == "periodic" for s in snapshots), "triggers: %s" % [s["trigger"] for s in snapshots])
    return [s["time"] for s in snapshots]


def end_by(how, status, said):
    """Ends an idle program that took blocks in two goes; what it held is in the dump."""
    def case(shim, path):
        with tempfile.TemporaryDirectory() as cwd, Program(path, shim.environment(cwd, interval=INTERVAL)) as program:
            lateness = Lateness()
            program.take(100)
            first = wait_for(shim, cwd, 100)["snapshot"]["index"]
            while shim.read(dump_in(cwd))["snapshot"]["index"] < first + 4:
                time.sleep(0.1)
            program.take(11)
            wait_for(shim, cwd, 111)
            how(program)
            _, err = program.process.communicate(timeout=harness.TIMEOUT)
            ended = time.time()
            lateness.done.set()
            harness.need(program.process.returncode == status and said in err, "ended with %d: %r" % (program.process.returncode, err))
            report = shim.read(dump_in(cwd))
            harness.need(holds(report, 111), "the end changed the dump")
            moments = [*times(shim, cwd), ended]
            oldest = max(b - a for a, b in zip(moments, moments[1:]))
            allowed = 2 * INTERVAL + 10 * lateness.worst
            harness.need(oldest <= allowed, "%.2f s between snapshots, allowed are %.2f" % (oldest, allowed))
            print("%d snapshots, at most %.2f s apart (a sleeper was %.2f s late)" % (len(moments) - 1, oldest, lateness.worst))
    return case


def on_request(shim, path):
    with tempfile.TemporaryDirectory() as cwd, Program(path, shim.environment(cwd, interval=0)) as program:
        for total in (100, 200):
            program.take(100)
            report = shim.read(dump_in(cwd), "--request")
            harness.need(holds(report, total) and report["snapshot"]["trigger"] == "request", "on request: %s" % report["snapshot"])
        program.process.kill()
        program.process.wait()
        harness.need(holds(shim.read(dump_in(cwd)), 200), "SIGKILL changed the dump")
        print("asked while idle, without periodic snapshots: exact")


def signals_stay(shim, path):
    with tempfile.TemporaryDirectory() as cwd:
        masks = []
        for env in (harness.clean_environment(), shim.environment(cwd, interval=INTERVAL)):
            with Program(path, env) as program:
                program.take(10)
                masks.append(program.signals())
        harness.need(masks[0] == masks[1] and len(masks[0]) == 3, "signals without and with the library: %s" % masks)
        print("signals as without the library")


def test(shim):
    with tempfile.TemporaryDirectory() as place:
        path = golang.build(shim, SOURCE, place)
        for name, case in [
                ("os.Exit", end_by(lambda p: p.tell("exit"), 3, b"")), ("panic", end_by(lambda p: p.tell("no number"), 2, b"panic: ")),
                ("SIGTERM", end_by(lambda p: p.process.terminate(), -signal.SIGTERM, b"")),
                ("SIGKILL", end_by(lambda p: p.process.kill(), -signal.SIGKILL, b"")),
                ("request", on_request), ("signals", signals_stay)]:
            print(name, end=": ", flush=True)
            case(shim, path)


harness.main(test)

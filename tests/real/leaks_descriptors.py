#!/usr/bin/env python3
"""Programs that leak descriptors, and the kernel, lsof, Valgrind, strace as judges of what the report says of them.

leaks_descriptors.py LIBRARY REPORT CASE USES_DESCRIPTORS"""
import glob
import os
import re
import socket
import subprocess
import sys
import tempfile

import harness
import kernel_view

MANY = 200

CPYTHON = """
import os, resource, socket, sys, threading, time
directory, count = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 300, max(count + 300, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
kept = [open(os.path.join(directory, "file%d" % i), "w") for i in range(count)]
kept += [os.open("/dev/null", os.O_RDONLY) for i in range(7)]
server = socket.create_server(("127.0.0.1", 0))
kept += [socket.create_connection(server.getsockname()) for i in range(20)]
kept += [server.accept() for i in range(20)]
kept += os.pipe()
os.unlink(os.path.join(directory, "file0"))
threads = [threading.Thread(target=time.sleep, args=(1000,), daemon=True) for i in range(5)]
[t.start() for t in threads]
print("ready", flush=True)
for line in sys.stdin:
    work = [bytes(i) for i in range(600)]
    print("done", flush=True)
os._exit(0)
"""


def functions(site):
    return [f["function"] for f in site["frames"]]


def sites_of(report, rows):
    by_id = {s["id"]: s for s in report["sites"]}
    return [by_id[r["site"]] for r in rows]


class Python:
    """A Python program that goes on by a step for each line it gets."""

    def __init__(self, env, *arguments):
        python = harness.program("/usr/bin/python3", "python3")
        self.process = subprocess.Popen([python, "-c", CPYTHON, *arguments], env=dict(env, PYTHONMALLOC="malloc"),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        harness.need(self.process.stdout.readline() == b"ready\n", "python does not come up")

    def keep_busy(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def python_and_report(shim, count):
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as dumps:
        with Python(shim.environment(dumps, interval=3600), directory, str(count)) as python:
            pid = python.process.pid
            dump = kernel_view.running_dump(dumps, pid, python.keep_busy)
            report = kernel_view.compare(shim, pid, dump, python.keep_busy)
            harness.need(report["kernel"]["vanished_descriptors"] == 0, "kernel: %s" % report["kernel"])
            return report, len(os.listdir("/proc/%d/task" % pid)), lsof(pid, os.path.realpath(dump))


def lsof(pid, dump):
    """Numbers that lsof lists, without the library's own."""
    done = subprocess.run([harness.program("lsof", "lsof"), "-nP", "-p", str(pid), "-F", "fn"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=harness.TIMEOUT, check=False)
    found = re.findall(r"^f(\d+)\nn(.*)$", done.stdout.decode(), re.MULTILINE)
    return {int(fd) for fd, name in found if not name.startswith("/memfd:leaktrack-control") and name != dump
            and name != os.path.join(os.path.dirname(dump), "log")}


def cpython(shim, _):
    report, threads, by_lsof = python_and_report(shim, 30)
    rows = report["descriptors"]
    files = [r for r in rows if r["kind"] == "file" and os.path.basename(r["path"] or "").startswith("file")]
    harness.need(len(files) == 30 and sum(r["deleted"] for r in files) == 1, "%d files" % len(files))
    harness.need(all(r["site"] for r in files), "files of %s" % {r["site"] for r in files})
    links = [r for r in rows if r["kind"] == "socket"]
    states = sorted(r["state"] for r in links)
    harness.need(states == ["ESTABLISHED"] * 40 + ["LISTEN"], "sockets: %s" % states)
    harness.need(all(r["site"] for r in links), "sockets of %s" % {r["site"] for r in links})
    harness.need({r["fd"] for r in rows} == by_lsof, "lsof: %s" % sorted(by_lsof))
    running = [t for t in report["threads"] if t["running"]]
    harness.need(len(running) == threads == report["kernel"]["threads"], "%d threads, the kernel lists %d" % (
        len(running), threads))
    started = [t for t in running if not t["main"]]
    harness.need(len(started) == 5 and all(t["site"] for t in started), "threads: %s" % started)
    harness.need(len({t["site"] for t in started}) <= 2, "threads started at %s" % {t["site"] for t in started})
    print("cpython: %d descriptors, %d threads as the kernel and lsof list them" % (len(rows), threads))


def ten_thousand(shim, _):
    report, _, _ = python_and_report(shim, 10000)
    rows = [r for r in report["descriptors"] if r["kind"] == "file" and r["path"].rsplit("/", 1)[1].startswith("file")]
    harness.need(len(rows) == 10000 and all(r["site"] for r in rows), "%d files" % len(rows))
    took = {k: v for k, v in report["statistics"].items() if "snapshot" in k}
    print("10,000 files: %d descriptors; %s" % (len(report["descriptors"]), took))


def dump_of(shim, dumps, *options):
    found = glob.glob(os.path.join(dumps, "*.bin"))
    harness.need(len(found) == 1, "dumps: %s" % found)
    return shim.read(found[0], *options), found[0]


def first_lines(shim, dump, count):
    done = subprocess.run([shim.report, dump], stdout=subprocess.PIPE, timeout=harness.TIMEOUT, check=True)
    return "\n".join(done.stdout.decode().splitlines()[:count])


def check_answer(shim, dumps, by, peer):
    """The report's first lines name the state, the peer, the number and who made them."""
    report, dump = dump_of(shim, dumps)
    rows = [r for r in report["descriptors"] if r["state"] == "CLOSE_WAIT"]
    harness.need(len(rows) == MANY, "%d sockets in CLOSE_WAIT" % len(rows))
    for row, site in zip(rows, sites_of(report, rows)):
        harness.need(functions(site)[0] == by, "made by %s" % functions(site)[:2])
        harness.need(row["peer"] and row["local"] and row["protocol"] == "tcp", "row: %s" % row)
    head = first_lines(shim, dump, 25)
    for word in ("CLOSE_WAIT", str(MANY), *peer, by):
        harness.need(word in head, "%r is not in the first lines:\n%s" % (word, head))
    print(head)


def close_wait(shim, program):
    with tempfile.TemporaryDirectory() as dumps, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with subprocess.Popen([program, "client", str(port), str(MANY)], env=shim.environment(dumps)) as client:
            for _ in range(MANY):
                server.accept()[0].close()
        harness.need(client.returncode == 0, "the client ended with %d" % client.returncode)
        check_answer(shim, dumps, "connect_and_forget", ["127.0.0.1:%d" % port])
    with tempfile.TemporaryDirectory() as dumps:
        with subprocess.Popen([program, "server", str(MANY)], env=shim.environment(dumps), stdout=subprocess.PIPE) as server:
            port = int(server.stdout.readline())
            for _ in range(MANY):
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
        harness.need(server.returncode == 0, "the server ended with %d" % server.returncode)
        check_answer(shim, dumps, "accept_and_forget", ["127.0.0.1"])


def exhausted(shim, program):
    """A single-threaded program that has no descriptor left, nor has its snapshot."""
    with tempfile.TemporaryDirectory() as dumps:
        status, _, err = harness.run([program, "exhaust", "100"], shim.environment(dumps), dumps)
        harness.need(status == 0, "exit %d %s" % (status, err))
        report, dump = dump_of(shim, dumps)
        head = first_lines(shim, dump, 8)
    rows = report["descriptors"]
    opened = [r for r in rows if r["path"] == "/etc/passwd"]
    harness.need(report["kernel"]["open_files"] == len(rows) and all(r["inode"] for r in rows), "rows: %s" % rows[:5])
    harness.need(len(opened) >= 90 and all(r["site"] for r in opened), "%d files opened" % len(opened))
    harness.need("EMFILE" in head and "exhaust" in head, "the first lines say nothing of it:\n" + head)
    print(head)


def valgrind(shim, program):
    """The same number of descriptors is open at exit in Valgrind's eyes."""
    script = "import os, socket\nk = [os.open('/dev/null', 0) for i in range(9)] + [socket.socket() for i in range(4)]\nos.dup(0)\n"
    for command in ([program, "leave", "10"], [program, "pairs", "10"],
                    [harness.program("perl", "perl"), "-e", "open($f[$_], '<', '/dev/null') for 1..12; pipe(A, B);"],
                    [harness.program("/usr/bin/python3", "python3"), "-c", script]):
        with tempfile.TemporaryDirectory() as dumps, tempfile.NamedTemporaryFile("r") as log:
            status, _, err = harness.run(command, shim.environment(dumps), dumps)
            harness.need(status == 0, "%s: exit %d %s" % (command, status, err))
            ours = len(dump_of(shim, dumps)[0]["descriptors"])
            harness.run([harness.program("valgrind", "valgrind"), "--tool=none", "--track-fds=yes", "--log-file=" + log.name,
                         *command], harness.clean_environment(), dumps)
            said = log.read()
        theirs = int(re.search(r"FILE DESCRIPTORS: (\d+) open", said).group(1)) - said.count(": " + log.name)
        harness.need(ours == theirs, "%s: %d descriptors, Valgrind says %d" % (command, ours, theirs))
        print("%s: %d descriptors are open at exit" % (os.path.basename(command[0]), ours))


def without_debug_information(path, directory):
    """A copy: Valgrind 3.19 complains of DWARF as clang writes it, and gives up."""
    copy = os.path.join(directory, os.path.basename(path))
    status, _, err = harness.run([harness.program("strip", "binutils"), "-g", "-o", copy, path],
                                 harness.clean_environment(), directory)
    harness.need(status == 0, "strip: %s" % err.decode())
    return copy


def memcheck(shim, program):
    """Valgrind finds no fault with the library: the same exit code, the same output, not a line more."""
    with tempfile.TemporaryDirectory() as cwd:
        command = [harness.program("valgrind", "valgrind"), "-q", "--error-exitcode=9",
                   without_debug_information(program, cwd), "leave", "10"]
        env = shim.environment(cwd)
        env["LD_PRELOAD"] = without_debug_information(shim.library, cwd)
        bare = harness.run(command, harness.clean_environment(), cwd)
        under = harness.run(command, env, cwd)
        harness.need(bare[0] == 0 and under == bare, "bare: %s\nunder the shim: %s" % (bare, under))
        dumps = glob.glob(os.path.join(cwd, "memcheck*.bin"))  # that of the program; Valgrind's launcher leaves one, too
        harness.need(len(dumps) == 1 and len(shim.read(dumps[0])["descriptors"]) >= 10, "recorded: %s" % dumps)
        print("memcheck has nothing to say")


def strace(shim, program):
    """Between the first and the last of a thousand rounds there is no system call but the program's own."""
    with tempfile.TemporaryDirectory() as cwd:
        log = os.path.join(cwd, "calls")
        command = [harness.program("strace", "strace"), "-f", "-qq", "-o", log]
        env = shim.environment(cwd, interval=0)
        for name in ("LD_PRELOAD", *(k for k in env if k.startswith("LEAKTRACK_"))):
            command += ["-E", "%s=%s" % (name, env[name])]
        status, _, err = harness.run([*command, program, "pairs", "1000"], harness.clean_environment(), cwd)
        harness.need(status == 0, "strace: exit %d %s" % (status, err))
        with open(log, encoding="utf-8", errors="replace") as file:
            calls = re.findall(r"^\d+ +(\w+)\((.*)$", file.read(), re.MULTILINE)
    rounds = [i for i, (_, arguments) in enumerate(calls) if '"/dev/null"' in arguments]
    names = [name for name, _ in calls[rounds[1]:rounds[-1]]]  # the first round learns how to unwind
    looks = names.count("getpid")  # each few seconds: is this a forked child?
    names = [name for name in names if name != "getpid"]
    expected = ["openat", "dup", "socket", "pipe2" if "pipe2" in names else "pipe", *["close"] * 5]
    other = [name for name in names if name not in expected]
    harness.need(len(rounds) == 1000 and names == expected * 998 and looks < 10, "%d rounds made %d calls, these besides: %s" % (
        len(rounds), len(names), other))
    print("998 rounds: %d system calls, all of them the program's own" % len(names))


CASES = {"cpython": cpython, "ten_thousand": ten_thousand, "close_wait": close_wait, "exhausted": exhausted,
         "valgrind": valgrind, "memcheck": memcheck, "strace": strace}
harness.main(lambda shim: CASES[sys.argv[3]](shim, os.path.abspath(sys.argv[4])))

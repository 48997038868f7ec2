"""What the tests of the life cycle share: run a program without and with the shim, read its dumps, ask for a snapshot."""
import collections
import contextlib
import glob
import json
import mmap
import os
import struct
import subprocess
import time

PATIENCE = float(os.environ.get("LEAKTRACK_TEST_TIMEOUT", "60"))
LEAK = (1000, 37000)  # what leak_a_thousand() of busy.h holds

LIBRARY = REPORT = PROGRAMS = ""  # set by life.py
Done = collections.namedtuple("Done", "status out err")
Dump = collections.namedtuple("Dump", "path name report incomplete")


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def need(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def as_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")


def environment(shim=True, **options):
    env = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}
    if shim:
        env.update(LD_PRELOAD=LIBRARY, LEAKTRACK_OUTPUT=os.path.abspath("%e.%p.bin"), LEAKTRACK_LOG=os.path.abspath("log"))
        env.update({"LEAKTRACK_" + key.upper(): str(value) for key, value in options.items()})
    return env


def program(name):
    path = os.path.join(PROGRAMS, name)
    need(os.access(path, os.X_OK), "no program %s", path)
    return path


def start(name, *arguments, env=None, **options):
    return subprocess.Popen([program(name), *arguments], env=env or environment(**options), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failure("hangs: %r, stdout %r, stderr %r, log: %s" % (process.args, out, err, log()))
    return Done(process.returncode, out.decode(), err.decode())


def run(name, *arguments, **options):
    return finish(start(name, *arguments, **options))


def unchanged(name, *arguments, in_directory=True, **options):
    """Runs a program without and with the shim, each in a directory of its own; output and status must be the same."""
    home = os.getcwd()
    results = []
    for shim in (False, True):
        env = environment(shim, **options) if shim else environment(False)
        os.makedirs("shim" if shim else "bare", exist_ok=True)
        os.chdir("shim" if shim else "bare")
        try:
            results.append(run(name, *arguments, env=env))
        finally:
            os.chdir(home)
    bare, shimmed = results
    if bare.status == 77:
        raise Skipped("%s says that it can't be done here" % name)
    need(bare == shimmed, "without the shim %r, with it %r; log: %s", bare, shimmed, log())
    need(bare.status not in (96, 97, 98, 99), "the program itself failed: %r", bare)
    return shimmed


def log():
    with contextlib.suppress(FileNotFoundError), open("log", encoding="utf-8") as file:
        return file.read()
    return ""


def read(path, *options):
    done = subprocess.run([REPORT, "--format", "json", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode in (0, 4), "report of %s: exit %d: %s; log: %s", path, done.returncode, done.stderr.decode(), log())
    return Dump(path, os.path.basename(path), json.loads(done.stdout), done.returncode == 4)


def dumps(pattern="*.bin*"):
    """Every dump that holds a snapshot, oldest process first."""
    found = [read(path) for path in glob.glob(pattern)]
    return sorted(found, key=lambda dump: dump.report["process"]["start_time"])


def remove_dumps():
    for path in glob.glob("*.bin*"):
        os.unlink(path)


def only(found):
    need(len(found) == 1, "%d dumps, expected one: %s; log: %s", len(found), [d.name for d in found], log())
    return found[0]


def of_pid(found, pid):
    return only([d for d in found if d.report["process"]["pid"] == pid])


def held(dump, function):
    """(blocks, bytes) live at sites with a frame in that function."""
    sites = [s for s in dump.report["sites"] if any(f["function"] == function for f in s["frames"])]
    return (sum(s["live_count"] for s in sites), sum(s["live_bytes"] for s in sites))


def check_held(dump, function="leak_a_thousand", expected=LEAK):
    have = held(dump, function)
    need(have == expected, "%s: %s holds %s, expected %s; log: %s", dump.name, function, have, expected, log())


def snapshot(dump):
    return dump.report["snapshot"]


def check_trigger(dump, trigger):
    have = snapshot(dump)["trigger"]
    need(have == trigger, "%s: last snapshot is %s, expected %s; log: %s", dump.name, have, trigger, log())


def check_accounts(dump):
    total = dump.report["totals"]["heap"]
    heap = sum(s["live_count"] for s in dump.report["sites"] if s["kind"] == "heap")
    need(heap == total["live_count"], "%s: sites are not the total", dump.name)


def control_of(pid, descriptor_range=range(1000, 1024)):
    """The control page of a process, by the descriptor's name as a person would look for it."""
    for fd in descriptor_range:
        with contextlib.suppress(OSError):
            if os.readlink("/proc/%d/fd/%d" % (pid, fd)).startswith("/memfd:leaktrack-control"):
                return mmap.mmap(os.open("/proc/%d/fd/%d" % (pid, fd), os.O_RDWR), 4096)
    raise Failure("process %d has no control page; log: %s" % (pid, log()))


def ask(pid):
    """Asks by the page itself (layout: src/dump/control.h) and waits; the snapshot's result."""
    page = control_of(pid)
    magic, version, owner, _, request = struct.unpack_from("<QIIQI", page)
    need(magic == 0x4c52544b54524b4c and version == 1 and owner == pid, "strange page: %x %d %d", magic, version, owner)
    struct.pack_into("<I", page, 24, request + 1)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        acknowledged, result = struct.unpack_from("<Ii", page, 28)
        if acknowledged == request + 1:
            return result
        time.sleep(0.01)
    raise Failure("nobody answers; log: %s" % log())


def said_leaked(process):
    need(process.stdout.readline() == b"leaked\n", "the program did not come up")

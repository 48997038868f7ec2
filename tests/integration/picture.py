#!/usr/bin/env python3
"""The picture of a process against an outside judge: what /proc/PID says of a victim that stands still is compared with the
rows of a snapshot that it was asked for, read by tests/golden/read_dump.py. One case per function named `case_`; the victim
is picture_victim.c.

    picture.py LIBRARY VICTIM CASE      runs one case in an empty directory; exit 0 passed, 1 failed, 77 skipped
    picture.py --list                   names the cases
"""
import glob
import os
import subprocess
import sys
import tempfile
import time

import shim
from shim import Failure, Skipped, ask, as_root, environment, need

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import read_dump  # noqa: E402 (the other reader)

PAGE = 4096
CLASSES = ("anonymous", "file", "module", "heap", "stack", "thread stack", "malloc arena", "shared memory", "kernel", "leaktrack",
           "malloc block", "libc")
CALL, DUP, RECEIVED, INHERITED, UNATTRIBUTED = range(5)
RUNS, DETACHED, MAIN = 1, 2, 4
OWN = 9
VICTIM = ""


class Victim:
    def __init__(self, case, **options):
        env = environment(**{"interval": 0, **options})
        self.process = subprocess.Popen([VICTIM, case], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid, self.numbers = self.process.pid, []
        self.snapshot = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def hear(self, word):
        said = self.process.stdout.readline().decode().split()
        need(said and said[0] == word, "the victim says %s instead of %s", said, word)
        self.numbers = [int(number) for number in said[1:]]
        return self

    def take(self):
        """Asks for a snapshot and reads it: for two, since the first one takes memory that the library keeps."""
        for _ in range(2):
            need(self.process.poll() is None, "the victim died: %s; log: %s", self.process.returncode, shim.log())
            need(ask(self.pid) == 0, "no snapshot; log: %s", shim.log())
        return self.read()

    def wait(self):
        """Waits for two more periodic snapshots: the second one began after the call."""
        end, wanted = time.monotonic() + shim.PATIENCE, self.read()["index"] + 2 if glob.glob("*.bin") else 2
        while self.read()["index"] < wanted:
            need(time.monotonic() < end, "no periodic snapshot; log: %s", shim.log())
            time.sleep(0.1)

    def read(self):
        paths = glob.glob("*.bin")
        need(len(paths) == 1, "dumps: %s", paths)
        with open(paths[0], "rb") as file:
            dump = read_dump.Dump(file.read())
        dump.read()
        self.snapshot = dump.snapshots[-1] if dump.snapshots else {"index": 0}
        return self.snapshot

    def counter(self, name):
        return dict((n.decode(), value) for group, n, value in self.snapshot["counters"] if group == 3)[name]

    def live(self, kind):
        return self.snapshot["totals"].get(read_dump.KINDS.index(kind), [0] * 8)[0]

    def row(self, fd):
        rows = [row for row in self.snapshot["descriptors"] if row["fd"] == fd]
        need(len(rows) <= 1, "descriptor %d has %d rows", fd, len(rows))
        return rows[0] if rows else None


def check_sums(victim):
    for kind, (live, live_bytes, alloc, alloc_bytes, released, released_bytes, *_) in victim.snapshot["totals"].items():
        count, size = alloc - released - live, alloc_bytes - released_bytes - live_bytes
        # where the snapshot has a thread of its own, the victim's block of 10 bytes comes or goes meanwhile
        is_of_standing_still = read_dump.KINDS[kind] == "heap" and abs(count) == 1 and size == 10 * count
        need(count == size == 0 or is_of_standing_still, "%s: %d/%d - %d/%d is not %d/%d",
             read_dump.KINDS[kind], alloc, alloc_bytes, released, released_bytes, live, live_bytes)
    need(victim.counter("reconciled") == 1, "not reconciled")


def own_descriptors(pid, directory):
    for fd in os.listdir(directory):
        target = os.readlink("%s/%s" % (directory, fd))
        if target.startswith("/memfd:leaktrack-control") or target.endswith(".%d.bin" % pid):
            yield int(fd)


def check_descriptors(victim, tid=None):
    directory = "/proc/%d/task/%d/fd" % (victim.pid, tid or victim.pid)
    judge = set(map(int, os.listdir(directory))) - set(own_descriptors(victim.pid, directory))
    rows = {row["fd"]: row for row in victim.snapshot["descriptors"]}
    need(judge == set(rows), "open but not shown: %s; shown but not open: %s", judge - set(rows), set(rows) - judge)
    need(victim.counter("open_files") == len(judge), "%d open files are told", victim.counter("open_files"))
    for fd, row in rows.items():
        target = os.readlink("%s/%d" % (directory, fd))
        shown = row["target"].decode() or "%s:[%d]" % (read_dump.KINDS[row["kind"]], row["details"]["inode"])
        need(target.replace(" (deleted)", "") == shown, "%d leads to %s, shown is %s", fd, target, shown)


def check_mappings(victim):
    """Page ranges: all that the judge sees is in a row with its rights; all rows but the library's own are there."""
    with open("/proc/%d/maps" % victim.pid, encoding="utf-8") as maps:
        lines = [line.split()[:2] for line in maps]
    judge = []
    for limits, rights in lines:
        start, end = (int(limit, 16) for limit in limits.split("-"))
        judge.append((start, end, 4 * (rights[0] == "r") + 2 * (rights[1] == "w") + (rights[2] == "x"), rights[3] == "s"))
    rows = [(row["start"], row["start"] + row["length"], row["protection"], bool(row["flags"] & 1), row["class"])
            for row in victim.snapshot["mappings"]]
    edges = sorted({edge for one in judge + rows for edge in one[:2]})
    cover = {"judge": {}, "rows": {}}
    for name, ranges in (("judge", judge), ("rows", rows)):
        at = 0
        for one in ranges:
            need(one[0] < one[1], "%s: empty range", name)
            while edges[at] < one[0]:
                at += 1
            while edges[at] < one[1]:
                need(edges[at] not in cover[name], "%s: %#x is there twice", name, edges[at])
                cover[name][edges[at]] = one[2:]
                at += 1
    for edge in edges[:-1]:
        seen, shown = cover["judge"].get(edge), cover["rows"].get(edge)
        if seen is None and shown is not None:
            need(shown[2] == OWN, "%#x is shown (%s) and not mapped", edge, shown)
        elif seen is not None:
            need(shown is not None, "%#x is mapped (%s) and not shown", edge, seen)
            need(shown[:2] == seen or shown[2] == OWN, "%#x is %s, shown is %s", edge, seen, shown)


def class_of(row):
    return CLASSES[row["class"]]


def held(victim, start, pages):
    """Bytes of the range in rows with a holder, and in those without."""
    rows = [row for row in victim.snapshot["mappings"] if start <= row["start"] < start + pages * PAGE]
    known = sum(row["length"] for row in rows if row["holder"][0])
    return known, sum(row["length"] for row in rows) - known


def check_threads(victim):
    judge = set(map(int, os.listdir("/proc/%d/task" % victim.pid)))
    rows = [row for row in victim.snapshot["threads"] if row["flags"] & RUNS]
    need({row["tid"] for row in rows} == judge, "running: %s, shown: %s", judge, rows)


def check_all(victim):
    check_sums(victim)
    check_descriptors(victim)
    check_mappings(victim)
    check_threads(victim)


def case_raw_calls():
    with Victim("raw") as victim:
        unknown, closed, replaced = victim.hear("ready").numbers
        victim.take()
        check_all(victim)
        need(victim.row(unknown)["origin"] == UNATTRIBUTED, "a raw open is %s", victim.row(unknown))
        need(victim.row(closed) is None, "a raw close is not noticed")
        need(victim.row(replaced)["origin"] == UNATTRIBUTED and victim.row(replaced)["kind"] == 5, "%s", victim.row(replaced))
        need(victim.counter("vanished_descriptors") == 2, "%d vanished", victim.counter("vanished_descriptors"))


def case_ten_thousand_files():
    with Victim("many") as victim:
        count, last, _ = victim.hear("ready").numbers
        victim.take()
        check_descriptors(victim)
        check_sums(victim)
        need(victim.live("file") == count and victim.row(last)["origin"] == CALL, "%d files", victim.live("file"))
        need(len({row["holder"] for row in victim.snapshot["descriptors"] if row["origin"] == CALL}) <= 200, "sites differ")


def case_close_wait():
    with Victim("close_wait") as victim:
        count, port, server = victim.hear("ready").numbers
        victim.take()
        check_all(victim)
        states = [row["details"] for row in victim.snapshot["descriptors"] if row["details"].get("state") == b"CLOSE_WAIT"]
        need(len(states) == count, "%d in CLOSE_WAIT", len(states))
        need(all(d["local"] == b"127.0.0.1:%d" % port and d["peer"].startswith(b"127.0.0.1:") for d in states), "%s", states)
        need(victim.row(server)["details"]["state"] == b"LISTEN", "%s", victim.row(server))


def case_mappings():
    with Victim("mappings") as victim:
        whole, parted, gone, raw = victim.hear("ready").numbers
        victim.take()
        check_all(victim)
        need(held(victim, whole, 16) == (16 * PAGE, 0), "whole: %s", held(victim, whole, 16))
        need(held(victim, parted, 16) == (14 * PAGE, 0), "parted: %s", held(victim, parted, 16))
        need(held(victim, gone, 8) == (8 * PAGE, 0), "gone: %s", held(victim, gone, 16))
        need(held(victim, raw, 7) == (0, 7 * PAGE), "raw: %s", held(victim, raw, 7))
        need(victim.counter("vanished_mappings") == 1, "%d vanished", victim.counter("vanished_mappings"))


def case_under_load():
    with Victim("load") as victim:
        victim.hear("loaded")
        for _ in range(25):
            before = victim.take()["index"]
        victim.process.stdin.write(b"\n")
        victim.process.stdin.flush()
        files, maps, size = victim.hear("ready").numbers
        need(victim.take()["index"] == before + 2, "snapshots are missing")
        check_all(victim)
        untracked = {n: v for group, n, v in victim.snapshot["counters"] if group == 1 and v and b"busy" in n}
        need(victim.live("file") == files, "%d files are held, %d live", files, victim.live("file"))
        if not untracked:  # whose lock could not be had on a busy machine are unattributed
            need(victim.live("mapping") == maps, "%d mappings of %d bytes, %d live", maps, size, victim.live("mapping"))
            need(victim.live("thread") == 0, "%d threads live", victim.live("thread"))
            need(victim.counter("vanished_threads") == 0, "threads vanished, and all were joined in sight")
        for what in ("descriptors", "mappings"):
            need(victim.counter("vanished_" + what) == 0, "%s vanished", what)


def case_main_thread_has_left():
    with Victim("leave", interval=1) as victim:  # nobody finds the control page of a main thread that has left
        tid, fd, _ = victim.hear("ready").numbers
        victim.wait()
        check_sums(victim)
        check_descriptors(victim, tid)
        check_threads(victim)
        need(victim.live("file") == 2 and victim.row(fd)["origin"] == CALL, "files: %s", victim.snapshot["descriptors"])


def case_without_proc():
    as_root()
    with Victim("without_proc") as victim:
        fd, *_ = victim.hear("ready").numbers
        victim.take()
        need(victim.counter("reconciled") == 0, "reconciled without /proc")
        need(victim.row(fd)["origin"] == CALL and victim.live("file") == 2, "%s", victim.snapshot["descriptors"])


def case_threads():
    with Victim("threads") as victim:
        running, ended, size = victim.hear("ready").numbers
        victim.take()
        check_all(victim)
        rows = victim.snapshot["threads"]
        idle = [row for row in rows if row["origin"] == CALL and row["flags"] == RUNS]
        need(len(idle) == running and all(row["stack"] == size for row in idle), "running: %s", idle)
        need(len([row for row in rows if row["flags"] == 0]) == ended, "ended: %s", rows)
        need(victim.live("thread") == running + ended, "%d live", victim.live("thread"))


def case_resident_dumper():
    with Victim("threads", dumper="thread") as victim:
        victim.hear("ready")
        victim.take()
        check_sums(victim)
        check_descriptors(victim)
        judge = len(os.listdir("/proc/%d/task" % victim.pid))
        need(victim.counter("threads") == judge - 1, "the library's own thread is counted")


def case_what_libc_maps():
    with Victim("libc") as victim:
        raw, size = victim.hear("ready").numbers
        victim.take()
        check_all(victim)
        named = [class_of(row) for row in victim.snapshot["mappings"]]
        unknown = [row for row in victim.snapshot["mappings"]
                   if row["origin"] == UNATTRIBUTED and class_of(row) in ("anonymous", "file", "shared memory")]
        need([(row["start"], row["length"]) for row in unknown] == [(raw, size)], "unattributed: %s", unknown)
        need(named.count("malloc block") == 4, "%d large blocks", named.count("malloc block"))
        need(named.count("libc") >= 2 and named.count("thread stack") >= 2, "%s", named)


def case_own_table():
    with Victim("own_table") as victim:
        need(victim.process.wait(shim.PATIENCE) == 0, "the victim failed")
        victim.read()
        check_sums(victim)
        files = [row for row in victim.snapshot["descriptors"] if row["origin"] == CALL]
        need(len(files) == 1 and victim.live("file") == 1, "files: %s", files)
        need(victim.counter("vanished_descriptors") == 0, "%d vanished", victim.counter("vanished_descriptors"))


CASES = {name[5:]: function for name, function in globals().items() if name.startswith("case_")}


def main():
    global VICTIM
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    shim.LIBRARY, VICTIM = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            CASES[sys.argv[3]]()
        except Skipped as reason:
            print("SKIPPED: %s" % reason)
            return 77
        except Failure as failure:
            print("FAILED: %s" % failure)
            return 1
        finally:
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The kernel's list of a process's mappings and threads, seen from outside, and a report held against it."""
import os
import re

import harness


def mappings(pid):
    """[(start, end, protection, flags, path)] without those that the kernel puts into every process."""
    found = []
    with open("/proc/%d/maps" % pid, encoding="utf-8", errors="backslashreplace") as file:
        for line in file:
            start, end, prot, path = re.fullmatch(r"(\w+)-(\w+) (\S+) \w+ \S+ \d+ *(.*)\n", line).groups()
            if path != "[vsyscall]":
                found.append((int(start, 16), int(end, 16), prot[:3], "shared" if prot[3] == "s" else "private", path))
    return found


def threads(pid):
    """{number: name} without the library's own."""
    found = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, tid), encoding="utf-8") as file:
            found[int(tid)] = file.read().rstrip("\n")
    return {tid: name for tid, name in found.items() if name != "leaktrack"}


def inside(row, listed):
    """The kernel's line that holds the whole row, or None."""
    for line in listed:
        if line[0] <= row["address"] and row["address"] + row["length"] <= line[1]:
            return line
    return None


def check_mappings(report, listed):
    """Every row lies in a line of the kernel's with the same protection and name; every line is covered by rows. What the
    library maps for the length of a snapshot is not there before and after."""
    rows = [r for r in report["mappings"] if r["path"] != "[vsyscall]"]
    for before, row in zip(rows, rows[1:]):
        harness.need(before["address"] + before["length"] <= row["address"], "rows overlap: %s %s" % (before, row))
    for row in rows:
        line = inside(row, listed)
        harness.need(line or row["class"] == "leaktrack", "invented: %s" % row)
        if line:
            told, listed_as = (row["prot"], row["flags"], row["path"] or ""), (line[2], line[3], line[4])
            harness.need(told == listed_as or row["class"] == "leaktrack", "%s is %s" % (row, listed_as))
        of_allocator = "allocator" in report and row["class"] == "malloc arena"  # all of them are one line
        known = row["origin"] not in ("inherited", "unattributed") and not of_allocator
        harness.need((row["site"] is not None) == known, "origin %s, site %s" % (row["origin"], row["site"]))
    for line in listed:
        at = line[0]
        for row in rows:
            if row["address"] <= at < row["address"] + row["length"]:
                at = row["address"] + row["length"]
        harness.need(at >= line[1], "missing from %x of %x-%x %s" % (at, line[0], line[1], line[4]))


def check_threads(report, listed):
    running = {t["tid"]: t["name"] for t in report["threads"] if t["running"]}
    harness.need(running == listed, "threads: %s, the kernel lists %s" % (running, listed))
    harness.need(report["kernel"]["threads"] == len(listed), "kernel: %s" % report["kernel"])

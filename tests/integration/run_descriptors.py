#!/usr/bin/env python3
"""Runs a program of tests/programs/descriptors without and with the shim, and holds its report against the kernel, as the
program itself has listed it at its end (listing.h), and against the program's own words.

    run_descriptors.py LIBRARY REPORT SOURCE PROGRAM      exit 0 passed, 1 failed, 77 skipped by the program

A program says in comments what must be found:

    dup(fd); // HOLDS 2 pipe origin=dup via=stream        descriptors whose call stack has this line; more after a comma
    close(fd); // MISUSE 1 not open                       misuses of this line: "not open", "stream", "directory"
    // run: 3 loop                                        arguments; one run per such line (default: one without any)
    // dumps: 2   unattributed: 1   vanished: 1           each on a line of its own; defaults 1, 0, 0
    // misuses: any                                       do not compare misuses
    // kinds: file,event                                  LEAKTRACK_KINDS; sites and rows must be of these
    // untracked: yes                                     events may be counted untracked

Counts may be expressions of `n`, the first argument. Compared: the report lists the numbers that the kernel lists, without
the library's own, and their targets; what has a call stack in the source has it on a marked line; per kind, acquired -
released = live, and no more is live than rows are attributed.
"""
import collections
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile

PATIENCE = float(os.environ.get("LEAKTRACK_TEST_TIMEOUT", "100"))
KINDS = ("file", "directory", "socket", "pipe", "event")


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def need(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def directives(source, word):
    return re.findall(r"^// %s: (.*)$" % word, source, re.M)


def directive(source, word, default):
    return (directives(source, word) or [default])[0]


def marks(source, word, n):
    """{(line, what ...): count}"""
    found = collections.Counter()
    for number, line in enumerate(source.splitlines(), 1):
        for mark in (re.search(r"// %s (.*)$" % word, line) or [None, ""])[1].split(", "):
            if mark:
                count, *what = mark.split(" ")
                found[(number, " ".join(sorted(what)))] += int(eval(count, {"__builtins__": {}}, {"n": n}))
    return +found


def run(program, arguments, cwd, environment):
    done = subprocess.run([program, *arguments], env=environment, cwd=cwd, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    while True:  # what it left behind ends up here (subreaper)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    if done.returncode == 77:
        raise Skipped("the program says that it can't be done here")
    return done.returncode, done.stdout, done.stderr


def read_report(tool, dump):
    done = subprocess.run([tool, "--format", "json", "--top", "0", dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode == 0, "leaktrack-report: exit %d, %s", done.returncode, done.stderr.decode())
    return json.loads(done.stdout)


def line_of(frames, source_name):
    own = [f for f in frames if f["file"] and os.path.basename(f["file"]) == source_name]
    return own[0]["line"] if own else None


def listing(cwd, pid):
    with open(os.path.join(cwd, "listing.%d" % pid), encoding="utf-8") as file:
        rows = dict(line.rstrip("\n").split(" ", 1) for line in file)
    ours = (os.path.join(os.path.realpath(cwd), "dump."), "/memfd:leaktrack-control")
    return {int(fd): target for fd, target in rows.items() if not target.startswith(ours)}


def check_against_kernel(report, kernel):
    rows = {row["fd"]: row for row in report["descriptors"]}
    need(sorted(rows) == sorted(kernel), "listed %s, and the kernel lists %s", sorted(rows), sorted(kernel))
    need(report["kernel"]["open_files"] == len(kernel), "%d open files, and the kernel lists %d",
         report["kernel"]["open_files"], len(kernel))
    for fd, row in rows.items():
        target = kernel[fd]
        if target.startswith("/"):
            need(target.removesuffix(" (deleted)") == (row["path"] or "").removesuffix(" (deleted)"),
                 "descriptor %d leads to %s, and the report says %s", fd, target, row["path"])
        else:
            kind = {"socket": "socket", "pipe": "pipe", "anon_inode": "event"}[target.split(":")[0]]
            need(row["kind"] == kind, "descriptor %d is %s, and the report says %s", fd, target, row["kind"])


def check_kinds(report, kinds):
    seen = {row["kind"] for row in report["descriptors"] + report["sites"]}
    need(seen <= set(kinds.split(",")), "kinds %s, told to record %s", seen, kinds)


def check_numbers(report, source):
    origins = collections.Counter(row["origin"] for row in report["descriptors"])
    wanted = int(directive(source, "unattributed", "0"))
    need(origins["unattributed"] == wanted, "%d unattributed, expected %d: %s", origins["unattributed"], wanted,
         [row for row in report["descriptors"] if row["origin"] == "unattributed"])
    need(report["kernel"]["vanished_descriptors"] == int(directive(source, "vanished", "0")), "vanished: %d",
         report["kernel"]["vanished_descriptors"])
    lost = {k: v for k, v in report["untracked"].items() if v}
    need("yes" in directives(source, "untracked") or not lost, "untracked: %s", lost)
    attributed = sum(1 for row in report["descriptors"] if row["site"])
    totals = [report["totals"][kind] for kind in KINDS if kind in report["totals"]]
    for total in totals:
        need(total["alloc_count"] - total["release_count"] == total["live_count"], "acquired - released is not live: %s", total)
    need(sum(total["live_count"] for total in totals) == attributed, "%s live, %d rows attributed", totals, attributed)


def rows_by_line(report, name):
    sites = {site["id"]: site for site in report["sites"]}
    found = collections.Counter()
    for row in report["descriptors"]:
        if not row["site"]:
            continue
        need(row["site"] in sites, "descriptor %d has a site that is not there", row["fd"])
        what = [row["kind"]]
        if row["origin"] != "call":
            what.append("origin=" + row["origin"])
        if row["via"]:
            what.append("via=" + row["via"])
        found[(line_of(sites[row["site"]]["frames"], name), " ".join(sorted(what)))] += 1
    return found


def misuses_by_line(report, name):
    words = {"not open": "not open", "stream's": "stream", "directory": "directory"}
    found = collections.Counter()
    for row in report["misuses"]:
        word = [value for key, value in words.items() if key in row["what"]][-1:] or [row["what"]]
        found[(line_of(row["frames"], name), " ".join(sorted(word[0].split(" "))))] += row["count"]
    return found


def one_run(library, tool, path, program, arguments):
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    n = int(arguments[0]) if arguments and arguments[0].isdigit() else 0
    plain = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}
    with tempfile.TemporaryDirectory() as bare, tempfile.TemporaryDirectory() as cwd:
        log = os.path.join(cwd, "log")
        expected = run(program, arguments, bare, plain)
        need(expected[0] == 0, "without the shim: %s", expected)
        kinds = directive(source, "kinds", "")
        done = run(program, arguments, cwd, dict(plain, LD_PRELOAD=library, LEAKTRACK_LOG=log, LEAKTRACK_KINDS=kinds,
                                                 LEAKTRACK_OUTPUT=os.path.join(cwd, "dump.%p.bin")))
        said = open(log, encoding="utf-8").read() if os.path.exists(log) else ""
        need(done == expected, "%s instead of %s; log: %s", done, expected, said)
        listings = [int(entry.split(".")[1]) for entry in os.listdir(cwd) if entry.startswith("listing.")]
        need(len(listings) == int(directive(source, "dumps", "1")), "listings of %s; log: %s", listings, said)
        held, misused = collections.Counter(), collections.Counter()
        for pid in listings:
            report = read_report(tool, os.path.join(cwd, "dump.%d.bin" % pid))
            if kinds:
                check_kinds(report, kinds)
            else:
                check_against_kernel(report, listing(cwd, pid))
            check_numbers(report, source)
            held += rows_by_line(report, name)
            misused += misuses_by_line(report, name)
        if re.search(r"// HOLDS ", source):
            need(held == marks(source, "HOLDS", n), "lines hold %s, expected %s", dict(held), dict(marks(source, "HOLDS", n)))
        if directive(source, "misuses", "") != "any":
            need(misused == marks(source, "MISUSE", n), "misuses %s, expected %s", dict(misused),
                 dict(marks(source, "MISUSE", n)))


def main():
    library, tool, path, program = map(os.path.abspath, sys.argv[1:5])
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    with open(path, encoding="utf-8") as file:
        runs = directives(file.read(), "run") or [""]
    for arguments in runs:
        try:
            one_run(library, tool, path, program, arguments.split())
        except Skipped as reason:
            print("SKIPPED: %s" % reason)
            return 77
        except (Failure, subprocess.TimeoutExpired, OSError) as failure:
            print("FAILED: %s %s: %s" % (os.path.basename(program), arguments, failure))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Each example of docs/example/go: the report must say what its line marked LEAK promises, whether the program has its
debug information or is stripped, with 1 and with 1,000 other goroutines at work (busy.go), unless it is about the memory of
the whole process.

    heap [N blocks, M bytes]         live at that line of Go
    mappings N                       of the file, unattributed (Go maps without libc)
    descriptors KIND N [STATE]       unattributed
    threads N                        running, created under a Go function
    page-cache N MiB                 no leak: the kernel keeps that much of its files, and the report's numbers of the
                                     control group say so
    kept N blocks, M bytes; K MiB    no leak: the blocks are live at that line, and malloc keeps at least K MiB beyond"""
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import golang
import harness
import memory

EXAMPLES = os.path.join(HERE, "..", "..", "docs", "example", "go")


def heap(report, source, line, words):
    count, size = golang.live_at(report, source, line)
    wanted = [int(n) for n in re.findall(r"(\d+) (?:blocks|bytes)", words)]
    harness.need(count > 0, "no block is held at line %d" % line)
    harness.need(not wanted or [count, size] == wanted, "line %d holds %d blocks, %d bytes" % (line, count, size))


def mappings(report, _source, _line, words):
    rows = [r for r in report["mappings"] if r["site"] is None and "leaktrack-mapping" in (r["path"] or "")]
    harness.need(len(rows) == int(words.split()[0]), "%d unattributed mappings of the file" % len(rows))


def descriptors(report, _source, _line, words):
    kind, count, *state = words.split()
    rows = [r for r in report["descriptors"] if r["origin"] == "unattributed" and r["kind"] == kind and
            (not state or r["state"] == state[0])]
    harness.need(int(count) <= len(rows) <= int(count) + 2, "%d unattributed %s descriptors among %s" %
                 (len(rows), kind, report["descriptors"]))
    if state:
        harness.need(all(r["peer"] and r["local"] for r in rows), "sockets without addresses: %s" % rows)


def threads(report, _source, _line, words):
    running = [t for t in report["threads"] if t["running"]]
    harness.need(len(running) > int(words.split()[0]), "%d threads run" % len(running))


def page_cache(report, source, _line, _words):
    held = [s["live_bytes"] for s in report["sites"] if s["kind"] == "heap" and
            any(os.path.basename(f["file"] or "") == os.path.basename(source) for f in s["frames"])]
    harness.need(sum(held) == 0, "main holds %s bytes of C memory" % held)


def kept(report, source, line, words):
    heap(report, source, line, words)
    wanted = int(re.search(r"(\d+) MiB", words).group(1)) << 20
    harness.need(report["resident"]["malloc_kept"] > wanted * 0.9, "malloc keeps %s" % report["resident"])
    harness.need("kept by malloc" in report["memory_findings"], "found: %s" % report["memory_findings"])


CHECKS = {"heap": heap, "mappings": mappings, "descriptors": descriptors, "threads": threads, "page-cache": page_cache,
          "kept": kept}
# Looks at the process while it stands still: (pid, report, words).
JUDGES = {"page-cache": memory.judge_page_cache, "kept": memory.judge_resident}


def build(shim, source, cwd, with_others, *options, strip):
    """In a directory of its own: Go builds together what lies together."""
    files = [shutil.copy(path, cwd) for path in (source, os.path.join(HERE, "busy.go"))]
    return golang.build(shim, files[0], cwd, *options, also=files[1:] if with_others else [], strip=strip)


def test(shim):
    source = os.path.join(EXAMPLES, sys.argv[3] + ".go")
    marks = [(*words.partition(" "), line) for words, line in golang.marked_lines(source).items()]
    harness.need(marks, "%s has no line marked LEAK" % source)

    judged = any(kind in JUDGES for kind, *_ in marks)

    def judge(pid, report):
        for kind, _, rest, _ in marks:
            if kind in JUDGES:
                JUDGES[kind](pid, report, rest)

    for options, strip in [((), False), (("-ldflags=-s -w",), True)]:
        with tempfile.TemporaryDirectory() as cwd:
            program = build(shim, source, cwd, not judged, *options, strip=strip)
            for others in [0] if judged else [1, 1000]:
                os.environ["BUSY_GOROUTINES"] = str(others)
                report = golang.snapshot(shim, [program], cwd, judge)
                for kind, _, rest, line in marks:
                    CHECKS[kind](report, source, line, rest)
                    print("%s%s, %d others: %s %s" % (sys.argv[3], " stripped" if strip else "", others, kind, rest))


harness.main(test)

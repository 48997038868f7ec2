#!/usr/bin/env python3
"""docs/example/go/fragment.go under glibc's malloc and its cures: one arena, malloc_trim, jemalloc behind the library. What
the process has in memory is read from smaps; the report must see the same, and the same live blocks each time."""
import glob
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import golang
import harness
import memory

SOURCE = os.path.join(HERE, "..", "..", "docs", "example", "go", "fragment.go")


def jemalloc():
    found = glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib/libjemalloc.so.2")
    if not found:
        harness.skip("jemalloc is not installed (Debian: libjemalloc2); tools/install-deps test installs it")
    return found[0]


def resident(shim, program, cwd, *arguments, preload="", **environment):
    """Anonymous memory of a run, by smaps. The report agrees, and shows the blocks that live."""
    [(words, line)] = golang.marked_lines(SOURCE).items()
    held = []
    os.environ.update(environment)
    library, shim.library = shim.library, " ".join(filter(None, (shim.library, preload)))
    try:
        report = golang.snapshot(shim, [program, *arguments], cwd,
                                 lambda pid, report: held.append(memory.judge_resident(pid, report)))
    finally:
        shim.library = library
        for name in environment:
            del os.environ[name]
    count, size = golang.live_at(report, SOURCE, line)
    maps = [s for s in report["sites"] if s["kind"] == "mapping" and "malloc" in (s["frames"][0]["module"] or "")]
    harness.need(not maps, "mappings of the allocator are sites: %s" % maps)
    harness.need(bool(preload) == ("allocator" in report), "allocator: %s" % report.get("allocator"))
    harness.need("%d blocks, %d bytes" % (count, size) in words, "%d blocks, %d bytes live" % (count, size))
    return held[0]


def in_front(shim, program, cwd):
    """An allocator that stands before the library is not seen, and the report says so."""
    library, shim.library = shim.library, jemalloc() + " " + shim.library
    try:
        report = golang.snapshot(shim, [program], cwd)
    finally:
        shim.library = library
    harness.need(any(note.startswith("heap not tracked") for note in report["process"]["notes"]),
                 "notes: %s" % report["process"]["notes"])
    harness.need("kept by malloc" not in report["memory_findings"], "of a heap that nobody recorded something is found")


def test(shim):
    with tempfile.TemporaryDirectory() as cwd:
        program = golang.build(shim, SOURCE, cwd)

        def run(name, *arguments, **environment):
            with tempfile.TemporaryDirectory() as dumps:
                size = resident(shim, program, dumps, *arguments, **environment)
            print("%s: %.1f MiB of anonymous memory" % (name, size / memory.MIB))
            return size

        usual = run("glibc")
        cures = {"glibc with one arena": (run("glibc with one arena", MALLOC_ARENA_MAX="1"), 2),
                 "malloc_trim": (run("malloc_trim", "trim"), 3),
                 "jemalloc": (run("jemalloc", preload=jemalloc(), MALLOC_CONF="dirty_decay_ms:0"), 3)}
        with tempfile.TemporaryDirectory() as dumps:
            in_front(shim, program, dumps)
    for name, (size, factor) in cures.items():
        harness.need(size * factor < usual, "%s: %d bytes, not below 1/%d of %d" % (name, size, factor, usual))


harness.main(test)

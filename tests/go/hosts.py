#!/usr/bin/env python3
"""Go as a library in a C program (c-shared, c-archive): the stacks of what it takes lead through Go to the host's main."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import golang
import harness

SOURCE = os.path.join(HERE, "library.go")


def link(mode, library, cwd):
    host = os.path.join(cwd, "host")
    command = [harness.program("gcc", "gcc"), "-g", "-O1", "-o", host, os.path.join(HERE, "host.c"), library, "-pthread",
               "-Wl,-rpath," + cwd]
    status, _, err = harness.run(command, harness.clean_environment(), cwd)
    harness.need(status == 0, "%s: %s" % (mode, err.decode()))
    return host


def test(shim):
    mode = sys.argv[3]
    with tempfile.TemporaryDirectory() as cwd:
        name = "libtaker." + ("so" if mode == "c-shared" else "a")
        library = golang.build(shim, SOURCE, cwd, "-buildmode=" + mode, name=name)
        report = golang.snapshot(shim, [link(mode, library, cwd)], cwd, dumper="thread")
    line = golang.marked_lines(SOURCE)["from a host in C"]
    live = golang.live_at(report, SOURCE, line)
    harness.need(live == (100, 4000), "line %d: %s blocks and bytes" % (line, live))
    for site in golang.frames_at(report, SOURCE, line):
        functions = [f["function"] for f in site["frames"]]
        harness.need(not site["truncated"] and "call_go" in functions and functions.index("call_go") >
                     functions.index("main.GoTake"), "a stack that does not reach the host: %s" % functions)
    print("%s: %d blocks, stacks to the host's call" % (mode, live[0]))


harness.main(test)

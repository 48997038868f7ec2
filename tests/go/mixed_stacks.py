#!/usr/bin/env python3
"""Stacks through C and Go, in each kind of build: every leak at its Go line with exact counts, from 1 and from 1,000
goroutines, under pressure of the collector and with stacks that move; at least 99 % of the stacks reach runtime.goexit."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))
import golang
import harness

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mixed.go")
BUILDS = {
    "plain": ([], False),
    "pie": (["-buildmode=pie"], False),
    "race": (["-race"], False),
    "stripped": (["-ldflags=-s -w"], True),
    "stripped_pie": (["-buildmode=pie", "-ldflags=-s -w"], True),
    "internal": (["-ldflags=-linkmode=internal"], False),
    "stripped_internal": (["-ldflags=-linkmode=internal -s -w"], True),
    "linkshared": ([], False),
    "stripped_linkshared": ([], True),
}


def check(shim, program, cwd, calls, routines):
    report = golang.snapshot(shim, [program, str(calls), str(routines)], cwd)
    lines = golang.marked_lines(SOURCE)
    total = calls * routines
    for words, count, size in [("before main", 1, 77), ("in a call", total, 16), ("in a callback", total, 24)]:
        live = golang.live_at(report, SOURCE, lines[words])
        harness.need(live == (count, count * size), "%s, line %d: %s blocks and bytes, not %d of %d" %
                     (words, lines[words], live, count, size))
    harness.need(report["go_runtime"]["live_bytes"] == report["totals"]["mapping"]["live_bytes"] > 0,
                 "mappings %s, of Go's runtime %s" % (report["totals"]["mapping"], report["go_runtime"]))
    harness.need(not [s for s in report["sites"] if s["kind"] == "mapping"], "sites of mappings are left")
    whole, of_main = golang.complete(report)
    harness.need(of_main >= total * 4, "only %d acquisitions of package main in the report" % of_main)
    harness.need(whole >= of_main * 0.99, "only %d of %d stacks reach runtime.goexit" % (whole, of_main))
    print("%d calls from each of %d goroutines: %d of %d stacks reach runtime.goexit" % (calls, routines, whole, of_main))


def test(shim):
    options, strip = BUILDS[sys.argv[3]]
    with tempfile.TemporaryDirectory() as cwd:
        build = golang.build_linkshared if "linkshared" in sys.argv[3] else golang.build
        program = build(shim, SOURCE, cwd, *options, strip=strip)
        check(shim, program, cwd, 1000, 1)
        check(shim, program, cwd, 100, 1000)


harness.main(test)

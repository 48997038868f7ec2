#!/usr/bin/env python3
"""A program that Go's linker linked by itself has no GNU build-id, but one of Go's. A dump has that: the program's names are
used after it was stripped, and not those of another build that stands in its place."""
import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))
import golang
import harness

SOURCE = """package main

// #include <stdlib.h>
import "C"
import ("fmt"; "io"; "os")

%s

func take() { C.malloc(40) }

func main() { take(); fmt.Println("ready"); io.Copy(io.Discard, os.Stdin) }
"""
ANOTHER = "func Another() string { return fmt.Sprint(os.Args) }\n\n"


def build(shim, directory, more):
    source = os.path.join(directory, "source.go")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE % more)
    return golang.build(shim, source, directory, "-ldflags=-linkmode=internal")


def report_of(shim, dump, program):
    """The program's frames, and what the report says on standard error."""
    status, out, err = harness.run([shim.report, "--format", "json", "--top", "0", dump], harness.clean_environment(), "/")
    harness.need(status == 0, "report: %s" % err.decode())
    return [f for s in json.loads(out)["sites"] for f in s["frames"] if f["module"] == program], err.decode()


def test(shim):
    with tempfile.TemporaryDirectory() as cwd:
        program = build(shim, cwd, "")
        golang.snapshot(shim, [program], cwd)
        dump, = glob.glob(os.path.join(cwd, "program.*.bin"))
        judge = golang.must([harness.program("go", "golang"), "tool", "buildid", program], golang.environment(shim, cwd), cwd)
        frames, said = report_of(shim, dump, program)
        ids = {f["build_id"] for f in frames}
        harness.need(ids == {"go:" + judge.strip()}, "build ids %s, not %s" % (ids, judge))

        golang.strip_file(program)
        frames, said = report_of(shim, dump, program)
        names = {f["function"] for f in frames}
        harness.need("main.take" in names and "build-id" not in said, "stripped: %s, %s" % (names, said))

        build(shim, cwd, ANOTHER)
        frames, said = report_of(shim, dump, program)
        names = {f["function"] for f in frames}
        harness.need(names == {None} and "file on disk has another build-id" in said, "another: %s, %s" % (names, said))
    print("build id %s: used after strip, refused for another build" % judge.strip())


harness.main(test)

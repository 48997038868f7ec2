#!/usr/bin/env python3
"""Runs one behaviour program without and with the shim and holds its report against the program's own words.

A program says in comments what must be found:

    malloc(37); // LEAK count=1000 bytes=37000      on the line that acquires: what this line still holds at the end
    // run: 8 fast                                  arguments; one run per such line (default: one run without any)
    // env: LEAKTRACK_DEPTH=16                      environment of the run under the shim; repeated
    // exit: 3                                      exit status, or -SIGNAL (default 0)
    // output: differs                              do not compare stdout and stderr with the run without the shim
    // dumps: 2                                     number of dump files (default 1)
    // untracked: yes                               events may be counted untracked (default: none but those before start)
    // vanished: 3                                  threads that were joined where no hook could see it (default 0)
    // truncated: yes                               the stacks of the marked lines are truncated (default: they must not be)
    // outermost: main                              function of the outermost frame inside this source, for marked lines

count and bytes may be expressions of `n`, the first argument: LEAK count=n*10 bytes=n*370.

Checked besides: no frame is the library's; what the source acquires by a call of its own stands on a marked line (everything else was freed); sums
over sites equal the totals; program output and status are those of the run without the shim.
"""
import argparse
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

TIMEOUT = int(os.environ.get("LEAKTRACK_TEST_TIMEOUT", "60"))


def directives(source, word):
    return re.findall(r"^\s*(?://|\*|/\*)\s*%s:\s*(.*?)\s*(?:\*/)?$" % word, source, re.M)


def need_whole_directives(source):
    """A formatter may fold "// run: 8" into the sentence before it; the test would then check less, and not tell."""
    folded = re.search(r"^\s*//.*\S.*\b(run|env|exit|output|dumps|untracked|vanished|truncated|outermost): ", source, re.M)
    need(not folded, "a directive stands in the middle of a comment: %s" % (folded and folded.group(0)))


def marked_lines(source, n):
    found = {}
    for number, line in enumerate(source.splitlines(), 1):
        match = re.search(r"LEAK count=(\S+) bytes=(\S+)", line)
        if match and not line.lstrip().startswith("*"):
            found[number] = tuple(int(eval(e, {"__builtins__": {}}, {"n": n})) for e in match.groups())
    return found


def run(command, environment, cwd):
    done = subprocess.run(command, env=environment, cwd=cwd, timeout=TIMEOUT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout, done.stderr


class Failure(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failure(text)


def read_report(tool, dump):
    done = subprocess.run([tool, "--format", "json", dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, check=False)
    need(done.returncode == 0, "leaktrack-report %s: exit %d, %s" % (dump, done.returncode, done.stderr.decode()))
    return json.loads(done.stdout)


def check_sums(report):
    """Where mappings were cut in two more often than released, the totals count the cuts as acquisitions."""
    for kind, total in report["totals"].items():
        sites = [s for s in report["sites"] if s["kind"] == kind]
        for key in ("live_count", "live_bytes", "alloc_count", "alloc_bytes"):
            cuts = total["live_count"] if (kind, key, total["release_count"]) == ("mapping", "alloc_count", 0) else 0
            need(0 <= total[key] - sum(s[key] for s in sites) <= cuts,
                 "%s: sites sum to %s %d, totals say %d" % (kind, key, sum(s[key] for s in sites), total[key]))


def check_frames(report, library):
    for site in report["sites"]:
        own = [f for f in site["frames"] if f.get("module") and os.path.basename(f["module"]) == library]
        need(not own, "a frame of the library's own: %s" % own)


def frames_in(site, name):
    return [f for f in site["frames"] if f.get("file") and os.path.basename(f["file"]) == name]


def check_lines(reports, name, expected, source):
    found = {}
    truncated = "yes" in directives(source, "truncated")
    outermost = directives(source, "outermost")
    for site in (s for r in reports for s in r["sites"] if s["live_count"]):
        own = frames_in(site, name)
        if not own:
            continue
        line = own[0]["line"]
        if line not in expected and own[0] is not site["frames"][0]:
            continue  # libc's own: a stream's buffer, a thread's dtv
        count, size = found.get(line, (0, 0))
        found[line] = (count + site["live_count"], size + site["live_bytes"])
        if line in expected:
            need(bool(site["truncated"]) == truncated, "line %d: truncated is %s" % (line, site["truncated"]))
            if outermost:
                need(own[-1]["function"] == outermost[0], "line %d: outermost frame here is %s, expected %s"
                     % (line, own[-1]["function"], outermost[0]))
    wanted = {line: value for line, value in expected.items() if value[0]}
    need(found == wanted, "lines holding (count, bytes): found %s, expected %s" % (found, wanted))


def check_untracked(reports, source):
    if directives(source, "untracked"):
        return
    for report in reports:
        lost = {k: v for k, v in report["untracked"].items() if v and "before start" not in k}
        need(not lost, "untracked events: %s" % lost)


def check_vanished(reports, source):
    wanted = int((directives(source, "vanished") or ["0"])[0])
    found = sum(report["kernel"].get("vanished_threads", 0) for report in reports)
    need(found == wanted, "%d threads vanished, expected %d" % (found, wanted))


def one_run(options, source, arguments):
    name = os.path.basename(options.source)
    command = [options.program] + shlex.split(arguments)
    n = int(shlex.split(arguments)[0]) if re.match(r"\d+", arguments) else 0
    plain = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_")}
    with tempfile.TemporaryDirectory() as cwd:
        bare = run(command, plain, cwd)
        shimmed = dict(plain, LD_PRELOAD=options.library, LEAKTRACK_OUTPUT=os.path.join(cwd, "%e.%p.bin"),
                       LEAKTRACK_LOG=os.path.join(cwd, "log"))
        for pair in directives(source, "env"):
            key, value = pair.split("=", 1)
            shimmed[key] = value
        status, out, err = run(command, shimmed, cwd)
        log = os.path.join(cwd, "log")
        said = open(log, encoding="utf-8").read() if os.path.exists(log) else ""
        wanted = int((directives(source, "exit") or ["0"])[0])
        need(bare[0] == wanted, "without the shim: exit %d, expected %d: %s" % (bare[0], wanted, bare[2].decode()))
        need(status == wanted, "exit %d, expected %d; stderr: %s; log: %s" % (status, wanted, err.decode(), said))
        if "differs" not in directives(source, "output"):
            need((out, err) == bare[1:], "output changed: %r instead of %r" % ((out, err), bare[1:]))
        dumps = sorted(glob.glob(os.path.join(cwd, "*.bin*")))
        expected_dumps = int((directives(source, "dumps") or ["1"])[0])
        need(len(dumps) == expected_dumps, "%d dumps, expected %d: %s; log: %s"
             % (len(dumps), expected_dumps, dumps, said))
        reports = [read_report(options.report, d) for d in dumps]
        for report in reports:
            check_sums(report)
            check_frames(report, os.path.basename(options.library))
        check_lines(reports, name, marked_lines(source, n), source)
        check_untracked(reports, source)
        check_vanished(reports, source)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    source = open(options.source, encoding="utf-8").read()
    need_whole_directives(source)
    for arguments in directives(source, "run") or [""]:
        try:
            one_run(options, source, arguments)
        except (Failure, subprocess.TimeoutExpired) as failure:
            print("FAILED: %s %s: %s" % (os.path.basename(options.program), arguments, failure))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

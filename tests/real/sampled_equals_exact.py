#!/usr/bin/env python3
"""A sampled run of a real program against an exact run of it, with everything it has built still held: every total of heap lies
within five of its reported standard errors (which fails once in a million times), and the bytes that were sampled from are those of
the exact run. The count of live blocks is only printed: it hangs on the small ones, and where none of them was sampled, their part
of the error is not known either (docs/limits.md).

Programs that give everything back at their end are looked at before: sqlite3 has its own snapshot taken by a shell command,
while the resident helper serves; CPython leaves by os._exit.
"""
import json
import os
import shutil
import sys
import tempfile

import harness

MEASURES = "live_count", "live_bytes", "alloc_count", "alloc_bytes", "release_count", "release_bytes"
RATES = {"2k": 2048, "16k": 16384}

SQL = """create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into t select i, 'row number ' || i, i * 1.5 from n;
create index by_b on t(b);
select count(*), sum(c), max(b) from t where b like '%%9%%';
select length(group_concat(b, ',')) from (select b from t order by c desc limit 2000);
.shell env -u LD_PRELOAD %s --request --format json --no-debuginfod -o %s %s
"""

PYTHON = """
import os, sys
class Node:
    def __init__(self, value, next): self.value, self.next = value, next
head = None
for i in range(5000): head = Node(str(i) * (i % 9), head)
words = {}
for i in range(30000): words.setdefault("word%d" % (i % 1997), []).append(i)
os._exit(0)
"""


def report_of(shim, program, sample):
    """Without address randomisation, which some programs' numbers hang on."""
    fixed = shutil.which("setarch") and ["setarch", "-R"] or []
    with tempfile.TemporaryDirectory() as cwd:
        dump, asked = os.path.join(cwd, "dump.bin"), os.path.join(cwd, "asked.json")
        env = shim.environment(cwd, output=dump, sample=sample, dumper="thread" if program == "sqlite3" else "auto")
        if program == "sqlite3":
            command, stdin = [harness.program("sqlite3", "sqlite3"), ":memory:"], SQL % (shim.report, asked, dump)
        else:
            command, stdin = [harness.program("/usr/bin/python3", "python3"), "-S", "-c", PYTHON], ""
            env.update(PYTHONMALLOC="malloc", PYTHONHASHSEED="0")
        status, _, err = harness.run([*fixed, *command], env, cwd, stdin.encode())
        harness.need(status == 0, "exit %d: %s" % (status, err.decode()))
        if program != "sqlite3":
            return shim.read(dump, "--no-debuginfod")
        harness.need(os.path.exists(asked), "the request was not served: %s" % err.decode())
        with open(asked, encoding="utf-8") as file:
            return json.load(file)


def compare(exact, report, sample):
    sampled = report["totals"]["heap"]
    for measure in MEASURES:
        error = sampled[measure + "_error"]
        far = abs(sampled[measure] - exact[measure])
        print("%-4s %-14s %10d, exactly %10d, error %8d: %.1f of it away" % (sample, measure, sampled[measure], exact[measure],
                                                                       error, far / error if error else 0))
        harness.need(far <= 5 * error + 1 or measure == "live_count", "%s: %d is not %d +- %d" % (measure, exact[measure], sampled[measure], error))
    seen = report["statistics"]["heap bytes sampled from"]
    harness.need(abs(seen / exact["alloc_bytes"] - 1) < 1e-3, "sampled from %d bytes, not %d" % (seen, exact["alloc_bytes"]))
    for unit in ("count", "bytes"):
        rest = sampled["alloc_" + unit] - sampled["release_" + unit] - sampled["live_" + unit]
        harness.need(abs(rest) <= 1, "acquired - released - live is %d %s" % (rest, unit))


def test(shim):
    program = sys.argv[3]
    exact = report_of(shim, program, 0)["totals"]["heap"]
    for sample, number in RATES.items():
        report = report_of(shim, program, sample)
        harness.need(report["snapshot"]["sampling_bytes"] == number, "not sampled")
        samples = sum(site["samples"] for site in report["sites"] if site["kind"] == "heap")
        harness.need(samples >= 40, "only %d blocks were sampled" % samples)
        compare(exact, report, sample)


harness.main(test)

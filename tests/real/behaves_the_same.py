#!/usr/bin/env python3
"""Real programs print and return under the shim what they do without it, and every allocation is accounted for."""
import os
import sys

import harness

SCRIPT = """
import hashlib, json, os, subprocess, sys, threading, tempfile, zlib
results = []
def work(n):
    data = [str(i * n) for i in range(20000)]
    results.append(hashlib.sha256(json.dumps(data).encode()).hexdigest())
threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sorted(results))
print(subprocess.run(["sh", "-c", "echo child; exit 7"], stdout=subprocess.PIPE))
pid = os.fork()
if pid == 0:
    os._exit(len(zlib.compress(b"x" * 100000)) % 200)
print(os.waitpid(pid, 0)[1])
with tempfile.TemporaryFile() as f:
    f.write(b"y" * 1000000)
    print(f.tell())
try:
    raise ValueError("caught")
except ValueError as e:
    print(e)
sys.exit(5)
"""

SHELL = """
set -e
for i in $(seq 1 20); do x=$(echo "$i" | sed 's/1/one/' | tr a-z A-Z); echo "$x"; done
find . -type f | sort | head -5 | xargs wc -c
tar cf - . | gzip -9 | gunzip | tar tf - | wc -l
awk 'BEGIN { for (i = 0; i < 5000; i++) a[i] = a[i-1] "x"; print length(a[4999]) }'
sort -R /etc/services | sort | md5sum
"""


SQL = b"".join([b"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); BEGIN;\n",
                b"".join(b"INSERT INTO t(b) VALUES(hex(%d * 7919));\n" % i for i in range(3000)), b"COMMIT;\n",
                b"CREATE INDEX i ON t(b); SELECT count(*), min(b), max(b) FROM t WHERE b LIKE '3%';\n",
                b"ATTACH 'other.db' AS o; CREATE TABLE o.u AS SELECT * FROM t WHERE a % 7 = 0; SELECT sum(a) FROM o.u;\n",
                b"PRAGMA journal_mode=WAL; UPDATE t SET b = b || 'x' WHERE a < 500; PRAGMA integrity_check;\n"])

GIT = """
set -e
git init -q -b main . && git add -A
git -c user.name=a -c user.email=a@b commit -q --date '2020-01-01T00:00:00Z' -m first
echo more >>f1; git rm -q f2; git diff HEAD | cat
git -c user.name=a -c user.email=a@b commit -q --date '2020-01-01T00:00:00Z' -am second
git gc -q; git fsck --strict; git log --format=%s --stat | cat; git archive HEAD | tar tf - | wc -l
"""


def files(directory):
    for i in range(30):
        with open(os.path.join(directory, "f%d" % i), "w", encoding="ascii") as file:
            file.write("some text %d\n" % i * 100)


def accounted_where_single(reports):
    for report in reports:
        harness.accounted(report)


def test(shim):
    which = sys.argv[3]
    if which == "cpython":
        python = harness.program("/usr/bin/python3", "python3")
        reports = harness.same_behaviour(shim, [python, "-c", SCRIPT], env={"PYTHONMALLOC": "malloc"})
        main = [r for r in reports if r["process"]["argv"][1:2] == ["-c"] and r["totals"]["heap"]["alloc_count"] > 100000]
        harness.need(len(main) == 1, "%d dumps of the main python process among %d" % (len(main), len(reports)))
    elif which == "shell":
        reports = harness.same_behaviour(shim, [harness.program("bash", "bash"), "-c", SHELL], prepare=files)
    elif which == "sqlite3":
        reports = harness.same_behaviour(shim, [harness.program("sqlite3", "sqlite3"), "main.db"], stdin=SQL)
    elif which == "git":
        harness.program("git", "git")
        reports = harness.same_behaviour(shim, [harness.program("bash", "bash"), "-c", GIT], prepare=files, env={
            "HOME": "/nonexistent", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"})
    elif which == "cc":
        source = b"#include <stdio.h>\n#include <math.h>\nint main(void){printf(\"%f\\n\", sin(1));return 0;}\n"
        reports = harness.same_behaviour(shim, [harness.program("gcc", "gcc"), "-O2", "-S", "-x", "c", "-o", "-", "-"],
                                         stdin=source)
    else:
        raise harness.Failure("no such case: " + which)
    harness.need(reports, "no dump at all")
    accounted_where_single(reports)
    print("%s: %d dumps, %d allocations accounted for" % (which, len(reports), sum(
        r["totals"]["heap"]["alloc_count"] for r in reports)))


harness.main(test)

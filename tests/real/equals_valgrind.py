#!/usr/bin/env python3
"""Blocks and bytes in use at exit, and of all allocations, equal Valgrind memcheck's on real deterministic programs.

Both sides run with equal environments (same variables, values of equal length), without address randomisation, and
Valgrind without its own call of __libc_freeres, which frees what a program in real life still holds at its end.

CPython hashes some objects by their address, and the addresses under Valgrind are others: how often a set grows on the way
differs by a few blocks in 100,000, from run to run without Valgrind too. What is in use at exit is compared exactly,
the sums of all allocations to 1 in 1,000.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import harness

SQL = b"""create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
insert into t select i, 'row number ' || i, i * 1.5 from n;
create index by_b on t(b);
select count(*), sum(c), max(b) from t where b like '%9%';
delete from t where a % 3 = 0;
select group_concat(b, ',') from (select b from t order by c desc limit 20);
"""

PYTHON = """
rows = [{"key%d" % i: list(range(i % 7))} for i in range(200)]
class Node:
    def __init__(self, value, next): self.value, self.next = value, next
head = None
for i in range(3000): head = Node(str(i) * (i % 5), head)
words = {}
for i in range(20000): words.setdefault("word%d" % (i % 997), []).append(i)
print(sum(len(w) for w in words.values()), sorted(words)[:3], eval("2 ** 200"), "%r" % rows[5])
"""


def small_repository(directory):
    env = dict(harness.clean_environment(), GIT_CONFIG_NOSYSTEM="1", HOME=directory, GIT_AUTHOR_DATE="1700000000 +0000",
               GIT_COMMITTER_DATE="1700000000 +0000", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b",
               GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=directory, env=env, check=True)
    for i in range(20):
        with open(os.path.join(directory, "file%d" % i), "w", encoding="ascii") as file:
            file.write("line\n" * i)
        subprocess.run(["git", "add", "."], cwd=directory, env=env, check=True)
        subprocess.run(["git", "commit", "-q", "-m", "commit %d" % i], cwd=directory, env=env, check=True)


def cases():
    python = "/usr/bin/python3"
    return {
        "sqlite3": dict(command=[harness.program("sqlite3", "sqlite3"), ":memory:"], stdin=SQL),
        "cpython": dict(command=[harness.program(python, "python3"), "-S", "-c", PYTHON],
                        env={"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}, hashes_addresses=True),
        "git": dict(command=[harness.program("git", "git"), "log", "--stat", "-p"], prepare=small_repository,
                    env={"GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent", "GIT_PAGER": "cat"}),
        "grep": dict(command=[harness.program("grep", "grep"), "-rnE", "line", "."], prepare=small_repository),
        "xz": dict(command=[harness.program("xz", "xz-utils"), "-9", "-c"], stdin=SQL * 200),
        "perl": dict(command=[harness.program("perl", "perl"), "-e",
                              "my %h; $h{$_ % 97} .= $_ for 1..5000; print length(join '', sort values %h), qq(\\n)"],
                     env={"PERL_HASH_SEED": "0"}),
    }


def compare(shim, case):
    fixed = shutil.which("setarch") and ["setarch", "-R"] or []
    with tempfile.TemporaryDirectory() as cwd, tempfile.TemporaryDirectory() as dumps:
        if "prepare" in case:
            case["prepare"](cwd)
        env = dict(shim.environment(dumps), **case.get("env", {}))
        env.pop("LD_PRELOAD")
        judge = harness.ask_valgrind(case["command"], env, cwd, case.get("stdin", b""))
        env = harness.environment_under_valgrind(env, cwd)
        env["LD_PRELOAD"] = harness.padded_path(shim.library, len(env["LD_PRELOAD"]))
        status, _, err = harness.run(fixed + case["command"], env, cwd, case.get("stdin", b""))
        harness.need(status == 0, "exit %d under the shim: %s" % (status, err))
        name = os.path.basename(case["command"][0])
        reports = [r for r in shim.reports(dumps) if os.path.basename(r["process"]["exe"]).startswith(name[:4])]
        harness.need(len(reports) == 1, "%d reports of %s" % (len(reports), name))
    harness.accounted(reports[0])
    ours = {k: reports[0]["totals"]["heap"][k] for k in judge}
    print("%s: leaktrack %s, valgrind %s" % (name, ours, judge))
    for key, theirs in judge.items():
        tolerance = theirs // 1000 if case.get("hashes_addresses") and key.startswith("alloc") else 0
        harness.need(abs(ours[key] - theirs) <= tolerance, "%s: leaktrack says %d, Valgrind %d" % (key, ours[key], theirs))


def test(shim):
    compare(shim, cases()[sys.argv[3]])


harness.main(test)

#!/usr/bin/env python3
"""Runs a real program under the stack oracle (oracle.c) and fails when a stack differs from libunwind's.

usage: compare.py LIBSTACK-ORACLE.SO THROWING_THREADS CASE | --list
"""
import collections
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
TEXT_AT = 4096  # ORACLE_RESULT_ROOM
FIELDS = "captured truncated compared equal cut_short judge_short different reported noted_wrongly by_note " \
         "with_notes without_notes".split()
Case = collections.namedtuple("Case", "run every least")


class Skip(Exception):
    pass


def find(name):
    path = shutil.which(name)
    if not path:
        raise Skip("no %s on this machine" % name)
    return path


def run(environment, *command, **options):
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=250, **options)


def sqlite3(environment):
    rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 60000) "
    run(environment, find("sqlite3"), ":memory:", "CREATE TABLE t(a, b);", "INSERT INTO t " + rows +
        "SELECT x, hex(randomblob(20)) FROM c;", "CREATE INDEX i ON t(b);", "SELECT count(*) FROM t WHERE b LIKE '%AB%';")


def real_python():
    """The interpreter itself, not a shell script that looks for one."""
    return os.path.realpath(sys.executable)


CPYTHON = """
import json, re, decimal, collections
data = [{"a": i, "b": [str(i)] * 3} for i in range(2000)]
for _ in range(4):
    assert json.loads(json.dumps(data)) == data
print(len(re.findall("(a+)b", ("a" * 10 + "b") * 1000)), decimal.Decimal(2).sqrt())
def deep(n):
    return n and deep(n - 1) + 1
print(deep(300))
"""


def cpython(environment):
    run(dict(environment, PYTHONMALLOC="malloc"), real_python(), "-c", CPYTHON)


CPLUSPLUS = """
#include <iostream>
#include <map>
#include <regex>
int main() {
    std::map<int, std::string> names;
    std::regex pattern("a(b|c)*d");
    std::cout << std::regex_match(names[1], pattern);
}
"""


def cc1plus(environment):
    driver = find("g++")
    compiler = subprocess.run([driver, "-print-prog-name=cc1plus"], stdout=subprocess.PIPE, check=True, text=True)
    with tempfile.TemporaryDirectory() as folder:
        preprocessed = os.path.join(folder, "source.ii")
        subprocess.run([driver, "-E", "-x", "c++", "-", "-o", preprocessed], input=CPLUSPLUS, text=True, check=True)
        run(environment, find(compiler.stdout.strip()), "-quiet", "-O1", preprocessed, "-o", "/dev/null")


def git(environment):
    git_program = find("git")
    with tempfile.TemporaryDirectory() as folder:
        def in_folder(*arguments):
            run(environment, git_program, "-c", "user.name=x", "-c", "user.email=x@y", *arguments, cwd=folder)
        in_folder("init", "-q")
        for i in range(10):
            with open(os.path.join(folder, "file%d" % i), "w") as file:
                file.write("line %d\n" % i * 1000)
            in_folder("add", ".")
            in_folder("commit", "-q", "-m", "commit %d" % i)
        in_folder("log", "--stat", "-p")
        in_folder("repack", "-adq")
        in_folder("fsck")


def openssl(environment):
    program = find("openssl")
    for what in (["-evp", "aes-128-cbc"], ["-evp", "chacha20-poly1305"], ["ecdsap256"]):
        run(environment, program, "speed", "-seconds", "1", "-bytes", "1024", *what, stderr=subprocess.DEVNULL)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def redis(environment):
    """A threaded server: two threads read and write its sockets."""
    port = free_port()
    server = subprocess.Popen([find("redis-server"), "--port", port, "--save", "", "--io-threads", "2",
                               "--io-threads-do-reads", "yes"], env=environment, stdout=subprocess.DEVNULL)
    try:
        client = [find("redis-cli"), "-p", port]
        for _ in range(100):
            if subprocess.run(client + ["ping"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                break
        run(os.environ, find("redis-benchmark"), "-p", port, "-n", "2000", "-q", "-t", "set,get,lpush,lrange_100,mset")
        run(os.environ, *client, "shutdown", "nosave")
        if server.wait(60) != 0:
            raise subprocess.CalledProcessError(server.returncode, "redis-server")
    finally:
        server.kill()
        server.wait()


def exceptions(environment):
    run(environment, THROWING_THREADS)


def shell(environment):
    run(environment, find("bash"), "-c", "for i in 1 2 3 4 5; do x=$(ls / | sort | head -3); done; echo $x")


# every: the k of "every k-th capture is compared"; least: comparisons below which the case shows nothing
CASES = {
    "sqlite3": Case(sqlite3, 1, 100000),
    "cpython": Case(cpython, 1, 100000),
    "cc1plus": Case(cc1plus, 3, 500000),
    "git": Case(git, 1, 10000),
    "openssl": Case(openssl, 1, 10000),
    "redis": Case(redis, 1, 10000),
    "exceptions": Case(exceptions, 1, 100000),
    "shell": Case(shell, 1, 5000),
}


def compare(name, library, folder):
    case, result = CASES[name], os.path.join(folder, "result")
    case.run(dict(os.environ, LD_PRELOAD=library, STACK_ORACLE=result, STACK_ORACLE_EVERY=str(case.every)))
    with open(result, "rb") as file:
        data = file.read()
    counts = dict(zip(FIELDS, struct.unpack_from("%dQ" % len(FIELDS), data)))
    print(", ".join("%s %d" % (field, counts[field]) for field in FIELDS))
    if counts["compared"] < case.least:
        print("too few comparisons: %d at least were expected" % case.least)
        return 1
    if counts["equal"] != counts["compared"] or counts["noted_wrongly"]:
        print(data[TEXT_AT:TEXT_AT + 20000].decode(errors="replace"))
        return 1
    return 0


def main():
    global THROWING_THREADS
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    library, THROWING_THREADS, name = sys.argv[1:]
    try:
        with tempfile.TemporaryDirectory() as folder:
            return compare(name, library, folder)
    except Skip as reason:
        print("skipped:", reason)
        return SKIPPED


sys.exit(main())

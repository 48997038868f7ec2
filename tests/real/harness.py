"""What the tests on real programs share: run without and with the shim, read the report, ask Valgrind."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 300


class Failure(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failure(text)


def skip(reason):
    """ctest counts exit code 77 as skipped (SKIP_RETURN_CODE)."""
    print("SKIPPED: " + reason)
    sys.exit(77)


def program(name, package):
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/usr/local/bin")
    if not path:
        skip("%s is not installed (Debian: %s); tools/install-deps test installs it" % (name, package))
    return path


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}


class Shim:
    def __init__(self, library, report):
        self.library, self.report = library, report

    def environment(self, directory, **options):
        env = clean_environment()
        env.update(LD_PRELOAD=self.library, LEAKTRACK_OUTPUT=os.path.join(directory, "%e.%p.bin"),
                   LEAKTRACK_LOG=os.path.join(directory, "log"))
        env.update({"LEAKTRACK_" + k.upper(): str(v) for k, v in options.items()})
        return env

    def read(self, dump, *options):
        done = subprocess.run([self.report, "--format", "json", *options, dump], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        need(done.returncode == 0, "report of %s: exit %d: %s" % (dump, done.returncode, done.stderr.decode()))
        return json.loads(done.stdout)

    def reports(self, directory, *options):
        return [self.read(d, *options) for d in sorted(glob.glob(os.path.join(directory, "*.bin*")))]


def run(command, env, cwd, stdin=b""):
    done = subprocess.run(command, env=env, cwd=cwd, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, check=False)
    return done.returncode, done.stdout, done.stderr


def same_behaviour(shim, command, stdin=b"", prepare=None, env=None, **options):
    """Runs the command in two fresh directories, bare and under the shim; output and status must be equal. Returns the
    reports, one per dump."""
    results = []
    for shimmed in (False, True):
        with tempfile.TemporaryDirectory() as cwd, tempfile.TemporaryDirectory() as dumps:
            if prepare:
                prepare(cwd)
            environment = shim.environment(dumps, **options) if shimmed else clean_environment()
            environment.update(env or {})
            results.append(run(command, environment, cwd, stdin))
            reports = shim.reports(dumps) if shimmed else None
    bare, under = results
    need(bare == under, "under the shim %r differs: %r instead of %r" % (command, under, bare))
    return reports


def accounted(report):
    """Every allocation accounted for: sites sum to the totals, acquired - released = live."""
    total = report["totals"]["heap"]
    for key in ("live_count", "live_bytes", "alloc_count", "alloc_bytes"):
        have = sum(s[key] for s in report["sites"] if s["kind"] == "heap")
        need(have == total[key], "sites sum to %s %d, totals say %d" % (key, have, total[key]))
    if "release_count" in total:
        need(total["alloc_count"] - total["release_count"] == total["live_count"],
             "acquired %(alloc_count)d - released %(release_count)d is not live %(live_count)d" % total)
    own = [r for r in report["descriptors"] if r["path"] in (report["dump"]["path"], "/memfd:leaktrack-control")]
    need(not own, "the library's own descriptors are listed: %s" % own)
    lost = {k: v for k, v in report["untracked"].items() if v}
    need(not lost, "untracked events: %s" % lost)


VALGRIND_OPTIONS = ["--leak-check=no", "--run-libc-freeres=no", "--run-cxx-freeres=no"]


def ask_valgrind(command, env, cwd, stdin=b""):
    """{live_count, live_bytes, alloc_count, alloc_bytes} in memcheck's eyes."""
    valgrind = program("valgrind", "valgrind")
    with tempfile.NamedTemporaryFile("r") as log:
        status, _, err = run([valgrind, "--log-file=" + log.name, *VALGRIND_OPTIONS, *command], env, cwd, stdin)
        said = log.read()
    use = re.search(r"in use at exit: ([\d,]+) bytes in ([\d,]+) blocks", said)
    total = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes", said)
    need(use and total, "valgrind gave no summary (exit %d): %s %s" % (status, said[-500:], err[-500:]))

    def number(match, group):
        return int(match.group(group).replace(",", ""))

    return {"live_count": number(use, 2), "live_bytes": number(use, 1),
            "alloc_count": number(total, 1), "alloc_bytes": number(total, 2)}


def environment_under_valgrind(env, cwd):
    """What a program sees there: Valgrind adds variables, and programs copy their environment."""
    valgrind = program("valgrind", "valgrind")
    _, out, _ = run([valgrind, "-q", "--log-file=/dev/null", "/usr/bin/env", "-0"], env, cwd)
    return dict(pair.split("=", 1) for pair in out.decode().split("\0") if pair)


def padded_path(path, length):
    """The same file by a longer name: slashes may repeat."""
    need(len(path) <= length, "%s is longer than Valgrind's LD_PRELOAD (%d)" % (path, length))
    head, tail = os.path.split(path)
    return head + "/" * (length - len(head) - len(tail)) + tail


def main(test):
    """Entry point of a test script: argv is the library and the report."""
    try:
        test(Shim(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
    except (Failure, subprocess.TimeoutExpired) as failure:
        print("FAILED: %s" % failure)
        sys.exit(1)

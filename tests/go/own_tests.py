#!/usr/bin/env python3
"""Go's own tests of cgo, from the sources of Debian's toolchain: the same with the library as without, and the stacks of
what goroutines take in C are whole.

    misc       misc/cgo/test: every test passes or is skipped in both
    programs   runtime/testdata/testprogcgo: callbacks, signals, profilers, panics and crashes: status and output
    small      misc/cgo/{stdio,life,testso,testsovar}: status and output, and what the sources say it is"""
import concurrent.futures
import glob
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))
import golang
import harness

# Without those for Windows, the one that runs until it is told to stop, and those whose crash prints all threads as they
# just are.
PROGRAMS = """CgoCallbackGC CgoCatchPanic CgoCCodeSIGPROF CgoCheckBytes CgoExecSignalMask CgoExternalThreadPanic
CgoExternalThreadSignal CgoPanicDeadlock CgoPprof CgoPprofCallback CgoPprofThread CgoPprofThreadNoTraceback CgoRaceSignal
CgoRaceprof CgoSignalDeadlock CgoTraceback Crash CrashTracebackGo EINTR EnsureDropM GoroutineProfile LockOSThreadMain
NeedmDeadlock NumGoroutine PanicCallback SegvInCgo TracebackContext TracebackContextPreemption TracebackSigpanic""".split()


def sources(shim, path, cwd):
    """A copy in cwd; its name says what Go calls the package."""
    root = golang.must([harness.program("go", "golang"), "env", "GOROOT"], golang.environment(shim, cwd), cwd).strip()
    if not os.path.isdir(os.path.join(root, path)):
        harness.skip("Go's own tests are not installed: no %s in %s (Debian: golang-src)" % (path, root))
    return shutil.copytree(os.path.join(root, path), os.path.join(cwd, os.path.basename(path)))


def run_both(shim, command, where, **variables):
    """(status, out, err) without and with the library, and the reports of the latter."""
    results = []
    for shimmed in (False, True):
        with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as dumps:
            env = shim.environment(dumps) if shimmed else harness.clean_environment()
            env.update(TMPDIR=scratch, **variables)
            results.append(harness.run(command, env, where))
            reports = reports_of(shim, dumps, os.path.basename(command[0])) if shimmed else []
    return (*results, reports)


def reports_of(shim, dumps, program):
    """Of those that ran for a second. Go leaves without a word, and what it had taken until then is not known."""
    long_enough = [d for d in glob.glob(os.path.join(dumps, program + ".*.bin")) if os.path.getsize(d) > 4096]
    return [shim.read(d, "--top", "0") for d in long_enough]


def whole(reports):
    """(acquisitions of goroutines whose stack is whole, all of them)"""
    sites = [s for r in reports for s in r["sites"] if s["kind"] == "heap" and
             any(f["function"] == "runtime.cgocall" for f in s["frames"])]
    return sum(s["alloc_count"] for s in sites if not s["truncated"]), sum(s["alloc_count"] for s in sites)


def need_whole(what, reports, least):
    good, total = whole(reports)
    harness.need(total >= least, "%s: only %d acquisitions by goroutines are in the reports" % (what, total))
    harness.need(good >= total * 0.99, "%s: only %d of %d stacks are whole" % (what, good, total))
    print("%s: as without the library; %d of %d stacks are whole" % (what, good, total))


def told(text):
    """What a program says, but for addresses, times and names of files."""
    return re.sub(rb"0x[0-9a-f]+|/\S+|\d+", b"#", text)


def misc(shim, cwd):
    package = sources(shim, "misc/cgo/test", cwd)
    program = os.path.join(package, "misc-test")
    golang.must([harness.program("go", "golang"), "test", "-c", "-o", program, "."], golang.environment(shim, cwd), package)
    names = [n for n in golang.must([program, "-test.list", "Test"], None, package).split() if n != "TestCrossPackageTests"]
    command = [program, "-test.v", "-test.short", "-test.run", "^(%s)$" % "|".join(names),
               "-test.bench", "CgoCall/add-int", "-test.benchtime", "2s"]  # for a snapshot of what came before
    bare, under, reports = run_both(shim, command, package)
    verdicts = [re.findall(rb"^ *--- (\w+): (\S+)", out, re.M) for _, out, _ in (bare, under)]
    harness.need(bare[0] == under[0] == 0, "exit %d and %d: %s" % (bare[0], under[0], under[1][-2000:]))
    harness.need(len(verdicts[0]) > 50 and verdicts[0] == verdicts[1], "verdicts: %s and %s" % tuple(verdicts))
    need_whole("%d tests of misc/cgo/test" % len(verdicts[1]), reports, 10)


def programs(shim, cwd):
    package = sources(shim, "src/runtime/testdata/testprogcgo", cwd)
    program = golang.build(shim, ".", package)

    def compare(name):
        bare, under, reports = run_both(shim, [program, name], package)
        seen = [(status, told(out), told(err.split(b"\n")[0])) for status, out, err in (bare, under)]
        return name, seen, reports

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(compare, PROGRAMS))
    for name, seen, _ in results:
        harness.need(seen[0] == seen[1], "%s: %s without, %s with the library" % (name, *seen))
        harness.need(seen[1][1].strip() == b"OK" or seen[1][0] != 0 or name in ("CgoCheckBytes", "Crash") or
                     name.startswith("CgoPprof"), "%s: %s" % (name, seen[1]))
    need_whole("%d programs of testprogcgo" % len(results), [r for _, _, reports in results for r in reports], 0)


def small(shim, cwd):
    """{directory: (what its package is called, its programs, its library)}"""
    for path, (name, mains, library) in {"stdio": ("cgostdio", ["hello", "fib", "chain"], None),
                                         "life": ("cgolife", ["main"], None),
                                         "testso": ("cgosotest", ["main"], "cgoso_c.c"),
                                         "testsovar": ("cgosotest", ["main"], "cgoso_c.c")}.items():
        gopath = os.path.join(cwd, path)
        os.makedirs(os.path.join(gopath, "src"))
        package = os.path.join(gopath, "src", name)
        os.rename(sources(shim, "misc/cgo/%s/testdata" % path, gopath), package)
        if library:
            golang.must([harness.program("gcc", "gcc"), "-shared", "-fPIC", "-o", "lib%s.so" % name, library],
                        harness.clean_environment(), package)
        for main in mains:
            small_program(shim, path, package, main, gopath)


def small_program(shim, path, package, main, gopath):
    env = golang.environment(shim, package)
    env["GOPATH"] = gopath
    program = os.path.join(package, "program")
    golang.must([harness.program("go", "golang"), "build", "-o", program, main + ".go"], env, package)
    bare, under, _ = run_both(shim, [program], package, LD_LIBRARY_PATH=package)
    harness.need(bare == under and bare[0] == 0, "%s/%s: %s without, %s with the library" % (path, main, bare, under))
    expected = os.path.join(package, main + ".out")
    if os.path.exists(expected):
        with open(expected, "rb") as file:
            harness.need(under[1] == file.read(), "%s/%s says %s" % (path, main, under[1]))
    print("misc/cgo/%s/%s: as without the library" % (path, main))


def test(shim):
    with tempfile.TemporaryDirectory() as cwd:
        {"misc": misc, "programs": programs, "small": small}[sys.argv[3]](shim, cwd)


harness.main(test)

"""What the tests of Go programs share: build with Debian's Go, run under the library, ask for a snapshot, read it."""
import glob
import os
import re
import shutil
import subprocess

import harness


def environment(shim, directory, **more):
    """For the go command. All tests share a build cache beside the report's program."""
    env = harness.clean_environment()
    env.update(GOCACHE=os.path.join(os.path.dirname(shim.report), "go-cache"), GOPATH=os.path.join(directory, "path"), GOFLAGS="-mod=mod",
               GOTOOLCHAIN="local", GO111MODULE="off", CGO_ENABLED="1", **more)
    return env


def must(command, env, directory):
    status, out, err = harness.run(command, env, directory)
    harness.need(status == 0, "%s: %s" % (" ".join(command), (out + err).decode()))
    return out.decode()


def strip_file(path):
    must([harness.program("strip", "binutils"), path], harness.clean_environment(), os.path.dirname(path))


def build(shim, source, directory, *options, also=(), strip=False, name="program", **more):
    """The program's path."""
    program = os.path.join(directory, name)
    must([harness.program("go", "golang"), "build", *options, "-o", program, source, *also], environment(shim, directory, **more), directory)
    if strip:
        strip_file(program)
    return program


FROM_HERE = "-ldflags=-r=$ORIGIN"  # go builds libstd.so again for other flags than it was built with


def own_root(shim, directory):
    """A GOROOT that is a few links into the installed one, so that the standard library can be built as libstd.so
    (-linkshared) without writing there. It stays beside the report's program: the next test need not build again."""
    root = os.path.join(os.path.dirname(shim.report), "go-root")
    go = harness.program("go", "golang")
    installed = must([go, "env", "GOROOT"], environment(shim, directory), directory).strip()
    for name in ("src", "bin", "VERSION", "pkg/include", "pkg/tool"):
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        if not os.path.lexists(os.path.join(root, name)):
            os.symlink(os.path.realpath(os.path.join(installed, name)), os.path.join(root, name))
    must([go, "install", "-buildmode=shared", FROM_HERE, "std"], environment(shim, directory, GOROOT=root), directory)
    return root


def build_linkshared(shim, source, directory, *options, strip=False):
    """The program's path; libstd.so lies beside it."""
    root = own_root(shim, directory)
    program = build(shim, source, directory, "-linkshared", FROM_HERE, *options, strip=strip, GOROOT=root)
    library = shutil.copy(glob.glob(os.path.join(root, "pkg", "*_dynlink", "libstd.so"))[0], directory)
    if strip:
        strip_file(library)
    return program


def snapshot(shim, command, cwd, judge=None, **options):
    """Runs the program until it says "ready", asks for a snapshot, lets it end. Its report. While the program stands still
    judge(pid, report) may look at it."""
    env = shim.environment(cwd, **options)
    with subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            line = process.stdout.readline()
            if line != b"ready\n":
                process.kill()
                raise harness.Failure("%s said %r, not ready: %s" % (command, line, process.stderr.read()[-2000:]))
            dump = glob.glob(os.path.join(cwd, "*.%d.bin" % process.pid))
            harness.need(len(dump) == 1, "dumps of pid %d: %s" % (process.pid, dump))
            report = shim.read(dump[0], "--request", "--top", "0")
            if judge:
                judge(process.pid, report)
            out, err = process.communicate(timeout=harness.TIMEOUT)
        finally:
            process.kill()
    harness.need(process.returncode == 0, "%s ended with %d: %s" % (command, process.returncode, err.decode()[-2000:]))
    harness.need(out == b"" and err == b"", "%s said more: %r %r" % (command, out, err))
    return report


def marked_lines(source):
    """{words of the comment: line number} of the lines with // LEAK words, or // NO LEAK words."""
    with open(source, encoding="utf-8") as file:
        return {found.group(1).strip(): number for number, line in enumerate(file, 1)
                for found in [re.search(r"// (?:NO )?LEAK (.*)", line)] if found}


def frames_at(report, source, line):
    """The heap sites whose stacks have a frame at that line of the source."""
    name = os.path.basename(source)
    return [s for s in report["sites"] if s["kind"] == "heap" and
            any(f["line"] == line and os.path.basename(f["file"] or "") == name for f in s["frames"])]


def live_at(report, source, line):
    sites = frames_at(report, source, line)
    return sum(s["live_count"] for s in sites), sum(s["live_bytes"] for s in sites)


def complete(report):
    """(acquisitions whose stack reaches runtime.goexit, all whose stack has a frame of package main)"""
    of_main = [s for s in report["sites"] if s["kind"] == "heap" and
               any((f["function"] or "").startswith("main.") for f in s["frames"])]
    whole = [s for s in of_main if s["frames"][-1]["function"] == "runtime.goexit" and not s["truncated"]]
    return sum(s["alloc_count"] for s in whole), sum(s["alloc_count"] for s in of_main)

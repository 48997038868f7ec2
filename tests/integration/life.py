#!/usr/bin/env python3
"""The life cycle under the shim: when snapshots are taken, what ends, forks, execs and hostile surroundings do to them, and
that the program does not notice. One case per function whose name starts with `case_`; the programs are in
tests/programs/life.

    life.py LIBRARY REPORT PROGRAMS CASE      runs one case in an empty directory; exit 0 passed, 1 failed, 77 skipped
    life.py --list                            names the cases
"""
import collections
import contextlib
import ctypes
import glob
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = float(os.environ.get("LEAKTRACK_TEST_TIMEOUT", "60"))
LEAK = (1000, 37000)  # what leak_a_thousand() of busy.h holds

LIBRARY = REPORT = PROGRAMS = None
Done = collections.namedtuple("Done", "status out err")
Dump = collections.namedtuple("Dump", "path name report incomplete")


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def need(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def as_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")


# --- running -----------------------------------------------------------------------------------------------------------


def environment(shim=True, **options):
    env = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}
    if shim:
        env.update(LD_PRELOAD=LIBRARY, LEAKTRACK_OUTPUT=os.path.abspath("%e.%p.bin"), LEAKTRACK_LOG=os.path.abspath("log"))
        env.update({"LEAKTRACK_" + key.upper(): str(value) for key, value in options.items()})
    return env


def program(name):
    path = os.path.join(PROGRAMS, name)
    need(os.access(path, os.X_OK), "no program %s", path)
    return path


def start(name, *arguments, env=None, **options):
    return subprocess.Popen([program(name), *arguments], env=env or environment(**options), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failure("hangs: %r, stdout %r, stderr %r, log: %s" % (process.args, out, err, log()))
    return Done(process.returncode, out.decode(), err.decode())


def run(name, *arguments, **options):
    return finish(start(name, *arguments, **options))


def unchanged(name, *arguments, in_directory=True, **options):
    """Runs a program without and with the shim, each in a directory of its own; output and status must be the same."""
    home = os.getcwd()
    results = []
    for shim in (False, True):
        env = environment(shim, **options) if shim else environment(False)
        os.makedirs("shim" if shim else "bare", exist_ok=True)
        os.chdir("shim" if shim else "bare")
        try:
            results.append(run(name, *arguments, env=env))
        finally:
            os.chdir(home)
    bare, shimmed = results
    if bare.status == 77:
        raise Skipped("%s says that it can't be done here" % name)
    need(bare == shimmed, "without the shim %r, with it %r; log: %s", bare, shimmed, log())
    need(bare.status not in (96, 97, 98, 99), "the program itself failed: %r", bare)
    return shimmed


def log():
    with contextlib.suppress(FileNotFoundError), open("log", encoding="utf-8") as file:
        return file.read()
    return ""


# --- looking at dumps --------------------------------------------------------------------------------------------------


def read(path, *options):
    done = subprocess.run([REPORT, "--format", "json", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode in (0, 4), "report of %s: exit %d: %s; log: %s", path, done.returncode, done.stderr.decode(), log())
    return Dump(path, os.path.basename(path), json.loads(done.stdout), done.returncode == 4)


def dumps(pattern="*.bin*"):
    """Every dump that holds a snapshot, oldest process first."""
    found = [read(path) for path in glob.glob(pattern)]
    return sorted(found, key=lambda dump: dump.report["process"]["start_time"])


def remove_dumps():
    for path in glob.glob("*.bin*"):
        os.unlink(path)


def only(found):
    need(len(found) == 1, "%d dumps, expected one: %s; log: %s", len(found), [d.name for d in found], log())
    return found[0]


def of_pid(found, pid):
    return only([d for d in found if d.report["process"]["pid"] == pid])


def held(dump, function):
    """(blocks, bytes) live at sites with a frame in that function."""
    sites = [s for s in dump.report["sites"] if any(f["function"] == function for f in s["frames"])]
    return (sum(s["live_count"] for s in sites), sum(s["live_bytes"] for s in sites))


def check_held(dump, function="leak_a_thousand", expected=LEAK):
    have = held(dump, function)
    need(have == expected, "%s: %s holds %s, expected %s; log: %s", dump.name, function, have, expected, log())


def snapshot(dump):
    return dump.report["snapshot"]


def check_trigger(dump, trigger):
    have = snapshot(dump)["trigger"]
    need(have == trigger, "%s: last snapshot is %s, expected %s; log: %s", dump.name, have, trigger, log())


def check_accounts(dump):
    total = dump.report["totals"]["heap"]
    need(sum(s["live_count"] for s in dump.report["sites"]) == total["live_count"], "%s: sites are not the total", dump.name)


def control_of(pid, descriptor_range=range(1000, 1024)):
    """The control page of a process, by the descriptor's name as a person would look for it."""
    for fd in descriptor_range:
        with contextlib.suppress(OSError):
            if os.readlink("/proc/%d/fd/%d" % (pid, fd)).startswith("/memfd:leaktrack-control"):
                return mmap.mmap(os.open("/proc/%d/fd/%d" % (pid, fd), os.O_RDWR), 4096)
    raise Failure("process %d has no control page; log: %s" % (pid, log()))


def ask(pid):
    """Asks by the page itself (layout: src/dump/control.h) and waits; the snapshot's result."""
    page = control_of(pid)
    magic, version, owner, _, request = struct.unpack_from("<QIIQI", page)
    need(magic == 0x4c52544b54524b4c and version == 1 and owner == pid, "strange page: %x %d %d", magic, version, owner)
    struct.pack_into("<I", page, 24, request + 1)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        acknowledged, result = struct.unpack_from("<Ii", page, 28)
        if acknowledged == request + 1:
            return result
        time.sleep(0.01)
    raise Failure("nobody answers; log: %s" % log())


def said_leaked(process):
    need(process.stdout.readline() == b"leaked\n", "the program did not come up")


# --- periodic snapshots ------------------------------------------------------------------------------------------------


def killed_after(seconds, signal_number, *arguments, **options):
    process = start("works_until_killed", *arguments, **options)
    said_leaked(process)
    time.sleep(seconds)
    process.send_signal(signal_number)
    done = finish(process)
    need(done.status == -signal_number and done.err == "", "died strangely: %r", done)
    dump = only(dumps())
    check_held(dump)
    check_accounts(dump)
    check_trigger(dump, "periodic")
    need(dump.report["snapshot"]["complete"], "snapshot not complete")
    return dump


def case_kill_9_leaves_the_last_snapshot():
    dump = killed_after(3.5, signal.SIGKILL, interval=1)
    need(snapshot(dump)["index"] == 3, "snapshot %d after 3.5 seconds", snapshot(dump)["index"])


def case_kill_9_of_threads_leaves_the_last_snapshot():
    dump = killed_after(3.5, signal.SIGKILL, "4", interval=1)
    need(snapshot(dump)["index"] in (2, 3), "snapshot %d after 3.5 seconds", snapshot(dump)["index"])


def case_sigterm_after_eight_seconds_is_reported():
    dump = killed_after(8.2, signal.SIGTERM)
    need(snapshot(dump)["index"] in (3, 4), "snapshot %d after 8.2 seconds of ramp 1 2 4 8", snapshot(dump)["index"])


def case_inline_dumper_serves_threads():
    killed_after(1.6, signal.SIGKILL, "4", dumper="inline", interval=1)


def case_resident_dumper_serves_threads():
    killed_after(1.9, signal.SIGKILL, "4", dumper="thread", interval=1)


def case_resident_dumper_serves_an_idle_program():
    process = subprocess.Popen(["/bin/sleep", "30"], env=environment(dumper="thread", interval=1))
    time.sleep(1.8)
    need(ask(process.pid) == 0, "request failed")
    process.kill()
    process.wait()
    check_trigger(only(dumps()), "request")


def case_dumper_off_writes_nothing():
    need(run("works_until_killed", "1", "2", dumper="off", interval=1).status == 0, "failed")
    need(not glob.glob("*.bin*"), "there is a dump")


def case_interval_0_means_at_exit_only():
    need(run("works_until_killed", "1", "2", interval=0).status == 0, "failed")
    dump = only(dumps())
    check_trigger(dump, "exit")
    need(snapshot(dump)["index"] == 1, "snapshot %d", snapshot(dump)["index"])


def case_no_thread_to_be_had():
    as_root()  # to become somebody whose threads are counted
    unchanged("can_make_no_thread", interval=1)
    dump = only(dumps())
    need(snapshot(dump)["index"] >= 3, "snapshot %d: the periodic ones are missing", snapshot(dump)["index"])


def case_request_is_served():
    process = start("works_until_killed", interval=0)
    said_leaked(process)
    for index in (1, 2, 3):
        need(ask(process.pid) == 0, "request failed")
        dump = only(dumps())
        check_trigger(dump, "request")
        check_held(dump)
        need(snapshot(dump)["index"] == index, "snapshot %d, not %d", snapshot(dump)["index"], index)
    process.kill()
    finish(process)


def case_request_is_served_by_threads():
    process = start("works_until_killed", "4", interval=0)
    said_leaked(process)
    time.sleep(0.1)
    for _ in range(5):
        need(ask(process.pid) == 0, "request failed")
    need(snapshot(only(dumps()))["index"] == 5, "not five snapshots")
    process.kill()
    finish(process)


def case_request_to_an_idle_program_waits():
    process = subprocess.Popen(["/bin/sleep", "30"], env=environment())
    time.sleep(0.3)
    page = control_of(process.pid)
    struct.pack_into("<I", page, 24, 1)
    time.sleep(0.5)
    need(struct.unpack_from("<I", page, 28) == (0,), "an idle program answered")
    process.kill()
    process.wait()


# --- ends --------------------------------------------------------------------------------------------------------------


def ends(way, trigger="exit", **options):
    unchanged("ends", way, **options)
    dump = only(dumps())
    check_held(dump)
    check_trigger(dump, trigger)


def case_end_by_return():
    ends("return")


def case_end_by_exit():
    ends("exit")


def case_end_by__exit():
    ends("_exit")


def case_end_by__Exit():
    ends("_Exit")


def case_end_by_quick_exit():
    ends("quick_exit")


def case_end_by__exit_in_a_handler():
    ends("_exit-in-handler")


def case_end_by_exit_in_a_thread():
    ends("thread")


def case_end_while_threads_work():
    ends("busy")


def case_end_while_threads_work_and_a_helper_writes():
    ends("busy", interval=1)


def case_end_by_abort_leaves_no_snapshot():
    need(unchanged("ends", "abort").status == -signal.SIGABRT, "abort did not abort")


def case_end_after_other_libraries_destructors():
    for arguments in ((), ("thread",)):
        unchanged("exits_after_other_destructors", *arguments)
    for dump in dumps():
        check_held(dump)
        check_held(dump, "acquire", (0, 0))
    need(len(dumps()) == 2, "%d dumps", len(dumps()))


def case_main_thread_leaves_by_pthread_exit():
    done = unchanged("main_thread_leaves", "2500", interval=1)
    need(done.out == "worker done\nexit handler\n", "said %r", done.out)
    dump = only(dumps())
    check_held(dump)
    need(snapshot(dump)["index"] >= 3, "only %d snapshots", snapshot(dump)["index"])


def case_main_thread_leaves_with_a_resident_dumper():
    need(unchanged("main_thread_leaves", "1500", interval=1, dumper="thread").status == 0, "failed")
    check_held(only(dumps()))


def case_every_thread_leaves_at_once():
    done = run("every_thread_leaves_at_once", "40", interval=1)
    lines = sorted(done.out.split("\n"))
    need(done.status == 0 and lines == sorted([""] + ["round %d" % i for i in range(40)]), "%r", done)


def case_python_and_bash_end():
    for command in (["/usr/bin/python3", "-c", "print(sum(range(1000)))"], ["/bin/bash", "-c", "echo $((6 * 7))"]):
        if os.path.exists(command[0]):
            done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                                  check=False)
            need(done.returncode == 0 and not done.stderr, "%r", done)
    for dump in dumps():
        check_trigger(dump, "exit")


# --- threads and the kernel --------------------------------------------------------------------------------------------


def case_unshare_after_join():
    for _ in range(3):
        unchanged("unshares_after_join", interval=1)


def case_unshare_during_a_snapshot():
    for _ in range(3):
        unchanged("unshares_during_a_snapshot", interval=1)


def case_unshare_with_a_resident_dumper():
    unchanged("unshares_after_join", interval=1, dumper="thread")


def case_setuid_with_threads():
    as_root()
    os.chmod(".", 0o777)
    unchanged("changes_user_with_threads", interval=1)


def case_jumps_out_of_a_handler():
    unchanged("jumps_out_of_a_handler", interval=1)
    check_held(only(dumps()))


def case_queue_notification_survives():
    need(unchanged("is_notified_by_a_queue").out == "notified\n", "not notified even without the shim")


def case_record_locks_survive():
    need(unchanged("keeps_its_locks").out == "still locked\n", "not locked even without the shim")


# --- children ----------------------------------------------------------------------------------------------------------


def child(way, what, *more, **options):
    done = unchanged("makes_a_child", way, what, *more, **options)
    found = dumps()
    need(found, "no dump; log: %s", log())
    parents = [d for d in found if held(d, "leak_a_thousand") == LEAK]
    check_trigger(only(parents), "exit")
    return [d for d in found if d not in parents], done


def check_child(dump, expected=(10, 1230)):
    check_held(dump, "leak_ten_in_the_child", expected)
    check_held(dump, expected=(0, 0))  # the parent's
    check_accounts(dump)


def case_fork_child_that_does_nothing():
    need(child("fork", "nothing")[0] == [], "the child left a dump")


def case_fork_child_that_leaks():
    check_child(only(child("fork", "leak")[0]))


def case_fork_child_that_leaks_and__exits():
    check_child(only(child("fork", "leak-then-_exit")[0]))


def case_fork_child_that_is_killed():
    dump = only(child("fork", "leak-then-work")[0])
    check_child(dump)
    check_trigger(dump, "periodic")


def case_fork_child_that_execs():
    need([d.name for d in child("fork", "exec")[0] if "makes_a_child" in d.name] == [], "the child left a dump before exec")


def case_fork_child_that_leaks_and_execs():
    need([d.name for d in child("fork", "leak-then-exec")[0] if "makes_a_child" in d.name] == [],
         "the child left a dump before exec")


def case_fork_grandchild_that_leaks():
    found, _ = child("fork", "grandchild")
    need(len(found) == 2, "%d dumps of children", len(found))
    for dump in found:
        check_child(dump)


def case_fork_by__Fork():
    check_child(only(child("_Fork", "leak")[0]))


def case_fork_by_raw_clone():
    need(child("raw", "nothing")[0] == [], "the child left a dump")
    remove_dumps()
    child("raw", "leak")  # what it acquires before its first tick counts as the parent's; its file must not


def case_fork_by_forkpty():
    check_child(only(child("forkpty", "leak")[0]))


def case_fork_while_threads_allocate():
    for _ in range(10):
        remove_dumps()
        check_child(only(child("fork", "leak", "threads")[0]))


def case_spawn_system_popen():
    for way in ("spawn", "system", "popen"):
        need(child(way, "nothing")[1].out == "5 0\n", "status is not the child's")
        remove_dumps()


def case_children_ignored():
    for way, what in (("fork", "leak"), ("fork", "exec"), ("spawn", "nothing")):
        need(child(way, what, children="ignore")[0] == [], "%s, %s: the child left a dump", way, what)
        remove_dumps()


def case_pattern_without_pid_in_a_child():
    unchanged("makes_a_child", "fork", "leak", output=os.path.abspath("one.bin"))
    names = sorted(glob.glob("one.bin*"))
    need(len(names) == 2 and re.fullmatch(r"one\.bin\.\d+", names[1]), "dumps: %s", names)
    check_held(read("one.bin"))
    child_dump = read(names[1])
    need(names[1].endswith(".%d" % child_dump.report["process"]["pid"]), "wrong name %s", names[1])
    check_child(child_dump)


def vfork(what, blocks=(100, 77700), **options):
    unchanged("makes_vfork_children", what, **options)
    dump = only([d for d in dumps() if "makes_vfork" in d.name])
    check_held(dump)
    check_held(dump, "acquire", blocks)
    check_trigger(dump, "exit")
    need(snapshot(dump)["index"] == 1, "snapshot %d", snapshot(dump)["index"])


def case_vfork_child_that_execs():
    vfork("exec")


def case_vfork_child_that_fails_to_exec():
    vfork("failing-exec")


def case_vfork_child_that__exits():
    vfork("_exit")


def case_vfork_child_that_frees():
    vfork("free", (0, 0))


def case_vfork_child_that_closes_everything():
    vfork("close")


def case_vfork_child_that_takes_our_numbers():
    vfork("dup2")


def case_vfork_child_that_works_for_long():
    vfork("work", interval=30)


# --- exec --------------------------------------------------------------------------------------------------------------


def case_exec_by_every_function():
    for way in "execv execve execvp execvpe execl execlp execle fexecve execveat".split():
        done = unchanged("becomes_another_program", way, "/bin/sh", "-c", "echo $0 $1", "there")
        need(done.out == "there\n", "%s: said %r", way, done.out)
        dump = only([d for d in dumps() if "becomes" in d.name])
        check_held(dump)
        check_trigger(dump, "exec")
        remove_dumps()


def case_exec_keeps_the_old_image_under_another_name():
    """The pattern has no %e, so both images of the process have the same path."""
    unchanged("becomes_another_program", "execv", program("ends"), "exit", output=os.path.abspath("%p.bin"))
    names = sorted(glob.glob("*.bin*"))
    need(len(names) == 2 and names[1] == names[0] + ".1", "dumps: %s; log: %s", names, log())
    check_trigger(read(names[1]), "exec")
    check_trigger(read(names[0]), "exit")
    for name in names:
        check_held(read(name))


def case_exec_that_fails():
    unchanged("fails_to_become_another_program")
    dump = only(dumps())
    check_held(dump, expected=(2000, 74000))
    check_trigger(dump, "exit")


# --- hostile surroundings ----------------------------------------------------------------------------------------------


def closes(how):
    need(unchanged("closes_every_descriptor", how, interval=1).out.endswith("done\n"), "not done")
    dump = only(dumps())
    check_held(dump)
    check_trigger(dump, "exit")
    need(snapshot(dump)["index"] >= 2, "only %d snapshots; log: %s", snapshot(dump)["index"], log())


def case_program_closes_everything_in_a_loop():
    closes("loop")


def case_program_closes_everything_that_proc_lists():
    closes("proc")


def case_program_closes_everything_by_close_range():
    closes("close_range")


def case_program_closes_everything_in_a_table_of_its_own():
    closes("close_range-unshare")


def case_program_closes_everything_by_closefrom():
    closes("closefrom")


def case_program_closes_everything_by_a_raw_call():
    closes("raw")


def case_program_takes_our_numbers():
    unchanged("takes_every_number", interval=1)
    with open("shim/own", "rb") as file:
        need(set(file.read()) == {ord("x")}, "the program's file holds other bytes")
    check_held(only(dumps()))


def case_program_changes_directory():
    unchanged("changes_where_it_is", "chdir", output="relative.%p.bin", interval=1)
    check_held(only(dumps("shim/relative.*.bin")))


def case_working_directory_vanishes():
    unchanged("changes_where_it_is", "rmdir", output="relative.%p.bin", interval=1)
    check_held(only(dumps("shim/relative.*.bin")))


def case_program_changes_root():
    as_root()
    unchanged("changes_where_it_is", "chroot", interval=1)
    check_held(only(dumps()))


def case_dump_is_deleted_meanwhile():
    process = start("works_until_killed", "1", "4", interval=1)
    said_leaked(process)
    time.sleep(1.5)
    os.unlink(only(dumps()).path)
    need(finish(process).status == 0, "failed")
    check_held(only(dumps()))


def case_directory_is_not_writable():
    as_root()
    os.chmod(".", 0o755)
    with open("log", "w", encoding="utf-8"):
        os.chmod("log", 0o666)
    done = subprocess.run([program("works_until_killed"), "1", "2"], env=environment(interval=1), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE, user=54321, check=False)
    need(done.returncode == 0 and done.stderr == b"", "%r", done)
    need(not glob.glob("*.bin*"), "there is a dump")
    need("EACCES" in log(), "the log does not say why: %r", log())


def case_directory_becomes_writable():
    os.mkdir("later")
    os.rmdir("later")
    process = start("works_until_killed", "1", "4", interval=1, output=os.path.abspath("later/x.bin"))
    said_leaked(process)
    time.sleep(1.5)
    os.mkdir("later")
    need(finish(process).status == 0, "failed")
    check_held(only(dumps("later/*")))
    need("ENOENT" in log(), "the log does not say why: %r", log())


def case_disk_is_full():
    as_root()
    os.mkdir("disk")
    need(subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", "disk"], check=False).returncode == 0, "mount")
    try:
        with contextlib.suppress(OSError), open("disk/filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 1024)
        process = start("works_until_killed", "1", "4", interval=1, output=os.path.abspath("disk/x.bin"))
        said_leaked(process)
        time.sleep(1.5)
        need("ENOSPC" in log(), "the log does not say why: %r", log())
        os.unlink("disk/filler")
        need(finish(process).status == 0, "failed")
        check_held(only(dumps("disk/x.bin")))
    finally:
        subprocess.run(["umount", "-l", "disk"], check=True)


def case_file_size_limit():
    need(unchanged("lowers_its_limits", "fsize", interval=1).out == "done\n", "not done")
    need("EFBIG" in log(), "the log does not say why: %r", log())


def case_descriptor_limit():
    need(unchanged("lowers_its_limits", "nofile", interval=1).out == "done\n", "not done")
    check_held(only(dumps()))


def case_address_space_limit():
    need(unchanged("lowers_its_limits", "as", interval=1).out == "done\n", "not done")
    check_held(only(dumps()))


# --- processes that are nobody's program -------------------------------------------------------------------------------


def case_go_program_gets_a_resident_dumper():
    go = next((p for p in ("/usr/bin/go", "/usr/local/go/bin/go") if os.path.exists(p)), None)
    if not go:
        raise Skipped("no Go compiler (Debian: golang)")
    with open("main.go", "w", encoding="utf-8") as file:
        file.write("package main\n// #include <stdlib.h>\nimport \"C\"\nimport \"time\"\n"
                   "func main() { for i := 0; i < 1000; i++ { C.malloc(37) }; time.sleep }\n".replace("time.sleep", "time.Sleep(2500 * time.Millisecond)"))
    built = subprocess.run([go, "build", "-o", "program", "main.go"], env=dict(environment(False), GOCACHE=os.path.abspath("cache"),
                           HOME=os.getcwd(), GO111MODULE="off"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    need(built.returncode == 0, "go build: %s", built.stdout.decode())
    subprocess.run(["chmod", "-R", "u+w", "."], check=False)
    done = subprocess.run(["./program"], env=environment(interval=1), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode == 0 and done.stderr == b"", "%r", done)
    dump = only(dumps())
    check_trigger(dump, "periodic")  # Go leaves by a raw exit_group
    need(any(s["live_count"] == 1000 and s["live_bytes"] == 37000 for s in dump.report["sites"]), "the leak is not there")


CASES = {name[5:]: function for name, function in globals().items() if name.startswith("case_")}


def main():
    global LIBRARY, REPORT, PROGRAMS
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    LIBRARY, REPORT, PROGRAMS = map(os.path.abspath, sys.argv[1:4])
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what daemons leave behind ends up here
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            CASES[sys.argv[4]]()
        except Skipped as reason:
            print("SKIPPED: %s" % reason)
            return 77
        except (Failure, subprocess.TimeoutExpired) as failure:
            print("FAILED: %s" % failure)
            return 1
        finally:
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""When snapshots are taken, and how a process ends."""
import glob
import os
import signal
import struct
import subprocess
import time

from shim import *  # noqa: F403 (the vocabulary of these tests)


# --- periodic snapshots --------------------------------------------------------------------------------------------


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


# --- ends ----------------------------------------------------------------------------------------------------------


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


def case_end_at_the_moment_of_a_snapshot():
    for first in range(990, 1014, 6):  # a few at a time: others use this machine, too
        processes = [start("ends_at_a_moment", str(first + 2 * i), interval=1) for i in range(3)]
        for process in processes:
            done = finish(process)
            need(done.status == 0 and done.err == "", "%r; log: %s", done, log())
    found = dumps()
    need(len(found) == 12, "%d dumps", len(found))
    for dump in found:
        check_held(dump)
        check_accounts(dump)
        check_trigger(dump, "exit")
        need(not dump.incomplete, "%s is incomplete", dump.name)


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

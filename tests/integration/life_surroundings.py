"""Threads and the kernel, and surroundings that wish us no good."""
import contextlib
import glob
import os
import subprocess
import time

from shim import *  # noqa: F403 (the vocabulary of these tests)


# --- threads and the kernel ----------------------------------------------------------------------------------------


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


def case_snapshots_from_a_small_stack():
    unchanged("threads_beside_a_small_stack", interval=1)
    dump = only(dumps())
    check_held(dump)
    need(snapshot(dump)["index"] >= 2, "only %d snapshots; log: %s", snapshot(dump)["index"], log())


def case_libraries_come_and_go():
    unchanged("swaps_libraries", interval=1)
    check_held(only(dumps()))


def case_queue_notification_survives():
    need(unchanged("is_notified_by_a_queue").out == "notified\n", "not notified even without the shim")


def case_record_locks_survive():
    need(unchanged("keeps_its_locks").out == "still locked\n", "not locked even without the shim")


# --- hostile surroundings ------------------------------------------------------------------------------------------


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


# --- processes that are nobody's program ---------------------------------------------------------------------------


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


def sandbox(how, by):
    done = unchanged("enters_a_sandbox", how, by, interval=1)
    need(done.status == 0 and done.out == "done\n", "%r", done)
    dump = only(dumps())
    check_held(dump)
    check_trigger(dump, "periodic")  # from before the sandbox
    need(not dump.incomplete, "the dump is incomplete")


def case_sandbox_that_kills():
    sandbox("kill", "prctl")


def case_sandbox_that_kills_entered_by_syscall():
    sandbox("kill", "syscall")


def case_sandbox_that_refuses():
    sandbox("errno", "syscall")


def case_sandbox_of_four_calls():
    sandbox("strict", "prctl")


def case_sandbox_of_four_calls_entered_by_syscall():
    sandbox("strict", "syscall")


def another_time(ahead):
    as_root()
    unchanged("enters_another_time", str(ahead), "2500")
    dump = only([d for d in dumps() if held(d, "leak_a_thousand") != (0, 0)])
    check_held(dump)
    check_trigger(dump, "exit")
    need(snapshot(dump)["index"] <= 5, "%d snapshots in three seconds", snapshot(dump)["index"])
    return dump.report["snapshot"]["uptime"]


def case_time_goes_back_to_before_the_start():
    age = another_time(-int(time.clock_gettime(time.CLOCK_MONOTONIC)) + 1)
    need(age < 60, "%f seconds after start", age)


def case_time_goes_on_after_the_last_birth():
    another_time(600 * 86400)

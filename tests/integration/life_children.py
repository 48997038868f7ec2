"""Children and other images: fork, vfork, spawn, exec."""
import glob
import os
import re

from shim import *  # noqa: F403 (the vocabulary of these tests)


# --- children ------------------------------------------------------------------------------------------------------


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


# --- exec ----------------------------------------------------------------------------------------------------------


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

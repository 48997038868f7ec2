"""Children and other images: fork, vfork, spawn, exec."""
import contextlib
import glob
import os
import re
import shutil
import subprocess

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


def case_fork_in_every_thread():
    done = unchanged("forks_in_every_thread", "4", interval=1)
    need(done.out == "done\n", "%r", done)
    check_held(only([d for d in dumps() if held(d, "leak_a_thousand")[0]]))


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


# --- many processes, few dumps -----------------------------------------------------------------------------------------


def many_children(count, **options):
    need(unchanged("makes_many_children", str(count), **options).status == 0, "failed")
    found = dumps()
    return sorted(held(d, "hold")[0] for d in found if not held(d, "leak_a_thousand")[0])


def case_few_brief_children_all_leave_a_dump():
    have = many_children(4)
    need(have == [200, 300, 400, 500], "the children's dumps hold %s", have)


def case_of_many_brief_children_the_one_that_held_most_leaves_a_dump():
    have = many_children(30)
    need(have == [700], "the children's dumps hold %s", have)


def case_every_child_leaves_a_dump_where_that_is_asked_for():
    have = many_children(30, children="all")
    need(len(have) == 30, "%d dumps of children", len(have))


SCRIPT = """#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9 10; do
    x=$(echo $i | cat)   # two forked shells and a program
    y=$(readlink /nowhere; true)
done
%s
"""


def script(last):
    with open("script", "w", encoding="utf-8") as file:
        file.write(SCRIPT % last)
    os.chmod("script", 0o755)
    done = subprocess.run(["./script"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                          check=False)
    need(done.returncode == 3 and done.stderr == b"", "%r", done)
    return [d.report["process"]["exe"] for d in dumps()]


def is_script(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(2) == b"#!"
    return False


def case_wrapper_script_leaves_the_dump_of_what_it_becomes():
    have = script("exec %s exit" % program("ends"))
    need(have == [program("ends")], "dumps of %s; log: %s", have, log())


def case_script_leaves_few_dumps():
    have = script("%s exit" % program("ends"))
    need(program("ends") in have, "no dump of the program; log: %s", log())
    need(all(have.count(exe) <= 2 for exe in have), "dumps of %s", have)  # a shell's own, and one for its subshells


def case_python3_that_is_a_wrapper_leaves_one_dump():
    path = next((p for p in map("{}/python3".format, os.environ["PATH"].split(":")) if is_script(p)), None)
    if not path:
        raise Skipped("no python3 on the PATH is a script")
    done = subprocess.run([path, "-c", "print(6 * 7)"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode == 0 and done.stdout == b"42\n" and done.stderr == b"", "%r", done)
    need("python" in only(dumps()).name, "the dump is %s", dumps()[0].name)


def case_git_status_leaves_one_dump():
    git = shutil.which("git")
    if not git:
        raise Skipped("no git")
    subprocess.run([git, "init", "-q", "."], check=True)
    done = subprocess.run([git, "status", "--short"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    need(done.returncode == 0 and done.stderr == b"", "%r", done)
    need("git" in only(dumps()).name, "the dump is %s", dumps()[0].name)


# --- vfork -------------------------------------------------------------------------------------------------------------


def vfork(what, blocks=(100, 77700), child_s=None, **options):
    """Nothing is written while the child works; if that takes `child_s` seconds, the parent may be due afterwards."""
    unchanged("makes_vfork_children", what, **options)
    dump = only([d for d in dumps() if "makes_vfork" in d.name])
    check_held(dump)
    check_held(dump, "acquire", blocks)
    check_trigger(dump, "exit")
    index = snapshot(dump)["index"]
    first = snapshot(read(dump.path, "--snapshot", "1"))["uptime"]
    need(index == 1 or (child_s and index == 2 and first >= child_s), "snapshot %d, the first after %s s", index, first)


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
    vfork("work", child_s=1.2, interval=30)


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

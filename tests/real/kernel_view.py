"""The kernel's list of a process's descriptors, seen from outside, and a report held against it."""
import glob
import json
import os
import re
import stat
import subprocess
import time

import harness
import kernel_mappings

# include/net/tcp_states.h
TCP_STATES = ("", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
              "LAST_ACK", "LISTEN", "CLOSING")


def descriptors(pid, dump):
    """{number: target}, without the library's own: its dump, its control page, its log."""
    found = {}
    own = (os.path.realpath(dump), os.path.join(os.path.dirname(os.path.realpath(dump)), "log"))
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        except FileNotFoundError:
            continue
        if target not in own and not target.startswith("/memfd:leaktrack-control"):
            found[int(fd)] = target
    return found


def kind_of(pid, fd, target):
    if target.startswith("anon_inode:"):
        return "event"
    mode = os.stat("/proc/%d/fd/%d" % (pid, fd)).st_mode
    for test, word in ((stat.S_ISSOCK, "socket"), (stat.S_ISFIFO, "pipe"), (stat.S_ISDIR, "directory")):
        if test(mode):
            return word
    return "file"


def closes_on_exec(pid, fd):
    with open("/proc/%d/fdinfo/%d" % (pid, fd), encoding="ascii") as file:
        return bool(int(re.search(r"flags:\s*(\d+)", file.read()).group(1), 8) & os.O_CLOEXEC)


def tcp_sockets(pid):
    """{inode: (state, local port, peer port)} as /proc/net tells it."""
    found = {}
    for table in ("tcp", "tcp6"):
        with open("/proc/%d/net/%s" % (pid, table), encoding="ascii") as file:
            for line in file.read().splitlines()[1:]:
                words = line.split()
                local, peer = (int(words[i].split(":")[1], 16) for i in (1, 2))
                found[int(words[9])] = (TCP_STATES[int(words[3], 16)], local, peer)
    return found


def port_of(address):
    return int(address.rsplit(":", 1)[1]) if address else 0


def check_socket(row, target, tcp):
    inode = int(re.fullmatch(r"socket:\[(\d+)\]", target).group(1))
    if inode in tcp:
        told = (row["state"], port_of(row["local"]), port_of(row["peer"]))
        harness.need(told == tcp[inode], "descriptor %d is %s, the kernel says %s" % (row["fd"], told, tcp[inode]))
        harness.need(row["protocol"] in ("tcp", "tcp6"), "descriptor %d: %s" % (row["fd"], row["protocol"]))


def check_rows(report, pid, listed):
    """The report's rows are the kernel's list: none less, none more, each of the right kind, path and state."""
    rows = {row["fd"]: row for row in report["descriptors"]}
    missing, invented = sorted(set(listed) - set(rows)), sorted(set(rows) - set(listed))
    harness.need(not missing and not invented and len(rows) == len(report["descriptors"]), "missing: %s; invented: %s" % (
        {fd: listed[fd] for fd in missing}, {fd: rows[fd] for fd in invented}))
    tcp = tcp_sockets(pid)
    for fd, target in listed.items():
        row = rows[fd]
        kind = kind_of(pid, fd, target)
        harness.need(row["kind"] == kind, "descriptor %d (%s) is called %s" % (fd, target, row["kind"]))
        harness.need(row["cloexec"] == closes_on_exec(pid, fd), "descriptor %d (%s): close-on-exec" % (fd, target))
        harness.need((row["site"] is None) == (row["origin"] in ("inherited", "unattributed")),
                     "descriptor %d: origin %s, site %s" % (fd, row["origin"], row["site"]))
        if kind in ("file", "directory"):
            harness.need(row["path"] == re.sub(r" \(deleted\)$", "", target), "descriptor %d: %s is called %s" % (
                fd, target, row["path"]))
        if kind == "socket":
            check_socket(row, target, tcp)
    harness.need(report["kernel"]["reconciled"] == 1 and report["kernel"]["open_files"] == len(listed),
                 "kernel: %s" % report["kernel"])


def running_dump(directory, pid, keep_busy, seconds=60):
    """The dump of a process that runs, once it has made one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = glob.glob(os.path.join(directory, "*.%d.bin" % pid))
        if found and os.path.getsize(found[0]):
            return found[0]
        keep_busy()
    raise harness.Failure("process %d makes no dump" % pid)


def request(shim, dump, keep_busy):
    """A snapshot made now, at one of the events that `keep_busy` brings about."""
    answer = os.path.join(os.path.dirname(dump), "answer.json")
    with subprocess.Popen([shim.report, "--format", "json", "-o", answer, "--request", dump],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as asked:
        end = time.monotonic() + 60
        while asked.poll() is None and time.monotonic() < end:
            keep_busy()
        err = asked.stderr.read().decode() if asked.poll() is not None else "does not end"
    harness.need(asked.returncode == 0, "--request: exit %s: %s" % (asked.returncode, err))
    with open(answer, encoding="utf-8") as file:
        return json.load(file)  # of that snapshot, or of a periodic one that came right after it


def standstill(pid, dump, expected=None, seconds=60):
    """The kernel's list once it has the expected length, or has not changed for a while."""
    end = time.monotonic() + seconds
    before = descriptors(pid, dump)
    while time.monotonic() < end:
        time.sleep(0.05)
        now = descriptors(pid, dump)
        if now == before and expected in (None, len(now)):
            return now
        before = now
    raise harness.Failure("no standstill: %d descriptors, expected %s: %s" % (len(before), expected, before))


def compare(shim, pid, dump, keep_busy, expected=None):
    """At a standstill the report equals the kernel's lists; gives the report. The first helper thread leaves a stack
    behind, a heap may grow, redis-server looks at its own /proc ten times a second: that was no standstill then, and
    another is looked for."""
    for _ in range(10):
        listed = standstill(pid, dump, expected)
        mapped = kernel_mappings.mappings(pid)
        report = request(shim, dump, keep_busy)
        harness.need(descriptors(pid, dump) == listed, "this was no standstill")
        if any((row["path"] or "").startswith("/proc/") for row in report["descriptors"]):
            continue
        check_rows(report, pid, listed)
        if kernel_mappings.mappings(pid) == mapped:
            kernel_mappings.check_mappings(report, mapped)
            kernel_mappings.check_threads(report, kernel_mappings.threads(pid))
            return report
    raise harness.Failure("it never stands still")

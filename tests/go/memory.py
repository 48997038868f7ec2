"""Judges of where memory is: the page cache of files by mincore(2), the control group's own files."""
import ctypes
import glob
import mmap
import os
import re

import harness

MIB = 1 << 20
SLACK = 64 * MIB  # other processes of the group go on, and the kernel adds up its processors' counts late


def cached_bytes(path):
    """How much of a file the kernel has in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as pages:
        there = (ctypes.c_ubyte * ((len(pages) + mmap.PAGESIZE - 1) // mmap.PAGESIZE))()
        start = ctypes.c_char.from_buffer(pages)
        status = libc.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(pages)), there)
        del start
        harness.need(status == 0, "mincore: %s" % os.strerror(ctypes.get_errno()))
        return sum(page & 1 for page in there) * mmap.PAGESIZE


def group_file(pid, version, name):
    """The text of a file of the process's group. The test must see the hierarchy where every distribution has it."""
    pattern, mount = (r"^0::(.*)$", "") if version == 2 else (r"^\d+:(?:\w+,)*memory(?:,\w+)*:(.*)$", "memory")
    with open("/proc/%d/cgroup" % pid, encoding="utf-8") as groups:
        group = re.search(pattern, groups.read(), re.M).group(1)
    for directory in (os.path.join("/sys/fs/cgroup", mount) + group, os.path.join("/sys/fs/cgroup", mount)):
        if os.path.exists(os.path.join(directory, name)):
            with open(os.path.join(directory, name), encoding="ascii") as file:
                return file.read()
    return harness.skip("the files of cgroup %s are not below /sys/fs/cgroup" % group)


def group_numbers(pid, version):
    used = "memory.current" if version == 2 else "memory.usage_in_bytes"
    rows = dict(line.split() for line in group_file(pid, version, "memory.stat").splitlines())
    prefix, anon, file = ("", "anon", "file") if version == 2 else ("total_", "rss", "cache")
    return {"cgroup_used": int(group_file(pid, version, used)), "cgroup_anon": int(rows[prefix + anon]),
            "cgroup_file": int(rows[prefix + file])}


def judge_page_cache(pid, report, words):
    wanted = int(words.split()[0]) * MIB
    files = glob.glob("/proc/%d/cwd/leaktrack-pagecache*/segment-*" % pid)
    cached = sum(cached_bytes(path) for path in files)
    said = report["memory"]
    if "cgroup_used" not in said:
        harness.skip("this process is in no control group with the memory controller")
    harness.need(sum(os.path.getsize(path) for path in files) == wanted, "files: %s" % files)
    harness.need(said["cgroup_file"] >= cached * 0.9, "%d bytes of page cache in the group, %d of these files alone" %
                 (said["cgroup_file"], cached))
    now = group_numbers(pid, said["cgroup_version"])
    for name, value in now.items():
        harness.need(abs(said[name] - value) <= max(SLACK, value * 0.2), "%s is %d in the report, %d in the group" %
                     (name, said[name], value))
    print("the kernel keeps %d bytes of %d; the group: %s" % (cached, wanted, now))


def anonymous(pid):
    """{start: resident anonymous bytes} of the process's mappings, and the process's sum, by smaps."""
    with open("/proc/%d/smaps" % pid, encoding="utf-8") as smaps:
        rows = re.findall(r"^([0-9a-f]+)-[0-9a-f]+ .*?^Anonymous: +(\d+) kB", smaps.read(), re.M | re.S)
    return {int(start, 16): int(kib) * 1024 for start, kib in rows}


def judge_resident(pid, report, _words=""):
    """Row by row, and the sums, while nothing runs."""
    judge = anonymous(pid)
    rows = [r for r in report["mappings"] if r["resident"] is not None and r["class"] != "leaktrack"]
    said, truth = sum(r["resident"] for r in rows), sum(judge.get(r["address"], 0) for r in rows)
    harness.need(rows and abs(said - truth) <= max(4 * MIB, truth * 0.05), "mappings hold %d, smaps says %d" % (said, truth))
    total, parts = sum(judge.values()), report["resident"]
    named = sum(parts[name] for name in ("heap_in_use", "malloc_kept", "go_runtime", "mappings", "stacks", "leaktrack", "other"))
    harness.need(abs(named - total) <= max(8 * MIB, total * 0.05), "the parts are %d, smaps says %d: %s" % (named, total, parts))
    print("anonymous memory: %d by smaps; %s" % (total, parts))
    return total

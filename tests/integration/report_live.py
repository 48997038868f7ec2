#!/usr/bin/env python3
"""leaktrack-report on processes: asked for a snapshot, restarted, rebuilt.

report_live.py LIBRARY REPORT VICTIM VICTIM_VERSION_2 SOCKETS_EXAMPLE [unittest arguments]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

LIBRARY, REPORT, VICTIM, REBUILT, SOCKETS = (os.path.abspath(a) for a in sys.argv[1:6])

KINDS = ["heap", "mapping", "file", "directory", "socket", "pipe", "event", "stream", "thread", "timer"]


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="leaktrack-test-")

    def tearDown(self):
        shutil.rmtree(self.dir)

    def start(self, *command, name="dump", under=()):
        """Runs the command (not those `under` which it runs) with the library."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_")}
        settings = ["LD_PRELOAD=" + LIBRARY, "LEAKTRACK_OUTPUT=" + os.path.join(self.dir, name + ".bin"),
                    "LEAKTRACK_INTERVAL=3600", "LEAKTRACK_LOG=" + os.path.join(self.dir, "log")]
        child = subprocess.Popen([*under, "env", *settings, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        return child

    def end(self, child):
        child.communicate(b"end", timeout=60)
        self.assertEqual(child.returncode, 0)

    def dump_of(self, *command, name):
        self.end(self.start(*command, name=name))
        return os.path.join(self.dir, name + ".bin")

    def run_report(self, *arguments):
        return subprocess.run([REPORT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)

    def json(self, *arguments, code=0):
        done = self.run_report("--format", "json", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def path(self):
        return os.path.join(self.dir, "dump.bin")


class Requests(Case):
    def test_a_busy_process_answers(self):
        child = self.start(VICTIM, "10", "busy")
        first = self.json("--request", self.path())
        self.assertEqual(first["snapshot"]["trigger"], "request")
        self.assertEqual(first["process"]["pid"], child.pid)
        second = self.json("--request", "--base-snapshot", "-1", self.path())
        self.assertGreater(second["snapshot"]["index"], first["snapshot"]["index"])
        self.assertEqual([s for s in second["sites"] if s["change"] != "gone" and s["delta_bytes"] > 100], [])
        self.end(child)

    def test_an_idle_process_is_said_to_be_idle(self):
        child = self.start(VICTIM, "10", "idle")
        started = time.monotonic()
        done = self.run_report("--request", self.path())
        self.assertIn(done.returncode, (3, 4))  # 3: it has no snapshot at all yet
        self.assertIn(b"is idle", done.stderr)
        self.assertNotIn(b"--request", done.stderr)  # no advice to do what was just done
        self.assertLess(time.monotonic() - started, 20)
        self.end(child)

    def test_a_process_in_a_container_answers(self):
        """To itself it is process 1."""
        if os.geteuid():
            self.skipTest("needs root to make a pid namespace")
        child = self.start(VICTIM, "10", "busy", under=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
        report = self.json("--request", self.path())
        self.assertEqual((report["snapshot"]["trigger"], report["process"]["pid"]), ("request", 1))
        self.end(child)
        done = self.run_report("--request", self.path())
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"has no control page", done.stderr)

    def test_an_ended_process_is_reported_all_the_same(self):
        dump = self.dump_of(VICTIM, "10", name="dump")
        done = self.run_report("--request", dump)
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"is not running", done.stderr)
        self.assertIn(b"blocks", done.stdout)

    def test_no_dump_at_all(self):
        done = self.run_report("--request", self.path())
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"No such file", done.stderr)

    def test_a_process_that_dies_meanwhile(self):
        child = self.start(VICTIM, "10", "idle")
        with subprocess.Popen([REPORT, "--request", self.path()], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as asking:
            self.assertIn(b"waiting for process", asking.stderr.readline())
            child.kill()
            child.wait()
            started = time.monotonic()
            _, said = asking.communicate(timeout=60)
        self.assertIn(b"ended before it answered", said)
        self.assertLess(time.monotonic() - started, 5)
        child.stdin.close()
        child.stdout.close()

    def test_an_unprivileged_user_is_told(self):
        if os.geteuid():
            self.skipTest("needs root to become somebody else")
        child = self.start(VICTIM, "10", "busy")
        time.sleep(1.5)
        os.chmod(self.dir, 0o755)
        os.chmod(self.path(), 0o644)
        place = tempfile.mkdtemp()  # the build tree may be nobody's business
        try:
            os.chmod(place, 0o755)
            shutil.copy(REPORT, place)
            done = subprocess.run([os.path.join(place, "leaktrack-report"), "--request", self.path()], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60, check=False, user=65534, group=65534, extra_groups=[])
        finally:
            shutil.rmtree(place)
        self.assertIn(done.returncode, (3, 4), done.stderr)
        self.assertIn(b"ask as its user or as root", done.stderr)
        self.end(child)


class Comparisons(Case):
    def changes(self, *arguments):
        report = self.json(*arguments)
        found = {}
        for site in report["sites"]:
            for frame in site["frames"]:
                if (frame["function"] or "").startswith("leak_"):
                    found[frame["function"]] = (site["change"], site["delta_count"], site["delta_bytes"])
        return found, report

    def test_a_restart_changes_nothing(self):
        old, new = self.dump_of(VICTIM, "10", name="old"), self.dump_of(VICTIM, "10", name="new")
        found, report = self.changes("--base", old, new)
        self.assertEqual(found, {})
        self.assertEqual(report["sites"], [])
        self.assertGreaterEqual(report["base"]["unchanged"]["live_bytes"], 2000)

    def test_more_of_the_same(self):
        old, new = self.dump_of(VICTIM, "10", name="old"), self.dump_of(VICTIM, "25", name="new")
        self.assertEqual(self.changes("--base", old, new)[0],
                         {"leak_steadily": ("grown", 15, 1500), "leak_more": ("grown", 15, 1500)})
        self.assertEqual(self.changes("--base", new, old)[0],
                         {"leak_steadily": ("shrunk", -15, -1500), "leak_more": ("shrunk", -15, -1500)})

    def test_a_rebuild_is_matched_by_names(self):
        old, new = self.dump_of(VICTIM, "10", name="old"), self.dump_of(REBUILT, "10", name="new")
        self.assertEqual(self.changes("--base", old, new)[0],
                         {"leak_more": ("grown", 10, 1000), "leak_anew": ("new", 10, 500)})
        self.assertEqual(self.changes("--base", new, old)[0],
                         {"leak_more": ("shrunk", -10, -1000), "leak_anew": ("gone", -10, -500)})

    def test_growth_breaches_a_policy(self):
        old, new = self.dump_of(VICTIM, "10", name="old"), self.dump_of(VICTIM, "11", name="new")
        for policy, code in (("heap.growth>0", 1), ("heap.growth>2", 0), ("heap.growth.bytes>=200", 1)):
            self.assertEqual(self.run_report("--fail-on", policy, "--base", old, new).returncode, code, policy)

    def test_ids_are_those_of_the_document(self):
        """docs/report-json.md in Python, on a real dump, where no frame is inlined away."""
        mask = (1 << 64) - 1

        def mix(state, word):
            x = (state + word) & mask
            x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & mask
            x = ((x ^ x >> 27) * 0x94D049BB133111EB) & mask
            return x ^ x >> 31

        def fnv(data):
            value = 0xCBF29CE484222325
            for byte in data:
                value = ((value ^ byte) * 0x100000001B3) & mask
            return value

        report = self.json("--no-inlines", self.dump_of(VICTIM, "10", name="dump"))
        self.assertTrue(report["sites"])
        for site in report["sites"]:
            state = 0x6C65616B747261
            for frame in reversed(site["frames"]):
                module = bytes.fromhex(frame["build_id"]) if frame["build_id"] else (frame["module"] or "").encode()
                state = mix(mix(state, fnv(module) if module else 0), frame["offset"])
            self.assertEqual(site["id"], "%016x" % mix(state, 1 + KINDS.index(site["kind"])))


class Sockets(Case):
    """The example of docs/example, against the kernel's own list."""

    @staticmethod
    def kernels_word(pid):
        """The pairs of ends of the process's TCP sockets in CLOSE_WAIT."""
        inodes = set()
        for name in os.listdir("/proc/%d/fd" % pid):
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
            if target.startswith("socket:["):
                inodes.add(target[8:-1])

        def end(text):
            address, port = text.split(":")
            return "%d.%d.%d.%d:%d" % (*bytes.fromhex(address)[::-1], int(port, 16))
        with open("/proc/%d/net/tcp" % pid, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return sorted((end(row[1]), end(row[2])) for row in rows if row[3] == "08" and row[9] in inodes)

    def sockets_of(self, *arguments):
        child = self.start(SOCKETS, *arguments)
        expected = self.kernels_word(child.pid)
        open_files = os.listdir("/proc/%d/fd" % child.pid)
        self.end(child)
        self.assertEqual(len(expected), 20)
        report = self.json(self.path())
        found = [d for d in report["descriptors"] if d["state"] == "CLOSE_WAIT"]
        self.assertEqual(sorted((d["local"], d["peer"]) for d in found), expected)
        self.assertEqual(report["socket_states"]["CLOSE_WAIT"], 20)
        self.assertEqual(report["kernel"]["open_files"], len(report["descriptors"]))
        self.assertLessEqual({d["fd"] for d in found}, {int(fd) for fd in open_files})
        self.assertEqual(len({d["site"] for d in found}), 1)
        text = self.run_report(self.path()).stdout.decode().splitlines()
        return expected, [line for line in text[1:] if line]  # behind the process

    def test_a_client(self):
        expected, lines = self.sockets_of()
        self.assertRegex(lines[0], r"^warning: 20 sockets in CLOSE_WAIT, peer %s, oldest \S+ \S+: the peer has closed" %
                         re.escape(expected[0][1]))
        self.assertRegex(lines[1], r"^ +call_backend +\S+sockets\.c:\d+$")
        self.assertRegex(lines[2], r"^ +main +\S+sockets\.c:\d+$")

    def test_a_server(self):
        expected, lines = self.sockets_of("server")
        self.assertRegex(lines[0], r"^warning: 20 sockets in CLOSE_WAIT, local %s, peer 127\.0\.0\.1, oldest " %
                         re.escape(expected[0][0]))
        self.assertRegex(lines[1], r"^ +take_call +\S+sockets\.c:\d+$")

    def test_policies(self):
        self.end(self.start(SOCKETS))
        for policy, code in (("close_wait>0", 1), ("close_wait>20", 0), ("socket>=21", 1), ("file>0", 0), ("misuse>0", 0)):
            self.assertEqual(self.run_report("--fail-on", policy, self.path()).returncode, code, policy)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[6:], verbosity=2)  # says why a test is skipped

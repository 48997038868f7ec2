#!/usr/bin/env python3
"""LEAKTRACK_AFTER, end to end. Arguments: LIBRARY REPORT VICTIM [unittest arguments]."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

LIBRARY, REPORT, VICTIM = (os.path.abspath(a) for a in sys.argv[1:4])
TIMEOUT = 120
AFTER = 4  # seconds: enough for a program to start on a busy machine


class WarmUp(unittest.TestCase):
    def run_victim(self, after, wait, **options):
        """The victim's dump when its input ended at once, or when it went on once the warm-up was over."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        dump = os.path.join(directory.name, "dump.bin")
        env = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_")}
        env.update(LD_PRELOAD=LIBRARY, LEAKTRACK_OUTPUT=dump, LEAKTRACK_AFTER=str(after), **options)
        with subprocess.Popen([VICTIM], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
            self.assertEqual(victim.stdout.readline(), b"ready\n")
            if wait:
                time.sleep(AFTER + 0.5)  # counted from a moment after the start
                victim.stdin.write(b"\n")
                victim.stdin.flush()
                self.assertEqual(victim.stdout.readline(), b"ready\n")
            victim.stdin.close()
            self.assertEqual(victim.wait(TIMEOUT), 0)
        return dump

    def report(self, dump, *options, code=0):
        done = subprocess.run([REPORT, "--format", "json", "--no-debuginfod", *options, dump], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    @staticmethod
    def held(report, kind):
        return sum(s["live_count"] for s in report["sites"]
                   if s["kind"] == kind and any(f["function"] == "leak" for f in s["frames"]))

    def test_what_comes_later_is_a_leak(self):
        dump = self.run_victim(AFTER, True)
        report = self.report(dump, "--fail-on", "heap.bytes>100000", code=0)
        self.assertEqual(self.held(report, "heap"), 8)
        self.assertEqual(self.held(report, "file"), 2)
        self.assertGreaterEqual(report["warm_up"]["heap"]["live_count"], 1000)
        self.assertEqual(report["warm_up"]["file"]["live_count"], 1)
        asked = self.report(dump, "--warm-up", "--fail-on", "heap.bytes>100000", code=1)
        self.assertEqual((self.held(asked, "heap"), self.held(asked, "file"), asked["warm_up"]), (1008, 3, {}))
        self.assertEqual(sum(s["live_count"] for s in asked["sites"]), sum(t["live_count"] for t in asked["totals"].values()))

    def test_a_program_that_ends_before_has_no_leak(self):
        report = self.report(self.run_victim(1000, False), "--fail-on", "heap>0", "--fail-on", "file>0")
        self.assertEqual(report["sites"], [])
        self.assertGreaterEqual(report["warm_up"]["heap"]["live_count"], 1000)

    def test_without_it_everything_counts(self):
        report = self.report(self.run_victim(0, False), "--fail-on", "heap>999", code=1)
        self.assertEqual((self.held(report, "heap"), report["warm_up"]), (1000, {}))

    def test_samples_too(self):
        report = self.report(self.run_victim(AFTER, True, LEAKTRACK_SAMPLE="1"))
        self.assertEqual(self.held(report, "heap"), 8)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])

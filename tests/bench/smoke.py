#!/usr/bin/env python3
"""tools/bench works: each workload runs with each side that this machine has, and table and JSON hold their fields. No
figure is judged, only counts: leaktrack records each allocation that an independent counter sees.

smoke.py BENCH BUILD"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH, BUILD = sys.argv[1:3]
SIDES = {"none", "forward", "leaktrack", "sampling", "heaptrack", "jemalloc", "jemalloc-sampling"}
RATIOS = {"wall_ratio", "rss_ratio", "added_ns"}
OF_LEAKTRACK = {"index_per_block", "stacks_per_node", "dump_kib", "snapshot_ms"}
MAY_FAIL = {"heaptrack", "jemalloc", "jemalloc-sampling"}  # other people's programs


def bench(*words):
    return subprocess.run([BENCH, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280,
                          check=False)


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "figures.json")
            cls.done = bench("--smoke", "--build", BUILD, "--json", path)
            if cls.done.returncode != 0:
                raise AssertionError("exit code %d: %s" % (cls.done.returncode, cls.done.stderr))
            with open(path, encoding="utf-8") as file:
                cls.found = json.load(file)
        for what in "missing_sides", "skipped_workloads":
            for name, reason in cls.found[what].items():
                print("not measured: %s: %s" % (name, reason))

    def sides(self):
        for workload in self.found["workloads"]:
            for name, side in workload["sides"].items():
                yield workload, name, side

    def test_every_workload_runs_or_says_why_not(self):
        listed = {line.split()[0] for line in bench("--list").stdout.split("Sides:")[0].splitlines()[1:]}
        self.assertGreater(len(listed), 10)
        ran = {workload["name"] for workload in self.found["workloads"]}
        self.assertEqual(listed, ran | set(self.found["skipped_workloads"]))
        self.assertTrue({"ring-30", "migrate", "handoff"} <= ran)

    def test_every_side_runs_or_says_why_not(self):
        for workload, name, side in self.sides():
            with self.subTest(workload=workload["name"], side=name):
                if name in MAY_FAIL and "problem" in side:
                    print("%s, %s: %s" % (workload["name"], name, side["problem"]))
                    continue
                self.assertEqual(side["rounds"], 1, side.get("problem"))
        for workload in self.found["workloads"]:
            self.assertEqual(set(workload["sides"]) | set(self.found["missing_sides"]), SIDES)
            self.assertTrue({"none", "forward", "leaktrack"} <= set(workload["sides"]))

    def test_sides_have_their_figures(self):
        for workload, name, side in self.sides():
            with self.subTest(workload=workload["name"], side=name):
                wanted = set() if not side["against"] else RATIOS
                wanted = wanted | OF_LEAKTRACK if name in ("leaktrack", "sampling") else wanted
                if "figures" in side:
                    self.assertTrue(wanted <= set(side["figures"]), side["figures"].keys())

    def test_leaktrack_records_what_the_counter_counts(self):
        for workload, name, side in self.sides():
            if name == "leaktrack":
                with self.subTest(workload=workload["name"]):
                    self.assertAlmostEqual(side["more"]["recorded"] / workload["allocations"], 1, delta=0.01)
                    self.assertEqual(side["more"]["untracked"], 0)

    def test_the_table_has_a_block_per_workload(self):
        for workload in self.found["workloads"]:
            self.assertIn("\n%s: %s\n" % (workload["name"], workload["title"]), self.done.stdout)
        self.assertEqual(self.done.stdout.count("leaktrack, every block  "), len(self.found["workloads"]))
        self.assertIn(self.found["machine"]["kernel"], self.done.stdout)

    def test_wrong_words_are_refused(self):
        for words in ("--only", "nothing"), ("--side", "nobody"), ("--runs", "0"), ("--runs", "many"), ("extra",):
            done = bench(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("bench: error:", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

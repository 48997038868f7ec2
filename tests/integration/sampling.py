#!/usr/bin/env python3
"""LEAKTRACK_SAMPLE, end to end, on a program that says what it holds. Arguments: LIBRARY REPORT VICTIM SMOKE [unittest arguments].

Samples differ from run to run. What is asked of a single number is that it lies within five of its own standard errors, which fails
once in a million times, where enough blocks were sampled for that error to be known.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import unittest

LIBRARY, REPORT, VICTIM, SMOKE = (os.path.abspath(a) for a in sys.argv[1:5])
TIMEOUT = 120
MEASURES = "live_count", "live_bytes", "alloc_count", "alloc_bytes"
ENOUGH = 30  # samples


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}


class Sampling(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.dump = os.path.join(self.directory.name, "dump.bin")

    def environment(self, sample):
        return dict(clean_environment(), LD_PRELOAD=LIBRARY, LEAKTRACK_OUTPUT=self.dump, LEAKTRACK_SAMPLE=str(sample))

    def run_victim(self, mode, sample):
        done = subprocess.run([VICTIM, mode], env=self.environment(sample), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode(), self.report()

    def report(self, *options):
        done = subprocess.run([REPORT, "--format", "json", "--no-debuginfod", *options, self.dump], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    @staticmethod
    def of_function(report, name):
        """Figures of all sites with a frame in the function; errors add up as squares."""
        sites = [s for s in report["sites"] if s["kind"] == "heap" and any(f["function"] == name for f in s["frames"])]
        found = {m: sum(s[m] for s in sites) for m in MEASURES}
        found.update({m + "_error": sum(s[m + "_error"] ** 2 for s in sites) ** 0.5 for m in MEASURES if sites and m + "_error" in sites[0]})
        found["samples"] = sum(s.get("samples", 0) for s in sites)
        return found

    def check_near(self, found, truth, what):
        for measure, value in truth.items():
            far = abs(found[measure] - value)
            error = found[measure + "_error"] + 0.5  # which is rounded to whole numbers
            self.assertLessEqual(far, 5 * error + 1, (what, measure, found, truth))

    def test_every_estimate_is_within_its_error(self):
        for sample in ("2k", "64k"):
            said, report = self.run_victim("leak", sample)
            checked = 0
            for line in said.splitlines():
                name, count, size = line.split()
                found = self.of_function(report, name)
                if found["samples"] >= ENOUGH:
                    checked += 1
                    self.check_near(found, {"live_count": int(count), "live_bytes": int(size)}, (sample, name))
            self.assertGreaterEqual(checked, 4)

    def test_totals_are_those_of_an_exact_run(self):
        _, exact = self.run_victim("leak", 0)
        truth = exact["totals"]["heap"]
        self.assertEqual(exact["snapshot"]["sampling_bytes"], 0)
        self.assertNotIn("live_bytes_error", truth)
        for sample, number in (("16k", 16384), ("256k", 262144)):
            _, report = self.run_victim("leak", sample)
            self.assertEqual(report["snapshot"]["sampling_bytes"], number)
            found = report["totals"]["heap"]
            self.check_near(found, {m: truth[m] for m in (*MEASURES, "release_count", "release_bytes")}, sample)
            self.check_accounts(report)
            self.assertEqual(report["statistics"]["heap bytes sampled from"], truth["alloc_bytes"])

    def test_estimates_are_unbiased(self):
        """The mean of many runs is nearer to the truth than any of them: within five of its own standard errors."""
        runs = [self.run_victim("leak", "1M")[1]["totals"]["heap"] for _ in range(40)]
        _, exact = self.run_victim("leak", 0)
        for measure in ("live_bytes", "alloc_bytes"):
            found = [run[measure] for run in runs]
            error = statistics.stdev(found) / len(found) ** 0.5
            self.assertLess(abs(statistics.mean(found) - exact["totals"]["heap"][measure]), 5 * error, (measure, found))
            said = statistics.mean(run[measure + "_error"] for run in runs)
            self.assertLess(abs(statistics.stdev(found) / said - 1), 0.7, (measure, found, said))

    def check_accounts(self, report):
        total = report["totals"]["heap"]
        for unit in ("count", "bytes"):
            rest = total["alloc_" + unit] - total["release_" + unit] - total["live_" + unit]
            self.assertLessEqual(abs(rest), 1, total)
            rounding = abs(sum(s["live_" + unit] for s in report["sites"] if s["kind"] == "heap") - total["live_" + unit])
            self.assertLessEqual(rounding, len(report["sites"]))
        self.assertEqual(sum(report["untracked"].values()), 0, report["untracked"])

    def test_what_is_given_back_is_gone(self):
        for sample in (1, "4k", "100k"):
            _, report = self.run_victim("balanced", sample)
            found = self.of_function(report, "turn_over")  # not what glibc keeps of a thread
            self.assertEqual((found["live_count"], found["live_bytes"]), (0, 0), sample)
            self.assertGreater(found["alloc_bytes"], 0)
            self.check_accounts(report)

    def test_one_byte_is_nearly_every_block(self):
        _, exact = self.run_victim("balanced", 0)
        _, report = self.run_victim("balanced", 1)
        truth, found = exact["totals"]["heap"], report["totals"]["heap"]
        self.assertLess(abs(found["alloc_bytes"] / truth["alloc_bytes"] - 1), 0.001)

    def test_requests_are_served_though_nothing_is_sampled(self):
        victim = subprocess.Popen([VICTIM, "slowly"], env=self.environment("1G"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertEqual(victim.stdout.readline(), b"ready\n")
            report = self.report("--request")
            self.assertEqual(report["snapshot"]["trigger"], "request")
            self.assertEqual(report["snapshot"]["sampling_bytes"], 1 << 30)
        finally:
            victim.stdin.close()
            victim.wait(TIMEOUT)
            victim.stdout.close()

    def test_a_comparison_with_an_exact_run_has_errors(self):
        base = os.path.join(self.directory.name, "base.bin")
        self.run_victim("leak", 0)
        os.rename(self.dump, base)
        self.run_victim("leak", "64k")
        report = self.report("--base", base)
        self.assertTrue(all("delta_bytes_error" in s for s in report["sites"] if s["kind"] == "heap"))
        for site in report["sites"]:
            if site["kind"] == "heap" and site["samples"] >= ENOUGH:
                self.assertLessEqual(abs(site["delta_bytes"]), 5 * site["delta_bytes_error"] + 1, site)

    def test_smoke_warns(self):
        done = subprocess.run([SMOKE, "--lib", LIBRARY, "--report", REPORT, "--no-debuginfod", "--", VICTIM, "leak"],
                              env=dict(clean_environment(), LEAKTRACK_SAMPLE="64k"), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 1, said)
        self.assertIn("LEAKTRACK_SAMPLE=64k is set", said)
        self.assertIn("estimated from samples", said)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])

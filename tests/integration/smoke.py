#!/usr/bin/env python3
"""leaktrack-smoke as CI uses it. smoke.py SMOKE LIBRARY REPORT VICTIM STATIC_VICTIM BUILD_DIR [unittest arguments]."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SMOKE, LIBRARY, REPORT, VICTIM, STATIC_VICTIM, BUILD = (os.path.abspath(a) for a in sys.argv[1:7])


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="leaktrack test ")  # with blanks: nothing may split it
        self.leftovers = set(os.listdir(self.dir))

    def tearDown(self):
        shutil.rmtree(self.dir)

    def smoke(self, *arguments, script=SMOKE, tools=True, stdin=b"", environment=None):
        command = ["sh", script] + (["--lib", LIBRARY, "--report", REPORT] if tools else []) + list(arguments)
        env = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_") and k != "LD_PRELOAD"}
        env.update(environment or {}, TMPDIR=self.dir)
        return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=self.dir,
                              timeout=120, check=False)

    def assert_left(self, *names):
        self.assertEqual(sorted(os.listdir(self.dir)), sorted(names))


class Judging(Case):
    def test_a_clean_program(self):
        done = self.smoke(VICTIM, "print", "hi")
        self.assertEqual((done.returncode, done.stdout), (0, b"hi\n"), done.stderr)
        self.assertIn(b"ended with 0; 1 process reported, nothing condemned\n", done.stderr)
        self.assert_left()

    def test_a_leak(self):
        done = self.smoke(VICTIM, "leak", "1000")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"36.1 KiB in 1000 blocks", done.stderr)
        self.assertIn(b"smoke_victim.c:", done.stderr)
        self.assertIn(b"\nbreached: heap>0 (heap.blocks is 1000)\n", done.stderr)
        self.assertIn(b"1 process reported, policy breached by 1\n", done.stderr)
        self.assert_left()

    def test_what_the_c_library_keeps_is_no_leak(self):
        done = self.smoke("--fail-on", "heap>0", VICTIM, "libc")
        self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"), done.stderr)
        done = self.smoke("--fail-on", "heap.all>0", VICTIM, "libc")
        self.assertEqual(done.returncode, 1)

    def test_what_only_debug_information_tells_of_it(self):
        out = os.path.join(self.dir, "report.json")
        done = self.smoke("--format", "json", "-o", out, VICTIM, "libc-more")
        with open(out, encoding="utf-8") as file:
            frames = [f for s in json.load(file)["sites"] for f in s["frames"]]
        if not any(f["file"] for f in frames if os.path.basename(f["module"] or "").startswith("libc.so")):
            self.skipTest("no debug information of libc (Debian: libc6-dbg)")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_policies(self):
        for policies, code in ((["heap>10"], 0), (["heap>9"], 1), (["heap.bytes>1K"], 0), (["heap.bytes>=370"], 1),
                               (["heap>10", "heap.sites>0"], 1), (["heap.sites>1"], 0)):
            options = [o for p in policies for o in ("--fail-on", p)]
            self.assertEqual(self.smoke(*options, VICTIM, "leak", "10").returncode, code, policies)
        self.assertEqual(self.smoke("--fail-on=heap>10", VICTIM, "leak", "10").returncode, 0)

    def test_descriptors_are_told_and_condemned_on_request(self):
        done = self.smoke(VICTIM, "open", "3", "close-twice")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"\n#1  3 files, 100 % of files, ", done.stderr)
        self.assertIn(b"\nwarning: double close: descriptor ", done.stderr)
        for policy, code in (("descriptors>0", 1), ("descriptors>3", 0), ("file==3", 1), ("socket>0", 0), ("misuse>0", 1),
                             ("unjoined>0", 0)):
            self.assertEqual(self.smoke("--fail-on", policy, VICTIM, "open", "3", "close-twice").returncode, code, policy)
        self.assertEqual(self.smoke("--fail-on", "descriptors>0", VICTIM, "print", "hi").returncode, 0)
        self.assertEqual(self.smoke("--inheritable", "--list", VICTIM, "open", "1").returncode, 0)

    def test_options_of_the_report_are_passed_on(self):
        self.assertEqual(self.smoke("--ignore", "^leak$", VICTIM, "leak", "10").returncode, 0)
        self.assertEqual(self.smoke("--ignore", "it's \"quoted\" $HOME `x`", VICTIM, "leak", "10").returncode, 1)
        done = self.smoke("--by=function", "--top", "1", "--color", "always", VICTIM, "leak", "10")
        self.assertIn(b"\x1b[1m", done.stderr)
        self.assertIn(b"leak", done.stderr)

    def test_every_process_is_judged(self):
        done = self.smoke(VICTIM, "fork", "10")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"2 processes reported, policy breached by 1\n", done.stderr)
        done = self.smoke(VICTIM, "exec", VICTIM, "leak", "10")
        self.assertEqual(done.returncode, 1)
        done = self.smoke("--", "sh", "-c", '"$1" leak 3; "$1" print done', "sh", VICTIM)
        self.assertEqual((done.returncode, done.stdout), (1, b"done\n"))

    def test_no_brief_process_is_left_out(self):
        leaks_last = 'for i in 1 2 3 4 5 6 7; do "$1" leak 20; done; "$1" leak 3'
        done = self.smoke("--ignore", "dash|bash|/sh", "--", "sh", "-c", leaks_last, "sh", VICTIM)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"policy breached by 8\n", done.stderr)

    def test_a_program_that_can_not_be_tracked(self):
        if not os.path.exists(STATIC_VICTIM):
            self.skipTest("no static libc here")
        done = self.smoke(STATIC_VICTIM)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"no dump was written", done.stderr)

    def test_a_command_that_is_not_there(self):
        done = self.smoke(os.path.join(self.dir, "nothing"))
        self.assertEqual(done.returncode, 127)
        self.assertIn(b"nothing was tracked", done.stderr)
        self.assertNotIn(b"no dump was written", done.stderr)


class Command(Case):
    def test_its_status_wins(self):
        done = self.smoke(VICTIM, "leak", "10", "exit", "7")
        self.assertEqual(done.returncode, 7)
        self.assertIn(b"breached: heap>0", done.stderr)
        self.assertEqual(self.smoke(VICTIM, "exit", "7").returncode, 7)

    def test_signals_are_128_and_more(self):
        for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            done = self.smoke(VICTIM, "leak", "10", "die", str(int(number)))
            self.assertEqual(done.returncode, 128 + number, done.stderr)
            self.assert_left()

    def test_its_streams_are_its_own(self):
        done = self.smoke(VICTIM, "copy", stdin=b"one\ntwo\n")
        self.assertEqual((done.returncode, done.stdout), (0, b"one\ntwo\n"))
        self.assertTrue(done.stderr.startswith(b"to stderr\n"))

    def test_its_arguments_are_its_own(self):
        for word in ("", "a b", "it's", '"', "$HOME", "`id`", "*", "--fail-on", "a\nb", "\\"):
            done = self.smoke("--", VICTIM, "print", word)
            self.assertEqual((done.returncode, done.stdout), (0, word.encode() + b"\n"), word)

    def test_its_environment_is_its_own(self):
        done = self.smoke("env", environment={"LEAKTRACK_DEPTH": "16", "LD_PRELOAD": "/lib/x86_64-linux-gnu/libdl.so.2"})
        lines = done.stdout.decode().splitlines()
        self.assertIn("LEAKTRACK_DEPTH=16", lines)
        self.assertIn("LD_PRELOAD=%s:/lib/x86_64-linux-gnu/libdl.so.2" % LIBRARY, lines)
        self.assertFalse([line for line in lines if line.startswith("LC_ALL=C.UTF-8") and "LC_ALL" not in os.environ])

    def test_a_command_that_is_not_there(self):
        done = self.smoke("leaktrack-no-such-command")
        self.assertEqual(done.returncode, 127)
        self.assert_left()
        plain = os.path.join(self.dir, "plain")
        with open(plain, "w", encoding="utf-8") as file:
            file.write("text")
        self.assertEqual(self.smoke(plain).returncode, 126)

    def test_an_interruption_still_reports(self):
        env = dict(os.environ, TMPDIR=self.dir)
        with subprocess.Popen(["sh", SMOKE, "--lib", LIBRARY, "--report", REPORT, "sleep", "30"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, start_new_session=True) as child:
            time.sleep(1)
            os.killpg(child.pid, signal.SIGINT)
            _, said = child.communicate(timeout=60)
            self.assertEqual(child.returncode, 130)
        self.assertIn(b"killed by signal 2", said)
        self.assert_left()


class Results(Case):
    def test_an_output_file(self):
        out = os.path.join(self.dir, "it's a report.txt")
        done = self.smoke("-o", out, VICTIM, "leak", "10")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(b"370 B in 10 blocks", done.stderr)
        with open(out, encoding="utf-8") as file:
            self.assertIn("370 B in 10 blocks", file.read())
        self.assert_left("it's a report.txt")

    def test_an_output_file_that_can_not_be(self):
        done = self.smoke("-o", "/dev/full", VICTIM, "print", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"/dev/full: the report could not be written", done.stderr)
        done = self.smoke("-o", os.path.join(self.dir, "no", "report"), VICTIM, "print", "x")
        self.assertEqual((done.returncode, done.stdout), (2, b""))  # told before the command runs
        self.assertIn(b"/no/report: the report can't be written there", done.stderr)

    def test_json(self):
        out = os.path.join(self.dir, "report.json")
        done = self.smoke("--format", "json", "-o", out, VICTIM, "leak", "10")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"^leaktrack-report: \S*smoke_victim, pid \d+: breached: heap>0 ")
        self.assertNotIn(self.dir.encode(), done.stderr)  # where the dump was, which is gone
        with open(out, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual([s["live_count"] for s in report["sites"] if s["live_count"]], [10])
        self.assertTrue(report["policies"][0]["breached"])

    def test_kept_dumps(self):
        keep = os.path.join(self.dir, "keep", "deep")
        for run in (1, 2):  # dumps of an earlier run are not judged again
            done = self.smoke("--keep", keep, VICTIM, "leak", str(10 * run))
            self.assertIn(b"1 process reported", done.stderr)
            dumps = glob.glob(os.path.join(glob.escape(keep), "*.bin"))
            self.assertEqual(len(dumps), run)
        self.assertEqual(subprocess.run([REPORT, dumps[0]], stdout=subprocess.DEVNULL, check=False).returncode, 0)
        self.assertEqual(self.smoke("--keep", os.path.join(SMOKE, "x"), VICTIM).returncode, 2)


class Usage(Case):
    def test_wrong_usage_runs_nothing(self):
        marker = os.path.join(self.dir, "ran")
        for options in (["--nonsense"], ["--fail-on", "heap"], ["--fail-on", "heap.growth>0"], ["--focus", "("], ["--top", "x"],
                        ["--lib", "/nowhere.so"], ["--report", "/nowhere"], ["--kind", "x"]):
            done = self.smoke(*options, "touch", marker)
            self.assertEqual((done.returncode, done.stdout), (2, b""), options)
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
            self.assertFalse(os.path.exists(marker), options)
        for arguments in ([], ["--"], ["--fail-on"], ["-o", "x"]):
            self.assertEqual(self.smoke(*arguments).returncode, 2, arguments)
        self.assert_left()

    def test_help_and_version(self):
        self.assertIn(b"Usage: leaktrack-smoke", self.smoke("--help").stdout)
        self.assertRegex(self.smoke("--version").stdout, rb"^leaktrack-smoke \d+\.\d+\.\d+\n$")

    def test_it_finds_its_parts_in_the_prefix(self):
        prefix = os.path.join(os.path.realpath(tempfile.gettempdir()), "leaktrack-prefix-%d" % os.getpid())
        try:
            subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], stdout=subprocess.DEVNULL, check=True)
            script = os.path.join(prefix, "bin", "leaktrack-smoke")
            self.assertEqual(self.smoke(VICTIM, "leak", "1", script=script, tools=False).returncode, 1)
            link = os.path.join(self.dir, "link")
            os.symlink(script, link)
            done = self.smoke("env", script=link, tools=False)
            self.assertIn(("LD_PRELOAD=%s/" % prefix).encode(), done.stdout)
        finally:
            shutil.rmtree(prefix, ignore_errors=True)

    def test_it_finds_its_parts_beside_itself(self):
        place = tempfile.mkdtemp(prefix="leaktrack-beside-")
        try:
            for part in (SMOKE, LIBRARY, REPORT):
                shutil.copy(part, place)
            done = self.smoke(VICTIM, "leak", "1", script=os.path.join(place, "leaktrack-smoke"), tools=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            os.unlink(os.path.join(place, "libleaktrack.so"))
            done = self.smoke(VICTIM, script=os.path.join(place, "leaktrack-smoke"), tools=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"libleaktrack.so was not found", done.stderr)
        finally:
            shutil.rmtree(place)

    def test_a_library_path_the_loader_can_not_read(self):
        copy = os.path.join(self.dir, "libleaktrack.so")
        shutil.copy(LIBRARY, copy)
        done = self.smoke("--lib", copy, VICTIM)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"blanks or colons", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[7:], verbosity=2)  # says why a test is skipped

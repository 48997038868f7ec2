#!/usr/bin/env python3
"""leaktrack-report as a program: exit codes, one-line errors, files, pipes, terminals, the JSON contract.

report_cli.py REPORT MAKE_DUMP SOURCE_DIR [unittest arguments]. Dumps are made from descriptions (tests/support/make_dump.h).
"""
import fcntl
import json
import os
import pty
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

REPORT, MAKE_DUMP, SOURCE = (os.path.abspath(a) for a in sys.argv[1:4])

PROCESS = "process exe=/usr/bin/app arg=app arg=-v host=box pid=4711 start=1700000000000000000 note=hello\n"
PLAIN = PROCESS + """snapshot time=100
site heap 0x1000 0x2000 live=2/74 alloc=3/111 first=10 last=20 age=0:1/37 age=1:1/37
snapshot time=1240 trigger=exit last
site heap 0x1000 0x2000 live=1000/37000 alloc=3000/111000 first=10 last=400 age=4:1000/37000
site heap 0x1500 0x2000 live=1/5 truncated
site heap 0x1700 live=0/0 alloc=9/90
site file 0x1000 live=3/0
counter untracked paused 12
counter statistics rules 5
"""


def make(path, description):
    subprocess.run([MAKE_DUMP, path], input=description.encode("latin-1"), check=True, timeout=60)
    return path


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="leaktrack-test-")
        self.dump = make(self.path("plain.bin"), PLAIN)

    def tearDown(self):
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_report(self, *arguments, **options):
        environment = dict(os.environ, LC_ALL="C")
        environment.pop("DEBUGINFOD_URLS", None)
        return subprocess.run([REPORT, *arguments], stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                              timeout=60, check=False, env=environment, **options)

    def assert_one_line(self, done, *words):
        text = done.stderr.decode("utf-8")
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.startswith("leaktrack-report: "), text)
        for word in words:
            self.assertIn(word, text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()


class ExitCodes(Case):
    def test_nothing_condemned(self):
        done = self.run_report(self.dump)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"36.1 KiB in 1000 blocks", done.stdout)

    def test_policies(self):
        for policy, code in (("heap>0", 1), ("heap>1001", 0), ("heap.bytes>36K", 1), ("heap.bytes>37K", 0),
                             ("file.blocks==3", 1), ("heap.sites>=2", 1), ("socket>0", 0)):
            done = self.run_report("--fail-on", policy, self.dump)
            self.assertEqual(done.returncode, code, policy)
            self.assertEqual(done.stderr, b"")
            self.assertIn(b"\nbreached: " if code else b"\nnot breached: ", done.stdout)
        done = self.run_report("--fail-on", "heap>99999", "--fail-on", "heap>0", self.dump)
        self.assertEqual(done.returncode, 1)

    def test_a_breach_is_told_even_where_nobody_sees_the_report(self):
        done = self.run_report("--format", "json", "--fail-on", "heap>0", self.dump)
        self.assertEqual(done.returncode, 1)
        self.assert_one_line(done, "plain.bin", "breached: heap>0")
        done = self.run_report("-o", self.path("out"), "--fail-on", "heap>0", self.dump)
        self.assertEqual(done.returncode, 1)
        self.assert_one_line(done, "breached: heap>0")

    def test_selections_narrow_a_policy(self):
        self.assertEqual(self.run_report("--fail-on", "any>0", "--kind", "socket", self.dump).returncode, 0)
        self.assertEqual(self.run_report("--fail-on", "heap>0", "--min-age", "1h", self.dump).returncode, 0)
        self.assertEqual(self.run_report("--fail-on", "heap>0", "--focus", "nowhere", self.dump).returncode, 0)
        self.assertEqual(self.run_report("--fail-on", "heap>0", "--top", "1", "--kind", "heap", self.dump).returncode, 1)

    def test_wrong_usage(self):
        for arguments in ([], ["--nonsense", self.dump], [self.dump, self.dump], ["--top", "many", self.dump],
                          ["--fail-on", "heap", self.dump], ["--focus", "(", self.dump], ["--format", "xml", self.dump],
                          ["--snapshot", "7", self.dump], ["--base-snapshot", "-9", self.dump],
                          ["--suppressions", "x", self.dump], ["--top"]):
            done = self.run_report(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assert_one_line(done)

    def test_unreadable(self):
        with open(self.path("empty.bin"), "wb"):
            pass
        with open(self.path("noise.bin"), "wb") as file:
            file.write(random.Random(1).randbytes(5000))
        with open(self.path("text.bin"), "wb") as file:
            file.write(b"\x89LTK\n\x1a\nhello")
        for name in ("empty.bin", "noise.bin", "text.bin", "missing.bin", "."):
            for option in ([], ["--base", self.dump], ["--format", "json"]):
                done = self.run_report(*option, self.path(name))
                self.assertEqual((done.returncode, done.stdout), (3, b""), name)
                self.assert_one_line(done, self.path(name))
        done = self.run_report("--base", self.path("missing.bin"), self.dump)
        self.assertEqual(done.returncode, 3)
        self.assert_one_line(done, "missing.bin")

    def test_unreadable_names_are_escaped(self):
        done = self.run_report(self.path("a\n\x1b[31m"))
        self.assertEqual(done.returncode, 3)
        self.assert_one_line(done, "\\x0a\\x1b[31m")

    def test_help_and_version(self):
        done = self.run_report("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertRegex(self.run_report("--version").stdout, rb"^leaktrack-report \d+\.\d+\.\d+\n$")


class Damage(Case):
    def setUp(self):
        super().setUp()
        with open(self.dump, "rb") as file:
            self.bytes = file.read()

    def judge(self, data, where):
        with open(self.path("damaged.bin"), "wb") as file:
            file.write(data)
        done = self.run_report(self.path("damaged.bin"))
        self.assertIn(done.returncode, (3, 4), where)
        self.assert_one_line(done, "damaged.bin")
        if done.returncode == 4:
            self.assertIn(b", pid 4711", done.stdout, where)
            self.assertIn(b"the dump is incomplete: ", done.stdout, where)
        else:
            self.assertEqual(done.stdout, b"", where)
        return done.returncode

    def test_cut_anywhere(self):
        """Between snapshots a cut is none: the file ends with a closed one."""
        whole = 0
        for size in range(len(self.bytes)):
            with open(self.path("cut.bin"), "wb") as file:
                file.write(self.bytes[:size])
            if self.run_report(self.path("cut.bin")).returncode == 0:
                whole += 1
            else:
                self.judge(self.bytes[:size], size)
        self.assertEqual(whole, 1)  # right behind the first snapshot

    def test_any_byte_flipped(self):
        codes = {self.judge(self.bytes[:i] + bytes([self.bytes[i] ^ (1 << i % 8)]) + self.bytes[i + 1:], i)
                 for i in range(len(self.bytes))}
        self.assertEqual(codes, {3, 4})

    def test_the_last_whole_snapshot_is_reported(self):
        with open(self.path("cut.bin"), "wb") as file:
            file.write(self.bytes[:-8])
        done = self.run_report("--format", "json", self.path("cut.bin"))
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 4)
        self.assertEqual(report["snapshot"]["index"], 1)
        self.assertFalse(report["dump"]["complete"])
        self.assertTrue(report["dump"]["reason"])

    def test_a_breach_outweighs_damage(self):
        with open(self.path("cut.bin"), "wb") as file:
            file.write(self.bytes[:-8])
        self.assertEqual(self.run_report("--fail-on", "heap>0", self.path("cut.bin")).returncode, 1)

    def test_a_dump_that_is_being_written(self):
        """A writer that is in the middle of its second snapshot: the reader waits for the end of it."""
        first = self.bytes.index(b"\x04\x00\x00\x00\x01\x00", 200)
        path = self.path("growing.bin")
        writer_file = open(path, "wb", buffering=0)  # pylint: disable=consider-using-with
        fcntl.flock(writer_file, fcntl.LOCK_EX)  # as the library does
        writer_file.write(self.bytes[:first + 40])

        def finish():
            time.sleep(0.15)
            writer_file.seek(first)
            writer_file.write(self.bytes[first:])
            writer_file.close()

        writer = threading.Thread(target=finish)
        writer.start()
        done = self.run_report("--format", "json", path)
        writer.join()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["snapshot"]["index"], 2)


class Files(Case):
    def test_standard_input(self):
        with open(self.dump, "rb") as file:
            done = self.run_report("-", stdin=file)
        self.assertEqual(done.returncode, 0)
        piped = subprocess.run("cat %s | %s -" % (self.dump, REPORT), shell=True, stdout=subprocess.PIPE, check=True, timeout=60)
        self.assertEqual(done.stdout, piped.stdout)

    def test_output_file(self):
        for before in (None, "old", "old, and longer than the report" * 1000):
            if before:
                with open(self.path("out.txt"), "w", encoding="utf-8") as file:
                    file.write(before)
            done = self.run_report("-o", self.path("out.txt"), self.dump)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            self.assertEqual(self.read("out.txt").encode(), self.run_report(self.dump).stdout)
        self.assertEqual(sorted(os.listdir(self.dir)), ["out.txt", "plain.bin"])

    def test_output_keeps_permissions_and_links(self):
        with open(self.path("real.txt"), "w", encoding="utf-8"):
            pass
        os.chmod(self.path("real.txt"), 0o640)
        os.symlink("real.txt", self.path("link.txt"))
        self.assertEqual(self.run_report("-o", self.path("link.txt"), self.dump).returncode, 0)
        self.assertTrue(os.path.islink(self.path("link.txt")))
        self.assertIn("pid 4711", self.read("real.txt"))
        self.assertEqual(os.stat(self.path("real.txt")).st_mode & 0o777, 0o640)

    def test_output_to_a_device(self):
        self.assertEqual(self.run_report("-o", "/dev/null", self.dump).returncode, 0)
        done = self.run_report("-o", "/dev/full", self.dump)
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "/dev/full", "No space left on device")
        with open("/dev/full", "wb") as full:
            done = self.run_report(self.dump, stdout=full)
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "standard output", "No space left on device")

    def test_closed_standard_streams(self):
        for closing in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            out = self.path("out.txt")
            done = subprocess.run("%s --base-snapshot first --symfs /nowhere -o %s %s %s" % (REPORT, out, self.dump, closing),
                                  shell=True, check=False, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, 0, closing)
            self.assertEqual(b"warning" in done.stderr, "2>" not in closing)
            self.assertTrue(self.read("out.txt").startswith("/usr/bin/app, pid 4711"))
            self.assertNotIn("warning", self.read("out.txt"))
        done = subprocess.run("%s %s >&-" % (REPORT, self.dump), shell=True, check=False, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "standard output", "Bad file descriptor")

    def test_output_nowhere(self):
        done = self.run_report("-o", self.path("no/such/out.txt"), self.dump)
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "no/such/out.txt")

    def test_file_size_limit_leaves_the_old_file(self):
        with open(self.path("out.txt"), "w", encoding="utf-8") as file:
            file.write("old")
        done = self.run_report("-o", self.path("out.txt"), self.dump,
                               preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_FSIZE, (100, 100)))
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "File too large")
        self.assertEqual(self.read("out.txt"), "old")
        self.assertEqual(sorted(os.listdir(self.dir)), ["out.txt", "plain.bin"])

    def test_full_disk_leaves_the_old_file(self):
        mount = self.path("small")
        os.mkdir(mount)
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", mount], check=False).returncode:
            self.skipTest("needs root and mount(2)")
        try:
            out = os.path.join(mount, "out.json")
            with open(out, "w", encoding="utf-8") as file:
                file.write("old")
            rows = "".join("site heap 0x%x live=1/1\n" % (0x1000 + i) for i in range(200))
            done = self.run_report("--format", "json", "-o", out, make(self.path("rows.bin"), PROCESS + "snapshot\n" + rows))
            self.assertEqual(done.returncode, 2)
            self.assert_one_line(done, "out.json", "No space left on device")
            self.assertEqual(os.listdir(mount), ["out.json"])
            with open(out, encoding="utf-8") as file:
                self.assertEqual(file.read(), "old")
        finally:
            subprocess.run(["umount", "-l", mount], check=True)

    def big(self):
        rows = "".join("site heap 0x%x 0x77 0x78 0x79 live=1/1\n" % (0x1000 + i) for i in range(20000))
        return make(self.path("big.bin"), PROCESS + "snapshot\n" + rows)

    def test_a_reader_that_goes_away(self):
        big = self.big()
        for options, code in ((["--format", "json"], 0), (["--top", "0"], 0), (["--top", "0", "--fail-on", "heap>0"], 1)):
            with subprocess.Popen([REPORT, *options, big], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
                child.stdout.read(10)
                child.stdout.close()
                self.assertEqual(child.stderr.read(), b"")
                self.assertEqual(child.wait(timeout=60), code)

    def test_interruption_leaves_nothing_half_written(self):
        big = self.big()
        out = self.path("out.json")
        interrupted = 0
        for delay in range(40):
            with subprocess.Popen([REPORT, "--format", "json", "-o", out, big], stderr=subprocess.PIPE) as child:
                time.sleep(delay * 0.004)
                child.send_signal(signal.SIGINT if delay % 2 else signal.SIGTERM)
                interrupted += child.wait(timeout=60) < 0
            left = sorted(os.listdir(self.dir))
            self.assertIn(left, (["big.bin", "plain.bin"], ["big.bin", "out.json", "plain.bin"]))
            if "out.json" in left:
                with open(out, encoding="utf-8") as file:
                    json.load(file)
                os.unlink(out)
        self.assertGreater(interrupted, 0)


class Terminal(Case):
    def on_terminal(self, *arguments, columns=60, environment=None):
        """What appears on a terminal of that width."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        env.update(environment or {}, TERM=(environment or {}).get("TERM", "xterm"))
        with subprocess.Popen([REPORT, *arguments], stdout=slave, stderr=slave, env=env) as child:
            os.close(slave)
            text = b""
            while True:
                try:
                    chunk = os.read(master, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                text += chunk
            child.wait(timeout=60)
        os.close(master)
        return text.decode().replace("\r\n", "\n")

    def test_colour_on_a_terminal_only(self):
        self.assertIn("\x1b[1m", self.on_terminal(self.dump))
        self.assertNotIn("\x1b", self.on_terminal(self.dump, environment={"NO_COLOR": "1"}))
        self.assertNotIn("\x1b", self.on_terminal(self.dump, environment={"TERM": "dumb"}))
        self.assertNotIn("\x1b", self.on_terminal("--color", "never", self.dump))
        self.assertNotIn(b"\x1b", self.run_report(self.dump).stdout)
        self.assertIn(b"\x1b[1m", self.run_report("--color", "always", self.dump).stdout)

    def test_long_arguments_are_cut_on_a_terminal_only(self):
        words = " ".join("arg=argument%d" % i for i in range(50))
        dump = make(self.path("long.bin"), "process exe=/x %s\nsnapshot\n" % words)
        line = self.on_terminal(dump, columns=50).splitlines()[1].replace("\x1b[0m", "")
        self.assertTrue(line.startswith("arguments: argument1 ") and line.endswith(" ..."), line)
        self.assertLessEqual(len(line), 50)
        self.assertIn(b" argument49\n", self.run_report(dump).stdout)

    def test_rows_keep_to_the_width(self):
        text = re.sub("\x1b\\[[0-9]*m", "", self.on_terminal(self.dump, columns=50))
        rows = text[text.index("#1"):]
        self.assertLessEqual(max(len(line) for line in rows.splitlines()), 50)


class Json(Case):
    @classmethod
    def setUpClass(cls):
        try:
            import jsonschema
        except ImportError:
            raise unittest.SkipTest("%s has no jsonschema (Debian: python3-jsonschema)" % sys.executable) from None
        with open(os.path.join(SOURCE, "docs", "report-json.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        cls.validator = jsonschema.Draft7Validator(schema)

    def report(self, *arguments, code=0):
        done = self.run_report("--format", "json", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        report = json.loads(done.stdout.decode("utf-8"))
        errors = ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message) for e in self.validator.iter_errors(report)]
        self.assertEqual(errors, [])
        return report

    def test_the_schema_can_fail(self):
        report = self.report(self.dump)
        for path, value in ((("schema",), "leaktrack-report/2"), (("process", "pid"), "1"), (("sites", 0, "id"), "xyz"),
                            (("sites", 0, "frames", 0, "line"), 0), (("totals", "heap", "live_count"), -1),
                            (("sites", 0, "change"), "new"), (("snapshot", "trigger"), "whim")):
            broken = json.loads(json.dumps(report))
            at = broken
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            self.assertFalse(self.validator.is_valid(broken), path)

    def test_a_report(self):
        report = self.report(self.dump)
        self.assertEqual(report["process"]["argv"], ["app", "-v"])
        self.assertEqual(report["process"]["start_time"], 1700000000.0)
        self.assertEqual(report["snapshot"]["trigger"], "exit")
        self.assertEqual(report["snapshot"]["time"], 1700000012.4)
        self.assertEqual(report["untracked"], {"paused": 12})
        self.assertEqual(report["statistics"], {"rules": 5})
        first = report["sites"][0]
        self.assertEqual((first["kind"], first["live_count"], first["live_bytes"]), ("heap", 1000, 37000))
        self.assertEqual((first["first_birth"], first["last_birth"]), (1700000000.1, 1700000004.0))
        self.assertEqual([f["offset"] for f in first["frames"]], [0x1000, 0x2000])
        self.assertEqual([s["truncated"] for s in report["sites"] if s["live_bytes"] == 5], [True])

    def test_sites_sum_up_to_totals(self):
        report = self.report(self.dump)
        for kind, total in report["totals"].items():
            for key in ("live_count", "live_bytes", "alloc_count", "alloc_bytes"):
                self.assertEqual(sum(s[key] for s in report["sites"] if s["kind"] == kind), total[key])

    def test_top_cuts(self):
        report = self.report("--top", "1", self.dump)
        self.assertEqual((len(report["sites"]), report["rows_left_out"]), (1, 3))

    def test_snapshots(self):
        self.assertEqual(self.report("--snapshot", "1", self.dump)["snapshot"]["index"], 1)
        self.assertEqual(self.report("--snapshot", "first", self.dump)["snapshot"]["index"], 1)
        self.assertEqual(self.report("--snapshot", "-1", self.dump)["snapshot"]["index"], 1)

    def test_comparisons(self):
        report = self.report("--base-snapshot", "first", self.dump)
        self.assertEqual(report["base"]["snapshot"]["index"], 1)
        changes = {s["frames"][0]["offset"]: (s["change"], s["delta_count"], s["delta_bytes"])
                   for s in report["sites"] if s["kind"] == "heap"}
        self.assertEqual(changes, {0x1000: ("grown", 998, 36926), 0x1500: ("new", 1, 5)})
        older = make(self.path("older.bin"), PROCESS + "snapshot\nsite heap 0x1000 0x2000 live=1000/37000\n"
                                                       "site heap 0x9000 live=4/4\nsite file 0x1000 live=9/0\n")
        report = self.report("--base", older, self.dump)
        self.assertEqual(sorted((s["change"], s["delta_count"]) for s in report["sites"]),
                         [("gone", -4), ("new", 1), ("shrunk", -6)])
        self.assertEqual(report["base"]["unchanged"], {"site_count": 1, "live_count": 1000, "live_bytes": 37000})
        self.assertEqual(report["base"]["dump"]["path"], older)

    def test_groups(self):
        for by in ("function", "file", "line", "module"):
            report = self.report("--by", by, self.dump)
            self.assertNotIn("sites", report)
            self.assertEqual(sum(g["live_bytes"] for g in report["groups"]), 37005)
            self.assertTrue(self.report("--by", by, "--base-snapshot", "1", self.dump)["groups"])

    def test_policies(self):
        report = self.report("--fail-on", "heap>0", "--fail-on", "file>3", self.dump, code=1)
        self.assertEqual(report["policies"], [{"policy": "heap>0", "found": 1001, "breached": True},
                                              {"policy": "file>3", "found": 3, "breached": False}])

    def test_hostile_names(self):
        """All bytes but NUL in every name the dump can hold; what the description's own syntax uses stays out."""
        name = "".join(chr(c) for c in range(1, 256) if chr(c) not in "\n\t \"#+=")
        hostile = make(self.path("hostile.bin"),
                       'process exe="%s" arg="%s" host="%s" note="%s" option="%s" arch="%s"\n' % ((name,) * 6) +
                       'module m path="/%s"\nsnapshot\nsite heap m+0x10 live=1/1\ncounter untracked "%s" 1\n' % (name, name))
        report = self.report(hostile)
        self.assertTrue(report["process"]["exe"].endswith("\\xfd\\xfe\\xff"))
        self.assertTrue(report["process"]["exe"].startswith("\x01\x02\x03"))
        self.report("--by", "module", hostile)
        text = self.run_report(hostile).stdout
        self.assertFalse(set(text) & (set(range(32)) - {10} | {127}))
        text.decode("utf-8")

    def test_path_of_the_dump(self):
        odd = os.path.join(os.fsencode(self.dir), b"odd\xff\"name.bin")
        shutil.copy(self.dump, odd)
        self.assertTrue(self.report(odd)["dump"]["path"].endswith('odd\\xff"name.bin'))


class ManPage(Case):
    def check(self, text, page):
        helped = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
        with open(os.path.join(SOURCE, "docs", "man", page), encoding="utf-8") as file:
            told = file.read().replace("\\-", "-")
        # its options stand in lines of a tag, or in the list of those passed on
        manned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", told))
        self.assertEqual(helped - manned, set(), "missing in %s" % page)
        self.assertEqual(manned - helped, set(), "unknown to --help")

    def test_every_option_of_the_report(self):
        self.check(self.run_report("--help").stdout.decode(), "leaktrack-report.1")

    def test_every_option_of_smoke(self):
        smoke = subprocess.run(["sh", os.path.join(SOURCE, "tools", "leaktrack-smoke"), "--help"], stdout=subprocess.PIPE,
                               check=True, timeout=60)
        self.check(smoke.stdout.decode(), "leaktrack-smoke.1")

    def test_help_fits_a_wide_terminal(self):
        self.assertLessEqual(max(map(len, self.run_report("--help").stdout.decode().splitlines())), 120)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:])

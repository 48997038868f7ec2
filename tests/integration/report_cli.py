#!/usr/bin/env python3
"""leaktrack-report as a program: exit codes, one-line errors, files, pipes, terminals. Arguments: see report_case.py."""
import ctypes
import fcntl
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time

import report_case
from report_case import PROCESS, REPORT, Case, make


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
        self.assert_one_line(done, "leaktrack-report: /usr/bin/app, pid 4711: breached: heap>0")
        done = self.run_report("-o", self.path("out"), "--fail-on", "heap>0", self.dump)
        self.assertEqual(done.returncode, 1)
        self.assert_one_line(done, "breached: heap>0")

    def test_a_comparison_with_itself_is_told(self):
        done = self.run_report("--base-snapshot", "last", self.dump)
        self.assertEqual(done.returncode, 0)
        self.assert_one_line(done, "plain.bin: snapshot 2 is compared with itself\n")
        done = self.run_report("--base-snapshot", "first", make(self.path("one.bin"), PROCESS + "snapshot\n"))
        self.assert_one_line(done, "snapshot 1 is compared with itself: the dump holds no other\n")
        self.assertEqual(self.run_report("--base-snapshot", "first", self.dump).stderr, b"")

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

    def test_dumps_beside_it_are_named(self):
        self.assertNotIn(b"beside", self.run_report(self.dump).stdout)
        for name, since_start in (("4712", 1), ("1", 2), ("9", 3), ("4711", 4), ("13", -5)):  # the last: of another run
            shutil.copy(self.dump, "%s.%s" % (self.dump, name))
            os.utime("%s.%s" % (self.dump, name), (1700000000 + since_start, 1700000000 + since_start))
        for name in ("plain.bin.12.txt", "plain.bin.", "other.bin.1"):
            shutil.copy(self.dump, self.path(name))
        os.mkfifo(self.path("plain.bin.77"))
        opened = ctypes.CDLL(None).inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.assertGreaterEqual(ctypes.CDLL(None).inotify_add_watch(opened, self.path("plain.bin.77").encode(), 0x20), 0)  # IN_OPEN
        with open(self.path("plain.bin.78"), "w", encoding="utf-8") as file:
            file.write("no dump, but long enough to be one")
        told = b"\nother dumps beside this one, of child processes or what ran before exec: "
        names = b"plain.bin.4711, plain.bin.9, plain.bin.1 and 1 more\n"
        self.assertIn(told + names, self.run_report(self.dump).stdout)
        self.assertIn(told + names, self.run_report("plain.bin", cwd=self.dir).stdout)
        with self.assertRaises(BlockingIOError):  # were it a device, to open it might do something
            os.read(opened, 1000)
        os.close(opened)

    def test_a_directory_that_takes_no_files(self):
        done = self.run_report("-o", "/proc/version", self.dump)
        self.assertEqual(done.returncode, 2)
        self.assert_one_line(done, "/proc/version: no file can be made in its directory")

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
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
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


if __name__ == "__main__":
    report_case.main()

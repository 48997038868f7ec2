"""What the tests of leaktrack-report as a program share: a folder, dumps made from descriptions (tests/support/make_dump.h).

The scripts that import it are called with REPORT MAKE_DUMP SOURCE_DIR [unittest arguments].
"""
import os
import shutil
import subprocess
import sys
import tempfile
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


def main():
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:], verbosity=2)  # says why a test is skipped

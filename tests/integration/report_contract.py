#!/usr/bin/env python3
"""What leaktrack-report promises: the JSON contract against its schema, options against the man pages. Arguments: see
report_case.py."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import report_case
from report_case import PROCESS, SOURCE, Case, make


RESOURCES = """process exe=/usr/bin/app start=1700000000000000000
snapshot time=100
descriptor 3 socket 0x1000 birth=0 state=SYN_SENT
counter kernel open_files 2
snapshot time=1240
site socket 0x1000 live=2/0
site mapping 0x2000 live=1/8192
site thread 0x3000 live=1/65536
descriptor 0 file origin=inherited target=/dev/null
descriptor 3 socket 0x1000 birth=240 protocol=tcp state=CLOSE_WAIT local=10.0.0.1:1 peer=10.0.0.5:443 receive=7 cloexec
descriptor 4 socket 0x1000 birth=1140 origin=dup inode=9 send=1 memory=2
descriptor 5 event origin=unattributed watches=3 note="count 3"
descriptor 6 file origin=received stream deleted target="/x (deleted)" size=5 position=2
mapping 0x1000 4096 module origin=unattributed protection=5 path=/usr/bin/app offset=4096
mapping 0x7f0000000000 8192 anonymous 0x2000 birth=40 protection=6 shared resident=4096
thread 9 main runs name=app
thread 0 0x3000 birth=40 stack=65536
misuse 1 0x4000 count=2 fd=3 opener 0x1000 site=socket birth=3
misuse 2 0x4000 fd=6 truncated
counter kernel open_files 5
counter kernel reconciled 1
"""


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
        self.assertEqual(([s["kind"] for s in report["sites"]], report["rows_left_out"]), (["heap", "file"], 2))

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

    def test_resources(self):
        dump = make(self.path("resources.bin"), RESOURCES)
        report = self.report(dump)
        sites = {s["kind"]: s["id"] for s in report["sites"]}
        first, second, third, fourth = report["descriptors"][1:]
        self.assertEqual([d["fd"] for d in report["descriptors"]], [0, 3, 4, 5, 6])
        self.assertEqual([d["origin"] for d in report["descriptors"]],
                         ["inherited", "call", "dup", "unattributed", "received"])
        self.assertEqual([d["site"] for d in report["descriptors"]], [None, sites["socket"], sites["socket"], None, None])
        self.assertEqual([d["age"] for d in report["descriptors"]], [None, 10, 1, None, None])
        self.assertEqual([first[k] for k in ("protocol", "state", "local", "peer", "receive", "send", "cloexec", "path", "via")],
                         ["tcp", "CLOSE_WAIT", "10.0.0.1:1", "10.0.0.5:443", 7, None, True, None, None])
        self.assertEqual([second[k] for k in ("inode", "send", "memory", "cloexec", "state")], [9, 1, 2, False, None])
        self.assertEqual((third["watches"], third["note"]), (3, "count 3"))
        self.assertEqual([fourth[k] for k in ("via", "deleted", "path", "size", "position")],
                         ["stream", True, "/x (deleted)", 5, 2])
        self.assertEqual([(m["address"], m["length"], m["prot"], m["flags"], m["class"], m["path"], m["offset"], m["resident"],
                           m["age"], m["site"]) for m in report["mappings"]],
                         [(4096, 4096, "r-x", "private", "module", "/usr/bin/app", 4096, None, None, None),
                          (0x7f0000000000, 8192, "rw-", "shared", "anonymous", None, 0, 4096, 12, sites["mapping"])])
        self.assertEqual([(t["tid"], t["name"], t["main"], t["running"], t["stack_size"], t["site"]) for t in report["threads"]],
                         [(9, "app", True, True, None, None), (None, None, False, False, 65536, sites["thread"])])
        self.assertEqual([(m["count"], m["fd"], m["opener"], m["truncated"], m["frames"][0]["offset"])
                          for m in report["misuses"]],
                         [(2, 3, sites["socket"], False, 0x4000), (1, 6, None, True, 0x4000)])
        self.assertEqual(report["kernel"], {"open_files": 5, "reconciled": 1})
        self.assertEqual(report["socket_states"], {"-": 1, "CLOSE_WAIT": 1})
        report = self.report("--base-snapshot", "first", dump)
        self.assertEqual((report["base"]["kernel"], report["base"]["socket_states"]), ({"open_files": 2}, {"SYN_SENT": 1}))

    def test_selections_of_resources(self):
        dump = make(self.path("resources.bin"), RESOURCES)
        for arguments, fds, live in ((["--kind", "socket"], [3, 4], 2), (["--kind", "descriptors"], [0, 3, 4, 5, 6], 2),
                                     (["--min-age", "2s"], [0, 3], 1), (["--inheritable"], [0, 4, 5, 6], 1),
                                     (["--inheritable", "--kind", "socket"], [4], 1), (["--kind", "heap"], [], None)):
            report = self.report(*arguments, dump)
            self.assertEqual([d["fd"] for d in report["descriptors"]], fds, arguments)
            self.assertEqual([s["live_count"] for s in report["sites"] if s["kind"] == "socket"],
                             [live] if live else [], arguments)
        self.assertEqual(self.run_report("--inheritable", "--kind", "heap", dump).returncode, 2)

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

    def test_help_fits_a_terminal(self):
        self.assertLessEqual(max(map(len, self.run_report("--help").stdout.decode().splitlines())), 80)


if __name__ == "__main__":
    report_case.main()

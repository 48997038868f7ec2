"""What is compared: the bare program, hooks alone, leaktrack, other tools. A side runs a workload once and adds to the
Sample what it alone knows."""
import contextlib
import glob
import json
import os
import shutil
import subprocess
import tempfile

from measuring import Command, Failed, Process, Skip

SAMPLE_BYTES = 512 * 1024


class Side:
    """`against`: the side that its ratios are to. `rounds`: a slow tool takes part in the first so many only."""

    def __init__(self, name, title, env=None, against="none", rounds=None, wanted=True):
        self.name, self.title, self.env, self.against = name, title, env or {}, against
        self.rounds, self.wanted = rounds, wanted

    def check(self, tools, directory):
        """Raises Skip where this machine or this build does not have it."""

    def run(self, workload, tools, directory):
        return workload.run(tools, self.env, directory)


class Forward(Side):
    def check(self, tools, directory):
        self.env = {"LD_PRELOAD": tools.forward}


STATISTICS = {"live index bytes": "index_bytes", "call-stack hash table bytes": "stack_table_bytes",
              "call-stack nodes": "nodes", "sites": "sites", "unwind rule misses": "rule_misses",
              "arena bytes used": "arena_bytes"}


class Leaktrack(Side):
    def __init__(self, *words, sample=0, **options):
        super().__init__(*words, **options)
        self.sample = sample

    def check(self, tools, directory):
        self.env = {"LD_PRELOAD": tools.library}
        if self.sample:
            self.env["LEAKTRACK_SAMPLE"] = str(self.sample)

    def run(self, workload, tools, directory):
        with tempfile.TemporaryDirectory(dir=directory) as dumps:
            sample = workload.run(tools, dict(self.env, LEAKTRACK_OUTPUT=os.path.join(dumps, "%p.bin")), directory)
            written = glob.glob(os.path.join(dumps, "*"))
            if len(written) != 1:
                raise Failed("%d dumps were written instead of one" % len(written))
            sample.more = self.read(tools, written[0])
        return sample

    @staticmethod
    def read(tools, dump):
        """Names are not asked for: they cost time and say nothing here."""
        asked = subprocess.run([tools.report, "--format", "json", "--top", "1", "--no-inlines", "--no-debuginfod", dump],
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        if asked.returncode != 0:
            raise Failed("leaktrack-report: exit code %d: %s" % (asked.returncode, asked.stderr.decode()[:100]))
        report = json.loads(asked.stdout)
        more = {name: report["statistics"][words] for words, name in STATISTICS.items() if words in report["statistics"]}
        more.update(dump_bytes=os.stat(dump).st_blocks * 512, recorded=report["totals"]["heap"]["alloc_count"],
                    untracked=sum(report["untracked"].values()),
                    snapshot_s=report["statistics"]["snapshot nanoseconds"] / 1e9)
        return more


class Heaptrack(Side):
    """Without its front end, a shell script, so that each process can be measured: the program with heaptrack's library
    writes to a FIFO, heaptrack's interpreter reads it on the other processor, zstd stores what comes out."""

    ROOTS = "/usr/lib/heaptrack", "/usr/lib/*/heaptrack", "/usr/local/lib/heaptrack"

    def check(self, tools, directory):
        roots = [found for pattern in self.ROOTS for found in glob.glob(pattern)]
        if not roots:
            raise Skip("heaptrack is not installed (Debian: heaptrack)")
        self.library = os.path.join(roots[0], "libheaptrack_preload.so")
        self.interpreter = os.path.join(roots[0], "libexec", "heaptrack_interpret")
        self.packer = shutil.which("zstd") or shutil.which("gzip")

    def run(self, workload, tools, directory):
        try:
            return self.record(workload, tools, directory, [self.interpreter])
        except Failed as failure:
            sample = self.record(workload, tools, directory, ["/bin/cat"])
            sample.note = "recorded raw, without its interpreter, with which it failed (%s)" % failure
            sample.helper_cpu_s = 0.0
            return sample

    def record(self, workload, tools, directory, reader):
        with tempfile.TemporaryDirectory(dir=directory) as own, contextlib.ExitStack() as ends:
            fifo, output = os.path.join(own, "fifo"), os.path.join(own, "output")
            os.mkfifo(fifo)
            with open(output, "wb") as file:
                packer = subprocess.Popen([self.packer, "-c"], stdin=subprocess.PIPE, stdout=file,
                                          stderr=subprocess.DEVNULL)
            ends.callback(packer.wait)
            ends.callback(packer.kill)
            interpreter = Process(tools.measure, Command(reader, stdin=fifo), own, stdout=packer.stdin)
            ends.callback(interpreter.kill)
            packer.stdin.close()
            sample = workload.run(tools, {"LD_PRELOAD": self.library, "DUMP_HEAPTRACK_OUTPUT": fifo}, directory)
            sample.helper_cpu_s = interpreter.sample().cpu_s
            packer.wait(60)
            sample.more = {"dump_bytes": os.path.getsize(output)}
        return sample


class Jemalloc(Side):
    """`options` of MALLOC_CONF; None: as it is, what its profiler is to be compared with."""

    def __init__(self, *words, options=None, **more):
        super().__init__(*words, **more)
        self.options = options

    def check(self, tools, directory):
        found = glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib/libjemalloc.so.2")
        if not found:
            raise Skip("jemalloc is not installed (Debian: libjemalloc2)")
        self.env = {"LD_PRELOAD": found[0]}
        if self.options is not None:
            if not self.profiles(found[0]):
                raise Skip("%s was built without profiling" % found[0])
            prefix = os.path.join(directory, "jeprof")
            self.env["MALLOC_CONF"] = "prof:true,prof_final:true,prof_prefix:%s,%s" % (prefix, self.options)

    @staticmethod
    def profiles(library):
        told = subprocess.run(["/bin/true"], env={"LD_PRELOAD": library, "MALLOC_CONF": "stats_print:true"}, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return b"config.prof: true" in told.stderr

    def run(self, workload, tools, directory):
        sample = super().run(workload, tools, directory)
        written = glob.glob(os.path.join(directory, "jeprof.*"))
        if self.options is not None:
            sample.more = {"dump_bytes": sum(os.path.getsize(path) for path in written)}
        for path in written:
            os.unlink(path)
        return sample


def all_sides():
    return [
        Side("none", "no tool", against=None),
        Forward("forward", "hooks that only forward"),
        Leaktrack("leaktrack", "leaktrack, every block"),
        Leaktrack("sampling", "leaktrack, a sample per 512 KiB", sample=SAMPLE_BYTES),
        Heaptrack("heaptrack", "heaptrack, every block", rounds=3),
        Jemalloc("jemalloc", "jemalloc, no profiling", rounds=3),
        Jemalloc("jemalloc-sampling", "jemalloc, a sample per 512 KiB", options="lg_prof_sample:19", against="jemalloc",
                 rounds=3),
        Jemalloc("jemalloc-every", "jemalloc, every block", options="lg_prof_sample:0", against="jemalloc", rounds=1,
                 wanted=False),
    ]


def count(workload, tools, directory):
    """How much the workload allocates and holds: (allocations, live blocks at the peak, live bytes at the peak)."""
    path = os.path.join(directory, "count")
    workload.run(tools, {"LD_PRELOAD": tools.count, "BENCH_COUNT": path}, directory)
    with open(path, encoding="ascii") as file:
        return tuple(int(word) for word in file.read().split())

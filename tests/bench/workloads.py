"""What is measured: synthetic programs made for one question each, and real ones."""
import os
import random
import shutil
import socket
import subprocess
import time

from measuring import Command, Failed, Process, Skip, clean_environment

HERE = os.path.dirname(os.path.abspath(__file__))
SEARCH = "/usr/bin:/bin:/usr/sbin:/usr/local/bin"


def installed(name, package):
    path = shutil.which(name, path=SEARCH)
    if not path:
        raise Skip("%s is not installed (Debian: %s)" % (name, package))
    return path


class Workload:
    """`prepare` makes its input in a directory of its own; `scale` (0 to 1) shortens it. `run` runs it once with a
    side's environment and gives a Sample."""

    def __init__(self, name, title):
        self.name, self.title = name, title

    def prepare(self, tools, directory, scale):
        raise NotImplementedError

    def run(self, tools, env, directory):
        command = self.command
        return tools.run(Command(command.words, {**command.env, **env}, command.stdin), directory)


class Synthetic(Workload):
    def __init__(self, name, title, program, depth, threads, events, blocks):
        super().__init__(name, title)
        self.program, self.depth, self.threads, self.events, self.blocks = program, depth, threads, events, blocks

    def prepare(self, tools, directory, scale):
        numbers = self.depth, self.threads, int(self.events * scale), max(int(self.blocks * scale), 64)
        self.command = Command([tools.program(self.program), *map(str, numbers)])


class CPython(Workload):
    def prepare(self, tools, directory, scale):
        python = installed("python3", "python3")
        words = [python, "-S", os.path.join(HERE, "objects.py"), str(max(int(20 * scale), 1))]
        self.command = Command(words, {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"})


class Sqlite(Workload):
    def prepare(self, tools, directory, scale):
        sqlite = installed("sqlite3", "sqlite3")
        path = os.path.join(directory, "tables.sql")
        with open(os.path.join(HERE, "tables.sql"), encoding="ascii") as source, open(path, "w", encoding="ascii") as made:
            made.write(source.read().replace("ROWS", str(int(100000 * scale))))
        self.command = Command([sqlite, "-batch", ":memory:"], stdin=path)


class Compile(Workload):
    def prepare(self, tools, directory, scale):
        compiler = installed("g++", "g++")
        source, preprocessed = os.path.join(HERE, "compile.cc"), os.path.join(directory, "compile.ii")
        if scale < 1:
            source = os.path.join(directory, "small.cc")
            with open(source, "w", encoding="ascii") as file:
                file.write("#include <vector>\n")
        self.ask(compiler, "-E", source, "-o", preprocessed)
        cc1plus = self.ask(compiler, "-print-prog-name=cc1plus")
        self.command = Command([cc1plus, "-quiet", "-O1", "-fpreprocessed", preprocessed, "-o", "/dev/null"])

    @staticmethod
    def ask(*words):
        done = subprocess.run(words, env=clean_environment(), check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip("%s: %s" % (" ".join(words[:2]), done.stderr.strip()[:100]))
        return done.stdout.strip()


class Git(Workload):
    """`git log --stat -p` over a history made here: 40 files, changed a few lines at a time."""

    def prepare(self, tools, directory, scale):
        git = installed("git", "git")
        where = os.path.join(directory, "history.git")
        env = dict(clean_environment(), GIT_CONFIG_NOSYSTEM="1")
        subprocess.run([git, "init", "-q", "--bare", where], env=env, check=True)
        subprocess.run([git, "-C", where, "fast-import", "--quiet"], env=env, check=True,
                       input="".join(self.history(int(2500 * scale))).encode())
        self.command = Command([git, "--no-pager", "-C", where, "log", "--stat", "-p", "--no-color", "main"],
                               {"GIT_CONFIG_NOSYSTEM": "1"})

    @staticmethod
    def history(commits):
        dice = random.Random(1)
        files = [["line %d of file %d, %x" % (i, n, dice.getrandbits(64)) for i in range(300)] for n in range(40)]
        for number in range(commits):
            message = "change %d\n" % number
            yield "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata %d\n%s" % (
                1500000000 + number * 60, len(message), message)
            for n in range(len(files)) if number == 0 else dice.sample(range(len(files)), 3):
                for _ in range(4):
                    files[n][dice.randrange(300)] = "changed in %d to %x" % (number, dice.getrandbits(64))
                text = "\n".join(files[n]) + "\n"
                yield "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n" % (n % 7, n, len(text), text)


class Cgo(Workload):
    """Goes to C and back for each block: 19 frames on two stacks, which no memo holds."""

    def prepare(self, tools, directory, scale):
        program = os.path.join(directory, "calls")
        env = dict(clean_environment(), GOCACHE=os.path.join(directory, "go-cache"), GOPATH=os.path.join(directory, "go-path"),
                   GO111MODULE="off", GOTOOLCHAIN="local", CGO_ENABLED="1")
        done = subprocess.run([installed("go", "golang-go"), "build", "-o", program, os.path.join(HERE, "calls.go")], env=env,
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip("go build: %s" % done.stderr.strip()[:200])
        self.command = Command([program, "10", str(max(int(3000000 * scale), 100000))])


class Redis(Workload):
    """The server's cost, and how long its clients take; the server ends by SHUTDOWN."""

    def prepare(self, tools, directory, scale):
        self.server = installed("redis-server", "redis-server")
        self.client = installed("redis-benchmark", "redis-tools")
        self.requests = max(int(250000 * scale), 2000)

    def run(self, tools, env, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = [self.server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                 directory, "--activedefrag", "no", "--io-threads", "1"]
        process = Process(tools.measure, Command(words, env), directory)
        try:
            self.wait_until_up(process, port)
            wall_s = self.load(port)
            self.ask(port, b"SHUTDOWN NOSAVE\r\n")
            sample = process.sample()
        finally:
            process.kill()
        sample.wall_s = wall_s
        return sample

    def load(self, port):
        words = [self.client, "-h", "127.0.0.1", "-p", str(port), "-n", str(self.requests), "-r", "100000", "-P", "16",
                 "-c", "20", "-q", "-t", "set,get,lpush,lpop,sadd,hset"]
        start = time.monotonic()
        done = subprocess.run(words, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=120, check=False)
        if done.returncode != 0:
            raise Failed("redis-benchmark: exit code %d" % done.returncode)
        return time.monotonic() - start

    @staticmethod
    def ask(port, request):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(request)
            return link.recv(1000)

    def wait_until_up(self, process, port):
        end = time.monotonic() + 30
        while process.alive() and time.monotonic() < end:
            try:
                if self.ask(port, b"PING\r\n") == b"+PONG\r\n":
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise Failed("redis-server does not answer")


def all_workloads():
    return [
        Synthetic("ring-10", "ring of 10,000 blocks, stacks of 10 frames", "ring", 10, 1, 2000000, 10000),
        Synthetic("ring-30", "the same, 30 frames", "ring", 30, 1, 2000000, 10000),
        Synthetic("ring-100", "the same, 100 frames", "ring", 100, 1, 1000000, 10000),
        Synthetic("ring-2t", "ring, 10 frames, 2 threads", "ring", 10, 2, 2000000, 10000),
        Synthetic("ring-8t", "ring, 10 frames, 8 threads", "ring", 10, 8, 2000000, 10000),
        Synthetic("handoff", "2 threads allocate, 2 others free", "handoff", 10, 4, 2000000, 20000),
        Synthetic("migrate", "4 threads replace each other's blocks at random", "migrate", 10, 4, 2000000, 50000),
        Synthetic("million", "a million live blocks, replaced at random", "ring", 10, 1, 3000000, 1000000),
        CPython("cpython", "CPython with PYTHONMALLOC=malloc: every object"),
        Sqlite("sqlite3", "sqlite3, a database in memory"),
        Compile("cc1plus", "cc1plus -O1 on a preprocessed C++ file"),
        Redis("redis", "redis-server under redis-benchmark, pipelined"),
        Git("git", "git log --stat -p"),
        Cgo("cgo", "Go calls malloc and free, 10 calls deep"),
    ]

#!/usr/bin/env python3
"""docs/containers.md, done: the images of docs/example/container are built and run, as containers and as a pod, with
environment variables only. Each time the report must name the Go function and line that leaks, with the exact count."""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", room) for room in ("go", "real")]
import golang
import harness
import podman

try:
    import yaml
except ImportError:
    harness.skip("yaml is not installed (Debian: python3-yaml); tools/install-deps test installs it")

TREE = os.path.abspath(os.path.join(HERE, "..", ".."))
EXAMPLE = os.path.join(TREE, "docs", "example", "container")
SOURCE = os.path.join(EXAMPLE, "service", "main.go")
LINE = golang.marked_lines(SOURCE)["one for each request"]
DEBIAN, GLIBC = "localhost/debian", "localhost/glibc"
LOCKED_DOWN = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=none"]

# Sends COUNT requests of SIZE bytes, the first as soon as somebody listens; prints how many were answered.
CLIENT = """
import http.client, sys, time
count, size, answered = int(sys.argv[1]), int(sys.argv[2]), 0
deadline = time.monotonic() + 60
while answered < count and time.monotonic() < deadline:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
        connection.connect()
    except OSError:
        if answered:
            break
        time.sleep(0.05)
        continue
    try:
        connection.request("POST", "/length", b"x" * size)
        assert connection.getresponse().read() == b"%d\\n" % size
        answered += 1
    except (OSError, http.client.HTTPException):
        break
    finally:
        connection.close()
print(answered)
"""


def until(condition, what):
    deadline = time.monotonic() + 120
    while not condition():
        harness.need(time.monotonic() < deadline, "waited in vain for " + what)
        time.sleep(0.1)


class Site:
    """Containers on this machine."""

    def __init__(self, shim, run):
        self.shim, self.podman = shim, run
        self.files = os.path.join(run.place, "service-files")

    def build(self):
        libraries = [os.path.join("/lib/x86_64-linux-gnu", name) for name in ("libc.so.6", "libm.so.6", "libpthread.so.0", "libresolv.so.2")]
        self.podman.base(GLIBC, libraries)
        self.podman.base(DEBIAN, ["/bin/sh", "/bin/chown", "/bin/cp", "/bin/true", self.shim.report])
        self.podman.probe(DEBIAN, "/bin/true")
        started = time.monotonic()
        self.podman.build("leaktrack", os.path.join(EXAMPLE, "leaktrack.Dockerfile"), TREE, "--build-arg=BASE=" + DEBIAN)
        cache = os.path.join(os.path.dirname(self.shim.report), "go-cache")
        os.makedirs(cache, exist_ok=True)
        for name, options in [("service", ["--target=service"]), ("service-tracked", [])]:
            self.podman.build(name, os.path.join(EXAMPLE, "service.Dockerfile"), os.path.join(EXAMPLE, "service"), *options,
                              "--build-arg=GO=" + DEBIAN, "--build-arg=BASE=" + GLIBC, "--build-arg=LEAKTRACK=localhost/leaktrack",
                              volumes=[cache + ":/root/.cache/go-build"])
        print("images built in %.0f s" % (time.monotonic() - started))

    def fetch_files(self):
        """What the report needs of the service's image: its files."""
        container = self.podman("create", "service")
        os.mkdir(self.files)
        archive = os.path.join(self.podman.place, "service.tar")
        self.podman("export", "--output", archive, container)
        subprocess.run(["tar", "-xf", archive, "-C", self.files], check=True)

    def start(self, volume, *options, interval="1"):
        return self.podman("run", "--detach", *LOCKED_DOWN, "--volume", volume + ":/var/leaktrack", "--env", "LEAKTRACK_INTERVAL=" +
                           interval, *options, "service-tracked")

    def send(self, container, count, size):
        done = subprocess.run(["nsenter", "--target", str(self.podman.state(container)["Pid"]), "--net", sys.executable, "-c", CLIENT,
                               str(count), str(size)], stdout=subprocess.PIPE, timeout=harness.TIMEOUT, check=True)
        return int(done.stdout)

    def folder(self, volume):
        return self.podman("volume", "inspect", "--format", "{{.Mountpoint}}", volume)

    def dump(self, volume, container):
        """The container's newest dump, None as long as there is none."""
        host = self.podman("inspect", "--format", "{{.Config.Hostname}}", container)
        folder = self.folder(volume)
        mine = sorted(name for name in os.listdir(folder) if re.fullmatch(r"service\.%s\.\d{8}T\d{6}Z\.bin" % host, name))
        return os.path.join(folder, mine[-1]) if mine else None

    def live(self, dump, *options):
        """Blocks and bytes that the line holds in the newest snapshot; None as long as there is none."""
        done = subprocess.run([self.shim.report, "--format", "json", "--symfs", self.files, *options, dump], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=harness.TIMEOUT, check=False)
        if done.returncode == 3:
            return None
        return held(done)

    def wait_for(self, volume, container, expected, *options):
        until(lambda: self.dump(volume, container) and self.live(self.dump(volume, container), *options) == expected,
              "a snapshot with %d blocks, %d bytes at line %d" % (*expected, LINE))
        return self.dump(volume, container)


def held(done):
    harness.need(done.returncode == 0, "report: exit %d: %s" % (done.returncode, done.stderr.decode()))
    report = harness.json.loads(done.stdout)
    for site in golang.frames_at(report, SOURCE, LINE):
        functions = [frame["function"] for frame in site["frames"]]
        harness.need("main.length" in functions and functions[-1] == "runtime.goexit", "a stack of other functions: %s" % functions)
    return golang.live_at(report, SOURCE, LINE)


def blocks_of(count, size):
    return count, count * (size + 1)


def two_replicas_share_a_volume_and_are_killed(site):
    names = [site.start("shared") for _ in range(2)]
    for name, count in zip(names, (100, 40)):
        harness.need(site.send(name, count, 26) == count, "%s did not answer" % name)
    for name, count in zip(names, (100, 40)):
        dump = site.wait_for("shared", name, blocks_of(count, 26))
        site.podman("kill", "--signal", "KILL", name)
        site.podman("wait", name)
        harness.need(site.live(dump) == blocks_of(count, 26), "SIGKILL changed the dump")
        print("killed: %d blocks at line %d in %s" % (count, LINE, os.path.basename(dump)))


def a_restart_keeps_the_earlier_dump(site):
    name = site.start("restarted")
    site.send(name, 7, 10)
    first = site.wait_for("restarted", name, blocks_of(7, 10))
    site.podman("restart", "--time", "0", name)
    site.send(name, 3, 10)
    until(lambda: site.dump("restarted", name) != first, "the restarted container's dump")
    second = site.wait_for("restarted", name, blocks_of(3, 10))
    harness.need(site.live(first) == blocks_of(7, 10) and first != second, "the first dump is gone")
    site.podman("rm", "--force", "--time", "0", name)
    print("restarted: %d blocks before, %d after" % (7, 3))


def sigterm_ends_process_1(site):
    name = site.start("ended")
    site.send(name, 5, 10)
    dump = site.wait_for("ended", name, blocks_of(5, 10))
    site.podman("kill", "--signal", "TERM", name)
    status = site.podman("wait", name)
    harness.need(status == "2", "SIGTERM ended it with %s, not with 2 as Go does" % status)
    harness.need(site.live(dump) == blocks_of(5, 10), "SIGTERM changed the dump")
    print("SIGTERM: exit status 2, as without the library")


def requests_reach_an_idle_service(site):
    """From the machine, and from a container that shares the service's pids, as `kubectl debug` starts it."""
    name = site.start("asked", interval="0")
    site.send(name, 20, 30)
    until(lambda: site.dump("asked", name), "the dump")
    dump = site.dump("asked", name)
    harness.need(site.live(dump, "--request") == blocks_of(20, 30), "asked from the machine: %s" % (site.live(dump),))
    site.send(name, 1, 30)
    done = site.podman.try_to("run", "--rm", *LOCKED_DOWN, "--user", "65532:65532", "--pid", "container:" + name, "leaktrack", "sh", "-c",
                              "leaktrack-report --format json --request --symfs /proc/1/root /proc/1/root/var/leaktrack/*.bin")
    harness.need(held(done) == blocks_of(21, 30), "asked from a container: %s" % (held(done),))
    site.podman("rm", "--force", "--time", "0", name)
    print("asked: 20 blocks from the machine, 21 from a debug container")


def the_untouched_image_gets_the_library_on_a_volume(site):
    for volume, command in [("library", ["cp", "/opt/leaktrack/lib/libleaktrack.so", "/leaktrack/"]),
                            ("dumps-of-untouched", ["chown", "65532:65532", "/leaktrack"])]:
        site.podman("run", "--rm", "--network=none", "--volume", volume + ":/leaktrack", "leaktrack", *command)
    name = site.podman("run", "--detach", *LOCKED_DOWN, "--volume", "library:/leaktrack:ro", "--volume", "dumps-of-untouched:/dumps",
                       "--env", "LD_PRELOAD=/leaktrack/libleaktrack.so", "--env", "LEAKTRACK_OUTPUT=/dumps/%e.%h.%t.bin", "service")
    site.send(name, 9, 90)
    site.wait_for("dumps-of-untouched", name, blocks_of(9, 90), "--request")
    site.podman("rm", "--force", "--time", "0", name)
    print("the library on a volume: 9 blocks")


def memory_runs_out(site):
    probe = site.podman.try_to("run", "--rm", "--network=none", "--memory=64m", DEBIAN, "/bin/true")
    if probe.returncode:
        print("no memory limits on this machine, so none is run into: " + probe.stderr.decode().strip())
        return
    name = site.start("killed", "--memory=128m")
    site.send(name, 50, 60)
    dump = site.wait_for("killed", name, blocks_of(50, 60))
    answered = site.send(name, 100, 8 << 20)
    status = site.podman("wait", name)
    harness.need(status == "137" and answered < 100, "not killed: exit status %s after %d answers" % (status, answered))
    count, size = site.live(dump)
    harness.need(50 <= count <= 51 + answered and size == 50 * 61 + (count - 50) * (8 * 1024 * 1024 + 1),
                 "%d blocks, %d bytes after %d answers" % (count, size, answered))
    print("out of memory after %d large requests: the last snapshot holds %d blocks" % (answered, count))


def pod_of(manifest, images):
    """The deployment's pod as podman takes it: never restarted, as podman would restart the init container, too, and
    without ports, as there is no network."""
    with open(manifest, encoding="utf-8") as file:
        deployment = yaml.safe_load(file)
    harness.need(deployment["kind"] == "Deployment", "the manifest is no Deployment")
    template = deployment["spec"]["template"]
    harness.need(template["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"], "the labels don't match")
    spec = dict(template["spec"], restartPolicy="Never")
    for container in spec["initContainers"] + spec["containers"]:
        harness.need(container["image"] in images, "nobody makes the image " + container["image"])
        container.update(image="localhost/" + container["image"], imagePullPolicy="Never", ports=[])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}


def knobs():
    with open(os.path.join(TREE, "docs", "man", "leaktrack.7"), encoding="utf-8") as file:
        return set(re.findall(r"^\.B (LEAKTRACK_[A-Z_]+)$", file.read(), re.MULTILINE))


def a_pod_of_the_deployment(site):
    pod = pod_of(os.path.join(EXAMPLE, "deployment.yaml"), {"leaktrack", "service"})
    names = {variable["name"] for variable in pod["spec"]["containers"][0]["env"]}
    harness.need(len(knobs()) > 5 and names <= knobs() | {"LD_PRELOAD"}, "unknown variables: %s" % (names - knobs()))
    path = os.path.join(site.podman.place, "pod.yaml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(pod, file)
    site.podman("play", "kube", "--network", "none", path)
    site.send("pod-service", 30, 50)
    folder = site.folder("dumps")
    until(lambda: os.listdir(folder), "the pod's dump")
    dump = os.path.join(folder, os.listdir(folder)[0])
    harness.need(site.live(dump, "--request") == blocks_of(30, 50), "in the pod: %s" % (site.live(dump),))
    site.podman("kill", "--signal", "KILL", "pod-service")
    harness.need(site.live(dump) == blocks_of(30, 50), "SIGKILL changed the dump")
    print("a pod: 30 blocks in %s" % os.path.basename(dump))


def test(shim, run):
    site = Site(shim, run)
    site.build()
    site.fetch_files()
    for case in (two_replicas_share_a_volume_and_are_killed, a_restart_keeps_the_earlier_dump, sigterm_ends_process_1,
                 requests_reach_an_idle_service, the_untouched_image_gets_the_library_on_a_volume, memory_runs_out, a_pod_of_the_deployment):
        started = time.monotonic()
        case(site)
        print("   %s: %.1f s" % (case.__name__, time.monotonic() - started), flush=True)


podman.main(test)

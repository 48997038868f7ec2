"""Containers by podman, without a registry and without a trace: images are made of this machine's files, and whatever
podman keeps or mounts lies in a mount namespace and a pid namespace that end with the test."""
import glob
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import harness

PACKAGES = {"podman": "podman", "runc": "runc", "catatonit": "catatonit", "go": "golang"}
# No limit is raised, which takes a right that root of a container may lack.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""


def isolate():
    """Runs this script again in namespaces of its own, whose processes and mounts end with it."""
    if os.environ.get("LT_ISOLATED"):
        return
    if os.geteuid():
        harness.skip("podman without registry, network and set-up needs root")
    for name, package in PACKAGES.items():
        harness.program(name, package)
    command = [harness.program("unshare", "util-linux"), "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
               "--mount-proc"]
    done = subprocess.run([*command, "true"], stderr=subprocess.PIPE, check=False)
    if done.returncode:
        harness.skip("no namespaces here: " + done.stderr.decode().strip())
    os.execve(command[0], [*command, sys.executable, *sys.argv], dict(harness.clean_environment(), LT_ISOLATED="1"))


def libraries(path):
    """The files of this machine that the loader brings with the program or library at `path`."""
    out = subprocess.run(["ldd", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.findall(r"(/\S+) \(0x", out)


class Podman:
    def __init__(self, place):
        self.place = place
        self.cgroups_before = cgroups()
        for target in ("/var/lib/containers", "/run", "/dev/shm"):
            os.makedirs(target, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "none", target], check=True)
        configuration = os.path.join(place, "containers.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION)
        self.environment = dict(harness.clean_environment(), CONTAINERS_CONF=configuration, TMPDIR=place)
        self.command = ["podman", "--storage-driver", "vfs"]

    def try_to(self, *arguments):
        return subprocess.run([*self.command, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.TIMEOUT, check=False)

    def __call__(self, *arguments):
        done = self.try_to(*arguments)
        harness.need(done.returncode == 0, "podman %s: exit %d: %s" %
                     (" ".join(arguments), done.returncode, (done.stdout + done.stderr).decode()[-4000:]))
        return done.stdout.decode().strip()

    def close(self):
        self.try_to("pod", "rm", "--all", "--force", "--time", "0")
        self.try_to("rm", "--all", "--force", "--time", "0")
        for folder in sorted(cgroups() - self.cgroups_before, reverse=True):
            os.rmdir(folder)

    def base(self, name, files):
        """An image of these files and what the loader needs for them, laid out as Debian does."""
        wanted = {path: path for path in ("/etc/passwd", "/etc/debian_version")}
        for file in files:
            for path in [file, *libraries(file)]:
                wanted[path] = path
        archive = os.path.join(self.place, "base.tar")
        with tarfile.open(archive, "w") as tar:
            for folder in ("bin", "sbin", "lib", "lib64"):
                link = tarfile.TarInfo(folder)
                link.type, link.linkname = tarfile.SYMTYPE, "usr/" + folder
                tar.addfile(link)
            for folder in ("tmp", "var/lib/dpkg", "var/lib/apt/lists", "etc/alternatives", "usr/bin", "usr/sbin"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                tar.addfile(entry)
            for path, inside in wanted.items():
                add_file(tar, path, inside)
        self("import", archive, name)
        os.unlink(archive)

    def build(self, name, dockerfile, context, *options, volumes=()):
        """The stages that build see this machine's programs instead of those that a registry's image would have."""
        host = ["/usr:/usr:ro", "/etc/alternatives:/etc/alternatives:ro", "/var/lib/dpkg:/var/lib/dpkg:ro", *volumes]
        self("build", "--isolation", "chroot", "--network", "host", "--pull-never", "--layers", "--tag", name, "--file", dockerfile,
             *["--volume=" + volume for volume in host], *options, context)

    def probe(self, image, *command):
        """Skips the test where this machine runs no container at all."""
        done = self.try_to("run", "--rm", "--network", "none", image, *command)
        if done.returncode:
            harness.skip("no container can be run here: " + done.stderr.decode().strip())

    def state(self, container):
        return json.loads(self("inspect", container))[0]["State"]


def add_file(tar, path, inside):
    if re.match(r"/s?bin/|/lib(64)?/", inside):
        inside = "/usr" + inside
    with open(path, "rb") as file:
        data = file.read()
    entry = tarfile.TarInfo(inside.lstrip("/"))
    entry.size, entry.mode = len(data), os.stat(path).st_mode & 0o777
    tar.addfile(entry, io.BytesIO(data))


def cgroups():
    """The control groups of podman on this machine."""
    tops = glob.glob("/sys/fs/cgroup/libpod_parent") + glob.glob("/sys/fs/cgroup/*/libpod_parent")
    return {folder for top in tops for folder, _, _ in os.walk(top)}


def main(test):
    """Entry point of a test script: argv begins with the library and the report. Calls test(shim, podman)."""
    isolate()

    def inside(shim):
        with tempfile.TemporaryDirectory(prefix="leaktrack-container-") as place:
            podman = Podman(place)
            try:
                test(shim, podman)
            finally:
                podman.close()
    harness.main(inside)

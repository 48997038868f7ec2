"""Containers by podman, without a registry and without a trace: images are made of this machine's files, and whatever
podman keeps or mounts lies in a mount namespace and a pid namespace that end with the test."""
import glob
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "real"))
import harness

PACKAGES = {"podman": "podman", "runc": "runc", "catatonit": "catatonit", "go": "golang"}
FOLDERS = ["tmp", "etc/alternatives", "usr/bin", "usr/sbin", "var/lib/apt/lists", "var/lib/dpkg"]
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
    version = subprocess.run(["podman", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    if int(re.search(r"(\d+)\.", version).group(1)) < 4:
        harness.skip("podman 4 or newer is needed: " + version.strip())
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
        wanted = {"/etc/passwd", "/etc/debian_version", *files}
        for file in files:
            wanted.update(libraries(file))
        inside = {path: re.sub(r"^/(s?bin|lib|lib64)/", r"usr/\1/", path).lstrip("/") for path in wanted}
        archive = os.path.join(self.place, "base.tar")
        with tarfile.open(archive, "w") as tar:
            for folder in ("bin", "sbin", "lib", "lib64"):
                add(tar, folder, type=tarfile.SYMTYPE, linkname="usr/" + folder)
            for folder in parents([*inside.values(), *(folder + "/any" for folder in FOLDERS)]):
                add(tar, folder, type=tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
            for path in sorted(wanted):
                with open(path, "rb") as file:
                    add(tar, inside[path], file.read(), mode=os.stat(path).st_mode & 0o777)
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


def parents(paths):
    """The folders that hold these, outermost first."""
    return sorted({str(folder) for path in paths for folder in pathlib.PurePosixPath(path).parents} - {"."})


def add(tar, name, data=b"", **properties):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    for key, value in properties.items():
        setattr(entry, key, value)
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

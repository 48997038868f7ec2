#!/usr/bin/env python3
"""nginx or redis-server under bursts of short connections: at each standstill the report's descriptors are the kernel's,
at the end every connection that the server counted was acquired and released.

serves.py LIBRARY REPORT nginx|redis LOAD CONNECTIONS"""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness
import kernel_view

BURSTS, OPEN = 3, 200
NGINX = """
worker_processes 1; daemon off; pid %(dir)s/pid; error_log %(dir)s/error.log; %(user)s
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000; client_body_temp_path %(dir)s/t1; proxy_temp_path %(dir)s/t2;
    fastcgi_temp_path %(dir)s/t3; uwsgi_temp_path %(dir)s/t4; scgi_temp_path %(dir)s/t5;
    server { listen 127.0.0.1:%(port)d; location / { return 200 "ok"; } location /status { stub_status; } }
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server under the shim, and one connection to it that is held open: what is asked over it lets the server live,
    but changes none of its descriptors."""

    def __init__(self, command, env, port, directory):
        self.port = port
        self.process = subprocess.Popen(command, env=env, cwd=directory, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.link = self.connect()

    def connect(self):
        for _ in range(400):
            harness.need(self.process.poll() is None, "the server ended with %s" % self.process.returncode)
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.port), timeout=20)
            time.sleep(0.05)
        raise harness.Failure("the server does not come up")

    def ask(self, question):
        self.link.sendall(question)
        return self.link.recv(1 << 16).decode()

    def keep_busy(self):
        for _ in range(20):
            self.ask(self.question)

    def stop(self):
        """Whatever has gone wrong: nginx takes its worker along."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        harness.need(self.process.wait(60) == 0, "the server ended with %d" % self.process.returncode)


class Nginx(Server):
    question = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"

    def __init__(self, env, directory):
        port = free_port()
        user = "user nobody nogroup;" if os.geteuid() == 0 else ""
        conf = os.path.join(directory, "nginx.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX % {"dir": directory, "port": port, "user": user})
        super().__init__([harness.program("nginx", "nginx"), "-c", conf], env, port, directory)
        self.ask(self.question)
        with open("/proc/%d/task/%d/children" % ((self.process.pid,) * 2), encoding="ascii") as file:
            self.pid = int(file.read().split()[0])

    def accepted(self):
        status = self.ask(b"GET /status HTTP/1.1\r\nHost: here\r\n\r\n")
        return int(re.search(r"requests\s+(\d+)", status).group(1))


class Redis(Server):
    question = b"SET a b\r\n"

    def __init__(self, env, directory):
        port = free_port()
        super().__init__([harness.program("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1",
                          "--save", "", "--appendonly", "no", "--dir", directory], env, port, directory)
        self.pid = self.process.pid

    def accepted(self):
        return int(re.search(r"total_connections_received:(\d+)", self.ask(b"INFO stats\r\n")).group(1))


def burst(load, server, count):
    done = subprocess.run([load, str(server.port), str(count), "50", server.question], stdout=subprocess.PIPE,
                          timeout=harness.TIMEOUT, check=False)
    harness.need(done.returncode == 0 and int(done.stdout) == count, "of %d connections %s were answered" % (
        count, done.stdout.decode()))


def account(server, report):
    total = report["totals"]["socket"]
    return server.accepted(), total["alloc_count"], total["release_count"]


def serve(shim, server, dumps, load, connections):
    dump = kernel_view.running_dump(dumps, server.pid, server.keep_busy)
    at_rest = len(kernel_view.standstill(server.pid, dump))
    before = account(server, kernel_view.compare(shim, server.pid, dump, server.keep_busy, at_rest))
    for _ in range(BURSTS):
        burst(load, server, connections // BURSTS)
        kernel_view.compare(shim, server.pid, dump, server.keep_busy, at_rest)
    with contextlib.ExitStack() as links:  # and with many open
        for _ in range(OPEN):
            link = links.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            link.sendall(server.question)
            link.recv(4096)
        kernel_view.compare(shim, server.pid, dump, server.keep_busy, at_rest + OPEN)
    report = kernel_view.compare(shim, server.pid, dump, server.keep_busy, at_rest)
    accepted, acquired, released = (now - then for now, then in zip(account(server, report), before))
    harness.need(accepted == acquired == released == connections // BURSTS * BURSTS + OPEN,
                 "%d connections accepted, %d sockets acquired, %d released" % (accepted, acquired, released))
    harness.need(report["kernel"]["vanished_descriptors"] == 0, "kernel: %s" % report["kernel"])
    lost = {k: v for k, v in report["untracked"].items() if v}
    harness.need(not lost, "untracked events: %s" % lost)
    print("%s: %d connections accepted, as many sockets acquired and released; at %d standstills the kernel's list" % (
        os.path.basename(server.process.args[0]), accepted, BURSTS + 3))


def test(shim):
    which, load, connections = sys.argv[3], os.path.abspath(sys.argv[4]), int(sys.argv[5])
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as dumps:
        os.chmod(directory, 0o777)
        os.chmod(dumps, 0o777)
        server = {"nginx": Nginx, "redis": Redis}[which](shim.environment(dumps, interval=3600), directory)
        try:
            serve(shim, server, dumps, load, connections)
            server.end()
        finally:
            server.stop()


harness.main(test)

#!/usr/bin/env python3
"""redis-server (which brings jemalloc) serves a load on loopback under the shim as it does without it; each allocation is
accounted for at its end, and a snapshot asked for while it runs arrives."""
import glob
import json
import os
import socket
import subprocess
import tempfile
import time

import harness


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(port, *words):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return link.recv(1 << 16)


def wait_until_up(server, port):
    for _ in range(200):
        harness.need(server.poll() is None, "redis-server ended with %s" % server.returncode)
        try:
            if answer(port, b"PING") == b"+PONG\r\n":
                return
        except OSError:
            time.sleep(0.05)
    raise harness.Failure("redis-server does not answer")


def load(port):
    for i in range(300):
        harness.need(answer(port, b"SET", b"key%d" % i, b"v" * (i * 10)) == b"+OK\r\n", "SET failed")
    for i in range(0, 300, 2):
        harness.need(answer(port, b"DEL", b"key%d" % i) == b":1\r\n", "DEL failed")
    return answer(port, b"DBSIZE"), answer(port, b"GET", b"key7"), answer(port, b"DEBUG", b"SLEEP", b"0")


def serve(shim, env, cwd, request):
    port = free_port()
    server = subprocess.Popen([harness.program("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1",
                               "--save", "", "--appendonly", "no", "--dir", cwd, "--enable-debug-command", "yes"],
                              env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until_up(server, port)
        answers = load(port)
        if request:
            request(server.pid, lambda: load(port))
        answer(port, b"SHUTDOWN", b"NOSAVE")
        server.wait(30)
        return answers, server.returncode, server.stderr.read()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def test(shim):
    with tempfile.TemporaryDirectory() as cwd:
        bare = serve(shim, harness.clean_environment(), cwd, None)

    with tempfile.TemporaryDirectory() as cwd, tempfile.TemporaryDirectory() as dumps:
        def request(pid, keep_busy):
            dump = glob.glob(os.path.join(dumps, "*.%d.bin" % pid))
            harness.need(len(dump) == 1, "dump of the running server: %s" % dump)
            answer_file = os.path.join(dumps, "answer.json")
            asked = subprocess.Popen([shim.report, "--format", "json", "-o", answer_file, "--request", dump[0]],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            end = time.monotonic() + 30
            while asked.poll() is None and time.monotonic() < end:
                keep_busy()
            _, err = asked.communicate(timeout=30)
            harness.need(asked.returncode == 0, "--request: exit %d: %s" % (asked.returncode, err.decode()))
            with open(answer_file, encoding="utf-8") as file:
                trigger = json.load(file)["snapshot"]["trigger"]
            harness.need(trigger == "request", "the newest snapshot's trigger is %s" % trigger)

        under = serve(shim, shim.environment(dumps), cwd, request)
        harness.need(bare == under, "under the shim: %r instead of %r" % (under, bare))
        reports = shim.reports(dumps)
    harness.need(len(reports) == 1, "%d dumps" % len(reports))
    harness.accounted(reports[0])
    total = reports[0]["totals"]["heap"]
    harness.need(total["alloc_count"] > 1000, "only %d allocations were seen" % total["alloc_count"])
    print("redis-server: %(alloc_count)d allocations accounted for, %(live_count)d live at its end" % total)


harness.main(test)

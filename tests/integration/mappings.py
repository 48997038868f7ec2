#!/usr/bin/env python3
"""Random mapping programs, held against the kernel and against a model: mappings.py LIBRARY REPORT PROGRAM RUNS.

The program tells its calls and, at the end, what /proc/self/maps listed. A model here (a dictionary of pages) follows the
calls. For every seed
  - the pages that the kernel lists beyond those of the start are those of the model,
  - the report's mapping rows that have a site are the same pages, each with the line of the call that the model names,
  - the pieces and bytes of the totals are the model's,
  - nothing was counted untracked, and no record had to be repaired from the kernel's list (vanished).
"""
import json
import os
import subprocess
import sys
import tempfile

PAGE = 4096
FAILED = 2**64 - 1
CALLS = 300
DONTUNMAP, FIXED = 4, 2


def pages(start, size):
    return range(start // PAGE, (start + size + PAGE - 1) // PAGE)


class Model:
    """page -> (number of the acquisition, line)"""

    def __init__(self):
        self.held, self.number, self.segment = {}, 0, {}

    def clear(self, start, size):
        for page in pages(start, size):
            self.held.pop(page, None)

    def put(self, where, line):
        self.number += 1
        for page in where:
            self.held[page] = (self.number, line)

    def map(self, start, size, line, _replaces):
        if start != FAILED:
            self.clear(start, size)
            self.put(pages(start, size), line)

    def attach(self, start, size, line, _replaces):
        self.map(start, size, line, 0)
        if start != FAILED:
            self.segment[start] = self.number

    def unmap(self, start, size, failed):
        if not failed:
            self.clear(start, size)

    def detach(self, start, failed):
        """The kernel takes all that is left of the attachment."""
        if not failed:
            number = self.segment[start]
            self.held = {page: owner for page, owner in self.held.items() if owner[0] != number}

    def move(self, old, old_size, new, new_size, flags, _wanted, line):
        if new == FAILED:
            return
        leaves_old = old_size == 0 or flags & DONTUNMAP
        if not leaves_old and not flags & FIXED and len(pages(0, new_size)) <= len(pages(0, old_size)):
            end = old + len(pages(0, new_size)) * PAGE
            self.clear(end, max(0, old + len(pages(0, old_size)) * PAGE - end))
            return
        if not leaves_old:
            self.clear(old, old_size)
        self.clear(new, new_size)
        self.put(pages(new, new_size), line)

    def pieces(self):
        return sum(1 for page, owner in self.held.items() if self.held.get(page - 1, (0,))[0] != owner[0])


def parse(output):
    """The kernel's lists before and after, and the calls."""
    parts, part = {"before": [], "calls": [], "after": []}, None
    for line in output.splitlines():
        if line in parts:
            part = parts[line]
        else:
            part.append(line)
    return parts


def listed(lines):
    found = set()
    for line in lines:
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if start < 2**47:
            found.update(range(start // PAGE, min(end, 2**47) // PAGE) if end - start < 2**30 else [start // PAGE])
    return found


def follow(calls):
    model = Model()
    for call in calls:
        what, *numbers = call.split()
        decimal = {"map": (2, 3), "attach": (2, 3), "unmap": (2,), "detach": (1,), "move": (4, 6)}[what]
        getattr(model, what)(*(int(x, 10 if i in decimal else 16) for i, x in enumerate(numbers)))
    return model


def line_of(site):
    own = [f for f in site["frames"] if f.get("file") and f["file"].endswith("maps_at_random.c")]
    return own[0]["line"] if own else None


def rows(report):
    lines = {site["id"]: line_of(site) for site in report["sites"] if site["kind"] == "mapping"}
    found = {}
    for row in report["mappings"]:
        if row["site"]:
            for page in pages(row["address"], row["length"]):
                assert page not in found, "two rows for page %x" % page
                found[page] = lines[row["site"]]
    return found


def difference(name, found, wanted):
    if found == wanted:
        return
    if isinstance(found, dict):
        wrong = sorted(p for p in set(found) | set(wanted) if found.get(p) != wanted.get(p))
        detail = ["%x: %s, not %s" % (p * PAGE, found.get(p), wanted.get(p)) for p in wrong[:8]]
    else:
        detail = ["%x: %s" % (p * PAGE, "too much" if p in found else "missing") for p in sorted(found ^ wanted)[:8]]
    raise AssertionError("%s: %s" % (name, "; ".join(detail)))


def run(library, report, program, seed, directory):
    dump = os.path.join(directory, "dump.bin")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LEAKTRACK_")}
    environment.update(LD_PRELOAD=library, LEAKTRACK_OUTPUT=dump)
    done = subprocess.run([program, str(seed), str(CALLS)], env=environment, stdout=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 0, "exit %d" % done.returncode
    parts = parse(done.stdout.decode())
    model = follow(parts["calls"])
    difference("the model", set(model.held), listed(parts["after"]) - listed(parts["before"]))
    text = subprocess.run([report, "--format", "json", dump], stdout=subprocess.PIPE, check=True, timeout=60).stdout
    told = json.loads(text)
    difference("the report's rows", rows(told), {page: owner[1] for page, owner in model.held.items()})
    totals = told["totals"]["mapping"]
    assert totals["live_count"] == model.pieces(), "%d pieces, not %d" % (totals["live_count"], model.pieces())
    assert totals["live_bytes"] == len(model.held) * PAGE, "%d bytes" % totals["live_bytes"]
    lost = {k: v for k, v in told["untracked"].items() if v}
    assert not lost, "untracked: %s" % lost
    vanished = told["kernel"]["vanished_mappings"]
    assert vanished == 0, "%d mappings vanished" % vanished
    os.unlink(dump)
    return len(parts["calls"]), len(model.held)


def main():
    library, report, program, runs = sys.argv[1:5]
    calls = held = 0
    with tempfile.TemporaryDirectory() as directory:
        for seed in range(1, int(runs) + 1):
            try:
                made, left = run(library, report, program, seed, directory)
            except AssertionError as failure:
                print("FAILED: seed %d: %s" % (seed, failure))
                return 1
            calls, held = calls + made, held + left
    assert held > 0
    print("%s programs, %d calls, %d pages held at the end" % (runs, calls, held))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""agree.py PRINT_DUMP DUMP: cut and damaged copies of a dump mean the same to the reader in C and to read_dump.py.

The copies are cut at every 5th byte, and have one bit flipped at every 3rd: what is printed, and the status, must be equal.
"""
import contextlib
import io
import subprocess
import sys
import tempfile

import read_dump


def in_python(path):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = read_dump.main(path)
    return status, out.getvalue()


def in_c(print_dump, path):
    run = subprocess.run([print_dump, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return run.returncode, run.stdout


def copies(data):
    yield "whole", data
    for size in range(0, len(data), 5):
        yield f"cut at {size}", data[:size]
    for at in range(0, len(data), 3):
        yield f"bit {at % 8} of byte {at} flipped", data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:]


def main():
    print_dump, dump = sys.argv[1:]
    with open(dump, "rb") as file:
        data = file.read()
    statuses = {0: 0, 3: 0, 4: 0}
    with tempfile.NamedTemporaryFile() as copy:
        for what, changed in copies(data):
            copy.seek(0)
            copy.truncate()
            copy.write(changed)
            copy.flush()
            ours, theirs = in_python(copy.name), in_c(print_dump, copy.name)
            if ours != theirs:
                print(f"{what}: read_dump.py says {ours[0]}, the reader in C {theirs[0]}\n{ours[1]}\n----\n{theirs[1]}")
                return 1
            statuses[ours[0]] += 1
    print("agreed:", ", ".join(f"{count} with status {status}" for status, count in statuses.items()))
    return 0 if all(statuses.values()) else 1  # each outcome must have come up


if __name__ == "__main__":
    sys.exit(main())

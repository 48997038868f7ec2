#!/usr/bin/env python3
"""The life cycle under the shim: when snapshots are taken, what ends, forks, execs and hostile surroundings do to them,
and that the program does not notice. One case per function of life_*.py whose name starts with `case_`; the programs are
in tests/programs/life.

    life.py LIBRARY REPORT PROGRAMS CASE      runs one case in an empty directory; exit 0 passed, 1 failed, 77 skipped
    life.py --list                            names the cases
"""
import ctypes
import os
import subprocess
import sys
import tempfile

import life_children
import life_snapshots
import life_surroundings
import shim

CASES = {name[5:]: function
         for module in (life_snapshots, life_children, life_surroundings)
         for name, function in vars(module).items() if name.startswith("case_")}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    shim.LIBRARY, shim.REPORT, shim.PROGRAMS = map(os.path.abspath, sys.argv[1:4])
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what daemons leave behind ends up here
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            CASES[sys.argv[4]]()
        except shim.Skipped as reason:
            print("SKIPPED: %s" % reason)
            return 77
        except (shim.Failure, subprocess.TimeoutExpired) as failure:
            print("FAILED: %s" % failure)
            return 1
        finally:
            os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

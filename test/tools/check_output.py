#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program and compares what it prints with a file.

usage: check_output.py EXPECTED PROGRAM ARGUMENTS...
"""

import difflib
import pathlib
import subprocess
import sys


def main():
    expected = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    run = subprocess.run(sys.argv[2:], capture_output=True, text=True)
    sys.stderr.write(run.stderr)
    difference = list(
        difflib.unified_diff(expected.splitlines(), run.stdout.splitlines(), "expected", "printed",
                             lineterm=""))
    print("\n".join(difference))
    sys.exit(1 if difference or run.returncode != 0 else 0)


main()

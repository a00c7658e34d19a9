#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs programs that others compiled for WASI, and programs compiled here by the compilers of several
languages, by the example wasi_run or another host. Where something that they need is missing (npm, node, the network,
a compiler), the exit status is 77, which meson counts as skipped.

usage: check_programs.py HOST PROGRAM
"""

import pathlib
import sys
import tempfile

from programs import from_npm, from_source


def main():
    host, program = sys.argv[1:3]
    name = f"check_{program}"
    check = getattr(from_npm, name, None) or getattr(from_source, name)
    with tempfile.TemporaryDirectory() as folder:
        check(host, pathlib.Path(folder))
    print("passed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs programs that others compiled for WASI, and programs compiled here by the compilers of several
languages, by the example wasi_run or other hosts. Where something that they need is missing (npm, node, the network,
a compiler), the exit status is 77, which meson counts as skipped.

usage: check_programs.py PROGRAM HOST...
"""

import pathlib
import sys
import tempfile

from programs import from_npm, from_source


def main():
    program, *hosts = sys.argv[1:]
    name = f"check_{program}"
    check = getattr(from_npm, name, None) or getattr(from_source, name)
    with tempfile.TemporaryDirectory() as folder:
        check(pathlib.Path(folder), *hosts)
    print("passed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every source file is built: a test that nobody lists would never run.

usage: check_listed.py ROOT LISTED_FILE...
"""

import pathlib
import sys

FOLDERS = ["test", "bench", "docs/examples"]
# Built by scripts, not listed in a meson.build.
ELSEWHERE = ["test/headers", "test/consume", "test/wasi/programs"]


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    listed = {pathlib.Path(name).resolve() for name in sys.argv[2:]}
    found = {
        path
        for folder in FOLDERS
        for path in (root / folder).rglob("*.cpp")
        if not any(path.is_relative_to(root / other) for other in ELSEWHERE)
    }
    for name in sorted(found - listed):
        print(f"{name.relative_to(root)} is in no meson.build")
    print(f"{len(found)} source files, {len(found - listed)} not listed")
    sys.exit(1 if found - listed or not found else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a header of ours does not ask for standard headers that are slow to compile.

usage: check_includes.py INCLUDE_DIR HEADER BANNED[,BANNED...]
       check_includes.py --self-test INCLUDE_DIR HEADER

Follows the includes of HEADER (relative to INCLUDE_DIR) through our own headers and compares the
standard headers that these name with the banned ones. What a standard header includes is its own
business and differs between libraries.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)


def standard_headers(include_dir, header):
    """Standard header -> the header of ours that includes it first."""
    found = {}
    pending = [header]
    seen = set(pending)
    while pending:
        current = pending.pop(0)
        text = (include_dir / current).read_text(encoding="utf-8")
        for included in INCLUDE.findall(text):
            if (include_dir / included).is_file():
                if included not in seen:
                    seen.add(included)
                    pending.append(included)
            else:
                found.setdefault(included, current)
    return found


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 3 and arguments[0] == "--self-test":
        found = standard_headers(pathlib.Path(arguments[1]), arguments[2])
        print(f"{arguments[2]} names {sorted(found)}")
        return 0 if "cstdint" in found and "string_view" in found else 1
    if len(arguments) != 3:
        print(__doc__)
        return 2
    found = standard_headers(pathlib.Path(arguments[0]), arguments[1])
    print(f"<{arguments[1]}> names: {', '.join(sorted(found))}")
    present = [name for name in arguments[2].split(",") if name in found]
    for name in present:
        print(f"<{name}> is banned, but <{found[name]}> includes it")
    return 1 if present else 0


if __name__ == "__main__":
    sys.exit(main())

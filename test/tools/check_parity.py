#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test named in docs/parity.md exists.

The last cell of a table row names tests, each in double quotes, or says why there is none yet by
beginning with "later:", "not:" or "see".

usage: check_parity.py PARITY_MD TEST_FOLDER
"""

import pathlib
import re
import sys

CASE = re.compile(r'\b(?:TEMPLATE_)?TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CELL = re.compile(r"(?<!\\)\|")
QUOTED = re.compile(r'"([^"]+)"')


def test_names(folder):
    names = set()
    for path in pathlib.Path(folder).rglob("*.cpp"):
        for case in CASE.finditer(path.read_text(encoding="utf-8")):
            literals = LITERAL.findall(case.group(1))
            names.add("".join(literals).replace('\\"', "'").replace("\\\\", "\\"))
    return names


def main():
    names = test_names(sys.argv[2])
    rows = 0
    named = 0
    complaints = []
    lines = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        is_heading = number < len(lines) and lines[number].startswith("|--")
        if not line.startswith("|") or line.startswith("|--") or is_heading:
            continue
        rows += 1
        cell = CELL.split(line)[-2].strip()
        tests = QUOTED.findall(cell)
        named += len(tests)
        complaints += [
            f"{sys.argv[1]}:{number}: no test is called: {test}" for test in tests if test not in names
        ]
        if not tests and not re.match(r"(later|not|see)\b", cell):
            complaints.append(f"{sys.argv[1]}:{number}: names no test, and no reason for it: {cell}")
    print("\n".join(complaints))
    print(f"{rows} rows, {named} tests named, {len(complaints)} complaints")
    sys.exit(1 if complaints or not rows else 0)


if __name__ == "__main__":
    main()

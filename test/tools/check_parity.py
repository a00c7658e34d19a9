#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test named in a table of docs/parity.md or docs/binding.md exists.

The last cell of a table row names tests, each in double quotes, or says why there is none yet by
beginning with "later:", "not:" or "see". A name that is a link must link to the file of its test.

usage: check_parity.py DOCUMENT TEST_FOLDER
"""

import pathlib
import re
import sys

CASE = re.compile(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CELL = re.compile(r"(?<!\\)\|")
QUOTED = re.compile(r'"([^"]+)"')
LINKED = re.compile(r'\["([^"]+)"\]\(([^)]+)\)')


def test_names(folder):
    """Name of a test -> the files that have one of this name."""
    names = {}
    for path in pathlib.Path(folder).rglob("*.cpp"):
        for case in CASE.finditer(path.read_text(encoding="utf-8")):
            literals = LITERAL.findall(case.group(1))
            name = "".join(literals).replace('\\"', "'").replace("\\\\", "\\")
            names.setdefault(name, set()).add(path.resolve())
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
        for test, link in LINKED.findall(cell):
            target = (pathlib.Path(sys.argv[1]).parent / link).resolve()
            if target not in names.get(test, set()):
                complaints.append(f"{sys.argv[1]}:{number}: {link} has no test called: {test}")
        if not tests and not re.match(r"(later|not|see)\b", cell):
            complaints.append(f"{sys.argv[1]}:{number}: names no test, and no reason for it: {cell}")
    print("\n".join(complaints))
    print(f"{rows} rows, {named} tests named, {len(complaints)} complaints")
    sys.exit(1 if complaints or not rows else 0)


if __name__ == "__main__":
    main()

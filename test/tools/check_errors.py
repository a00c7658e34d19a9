#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that docs/errors.md has every error text of the library, word for word, and no other, each
with its cause and remedy.

In the document an error is a table row: its name in backquotes, its text, and what explains it:
| `UnknownLabel` | unknown label {0} | a branch out of more blocks than there are | ... |
A line <!-- errors: NAME --> before a table says that it is written by --write.

usage: check_errors.py PRINT_ERRORS ERRORS_MD
       check_errors.py PRINT_ERRORS ERRORS_MD --write
           Writes the marked tables anew from the library; explanations are kept by name. Those of
           new errors are "?", which the check does not accept.
       check_errors.py PRINT_ERRORS --table TABLE
           Prints the rows of one table as Markdown.
"""

import re
import subprocess
import sys

ROW = re.compile(r"^\|\s*`(\w+)`\s*\|(.*)$")
CELL = re.compile(r"(?<!\\)\|")
MARK = re.compile(r"^<!-- errors: (\w+) -->$")
COLUMNS = {table: ("Refused", "Accepted") for table in ("binding", "interface")}
# What Markdown needs before a character, or around a text, but a reader does not see.
MARKUP = re.compile(r"\\(?=[\\|<>*_`\[\]{}])|`")


def plain(text):
    return " ".join(MARKUP.sub("", text).split())


def escape(text):
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


def explanations(row):
    """The cells behind name and text."""
    return [cell.strip() for cell in CELL.split(row)][1:-1]


def check(errors, documented):
    for table, name, text in errors:
        # One name may stand in two tables, with two texts.
        rows = [plain(row) for row_name, row in documented if row_name == name]
        if not any(plain(text) in row for row in rows):
            yield f"missing, or with another text: {table} {name}: {text}"
    known = {name for _, name, _ in errors}
    for name, row in documented:
        if name not in known:
            yield f"unknown to the library: {name}"
        elif not explanations(row) or {"", "?"} & set(explanations(row)):
            yield f"without explanation: {name}"


def write(errors, lines):
    """The lines of the document with its marked tables written anew."""
    result = []
    table = None
    kept = {}
    for line in [*lines, ""]:
        row = ROW.match(line)
        if row and table:
            kept[row.group(1)] = explanations(row.group(2))
        elif table and not line.startswith("|"):
            result += [f"| Name | Text | {' | '.join(COLUMNS.get(table, ('Cause', 'Remedy')))} |"]
            result += ["|---|---|---|---|"]
            for row_table, name, text in errors:
                if row_table == table:
                    cells = kept.get(name, ["?", "?"])
                    result.append(f"| `{name}` | {escape(text)} | {' | '.join(cells)} |")
            table = None
        if not table:
            result.append(line)
        if mark := MARK.match(line):
            table, kept = mark.group(1), {}
    return result[:-1]


def main():
    printed = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout
    errors = [line.split("\t") for line in printed.splitlines()]

    if sys.argv[2] == "--table":
        for table, name, text in errors:
            if table == sys.argv[3]:
                print(f"| `{name}` | {escape(text)} |")
        return

    path = sys.argv[2]
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    if "--write" in sys.argv[3:]:
        lines = write(errors, lines)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    complaints = list(check(errors, [m.groups() for m in map(ROW.match, lines) if m]))
    print("\n".join(complaints))
    print(f"{len(errors)} errors, {len(complaints)} complaints")
    sys.exit(1 if complaints or not errors else 0)


if __name__ == "__main__":
    main()

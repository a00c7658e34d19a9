#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that docs/errors.md has every error text of the library, word for word, and no other.

In the document an error is a table row that begins with its name in backquotes and contains its
text: | `UnknownLabel` | unknown label {0} | ... |

usage: check_errors.py PRINT_ERRORS ERRORS_MD
       check_errors.py PRINT_ERRORS --table TABLE    prints the rows of one table as Markdown
"""

import re
import subprocess
import sys

ROW = re.compile(r"^\|\s*`(\w+)`\s*\|(.*)$")
# What Markdown needs before a character, or around a text, but a reader does not see.
MARKUP = re.compile(r"\\(?=[\\|<>*_`\[\]])|`")


def plain(text):
    return " ".join(MARKUP.sub("", text).split())


def main():
    printed = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout
    errors = [line.split("\t") for line in printed.splitlines()]

    if sys.argv[2] == "--table":
        for table, name, text in errors:
            if table == sys.argv[3]:
                print(f"| `{name}` | {text.replace('|', chr(92) + '|')} |")
        return

    with open(sys.argv[2], encoding="utf-8") as file:
        documented = [match.groups() for match in map(ROW.match, file) if match]
    complaints = []
    for table, name, text in errors:
        # One name may stand in two tables, with two texts.
        rows = [plain(row) for row_name, row in documented if row_name == name]
        if not any(plain(text) in row for row in rows):
            complaints.append(f"missing, or with another text: {table} {name}: {text}")
    known = {name for _, name, _ in errors}
    complaints += [f"unknown to the library: {name}" for name, _ in documented if name not in known]
    print("\n".join(complaints))
    print(f"{len(errors)} errors, {len(complaints)} complaints")
    sys.exit(1 if complaints or not errors else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up a run of `meson test`; the last line is `N passed, N failed, N skipped`.

Names every test that failed or was skipped. Exits with 1 if one failed, or if none was run.

usage: summarise.py TESTLOG_JSON
"""

import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def main():
    passed = 0
    failed = []
    skipped = []
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            if test["result"] in PASSED:
                passed += 1
            elif test["result"] == "SKIP":
                skipped.append(test["name"])
            else:
                failed.append(f"{test['name']} ({test['result'].lower()})")
    print()
    for name in skipped:
        print(f"skipped: {name}")
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    main()

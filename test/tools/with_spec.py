#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command with folders of tests that others wrote: @SPEC@ in its arguments is replaced by the
folder of the spec scripts, @WASI@ by that of the WASI programs.

They are $TENON_SPEC_DIR and $TENON_WASI_TESTSUITE_DIR, or shared/spec and shared/wasi-testsuite beside
the repository. Where there is none the exit status is 77, which meson counts as skipped.

usage: with_spec.py COMMAND [ARGUMENTS...]
"""

import os
import pathlib
import sys

SKIPPED = 77
# What stands in arguments, the variable, the folder in shared/, and what is in it.
FOLDERS = [
    ("@SPEC@", "TENON_SPEC_DIR", "spec", "core2"),
    ("@WASI@", "TENON_WASI_TESTSUITE_DIR", "wasi-testsuite", "rust"),
]


def main():
    command = sys.argv[1:]
    shared = pathlib.Path(__file__).resolve().parents[3] / "shared"
    for placeholder, variable, name, contents in FOLDERS:
        if not any(placeholder in argument for argument in command):
            continue
        folder = pathlib.Path(os.environ.get(variable) or shared / name)
        if not (folder / contents).is_dir():
            print(f"skipped: no tests in {folder}; set {variable}")
            sys.exit(SKIPPED)
        command = [argument.replace(placeholder, str(folder)) for argument in command]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

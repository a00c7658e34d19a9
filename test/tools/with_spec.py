#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command with the folder of the spec scripts: @SPEC@ in its arguments is replaced.

The folder is $TENON_SPEC_DIR, or shared/spec beside the repository. Where there is none the exit
status is 77, which meson counts as skipped.

usage: with_spec.py COMMAND [ARGUMENTS...]
"""

import os
import pathlib
import sys

SKIPPED = 77


def main():
    beside = pathlib.Path(__file__).resolve().parents[3] / "shared" / "spec"
    folder = pathlib.Path(os.environ.get("TENON_SPEC_DIR") or beside)
    if not (folder / "core2").is_dir():
        print(f"no spec scripts in {folder}; set TENON_SPEC_DIR")
        sys.exit(SKIPPED)
    command = [argument.replace("@SPEC@", str(folder)) for argument in sys.argv[1:]]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

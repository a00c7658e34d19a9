#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that two translation units which include every header make one program.

Header-only, a function that lost its `inline` is defined twice; compiled once, a function that lost
its body is not defined at all.

usage: check_link.py header_only|compiled COMPILER INCLUDE_DIR [COMPILER_ARGS...]
"""

import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

JOBS = 2
HERE = pathlib.Path(__file__).parent


def main():
    mode, compiler, include_dir, *arguments = sys.argv[1:]
    headers = sorted(
        path.relative_to(include_dir).as_posix()
        for path in pathlib.Path(include_dir, "tenon").rglob("*.hpp")
    )
    command = [compiler, "-std=c++20", "-O0", *arguments, "-I", include_dir]
    if mode == "compiled":
        command.append("-DTENON_SEPARATE_COMPILATION")

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, order in (("every_header", headers), ("every_header_backwards", headers[::-1])):
            text = "".join(f"#include <{header}>\n" for header in order)
            (folder / f"{name}.hpp").write_text(text, encoding="utf-8")
        units = [HERE / "first.cpp", HERE / "second.cpp"]
        if mode == "compiled":
            units.append(pathlib.Path(include_dir, "tenon", "tenon.cpp"))

        def compile_unit(unit):
            target = folder / f"{unit.stem}.o"
            return subprocess.run([*command, "-I", folder, "-c", unit, "-o", target]).returncode

        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            if any(pool.map(compile_unit, units)):
                sys.exit("a unit does not compile")
        objects = [folder / f"{unit.stem}.o" for unit in units]
        program = folder / "program"
        if subprocess.run([*command, *objects, "-pthread", "-o", program]).returncode:
            sys.exit("the units do not link")
        if subprocess.run([program]).returncode:
            sys.exit("the program fails")
    print(f"{len(headers)} headers in {len(units)} units: linked, ran")


if __name__ == "__main__":
    main()

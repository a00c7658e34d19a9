#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a header-only unit which makes no Runtime carries no engine.

Compiles no_engine.cpp and reads its symbols. A unit that does make a Runtime is compiled too: there
each part of the engine has to be found, or the check would look for names that are gone.

usage: check_no_engine.py COMPILER INCLUDE_DIR [COMPILER_ARGS...]
"""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ENGINE = {
    "interpreter": r"::interp::",
    "decoder": r"::wasm::(Decode\(|detail::SectionDecoder)",
    "validator": r"::wasm::(Validate\w+[(<]|detail::(Module|Body)(State|Validator))",
    "linker": r"::vm::(ResolveImports\(|Instantiate\(|detail::InstanceMaker)",
    "compilation": r"::cache::(CompileGuest\(|CompileHost\(|detail::)",
}
MAKES_RUNTIME = "#include <tenon/tenon.hpp>\nvoid Make() { const tenon::Runtime runtime; " + (
    "runtime.Instantiate({}); }\n"
)


def symbols(command, source, folder):
    target = pathlib.Path(folder, source.stem + ".o")
    subprocess.run([*command, "-c", source, "-o", target], check=True)
    listed = subprocess.run(
        ["nm", "-C", "--defined-only", target], capture_output=True, text=True, check=True
    )
    return [line.split(maxsplit=2)[2] for line in listed.stdout.splitlines()]


def main():
    compiler, include_dir, *arguments = sys.argv[1:]
    command = [compiler, "-std=c++20", *arguments, "-I", include_dir]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        control = pathlib.Path(folder, "makes_runtime.cpp")
        control.write_text(MAKES_RUNTIME, encoding="utf-8")
        with_engine = symbols([*command, "-O0"], control, folder)
        without = symbols([*command, "-O1"], HERE / "no_engine.cpp", folder)
    for part, pattern in ENGINE.items():
        if not any(re.search(pattern, symbol) for symbol in with_engine):
            print(f"no symbol of the {part} in a unit that makes a Runtime: is it called otherwise?")
            failed = True
        for symbol in without:
            if re.search(pattern, symbol):
                print(f"{part}: {symbol}")
                failed = True
    print(f"{len(with_engine)} symbols with the engine, {len(without)} without")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a header made by embed_wasm.py holds the bytes that it was made of, whatever they are.

usage: check_embed.py EMBED_WASM COMPILER
"""

import pathlib
import subprocess
import sys
import tempfile

PROGRAM = """\
#include <cstdio>
#include "guest.hpp"
int main() { std::fwrite(game::kGuest, 1, sizeof(game::kGuest) - 1, stdout); }
"""
MAGIC = b"\0asm\1\0\0\0"


def main():
    embed_wasm, compiler = sys.argv[1:]
    every_byte = bytes(range(256))
    # Every pair that an escape could run into: a digit behind one, two question marks, a backslash.
    data = MAGIC + every_byte + b"\1" + b"123??=\\\"\\x41\n" + every_byte[::-1] + b"\0\0"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "guest.wasm").write_bytes(data)
        (folder / "main.cpp").write_text(PROGRAM)
        subprocess.run([embed_wasm, "guest.wasm", "guest.hpp", "game::kGuest"], cwd=folder, check=True)
        subprocess.run([compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                        "main.cpp", "-o", "main"], cwd=folder, check=True)
        printed = subprocess.run(["./main"], cwd=folder, check=True, capture_output=True).stdout
        if printed != data:
            sys.exit(f"the header holds {len(printed)} bytes, of {len(data)}, or others")

        (folder / "text.wasm").write_text("(module)")
        for arguments in (["text.wasm", "text.hpp", "kGuest"], ["guest.wasm", "text.hpp", "a b"], []):
            if subprocess.run([embed_wasm, *arguments], cwd=folder, capture_output=True).returncode == 0:
                sys.exit(f"accepted: {arguments}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a WebAssembly module as a C++ header, for tenon::ParseInterface.

usage: embed_wasm.py MODULE.wasm HEADER.hpp NAME

NAME is that of the array, with its namespaces: game::kGuest. A string literal, which compilers read
many times faster than a list of numbers.
"""

import re
import sys

BYTES_A_LINE = 24
SIMPLE = {ord("\\"): "\\\\", ord('"'): '\\"', ord("?"): "\\?"}


def escape(data):
    """Text of a line: octal escapes have three digits, so that what follows is never one more."""
    return "".join(SIMPLE.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
                   for byte in data)


def header(data, name):
    *namespaces, array = name.split("::")
    lines = [f'"{escape(data[at:at + BYTES_A_LINE])}"'
             for at in range(0, len(data), BYTES_A_LINE)] or ['""']
    text = "// Made by embed_wasm.py.\n#pragma once\n\n"
    # Clang warns, if pedantic, of literals longer than compilers have to accept.
    text += ("#if defined(__clang__)\n#pragma clang diagnostic push\n"
             "#pragma clang diagnostic ignored \"-Woverlength-strings\"\n#endif\n")
    if namespaces:
        text += f"namespace {'::'.join(namespaces)} {{\n"
    text += f"inline constexpr unsigned char {array}[] =\n" + "\n".join(lines) + ";\n"
    if namespaces:
        text += "}\n"
    return text + "#if defined(__clang__)\n#pragma clang diagnostic pop\n#endif\n"


def main():
    if len(sys.argv) != 4 or not re.fullmatch(r"[A-Za-z_]\w*(::[A-Za-z_]\w*)*", sys.argv[3]):
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    if data[:4] != b"\0asm":
        sys.exit(f"{sys.argv[1]}: not a WebAssembly module")
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write(header(data, sys.argv[3]))


if __name__ == "__main__":
    main()

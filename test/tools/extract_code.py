#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles and runs the C++ code blocks of Markdown files, so that documents cannot lie.

A ```cpp block with a `main` is a program: it is compiled, linked and run. Every other block needs an
HTML comment on the line before it that says what it is:

    <!-- fragment -->                          statements; compiled as the body of a function
    <!-- fragment tenon::Runtime& runtime -->  the same, with these parameters
    <!-- declarations -->                      compiled in a namespace of its own
    <!-- program, not run -->                  compiled and linked, not run
    <!-- program, prints: TEXT -->             run; the last line that it prints is TEXT

usage: extract_code.py --compiler CXX --args "..." --link "..." [--run-in FOLDER] FILE.md...
"""

import argparse
import concurrent.futures
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

JOBS = 2
PREAMBLE = """\
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>
#include <tenon/tenon.hpp>
"""
BLOCK = re.compile(
    r"(?:^<!--\s*(?P<comment>.*?)\s*-->[ \t]*\n\n?)?^```cpp[ \t]*\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


class Block:
    def __init__(self, file, line, comment, code):
        self.place = f"{file}:{line}"
        self.comment = comment or ""
        self.line_directive = f'#line {line + 1} "{file}"\n'
        self.code = code
        self.is_program = re.search(r"^int main\(", code, re.MULTILINE) is not None
        self.runs = self.is_program and not self.comment.startswith("program, not run")
        prints = re.match(r"program, prints: (.*)", self.comment)
        self.prints = prints.group(1) if prints else None

    def source(self):
        """The translation unit of this block, or None where nobody said what it is."""
        if self.is_program:
            return self.line_directive + self.code
        if not re.match(r"(fragment|declarations)\b", self.comment):
            return None
        # Includes cannot stand in a function; they are moved up, their lines are kept.
        include = re.compile(r"^#include.*$", re.MULTILINE)
        includes = "\n".join(include.findall(self.code)) + "\n"
        code = include.sub("", self.code)
        if self.comment.startswith("declarations"):
            opening, closing = "namespace fragment {\n", "}  // namespace fragment\n"
        else:
            parameters = self.comment.removeprefix("fragment").strip(" :")
            opening = f"[[maybe_unused]] static void Fragment({parameters}) {{\n"
            closing = "}\n"
        return PREAMBLE + includes + opening + self.line_directive + code + closing


def blocks_of(file):
    text = pathlib.Path(file).read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, text.index("```cpp", match.start())) + 1
        yield Block(file, line, match.group("comment"), match.group("code"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--args", default="")
    parser.add_argument("--link", default="")
    parser.add_argument("--run-in", default=".")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    compiler = [options.compiler, "-std=c++20", "-O0", *shlex.split(options.args)]

    with tempfile.TemporaryDirectory() as folder:

        def check(numbered):
            number, block = numbered
            source = block.source()
            if source is None:
                return "say before the block what it is: <!-- fragment --> or <!-- declarations -->"
            path = pathlib.Path(folder, f"block{number}.cpp")
            path.write_text(source, encoding="utf-8")
            command = [*compiler, path]
            program = path.with_suffix("")
            if block.is_program:
                command += [*shlex.split(options.link), "-o", program]
            else:
                command += ["-fsyntax-only", "-Wno-unused"]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                return result.stderr
            if block.runs:
                result = subprocess.run(
                    [program], cwd=options.run_in, capture_output=True, text=True, timeout=60
                )
                if result.returncode != 0:
                    return f"exits with {result.returncode}\n{result.stdout}{result.stderr}"
                printed = result.stdout.rstrip("\n").rpartition("\n")[2]
                if block.prints is not None and printed != block.prints:
                    return f"prints at last: {printed}\ninstead of: {block.prints}"
            return None

        blocks = [block for file in options.files for block in blocks_of(file)]
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for block, reason in zip(blocks, pool.map(check, enumerate(blocks))):
                if reason:
                    failed += 1
                    print(f"--- {block.place}\n{reason}")
    print(f"{len(blocks)} blocks, {failed} failed")
    sys.exit(1 if failed or not blocks else 0)


if __name__ == "__main__":
    main()

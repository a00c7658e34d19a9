#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the checks themselves: each must pass what is right and find a planted fault.

usage: test_checks.py COMPILER
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
HEADERS = TOOLS.parent / "headers"
COMPILER = "g++"

TRAP_HEADER = """\
#pragma once
namespace tenon {
inline const char* TrapText(int) { return ""; }
enum class ErrorCode { None };
struct LinkError { LinkError(ErrorCode, const char*) {} };
}
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def expect(self, status, output, script, *arguments):
        result = subprocess.run(
            [sys.executable, script, *map(str, arguments)], capture_output=True, text=True
        )
        text = result.stdout + result.stderr
        self.assertEqual(result.returncode, status, text)
        self.assertIn(output, text)


class Rooms(Case):
    SCRIPT = TOOLS / "check_rooms.py"

    def expect_edge(self, status, output, source, included):
        if included.startswith("tenon/"):
            self.write(included, "")
        self.write(f"tenon/{source}", f"#pragma once\n#include <{included}>\n")
        self.expect(status, output, self.SCRIPT, self.folder)

    def test_left_is_allowed(self):
        self.expect_edge(0, "0 against", "vm/a.hpp", "tenon/wasm/b.hpp")

    def test_own_room_is_allowed(self):
        self.expect_edge(0, "0 against", "vm/a.hpp", "tenon/vm/b.hpp")

    def test_right_is_found(self):
        self.expect_edge(1, "tenon/vm/a.hpp:2", "vm/a.hpp", "tenon/interp/b.hpp")

    def test_right_is_found_in_bodies(self):
        self.expect_edge(1, "jit is to the right of wasm", "wasm/a.ipp", "tenon/jit/b.hpp")

    def test_the_public_surface_is_right_of_rooms(self):
        self.expect_edge(1, "public is to the right of vm", "vm/a.hpp", "tenon/runtime.hpp")

    def test_shared_headers_are_allowed(self):
        self.expect_edge(0, "0 against", "vm/a.hpp", "tenon/value.hpp")

    def test_shared_headers_include_nothing_of_rooms(self):
        self.expect_edge(1, "a header that rooms share", "value.hpp", "tenon/vm/b.hpp")

    def test_unknown_rooms_are_found(self):
        self.expect_edge(1, "unknown room", "attic/a.hpp", "tenon/abi/b.hpp")

    def test_missing_files_are_found(self):
        self.write("tenon/vm/a.hpp", "#include <tenon/vm/gone.hpp>\n")
        self.expect(1, "no such file", self.SCRIPT, self.folder)

    def test_xbyak_is_for_the_jit(self):
        self.expect_edge(0, "0 against", "jit/a.ipp", "xbyak/xbyak.h")
        self.expect_edge(1, "xbyak belongs to", "interp/a.ipp", "xbyak/xbyak.h")


class Headers(Case):
    ALONE = HEADERS / "check_headers.py"
    LINK = HEADERS / "check_link.py"

    def test_a_header_that_leans_on_another_is_found(self):
        self.write("tenon/a.hpp", "#pragma once\n#include <string>\n")
        self.expect(0, "0 failed", self.ALONE, COMPILER, self.folder)
        self.write("tenon/b.hpp", "#pragma once\ninline std::string Text();\n")
        self.expect(1, "--- tenon/b.hpp", self.ALONE, COMPILER, self.folder)

    def test_headers_with_bodies_are_found(self):
        self.write("tenon/a.hpp", "#pragma once\nstd::string Lost();\n")
        self.write("tenon/b.hpp", "#pragma once\n#include <tenon/b.ipp>\n")
        self.write("tenon/b.ipp", "#pragma once\ninline int Two() { return 2; }\n")
        self.expect(0, "1 headers, 0 failed", self.ALONE, "--with-bodies", COMPILER, self.folder)
        self.write("tenon/b.ipp", "#pragma once\ninline int Two() { return lost; }\n")
        self.expect(1, "--- tenon/b.hpp", self.ALONE, "--with-bodies", COMPILER, self.folder)

    def test_a_header_without_a_guard_is_found(self):
        self.write("tenon/a.hpp", "struct A {};\n")
        self.expect(1, "--- tenon/a.hpp", self.ALONE, COMPILER, self.folder)

    def test_a_warning_is_found(self):
        self.write("tenon/a.hpp", "#pragma once\ninline int F(long x) { return x; }\n")
        self.expect(1, "--- tenon/a.hpp", self.ALONE, COMPILER, self.folder)

    def test_a_function_without_inline_is_found(self):
        self.write("tenon/trap.hpp", TRAP_HEADER)
        self.expect(0, "linked, ran", self.LINK, "header_only", COMPILER, self.folder)
        self.write("tenon/a.hpp", "#pragma once\nint Twice() { return 2; }\n")
        self.expect(1, "do not link", self.LINK, "header_only", COMPILER, self.folder)


class Documents(Case):
    CODE = TOOLS / "extract_code.py"
    ERRORS = TOOLS / "check_errors.py"

    def expect_block(self, status, output, comment, code):
        self.write("tenon/tenon.hpp", "#pragma once\nnamespace tenon { struct Runtime {}; }\n")
        file = self.write("a.md", f"Text.\n\n{comment}\n```cpp\n{code}\n```\n")
        self.expect(status, output, self.CODE, "--compiler", COMPILER,
                    f"--args=-I{self.folder}", file)  # fmt: skip

    def test_programs_are_compiled_and_run(self):
        self.expect_block(0, "1 blocks, 0 failed", "", "int main() { return 0; }")
        self.expect_block(1, "exits with 3", "", "int main() { return 3; }")
        self.expect_block(1, "a.md:5", "", "int main() { wrong }")

    def test_programs_can_stay_unrun(self):
        comment = "<!-- program, not run: it needs a guest -->"
        self.expect_block(0, "0 failed", comment, "int main() { return 3; }")

    def test_fragments_are_compiled(self):
        self.expect_block(0, "0 failed", "<!-- fragment -->", "int a = 1;")
        self.expect_block(1, "a.md:5", "<!-- fragment -->", "int a = wrong;")

    def test_fragments_take_parameters(self):
        comment = "<!-- fragment tenon::Runtime& runtime -->"
        self.expect_block(0, "0 failed", comment, "auto copy = runtime;")

    def test_declarations_are_compiled(self):
        self.expect_block(0, "0 failed", "<!-- declarations -->", "int F() { return 1; }")

    def test_unmarked_blocks_are_found(self):
        self.expect_block(1, "say before the block", "", "int a = 1;")

    def test_every_error_is_documented(self):
        printer = self.write("printer", "#!/bin/sh\nprintf 'trap\\tStop\\tstop at {0} | now\\n'\n")
        printer.chmod(0o755)
        right = self.write("right.md", "| `Stop` | stop at {0} \\| now | never |\n")
        self.expect(0, "0 complaints", self.ERRORS, printer, right)
        other = self.write("other.md", "| `Stop` | stop somewhere | never |\n")
        self.expect(1, "another text", self.ERRORS, printer, other)
        stale = self.write("stale.md", right.read_text() + "| `Gone` | gone | never |\n")
        self.expect(1, "unknown to the library: Gone", self.ERRORS, printer, stale)


class Lists(Case):
    LISTED = TOOLS / "check_listed.py"
    SUMMARY = TOOLS / "summarise.py"

    def test_unlisted_sources_are_found(self):
        listed = self.write("test/a_test.cpp", "")
        self.expect(0, "0 not listed", self.LISTED, self.folder, listed)
        self.write("test/b_test.cpp", "")
        self.expect(1, "test/b_test.cpp", self.LISTED, self.folder, listed)

    def expect_summary(self, status, output, *results):
        lines = [json.dumps({"name": f"test {result}", "result": result}) for result in results]
        self.expect(status, output, self.SUMMARY, self.write("log.json", "\n".join(lines)))

    def test_summaries_count(self):
        self.expect_summary(0, "\n2 passed, 0 failed, 1 skipped\n", "OK", "SKIP", "OK")
        self.expect_summary(1, "\n1 passed, 2 failed, 0 skipped\n", "FAIL", "OK", "TIMEOUT")
        self.expect_summary(1, "failed: test ERROR", "OK", "ERROR")

    def test_running_nothing_is_a_failure(self):
        self.expect_summary(1, "0 passed, 0 failed, 1 skipped", "SKIP")


if __name__ == "__main__":
    COMPILER = sys.argv.pop(1)
    unittest.main()

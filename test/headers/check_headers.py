#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every header compiles alone, included twice, without a warning.

usage: check_headers.py [--with-bodies] COMPILER INCLUDE_DIR [COMPILER_ARGS...]
  --with-bodies   only headers that include the bodies of their functions
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

JOBS = 2
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


# Parts of reference cycles: they call functions whose bodies need them complete. Whatever uses them
# brings the bodies along.
BODIES_ELSEWHERE = {"tenon/instance_handle.hpp", "tenon/vm/deadline_timer.hpp"}


BODIES = re.compile(r"^#include <tenon/.*\.ipp>", re.MULTILINE)

# Headers that need what is not everywhere. Nothing else includes them (checked below).
NEEDS = {
    "tenon/aggregate.hpp": "boost/pfr/core.hpp",
    "tenon/redis_store.hpp": "hiredis/hiredis.h",
}


def has_header(compiler, header):
    text = f"#if !__has_include(<{header}>)\n#error\n#endif\n"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-x", "c++", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True).returncode == 0


def main():
    with_bodies = sys.argv[1] == "--with-bodies"
    compiler, include_dir, *arguments = sys.argv[2 if with_bodies else 1 :]
    headers = sorted(
        path.relative_to(include_dir).as_posix()
        for path in pathlib.Path(include_dir, "tenon").rglob("*.hpp")
    )
    texts = {
        header: pathlib.Path(include_dir, header).read_text(encoding="utf-8") for header in headers
    }
    if with_bodies:
        headers = [header for header in headers if BODIES.search(texts[header])]
    if not headers:
        sys.exit("no headers found")
    for header, text in texts.items():
        for optional in NEEDS:
            if f"#include <{optional}>" in text:
                sys.exit(f"{header} includes {optional}, which not everybody can")
    for header, needed in NEEDS.items():
        if header in headers and not has_header(compiler, needed):
            print(f"skipped: {header} needs <{needed}>")
            headers.remove(header)

    def check(header):
        command = [compiler, "-std=c++20", "-fsyntax-only", *WARNINGS, *arguments]
        command += ["-I", include_dir, "-x", "c++", "-"]
        text = f"#include <{header}>\n" * 2
        if header in BODIES_ELSEWHERE:
            text += "#include <tenon/tenon.hpp>\n"
        return subprocess.run(command, input=text, capture_output=True, text=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for header, result in zip(headers, pool.map(check, headers)):
            if result.returncode != 0:
                failed += 1
                print(f"--- {header}\n{result.stderr}")
    print(f"{len(headers)} headers, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

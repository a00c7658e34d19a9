#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses tenon as a stranger would: installs it, builds a program against it, runs the program.

Exits with 77 (skipped) where the tool of that way is not installed.

usage: check_consume.py WAY LIBRARY ROOT COMPILER MESON...
  WAY      include (plain -I), pkg-config, cmake, or subproject (of a meson project)
  LIBRARY  header_only or compiled
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
SKIPPED = 77


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        words = " ".join(str(word) for word in command)
        sys.exit(f"{words}\n{result.stdout}{result.stderr}")
    return result.stdout


def main():
    way, library, root, compiler, *meson = sys.argv[1:]
    compiled = library == "compiled"
    if way in ("pkg-config", "cmake") and not shutil.which(way):
        print(f"{way} is not installed")
        sys.exit(SKIPPED)
    os.environ["CXX"] = compiler

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        build = folder / "build"
        options = ["--buildtype=debug", "-Doptimization=0", "-Ddebug=false"]
        build_lib = "true" if compiled else "false"

        if way == "subproject":
            parent = folder / "parent"
            shutil.copytree(HERE / "subproject", parent)
            shutil.copy(HERE / "program.cpp", parent)
            (parent / "subprojects").mkdir()
            (parent / "subprojects" / "tenon").symlink_to(root)
            options += ["--wrap-mode=nodownload", f"-Dtenon:build_lib={build_lib}"]
            run(*meson, "setup", build, parent, *options)
            # Nothing but the program and, if asked for, the library: no tests, no examples.
            targets = run("ninja", "-C", build, "-t", "targets", "all").splitlines()
            unwanted = tuple(f"subprojects/tenon/{room}/" for room in ("test", "bench", "docs"))
            for target in targets:
                if target.startswith(unwanted):
                    sys.exit(f"a subproject builds {target}")
            run(*meson, "test", "-C", build)
            return

        prefix = folder / "prefix"
        options += ["-Dtests=disabled", "-Dbench=disabled", "-Ddocs=disabled"]
        options += [f"--prefix={prefix}", "--libdir=lib", f"-Dbuild_lib={build_lib}"]
        run(*meson, "setup", build, root, *options)
        run(*meson, "install", "-C", build)
        packages = prefix / ("lib" if compiled else "share")

        program = folder / "program"
        command = [compiler, "-std=c++20", HERE / "program.cpp", "-o", program]
        if way == "include":
            command += ["-I", prefix / "include", "-pthread"]
            if compiled:
                command.append("-DTENON_SEPARATE_COMPILATION")
                command.append(prefix / "include" / "tenon" / "tenon.cpp")
            run(*command)
        elif way == "pkg-config":
            os.environ["PKG_CONFIG_PATH"] = str(packages / "pkgconfig")
            flags = run("pkg-config", "--cflags", "--libs", "tenon >= 0.1").split()
            run(*command, *flags)
        else:
            run("cmake", "-S", HERE, "-B", folder / "cmake", f"-DCMAKE_PREFIX_PATH={prefix}")
            run("cmake", "--build", folder / "cmake")
            program = folder / "cmake" / "program"
        run(program)


if __name__ == "__main__":
    main()

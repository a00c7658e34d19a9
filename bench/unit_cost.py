#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tenon costs a translation unit of its user.

Compiles tenon.hpp alone and a program (the quickstart, unless another is given), header-only and
with TENON_SEPARATE_COMPILATION, with each compiler: front end alone (-fsyntax-only), and for the
program an -O2 build too. With --headers it does the same with the front end for each public header.
Figures are CPU seconds, medians if repeated; memory is the compiler's peak; text is what `size`
counts as such in the object file. Compilers that are not installed are left out.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"
QUICKSTART = ROOT / "docs" / "examples" / "quickstart" / "main.cpp"
MODES = {"header-only": [], "compiled once": ["-DTENON_SEPARATE_COMPILATION"]}


def run_compiler(command):
    """CPU seconds and peak memory in MiB."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"failed: {' '.join(command)}\n{errors.read().decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(command, repeat):
    runs = [run_compiler(command) for _ in range(repeat)]
    return {"seconds": round(statistics.median(seconds for seconds, _ in runs), 3),
            "memory_mib": round(max(memory for _, memory in runs), 1)}


def object_bytes(path):
    """Code and read-only data, as `size` counts text."""
    output = subprocess.run(["size", str(path)], capture_output=True, text=True, check=True).stdout
    return int(output.splitlines()[1].split()[0])


def measure_unit(compiler, source, flags, options):
    base = [compiler, "-std=c++20", *flags, f"-I{INCLUDE}", *options.flags]
    include = measure_header(compiler, "tenon/tenon.hpp", flags, options)
    front_end = measure([*base, "-fsyntax-only", str(source)], options.repeat)
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "unit.o"
        build = measure([*base, "-O2", "-c", str(source), "-o", str(target)], options.repeat)
        build["object_bytes"] = object_bytes(target)
    return {"include": include, "front_end": front_end, "build": build}


def measure_header(compiler, header, flags, options):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "include.cpp"
        source.write_text(f"#include <{header}>\n" if header else "\n")
        return measure([compiler, "-std=c++20", *flags, f"-I{INCLUDE}", *options.flags,
                        "-fsyntax-only", str(source)], options.repeat)


def public_headers():
    return ["", "string", *(f"tenon/{path.name}" for path in sorted(INCLUDE.glob("tenon/*.hpp")))]


def report_units(report):
    print(f"{'compiler':<14}{'mode':<16}{'tenon.hpp s':>12}{'front end s':>12}{'-O2 s':>8}"
          f"{'memory MiB':>12}{'text bytes':>12}")
    for compiler, modes in report.items():
        for mode, row in modes.items():
            print(f"{compiler:<14}{mode:<16}{row['include']['seconds']:>12.2f}"
                  f"{row['front_end']['seconds']:>12.2f}{row['build']['seconds']:>8.2f}"
                  f"{row['build']['memory_mib']:>12.0f}{row['build']['object_bytes']:>12}")


def measure_headers(compilers, options):
    """Front-end figures by header, compiler and mode; prints each row as soon as it is known."""
    columns = [(compiler, mode) for compiler in compilers for mode in MODES]
    print(f"\n{'front end, s':<32}" + "".join(f"{c + ' ' + m:>26}" for c, m in columns))
    report = {}
    for header in public_headers():
        row = {compiler: {mode: measure_header(compiler, header, flags, options)
                          for mode, flags in MODES.items()} for compiler in compilers}
        print(f"{header or '(empty)':<32}" +
              "".join(f"{row[c][m]['seconds']:>26.2f}" for c, m in columns), flush=True)
        report[header or "(empty)"] = row
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=pathlib.Path, default=QUICKSTART,
                        help="default: the quickstart")
    parser.add_argument("--compilers", default="g++,clang++-19", help="default: %(default)s")
    parser.add_argument("--flags", default="", help="more compiler flags, in one argument")
    parser.add_argument("--repeat", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--headers", action="store_true", help="each public header as well")
    parser.add_argument("--json", metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--max-seconds", type=float,
                        help="limit for the header-only -O2 build with the first compiler")
    options = parser.parse_args()
    options.flags = options.flags.split()

    compilers = [name for name in options.compilers.split(",") if shutil.which(name)]
    if not compilers:
        sys.exit("none of the compilers is installed")
    report = {"units": {}, "headers": {}}
    for compiler in compilers:
        report["units"][compiler] = {
            mode: measure_unit(compiler, options.source, flags, options)
            for mode, flags in MODES.items()}
    report_units(report["units"])
    if options.headers:
        report["headers"] = measure_headers(compilers, options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    seconds = report["units"][compilers[0]]["header-only"]["build"]["seconds"]
    if options.max_seconds is not None and seconds > options.max_seconds:
        sys.exit(f"FAIL header-only -O2 build takes {seconds:.1f} s, limit {options.max_seconds} s")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs that running guests can be interrupted.

Runs the kernels with and without RuntimeConfig::WithCloseOnContextDone, in turn, and prints by how
many percent a call takes longer with it: medians of the rounds. Exit status 1 if results differ or
the limit is exceeded, 77 if there is no compiler for wasm32.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
import compare  # noqa: E402

# Those whose time goes into tight loops and calls.
KERNELS = ["fib", "sieve", "matmul", "indirect", "sort", "mandelbrot", "text", "base64", "crc32",
           "edit", "simd_saxpy", "simd_blend"]


def measure(options, build, engine, kernels):
    """Percent by kernel, and complaints."""
    percents, complaints = {}, []
    command = [options.run_wasm, f"--engine={engine}", "--json", "--repeat=1", "--calls=5"]
    for kernel in kernels:
        size = compare.SIZES[kernel] // (10 if engine == "interpreter" else 1)
        arguments = [str(build.wasm(kernel)), "run", str(size)]
        ratios = []
        for _ in range(options.rounds):
            plain = compare.run_json([*command, *arguments])
            checked = compare.run_json([*command, "--interruptible", *arguments])
            if plain.result != checked.result:
                complaints.append(f"{kernel}: interruptible code computes {checked.result}, "
                                  f"other code {plain.result}")
            ratios.append(checked.nanoseconds / plain.nanoseconds)
        percents[kernel] = (statistics.median(ratios) - 1) * 100
    return percents, complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-wasm", default=str(compare.HERE.parent / "build/bench/run_wasm"),
                        help="tenon's run_wasm; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--kernels", default=",".join(KERNELS), help="default: %(default)s")
    parser.add_argument("--engine", default="jit", choices=["jit", "interpreter"])
    parser.add_argument("--json", metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--max-percent", type=float, help="limit for every kernel")
    parser.add_argument("--wasm-cc", help="compiler for wasm32; default: clang-19 or clang")
    parser.add_argument("--build-dir", help="keeps what is compiled; default: a temporary folder")
    options = parser.parse_args()
    kernels = options.kernels.split(",")
    if unknown := set(kernels) - set(compare.SIZES):
        parser.error(f"unknown kernels: {', '.join(sorted(unknown))}")

    wasm_compiler = compare.find_wasm_compiler(options.wasm_cc)
    with tempfile.TemporaryDirectory() as temporary:
        build = compare.Build(options.build_dir or temporary, "gcc", wasm_compiler)
        if not compare.has_engine(options.run_wasm, options.engine, build.wasm(kernels[0])):
            print(f"{options.run_wasm} has no engine {options.engine}")
            sys.exit(compare.SKIPPED_STATUS)
        percents, complaints = measure(options, build, options.engine, kernels)
    for kernel, percent in percents.items():
        print(f"{kernel:<16}{percent:>+8.1f} %")
        if options.max_percent is not None and percent > options.max_percent:
            complaints.append(f"{kernel}: {percent:.1f} % exceeds {options.max_percent} %")
    print(f"{'mean':<16}{statistics.fmean(percents.values()):>+8.1f} %")
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"engine": options.engine, "percent": percents}, indent=2) + "\n")
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares tenon with native code and with other engines on the kernels of this folder.

Compiles each kernel natively (gcc -O2) and for wasm32 (clang), checks that all engines compute the
same, and prints the time of a call as a ratio to native code, with geometric mean and worst. Runs
are interleaved, so that a busy machine slows all of them alike; the figures are medians. Times are
CPU time (node: of warm calls; wasm-interp, which runs in the first round only because it is slow: of
the process, less that of an empty run).

Peers that are not installed are left out. Exit status 1 if results differ or a limit is exceeded,
77 if there is no compiler for wasm32.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE / "kernels"
SKIPPED_STATUS = 77

# Sizes at which native code takes 20 to 40 ms.
SIZES = {
    "fib": 35,
    "nbody": 400_000,
    "matmul": 300,
    "sieve": 6_000_000,
    "indirect": 4_000_000,
    "vm": 10_000,
    "sha256": 8_192,
    "sort": 400_000,
    "hash": 300_000,
}


@dataclasses.dataclass
class Sample:
    nanoseconds: float
    result: str


def run_process(command):
    """Output, and CPU nanoseconds of the process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"failed with status {done.returncode}: {' '.join(command)}\n"
                 f"{done.stdout}{done.stderr}")
    seconds = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return done.stdout, seconds * 1e9


def run_json(command):
    output = json.loads(run_process(command)[0])
    return Sample(output["call_ns"]["median"], output["result"][0])


class Native:
    name = "native"

    def __init__(self, build):
        self.build = build

    def run(self, kernel, size):
        return run_json([str(self.build.native(kernel)), str(size), "3"])


class Tenon:
    def __init__(self, build, run_wasm, engine):
        self.name = f"tenon {engine}"
        self.command = [run_wasm, f"--engine={engine}", "--json"]
        self.repeat = 1 if engine == "interpreter" else 3
        self.build = build

    def run(self, kernel, size):
        return run_json([*self.command, f"--repeat={self.repeat}", str(self.build.wasm(kernel)),
                         "run", str(size)])


class Node:
    name = "node"

    def __init__(self, build, executable):
        self.build = build
        self.executable = executable

    def run(self, kernel, size):
        return run_json([self.executable, str(HERE / "run_node.js"), str(self.build.wasm(kernel)),
                         str(size), "10"])


class WasmInterp:
    """wabt's interpreter. It passes no arguments, so the size is compiled in."""

    name = "wabt wasm-interp"
    is_slow = True

    def __init__(self, build, executable):
        self.build = build
        self.executable = executable

    def run_fixed(self, kernel, size):
        output, nanoseconds = run_process(
            [self.executable, str(self.build.wasm(kernel, size)), "--run-all-exports"])
        found = re.search(r"run_fixed\(\) => i32:(\d+)", output)
        if not found:
            sys.exit(f"wasm-interp: unexpected output: {output}")
        value = int(found.group(1))
        return Sample(nanoseconds, str(value - (1 << 32) if value >= 1 << 31 else value))

    def run(self, kernel, size):
        sample = self.run_fixed(kernel, size)
        sample.nanoseconds -= self.run_fixed(kernel, 0).nanoseconds
        return sample


class Build:
    """Compiles kernels on demand."""

    def __init__(self, folder, native_compiler, wasm_compiler):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.native_compiler = native_compiler
        self.wasm_compiler = wasm_compiler

    def compile(self, target, command):
        if not target.exists():
            run_process([*command, "-o", str(target)])
        return target

    def native(self, kernel):
        return self.compile(self.folder / kernel, [
            self.native_compiler, "-O2", str(KERNELS / f"{kernel}.c"),
            str(KERNELS / "native_main.c"), "-lm"])

    def wasm(self, kernel, fixed_size=None):
        suffix = "" if fixed_size is None else f"-{fixed_size}"
        export = "run" if fixed_size is None else "run_fixed"
        options = [] if fixed_size is None else [f"-DKERNEL_FIXED_N={fixed_size}"]
        return self.compile(self.folder / f"{kernel}{suffix}.wasm", [
            self.wasm_compiler, "--target=wasm32", "-O2", "-mbulk-memory", "-nostdlib",
            "-Wl,--no-entry", f"-Wl,--export={export}", *options, str(KERNELS / f"{kernel}.c")])


def find_wasm_compiler(wanted):
    for name in [wanted] if wanted else ["clang-19", "clang"]:
        path = shutil.which(name)
        if path is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            probe = pathlib.Path(folder) / "probe.c"
            probe.write_text("int run(int n) { return n; }\n")
            command = [path, "--target=wasm32", "-nostdlib", "-Wl,--no-entry", "-Wl,--export=run",
                       str(probe), "-o", str(probe.with_suffix(".wasm"))]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return path
    print("no C compiler for wasm32 found (Debian: clang-19 and lld-19)")
    sys.exit(SKIPPED_STATUS)


def has_engine(run_wasm, engine, probe):
    command = [run_wasm, f"--engine={engine}", "--json", "--repeat=1", "--compile-only", str(probe)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def find_engines(options, build):
    engines = [Native(build)]
    tenon_engines = [engine for engine in ["interpreter", "jit"]
                     if has_engine(options.run_wasm, engine, build.wasm("fib"))]
    if not tenon_engines:
        sys.exit(f"{options.run_wasm} does not run")
    engines += [Tenon(build, options.run_wasm, engine) for engine in tenon_engines]
    if node := shutil.which("node") or shutil.which("nodejs"):
        engines.append(Node(build, node))
    if wasm_interp := shutil.which("wasm-interp"):
        engines.append(WasmInterp(build, wasm_interp))
    if options.engines:
        wanted = {"native", *options.engines.split(",")}
        engines = [engine for engine in engines if engine.name in wanted]
    return engines


def measure(engines, kernels, rounds):
    """Medians in ns by kernel and engine, and complaints about results."""
    times = {kernel: {engine.name: [] for engine in engines} for kernel in kernels}
    results = {kernel: {} for kernel in kernels}
    for number in range(rounds):
        for kernel in kernels:
            for engine in engines:
                if number > 0 and getattr(engine, "is_slow", False):
                    continue
                sample = engine.run(kernel, SIZES[kernel])
                times[kernel][engine.name].append(sample.nanoseconds)
                results[kernel][engine.name] = sample.result
    complaints = [f"{kernel}: {name} computes {result}, native code {by_engine['native']}"
                  for kernel, by_engine in results.items()
                  for name, result in by_engine.items() if result != by_engine["native"]]
    medians = {kernel: {name: statistics.median(values) for name, values in row.items()}
               for kernel, row in times.items()}
    return medians, complaints


def summarise(medians, names):
    summary = {}
    for name in names:
        ratios = {kernel: row[name] / row["native"] for kernel, row in medians.items()}
        worst = max(ratios, key=ratios.get)
        summary[name] = {
            "geometric_mean": math.exp(statistics.fmean(math.log(r) for r in ratios.values())),
            "worst": ratios[worst], "worst_kernel": worst}
    return summary


def print_table(medians, summary):
    width = max([14, *(len(name) + 2 for name in summary)])
    print(f"{'kernel':<16}{'native ms':>10}" + "".join(f"{name:>{width}}" for name in summary))
    for kernel, row in medians.items():
        ratios = "".join(f"{row[name] / row['native']:>{width}.2f}" for name in summary)
        print(f"{kernel:<16}{row['native'] / 1e6:>10.2f}{ratios}")
    for label, key in [("geometric mean", "geometric_mean"), ("worst", "worst")]:
        print(f"{label:<26}" + "".join(f"{s[key]:>{width}.2f}" for s in summary.values()))


def exceeded_limits(summary, options):
    engine = summary.get("tenon interpreter")
    if engine is None:
        return []
    limits = [("geometric_mean", options.max_mean), ("worst", options.max_worst)]
    return [f"tenon interpreter: {key} {engine[key]:.1f} exceeds {limit}"
            for key, limit in limits if limit is not None and engine[key] > limit]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-wasm", default=str(HERE.parent / "build" / "bench" / "run_wasm"),
                        help="tenon's run_wasm; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--kernels", default=",".join(SIZES), help="default: all")
    parser.add_argument("--engines", help="names as in the table; default: all that are found")
    parser.add_argument("--json", metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--max-mean", type=float,
                        help="limit for the interpreter's geometric mean")
    parser.add_argument("--max-worst", type=float, help="limit for the interpreter's worst ratio")
    parser.add_argument("--cc", default="gcc", help="native compiler; default: %(default)s")
    parser.add_argument("--wasm-cc", help="compiler for wasm32; default: clang-19 or clang")
    parser.add_argument("--build-dir", help="keeps what is compiled; default: a temporary folder")
    options = parser.parse_args()
    kernels = options.kernels.split(",")
    if unknown := set(kernels) - set(SIZES):
        parser.error(f"unknown kernels: {', '.join(sorted(unknown))}")

    wasm_compiler = find_wasm_compiler(options.wasm_cc)
    with tempfile.TemporaryDirectory() as temporary:
        build = Build(options.build_dir or temporary, options.cc, wasm_compiler)
        engines = find_engines(options, build)
        medians, complaints = measure(engines, kernels, options.rounds)
    summary = summarise(medians, [engine.name for engine in engines if engine.name != "native"])
    print_table(medians, summary)
    complaints += exceeded_limits(summary, options)
    if options.json:
        report = {
            "kernels": {kernel: {"size": SIZES[kernel], "ns": row} for kernel, row in
                        medians.items()},
            "ratio_to_native": summary}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares tenon with native code and with other engines on the kernels of this folder.

Compiles each kernel natively (gcc -O2) and for wasm32 (clang), checks that all engines compute the
same, and prints the time of a call as a ratio to native code, with geometric mean and worst.
Kernels named simd_... are compiled with -msimd128 for wasm32 and with -msse4.1 natively, the floor
of tenon's JIT; the others with neither.

Runs are interleaved, so that a busy machine slows all of them alike. A ratio is that of two runs of
one round, a figure the median of all rounds. Times are CPU time of a call in a process that has
called before (wasm-interp, which runs in the first round only because it is slow: of the process,
less that of an empty run).

Peers that are not installed are left out, and "-" stands where one cannot run a kernel. Exit status
1 if results differ or a limit is exceeded, 77 if there is no compiler for wasm32.
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
WASM2C_RUNTIME = pathlib.Path("/usr/share/wabt/wasm2c")
SKIPPED_STATUS = 77

# Sizes at which native code takes 20 to 40 ms.
SIZES = {
    "fib": 36,
    "nbody": 400_000,
    "matmul": 300,
    "sieve": 6_000_000,
    "indirect": 4_000_000,
    "vm": 10_000,
    "sha256": 8_192,
    "sort": 400_000,
    "hash": 400_000,
    "fannkuch": 500_000,
    "mandelbrot": 550,
    "text": 250,
    "base64": 6_000,
    "crc32": 500,
    "trees": 1_000,
    "siphash": 180_000,
    "edit": 4_000,
    "simd_saxpy": 20_000,
    "simd_blend": 2_500,
    "simd_text": 7_000,
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


class Engine:
    """A column of the table."""

    is_slow = False

    def __init__(self, name):
        self.name = name

    def supports(self, kernel):
        return True


class Native(Engine):
    def __init__(self, name, build, compiler):
        super().__init__(name)
        self.build = build
        self.compiler = compiler

    def run(self, kernel, size):
        return run_json([str(self.build.native(kernel, self.compiler)), str(size), "3"])


class Tenon(Engine):
    def __init__(self, build, run_wasm, engine):
        super().__init__(f"tenon {engine}")
        calls = 1 if engine == "interpreter" else 3
        self.command = [run_wasm, f"--engine={engine}", "--json", "--repeat=1", f"--calls={calls}"]
        self.build = build

    def run(self, kernel, size):
        return run_json([*self.command, str(self.build.wasm(kernel)), "run", str(size)])


class Node(Engine):
    """V8's optimising tier alone."""

    def __init__(self, build, executable):
        super().__init__("node --no-liftoff")
        self.build = build
        self.executable = executable

    def run(self, kernel, size):
        return run_json([self.executable, "--no-liftoff", str(HERE / "run_node.js"),
                         str(self.build.wasm(kernel)), str(size), "6"])


class Wasm2c(Engine):
    """wabt's translation back to C, compiled like native code."""

    def __init__(self, build, executable):
        super().__init__("wasm2c gcc -O2")
        self.build = build
        self.executable = executable

    def supports(self, kernel):
        return self.build.wasm2c(kernel, self.executable) is not None

    def run(self, kernel, size):
        return run_json([str(self.build.wasm2c(kernel, self.executable)), str(size), "3"])


class WasmInterp(Engine):
    """wabt's interpreter. It passes no arguments, so the size is compiled in."""

    is_slow = True

    def __init__(self, build, executable):
        super().__init__("wabt wasm-interp")
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

    def native(self, kernel, compiler=None):
        compiler = compiler or self.native_compiler
        extension = ["-msse4.1"] if uses_simd(kernel) else []
        return self.compile(self.folder / f"{kernel}-{pathlib.Path(compiler).name}", [
            compiler, "-O2", *extension, str(KERNELS / f"{kernel}.c"),
            str(KERNELS / "native_main.c"), "-lm"])

    def wasm(self, kernel, fixed_size=None):
        suffix = "" if fixed_size is None else f"-{fixed_size}"
        export = "run" if fixed_size is None else "run_fixed"
        options = [] if fixed_size is None else [f"-DKERNEL_FIXED_N={fixed_size}"]
        if uses_simd(kernel):
            options.append("-msimd128")
        return self.compile(self.folder / f"{kernel}{suffix}.wasm", [
            self.wasm_compiler, "--target=wasm32", "-O2", "-mbulk-memory", "-nostdlib",
            "-Wl,--no-entry", f"-Wl,--export={export}", *options, str(KERNELS / f"{kernel}.c")])

    def wasm2c(self, kernel, executable):
        """None if wasm2c cannot translate the kernel."""
        folder = self.folder / f"{kernel}-wasm2c"
        source = folder / "guest.c"
        if not source.exists():
            folder.mkdir(exist_ok=True)
            command = [executable, "-n", "guest", str(self.wasm(kernel)), "-o", str(source)]
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                source.unlink(missing_ok=True)
                return None
        return self.compile(folder / "guest", [
            self.native_compiler, "-O2", f"-I{folder}", f"-I{WASM2C_RUNTIME}", str(source),
            str(HERE / "wasm2c_run.c"), str(WASM2C_RUNTIME / "wasm-rt-impl.c"),
            str(KERNELS / "native_main.c"), "-lm"])


def uses_simd(kernel):
    return kernel.startswith("simd_")


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
    engines = [Native("native", build, options.cc)]
    if clang := shutil.which("clang-19") or shutil.which("clang"):
        engines.append(Native(f"{pathlib.Path(clang).name} -O2", build, clang))
    if (wasm2c := shutil.which("wasm2c")) and WASM2C_RUNTIME.is_dir():
        engines.append(Wasm2c(build, wasm2c))
    tenon_engines = [engine for engine in ["jit", "interpreter"]
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
        if unknown := wanted - {engine.name for engine in engines}:
            sys.exit(f"not found: {', '.join(sorted(unknown))}")
        engines = [engine for engine in engines if engine.name in wanted]
    return engines


def measure(engines, kernels, rounds):
    """Lists of ns, one for each round, by kernel and engine; complaints about results."""
    times = {kernel: {engine.name: [] for engine in engines if engine.supports(kernel)}
             for kernel in kernels}
    results = {kernel: {} for kernel in kernels}
    for number in range(rounds):
        for kernel in kernels:
            for engine in engines:
                if engine.name not in times[kernel] or (number > 0 and engine.is_slow):
                    continue
                sample = engine.run(kernel, SIZES[kernel])
                times[kernel][engine.name].append(sample.nanoseconds)
                results[kernel][engine.name] = sample.result
    complaints = [f"{kernel}: {name} computes {result}, native code {by_engine['native']}"
                  for kernel, by_engine in results.items()
                  for name, result in by_engine.items() if result != by_engine["native"]]
    return times, complaints


def ratios_by_kernel(times, name, base):
    """Medians of the rounds' ratios, for the kernels that both have run."""
    return {kernel: statistics.median(a / b for a, b in zip(row[name], row[base]))
            for kernel, row in times.items() if name in row and base in row}


def summarise(ratios):
    worst = max(ratios, key=ratios.get)
    return {"geometric_mean": math.exp(statistics.fmean(math.log(r) for r in ratios.values())),
            "worst": ratios[worst], "worst_kernel": worst, "kernels": len(ratios)}


def print_table(times, ratios, summary):
    width = {name: max(8, len(name)) + 2 for name in ratios}
    print(f"{'kernel':<16}{'native ms':>10}"
          + "".join(f"{name:>{width[name]}}" for name in ratios))
    for kernel, row in times.items():
        cells = "".join(f"{by_kernel[kernel]:>{width[name]}.2f}" if kernel in by_kernel
                        else f"{'-':>{width[name]}}" for name, by_kernel in ratios.items())
        print(f"{kernel:<16}{statistics.median(row['native']) / 1e6:>10.2f}{cells}")
    for label, key, form in [("geometric mean", "geometric_mean", ".2f"), ("worst", "worst", ".2f"),
                             ("of kernels", "kernels", "d")]:
        print(f"{label:<26}"
              + "".join(f"{s[key]:>{width[name]}{form}}" for name, s in summary.items()))


def parse_limits(texts, parser):
    """{"tenon jit": 1.3} of ["jit=1.3"]."""
    limits = {}
    for text in texts:
        engine, _, limit = text.partition("=")
        try:
            limits[f"tenon {engine}"] = float(limit)
        except ValueError:
            parser.error(f"\"{text}\" is no limit such as jit=1.3")
    return limits


def exceeded_limits(summary, key, limits):
    complaints = []
    for name, limit in limits.items():
        if name not in summary:
            complaints.append(f"{name} did not run, so its limits are not kept")
        elif summary[name][key] > limit:
            complaints.append(f"{name}: {key} {summary[name][key]:.2f} exceeds {limit}")
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-wasm", default=str(HERE.parent / "build" / "bench" / "run_wasm"),
                        help="tenon's run_wasm; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--kernels", default=",".join(SIZES), help="default: all")
    parser.add_argument("--engines", help="names as in the table; default: all that are found")
    parser.add_argument("--json", metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--max-mean", metavar="ENGINE=LIMIT", action="append", default=[],
                        help="limit for a geometric mean of tenon's, such as jit=1.3; repeatable")
    parser.add_argument("--max-worst", metavar="ENGINE=LIMIT", action="append", default=[],
                        help="the same for the worst ratio")
    parser.add_argument("--max-to-node", type=float, metavar="LIMIT",
                        help="limit for the geometric mean of the JIT's ratios to node")
    parser.add_argument("--cc", default="gcc", help="native compiler; default: %(default)s")
    parser.add_argument("--wasm-cc", help="compiler for wasm32; default: clang-19 or clang")
    parser.add_argument("--build-dir", help="keeps what is compiled; default: a temporary folder")
    options = parser.parse_args()
    kernels = options.kernels.split(",")
    if unknown := set(kernels) - set(SIZES):
        parser.error(f"unknown kernels: {', '.join(sorted(unknown))}")

    mean_limits = parse_limits(options.max_mean, parser)
    worst_limits = parse_limits(options.max_worst, parser)

    wasm_compiler = find_wasm_compiler(options.wasm_cc)
    with tempfile.TemporaryDirectory() as temporary:
        build = Build(options.build_dir or temporary, options.cc, wasm_compiler)
        engines = find_engines(options, build)
        times, complaints = measure(engines, kernels, options.rounds)
    names = [engine.name for engine in engines if engine.name != "native"]
    ratios = {name: found for name in names
              if (found := ratios_by_kernel(times, name, "native"))}
    summary = {name: summarise(by_kernel) for name, by_kernel in ratios.items()}
    print_table(times, ratios, summary)
    to_node = ratios_by_kernel(times, "tenon jit", "node --no-liftoff")
    node_summary = summarise(to_node) if to_node else None
    if node_summary:
        print("tenon jit to node --no-liftoff: geometric mean "
              f"{node_summary['geometric_mean']:.2f}, worst {node_summary['worst']:.2f} ({node_summary['worst_kernel']})")

    complaints += exceeded_limits(summary, "geometric_mean", mean_limits)
    complaints += exceeded_limits(summary, "worst", worst_limits)
    if options.max_to_node is not None:
        complaints += exceeded_limits({"tenon jit": node_summary} if node_summary else {},
                                      "geometric_mean", {"tenon jit": options.max_to_node})
    if options.json:
        report = {
            "kernels": {kernel: {
                "size": SIZES[kernel],
                "ns": {name: statistics.median(values) for name, values in row.items()},
                "ratio_to_native": {name: ratios[name][kernel] for name in row if name != "native"},
            } for kernel, row in times.items()},
            "ratio_to_native": summary,
            "jit_to_node": node_summary}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

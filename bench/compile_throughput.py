#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast modules are compiled, beside node's two tiers.

Compiles each module whole, once in a process: tenon with one thread and with all of the machine's,
and node with its baseline tier (liftoff) and its optimising tier (turbofan) alone, lazy compilation
off, on one thread and with all. Prints MB of code section per second (of CPU time on one thread, of
wall time with all threads), the median of rounds that take turns, and the peak of resident memory
over that before compiling, as a multiple of the module's size.

Exit status 1 if a limit is exceeded, 77 if there is no module.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ["esbuild.wasm", "sql-wasm.wasm"]
SKIPPED_STATUS = 77
CODE_SECTION = 10

EAGER = "--no-wasm-lazy-compilation"
NODE_TIERS = {
    "node liftoff": ["--liftoff", "--no-wasm-tier-up", EAGER],
    "node turbofan": ["--no-liftoff", EAGER],
}


def read_leb128(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def code_section_size(path):
    data = path.read_bytes()
    at = 8
    while at < len(data):
        section = data[at]
        size, at = read_leb128(data, at + 1)
        if section == CODE_SECTION:
            return size
        at += size
    sys.exit(f"{path} has no code section")


def run_json(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed with status {done.returncode}: {' '.join(command)}\n"
                 f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def find_compilers(compile_cost, probe):
    """Commands by name, without the module: (on one thread, on all)."""
    compilers = {}
    for engine in ["jit", "interpreter"]:
        command = [compile_cost, f"--engine={engine}"]
        done = subprocess.run([*command, str(probe)], capture_output=True, check=False)
        if done.returncode == 0:
            compilers[f"tenon {engine}"] = ([*command, "--threads=1"], command)
    if not compilers:
        sys.exit(f"{compile_cost} does not run")
    if node := shutil.which("node") or shutil.which("nodejs"):
        script = str(HERE / "compile_node.js")
        for name, tier in NODE_TIERS.items():
            compilers[name] = ([node, *tier, "--single-threaded", script], [node, *tier, script])
    return compilers


def measure(compilers, module, rounds):
    code_bytes = code_section_size(module)
    samples = {name: ([], []) for name in compilers}
    for _ in range(rounds):
        for name, commands in compilers.items():
            for collected, command in zip(samples[name], commands):
                collected.append(run_json([*command, str(module)]))
    rows = {}
    for name, (on_one, on_all) in samples.items():
        cpu = statistics.median(sample["cpu_ns"] for sample in on_one)
        wall = statistics.median(sample["wall_ns"] for sample in on_all)
        growth = [max(sample["peak_rss_bytes"] - sample["rss_before_bytes"] for sample in part)
                  for part in (on_one, on_all)]
        rows[name] = {
            "cpu_ns": cpu, "wall_ns": wall,
            "mb_per_cpu_second": code_bytes * 1e3 / cpu,
            "mb_per_wall_second": code_bytes * 1e3 / wall,
            "memory_on_one": growth[0] / module.stat().st_size,
            "memory_on_all": growth[1] / module.stat().st_size,
            "machine_code_bytes": on_one[0].get("code_bytes")}
    return {"module_bytes": module.stat().st_size, "code_section_bytes": code_bytes,
            "compilers": rows}


def print_table(name, report):
    print(f"{name}: {report['module_bytes'] / 1e6:.2f} MB, "
          f"code section {report['code_section_bytes'] / 1e6:.2f} MB")
    print(f"  {'':<18}{'cpu ms':>9}{'MB/s':>8}{'memory':>8}   {'all: ms':>9}{'MB/s':>8}"
          f"{'memory':>8}{'code MB':>9}")
    for compiler, row in report["compilers"].items():
        code = row["machine_code_bytes"]
        print(f"  {compiler:<18}{row['cpu_ns'] / 1e6:>9.0f}{row['mb_per_cpu_second']:>8.2f}"
              f"{row['memory_on_one']:>7.1f}x   {row['wall_ns'] / 1e6:>9.0f}"
              f"{row['mb_per_wall_second']:>8.2f}{row['memory_on_all']:>7.1f}x"
              + (f"{code / 1e6:>9.2f}" if code is not None else f"{'-':>9}"))


def exceeded_limits(name, report, options):
    row = report["compilers"].get("tenon jit")
    if row is None:
        return []
    complaints = []
    speed, memory = row["mb_per_cpu_second"], max(row["memory_on_one"], row["memory_on_all"])
    if options.min_speed is not None and speed < options.min_speed:
        complaints.append(f"{name}: {speed:.2f} MB/s is less than {options.min_speed}")
    if options.max_memory is not None and memory > options.max_memory:
        complaints.append(f"{name}: peak memory {memory:.1f}x exceeds {options.max_memory}x")
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile-cost",
                        default=str(HERE.parent / "build" / "bench" / "compile_cost"),
                        help="tenon's compile_cost; default: %(default)s")
    parser.add_argument("--modules", required=True, metavar="FOLDER",
                        help=f"where {' and '.join(MODULES)} are; see fetch_modules.sh")
    parser.add_argument("--fetch", action="store_true", help="runs fetch_modules.sh first")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="also writes the figures as JSON")
    parser.add_argument("--min-speed", type=float, metavar="MB",
                        help="limit for the JIT's MB of code section per CPU second")
    parser.add_argument("--max-memory", type=float, metavar="MULTIPLE",
                        help="limit for the JIT's peak memory")
    options = parser.parse_args()
    folder = pathlib.Path(options.modules)
    if options.fetch:
        subprocess.run([str(HERE / "fetch_modules.sh"), str(folder)], check=False)
    modules = []
    for name in MODULES:
        if (folder / name).is_file():
            modules.append(folder / name)
        else:
            print(f"skipped: {name} is not in {folder}")
    if not modules:
        sys.exit(SKIPPED_STATUS)
    compilers = find_compilers(options.compile_cost, modules[-1])
    report, complaints = {}, []
    for module in modules:
        report[module.name] = measure(compilers, module, options.rounds)
        print_table(module.name, report[module.name])
        complaints += exceeded_limits(module.name, report[module.name], options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    for complaint in complaints:
        print(f"FAIL {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prices WASI: calls of its functions, the start of a small program, and a program that computes,
beside node's WASI, and native code where there is a compiler for it.

usage: wasi_cost.py --wasi-cost PROGRAM --wasi-run PROGRAM [--repeat N] [--json]
"""

import argparse
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HELLO = HERE.parent / "docs" / "examples" / "wasi_hello" / "guest.wasm"
NODE_SCRIPT = str(HERE / "wasi_node.js")

# Sorts by heap: nothing but arithmetic and memory, and the same code wherever it runs.
COMPUTE = r"""
#include <stdio.h>
#include <stdlib.h>
static unsigned state = 1;
static unsigned Next(void) { return state = state * 1664525u + 1013904223u; }
static void Sink(unsigned* values, unsigned at, unsigned count) {
  const unsigned value = values[at];
  for (unsigned child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && values[child + 1] > values[child]) ++child;
    if (values[child] <= value) break;
    values[at] = values[child];
  }
  values[at] = value;
}
int main(void) {
  enum { kCount = 1 << 20 };
  unsigned* values = malloc(kCount * sizeof *values);
  unsigned long long sum = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < kCount; ++i) values[i] = Next();
    for (unsigned i = kCount / 2; i-- > 0;) Sink(values, i, kCount);
    for (unsigned end = kCount - 1; end > 0; --end) {
      const unsigned largest = values[0];
      values[0] = values[end];
      values[end] = largest;
      Sink(values, 0, end);
    }
    for (int i = 0; i < kCount; i += 997) sum = sum * 31 + values[i];
  }
  printf("%llu\n", sum);
  return 0;
}
"""


def seconds(command, repeat):
    """Median CPU time of a program, and what it prints."""
    times = []
    for _ in range(repeat):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times), result.stdout


def call_rows(options, folder, node):
    (folder / "file").write_text("text")
    guest = folder / "guest.wasm"
    command = [options.wasi_cost, f"--dir={folder}", f"--emit={guest}", f"--repeat={options.repeat}",
               "--json"]
    ours = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    interpreted = json.loads(subprocess.run(command + ["--engine=interpreter"], capture_output=True,
                                            text=True, check=True).stdout)
    theirs = {}
    if node:
        result = subprocess.run([node, NODE_SCRIPT, "cost", str(guest), str(folder),
                                 json.dumps(ours), str(options.repeat)],
                                capture_output=True, text=True, check=False)
        if result.returncode == 0:
            theirs = json.loads(result.stdout)
        else:
            sys.stderr.write(result.stderr)
    return [(name, ours[name][1], interpreted[name][1], theirs.get(name)) for name in ours]


def program_rows(options, folder, node):
    rows = []
    hello, _ = seconds([options.wasi_run, str(HELLO)], options.repeat)
    hello_interpreted, _ = seconds([options.wasi_run, "--engine=interpreter", str(HELLO)],
                                   options.repeat)
    hello_node = seconds([node, NODE_SCRIPT, "run", str(HELLO)], options.repeat)[0] if node else None
    rows.append(("start of a hello program", hello, hello_interpreted, hello_node, None))

    (folder / "compute.c").write_text(COMPUTE)
    source = str(folder / "compute.c")
    program = str(folder / "compute.wasm")
    if subprocess.run(["clang-19", "--target=wasm32-wasi", "-O2", source, "-o", program],
                      capture_output=True, check=False).returncode == 0:
        ours, text = seconds([options.wasi_run, program], 3)
        theirs, native = None, None
        if node:
            theirs, their_text = seconds([node, NODE_SCRIPT, "run", program], 3)
            assert their_text == text, (their_text, text)
        compiler = shutil.which("gcc")
        if compiler and subprocess.run([compiler, "-O2", source, "-o", str(folder / "compute")],
                                       check=False).returncode == 0:
            native, native_text = seconds([str(folder / "compute")], 3)
            assert native_text == text, (native_text, text)
        rows.append(("a program that sorts", ours, None, theirs, native))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wasi-cost", required=True)
    parser.add_argument("--wasi-run", required=True)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    node = shutil.which("node")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        calls = call_rows(options, folder, node)
        programs = program_rows(options, folder, node)
    if options.json:
        print(json.dumps({"calls": calls, "programs": programs}))
        return

    def cell(value, unit):
        return f"{value * unit:12.1f}" if value is not None else " " * 11 + "-"

    print(f"{'ns a call, wall time':28}{'jit':>12}{'interpreter':>12}{'node':>12}")
    for name, *values in calls:
        print(f"{name:28}" + "".join(cell(value, 1) for value in values))
    print(f"\n{'ms, CPU time':28}{'jit':>12}{'interpreter':>12}{'node':>12}{'native':>12}")
    for name, *values in programs:
        print(f"{name:28}" + "".join(cell(value, 1000) for value in values))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cost of one more bound function: compile time and object size.

Generates translation units that bind 100 and 200 functions of mixed arity, captures and distinct
signatures, compiles them at -O2 and prints the slope, for each compiler: once with numbers and a few
views, and once with a view, copy or struct in every function. Also prints the front-end time of
<tenon/bind.hpp> beside that of <string>. CPU time of the compiler, median of several runs.
"""
import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

BUDGET_MS = 15.0
BUDGET_BYTES = 600
BUDGET_RICH_MS = 40.0  # with a view or struct; their bytes are printed without a limit
BUDGET_RATIO = 2.0

SCALARS = ["std::int32_t", "std::uint64_t", "float", "double", "std::uint32_t", "std::int64_t"]
VIEWS = ["std::string_view", "std::span<const std::uint32_t>", "std::span<double>"]
RICH = ["tenon::In<Point>", "tenon::View<const std::uint32_t>", "tenon::InOut<Point>",
        "tenon::CString", "tenon::Out<std::span<double>>", "tenon::In<std::string_view>"]
RESULTS = ["std::int32_t", "void", "double", "std::uint64_t"]


def signatures(is_rich):
    """Endless distinct wasm signatures of arity 0 to 6 in a fixed order; if they are rich, the first
    parameter is a view, a copy or a struct."""
    wire = {"std::int32_t": "i", "std::uint32_t": "i", "std::uint64_t": "l", "std::int64_t": "l",
            "float": "f", "double": "d", "void": "v", "tenon::In<Point>": "i",
            "tenon::InOut<Point>": "i", "tenon::CString": "i"}
    seen = set()
    for number in itertools.count():
        state = number * 2654435761 % 2**32
        arity = state % 7
        parameters = []
        for position in range(arity):
            state = (state * 1103515245 + 12345) % 2**32
            choice = (state >> 16) % 16
            parameters.append(VIEWS[choice % 3] if choice >= 13 else SCALARS[choice % 6])
        result = RESULTS[(state >> 8) % 4]
        if is_rich:
            parameters = [RICH[number % len(RICH)]] + parameters[:5]
        key = wire[result] + "".join(wire.get(p, "ii") for p in parameters)
        if key not in seen:
            seen.add(key)
            yield result, parameters


def use(kind, name):
    if kind.endswith("<Point>"):
        return f"{name}->x"
    if kind.startswith("tenon::View"):
        return f"{name}.Size()"
    if kind.startswith(("tenon::Out<", "tenon::In<")):
        return f"{name}->size()"
    if kind == "tenon::CString":
        return f"{name}.size()"
    if kind == "std::string_view":
        return f"{name}.size()"
    if kind.startswith("std::span"):
        return f"{name}.size()"
    return name


def unit(count, is_rich):
    lines = ["#include <tenon/bind.hpp>", "#include <span>", "#include <string_view>",
             *([] if not is_rich else [
                 "#include <tenon/struct.hpp>", "struct Point { double x; std::int32_t y; };",
                 "template <> struct tenon::Fields<Point>",
                 "    : tenon::FieldList<&Point::x, &Point::y> {};"]),
             "void Register(const tenon::abi::HostFunction&);", "extern void Sink(double);",
             ]
    body = []
    for i, (result, parameters) in enumerate(itertools.islice(signatures(is_rich), count)):
        declared = ", ".join(f"{p} p{n}" for n, p in enumerate(parameters))
        terms = " + ".join([f"double({use(p, f'p{n}')})" for n, p in enumerate(parameters)])
        terms = terms or "1.0"
        shape = i % 4
        if shape == 1:
            terms += " + double(total)"
        elif shape == 2:
            terms += " + double(total) + scale"
        statement = f"Sink({terms});" + (f" return {result}({i});" if result != "void" else "")
        if shape == 3:
            lines.append(f"static {result} Function{i}({declared}) {{ {statement} }}")
            body.append(f"  Register(tenon::bind::MakeHostFunction<&Function{i}>());")
        else:
            capture = ["", "&total", "&total, scale"][shape]
            body.append(f"  Register(tenon::bind::MakeHostFunction([{capture}]({declared}) -> {result} "
                        f"{{ {statement} }}));")
    lines.append("void BindAll([[maybe_unused]] long& total, [[maybe_unused]] double scale) {")
    return "\n".join(lines + body + ["}", ""])


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interleaved(commands, repeat):
    times = [[] for _ in commands]
    for _ in range(repeat):
        for index, command in enumerate(commands):
            times[index].append(cpu_seconds(command))
    return [statistics.median(t) for t in times]


def object_bytes(path):
    output = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
    return int(output.splitlines()[1].split()[3])


def measure(compiler, include, folder, low, high, repeat):
    base = [compiler, "-std=c++20", "-I", include]
    sources = {}
    for name, text in (("low", unit(low, False)), ("high", unit(high, False)),
                       ("rich_low", unit(low, True)), ("rich_high", unit(high, True)),
                       ("bind", "#include <tenon/bind.hpp>\n"), ("string", "#include <string>\n")):
        sources[name] = os.path.join(folder, f"{name}.cpp")
        with open(sources[name], "w") as file:
            file.write(text)
    build = [base + ["-O2", "-c", sources[n], "-o", sources[n] + ".o"] 
             for n in ("low", "high", "rich_low", "rich_high")]
    front = [base + ["-fsyntax-only", sources[n]] for n in ("bind", "string")]
    low_s, high_s, rich_low_s, rich_high_s = interleaved(build, repeat)
    bind_s, string_s = interleaved(front, repeat)
    count = high - low
    return {
        "compiler": compiler,
        "ms_per_function": (high_s - low_s) * 1000 / count,
        "bytes_per_function": (object_bytes(sources["high"] + ".o") -
                               object_bytes(sources["low"] + ".o")) / count,
        "rich_ms_per_function": (rich_high_s - rich_low_s) * 1000 / count,
        "rich_bytes_per_function": (object_bytes(sources["rich_high"] + ".o") -
                                    object_bytes(sources["rich_low"] + ".o")) / count,
        "bind_header_s": bind_s,
        "string_header_s": string_s,
        "header_ratio": bind_s / string_s,
    }


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", action="append", help="default: g++ and clang++-19")
    parser.add_argument("--include", default=os.path.join(here, "..", "include"))
    parser.add_argument("--low", type=int, default=100)
    parser.add_argument("--high", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--check", action="store_true", help="exit 1 above a budget")
    parser.add_argument("--emit", type=int, metavar="N", help="print a unit of N functions and stop")
    parser.add_argument("--rich", action="store_true", help="for --emit: with views and structs")
    options = parser.parse_args()
    if options.emit is not None:
        print(unit(options.emit, options.rich), end="")
        return 0
    compilers = options.compiler or [c for c in ("g++", "clang++-19") if shutil.which(c)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for compiler in compilers:
            rows.append(measure(compiler, options.include, folder, options.low, options.high,
                                options.repeat))
    if not options.json:
        print(f"{'compiler':<14}{'ms/function':>12}{'bytes/function':>16}"
              f"{'with views ms':>15}{'bytes':>8}{'bind.hpp s':>12}"
              f"{'<string> s':>12}{'ratio':>8}")
        for row in rows:
            print(f"{row['compiler']:<14}{row['ms_per_function']:>12.2f}"
                  f"{row['bytes_per_function']:>16.0f}{row['rich_ms_per_function']:>15.2f}"
                  f"{row['rich_bytes_per_function']:>8.0f}{row['bind_header_s']:>12.3f}"
                  f"{row['string_header_s']:>12.3f}{row['header_ratio']:>8.2f}")
        print(f"{'budget':<14}{BUDGET_MS:>12.2f}{BUDGET_BYTES:>16}"
              f"{BUDGET_RICH_MS:>15.2f}{'':>32}{BUDGET_RATIO:>8.2f}")
    print(json.dumps({"bind_cost": rows}))
    within = all(row["ms_per_function"] <= BUDGET_MS and
                 row["bytes_per_function"] <= BUDGET_BYTES and
                 row["rich_ms_per_function"] <= BUDGET_RICH_MS and
                 row["header_ratio"] <= BUDGET_RATIO for row in rows)
    return 1 if options.check and not within else 0


if __name__ == "__main__":
    sys.exit(main())

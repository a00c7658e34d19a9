#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest that is part of the program costs its translation unit.

Makes modules of 10 KB, 100 KB and 1 MB (functions of 100 bytes; every fourth exported, ten imports),
or takes those given, writes each as a header by embed_wasm.py, and compiles a unit with
ParseInterface of it (-fsyntax-only) with each compiler. Figures are CPU seconds, medians, above the
same unit without a guest, and the compiler's peak memory. The exit status is 1 if a figure exceeds
--max-seconds or --max-memory.
"""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile

from unit_cost import INCLUDE, ROOT, measure

sys.path.insert(0, str(ROOT / "test" / "tools"))
from wasm_bytes import leb, name, section, vector

EMBED = INCLUDE / "embed_wasm.py"
SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
BODY_BYTES = 100


def module(size):
    """A module of about `size` bytes."""
    count = size // (BODY_BYTES + 5)
    imports = 10
    body = b"\0" + b"\x41\0\x1A" * ((BODY_BYTES - 4) // 3) + b"\x20\0\x0B"
    body = leb(len(body)) + body
    return b"\0asm\1\0\0\0" + b"".join([
        section(1, vector([b"\x60\1\x7F\1\x7F"])),
        section(2, vector([name("env") + name(f"import_{i}") + b"\0\0" for i in range(imports)])),
        section(3, vector([b"\0"] * count)),
        section(7, vector([name(f"export_{i}") + b"\0" + leb(imports + i)
                           for i in range(0, count, 4)])),
        section(10, vector([body] * count)),
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", type=pathlib.Path, help="modules to embed")
    parser.add_argument("--compilers", nargs="*", default=["g++", "clang++-19"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--max-seconds", type=float, help="for each guest")
    parser.add_argument("--max-memory", type=float, help="MiB, for each guest")
    options = parser.parse_args()

    report = {}
    exceeded = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        guests = {path.name: path.read_bytes() for path in options.modules} or {
            label: module(size) for label, size in SIZES.items()}
        units = {}
        for number, (label, data) in enumerate({"": b"", **guests}.items()):
            unit = folder / f"unit_{number}.cpp"
            text = "#include <tenon/guest_interface.hpp>\n"
            if data:
                (folder / "guest.wasm").write_bytes(data)
                measure([sys.executable, str(EMBED), str(folder / "guest.wasm"),
                         str(folder / f"guest_{number}.hpp"), "kBytes"], 1)
                text += (f'#include "guest_{number}.hpp"\n'
                         "constexpr auto kGuest = tenon::ParseInterface<kBytes>();\n"
                         "static_assert(kGuest.kExportCount > 0);\n")
            unit.write_text(text)
            units[label] = unit
        for compiler in filter(shutil.which, options.compilers):
            command = [compiler, "-std=c++20", f"-I{INCLUDE}", "-fsyntax-only"]
            costs = {label: measure([*command, str(unit)], options.repeat)
                     for label, unit in units.items()}
            alone = costs.pop("")
            report[compiler] = {label: {"seconds": round(cost["seconds"] - alone["seconds"], 3),
                                        "memory_mib": cost["memory_mib"]}
                                for label, cost in costs.items()}
            for label, cost in report[compiler].items():
                for key, limit in (("seconds", options.max_seconds),
                                   ("memory_mib", options.max_memory)):
                    if limit is not None and cost[key] > limit:
                        exceeded.append(f"{compiler}, {label}: {cost[key]} {key}, limit {limit}")

    if options.json:
        print(json.dumps(report))
    else:
        for compiler, costs in report.items():
            for label, cost in costs.items():
                print(f"{compiler:12} {label:>8}  {cost['seconds']:6.3f} s  "
                      f"{cost['memory_mib']:6.1f} MiB")
    for text in exceeded:
        print(f"exceeded: {text}", file=sys.stderr)
    sys.exit(1 if exceeded else 0)


if __name__ == "__main__":
    main()

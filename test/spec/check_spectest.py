#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the spec runner, and of what it finds.

  planted SPECTEST             wrong expectations fail, right ones pass, a hang loses no summary
  suite SPECTEST               the spec scripts: 0 failed, no more skipped than expected_skips.txt says
  memory64 SPECTEST            the scripts on memories with 64-bit addresses: 0 failed, and nothing
                               skipped but texts and what memory64_skips.tsv lists
  threads SPECTEST             the scripts of the threads proposal: 0 failed, and nothing skipped but
                               texts and what the language's later versions allow
  opcodes SPECTEST             every row of the opcode table is in a function that a script calls
  update-skips SPECTEST        rewrites expected_skips.txt

The last five need the spec scripts: --spec=DIR, or $TENON_SPEC_DIR, or shared/spec beside the
repository. Exit status 77, which meson counts as skipped, where there are none.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
from wasm_bytes import leb, name, section, vector

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED_SKIPS = HERE / "expected_skips.txt"
MEMORY64_SKIPS = HERE / "memory64_skips.tsv"
GROUPS = ["core2", "core3"]
MEMORY64 = ["address64", "align64", "binary_leb128_64", "bulk64", "endianness64", "float_memory64",
            "load64", "memory64", "memory64-imports", "memory_copy64", "memory_fill64",
            "memory_grow64", "memory_init64", "memory_redundancy64", "memory_trap64"]
SKIPPED_STATUS = 77


# --- a module of a few functions, byte by byte ----------------------------------------------------

I32, F32, F64, V128, FUNCREF, EXTERNREF = b"\x7f", b"\x7d", b"\x7c", b"\x7b", b"\x70", b"\x6f"
HEADER = b"\0asm\1\0\0\0"


def function_type(parameters, results):
    return b"\x60" + vector(parameters) + vector(results)


def body(code, local_runs=()):
    content = vector(list(local_runs)) + code + b"\x0b"
    return leb(len(content)) + content


def module_of(functions, extra=b"", start=None):
    """functions: (export name, parameters, results, code). `extra`: sections before the exports."""
    types = section(1, vector([function_type(p, r) for _, p, r, _ in functions]))
    declared = section(3, vector([leb(i) for i in range(len(functions))]))
    exports = [name(n) + b"\0" + leb(i) for i, (n, _, _, _) in enumerate(functions)]
    if extra:
        exports.append(name("glob") + b"\3\0")
    begin = section(8, leb(start)) if start is not None else b""
    code = section(10, vector([body(c) for _, _, _, c in functions]))
    return HEADER + types + declared + extra + section(7, vector(exports)) + begin + code


LIBRARY = module_of([
    ("answer", [], [I32], b"\x41\x2a"),
    ("stop", [], [], b"\x00"),
    ("divide", [], [I32], b"\x41\x01\x41\x00\x6d"),
    ("runaway", [], [], b"\x10\x03"),
    ("canonical", [], [F32], b"\x43\x00\x00\xc0\x7f"),
    ("arithmetic", [], [F64], b"\x44\x01\x00\x00\x00\x00\x00\xf8\xff"),
    ("signalling", [], [F32], b"\x43\x01\x00\x80\x7f"),
    ("minus", [], [F32], b"\x43\x00\x00\x00\x80"),
    ("lanes", [], [V128], b"\xfd\x0c" + bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0xc0, 0x7f])),
    ("echo", [EXTERNREF], [EXTERNREF], b"\x20\x00"),
    ("none", [], [FUNCREF], b"\xd0\x70"),
    ("two", [], [I32, I32], b"\x41\x01\x41\x02"),
], extra=section(6, vector([I32 + b"\0\x41\x07\x0b"])))
UNLINKABLE = (HEADER + section(1, vector([function_type([], [])])) +
              section(2, vector([name("spectest") + name("nothing") + b"\0\0"])))
LINKABLE = (HEADER + section(1, vector([function_type([I32], [])])) +
            section(2, vector([name("spectest") + name("print_i32") + b"\0\0",
                               name("spectest") + name("memory") + b"\2\1\1\2",
                               name("spectest") + name("table") + b"\1\x70\1\x0a\x14",
                               name("spectest") + name("global_i32") + b"\3\x7f\0"])))
TRAPS_AT_START = module_of([("stop", [], [], b"\x00")], start=0)
INVALID = module_of([("wrong", [], [I32], b"")])
MALFORMED = LIBRARY[:-3]
ENDLESS = module_of([("spin", [], [], b"\x03\x40\x0c\x00\x0b")])
FILES = {"library.wasm": LIBRARY, "unlinkable.wasm": UNLINKABLE, "linkable.wasm": LINKABLE,
         "traps.wasm": TRAPS_AT_START, "invalid.wasm": INVALID, "malformed.wasm": MALFORMED,
         "endless.wasm": ENDLESS, "text.wat": b"(module"}


# --- planted scripts --------------------------------------------------------------------------------

def invoke(field, *args):
    return {"type": "invoke", "field": field, "args": list(args)}


def value(kind, text):
    return {"type": kind, "value": text}


def returns(field, *expected, args=()):
    return {"type": "assert_return", "action": invoke(field, *args), "expected": list(expected)}


def lanes(kind, *texts):
    return {"type": "v128", "lane_type": kind, "value": list(texts)}


def about(kind, filename, module_type="binary"):
    return {"type": kind, "filename": filename, "module_type": module_type, "text": "a reason"}


def traps(kind, field, text="unreachable"):
    return {"type": kind, "action": invoke(field), "text": text}


LOAD = {"type": "module", "filename": "library.wasm", "name": "$library"}
HOST = value("externref", "7")
RIGHT = [
    returns("answer", value("i32", "42")),
    returns("canonical", value("f32", "nan:canonical")),
    returns("canonical", value("f32", "nan:arithmetic")),
    returns("arithmetic", value("f64", "nan:arithmetic")),
    returns("minus", value("f32", "2147483648")),
    returns("lanes", lanes("i32", "1", "2", "3", "2143289344")),
    returns("lanes", lanes("i64", "8589934593", "9205357638345293827")),
    returns("lanes", lanes("f32", "1", "2", "3", "nan:canonical")),
    returns("echo", HOST, args=[HOST]),
    returns("echo", {"type": "externref"}, args=[value("externref", "0")]),
    returns("echo", value("refnull", "null"), args=[value("externref", "null")]),
    returns("none", value("funcref", "null")),
    returns("two", value("i32", "1"), value("i32", "2")),
    returns("answer", {"type": "either", "values": [value("i32", "1"), value("i32", "42")]}),
    {"type": "assert_return", "action": {"type": "get", "field": "glob"},
     "expected": [value("i32", "7")]},
    {"type": "action", "action": invoke("answer")},
    traps("assert_trap", "stop"),
    traps("assert_exhaustion", "runaway", "call stack exhausted"),
    about("assert_invalid", "invalid.wasm"),
    about("assert_malformed", "malformed.wasm"),
    about("assert_unlinkable", "unlinkable.wasm"),
    about("assert_uninstantiable", "traps.wasm"),
    {"type": "register", "as": "lib", "name": "$library"},
    {"type": "module_definition", "filename": "library.wasm", "name": "$definition"},
    {"type": "module_instance", "module": "$definition", "name": "$other"},
    {"type": "assert_return", "action": dict(invoke("answer"), module="$other"),
     "expected": [value("i32", "42")]},
    {"type": "thread", "name": "$t", "shared": [],
     "commands": [LOAD, returns("answer", value("i32", "42"))]},
    {"type": "wait", "thread": "$t"},
    {"type": "module", "filename": "linkable.wasm"},
]
# What the commands of the thread add to the passed ones.
IN_THREADS = 2
# Each of these must be found out. None replaces the current instance.
WRONG = [
    returns("answer", value("i32", "43")),
    returns("answer", value("i64", "42")),
    returns("answer"),
    returns("answer", value("i32", "42"), value("i32", "42")),
    returns("two", value("i32", "2"), value("i32", "1")),
    returns("stop"),
    returns("missing", value("i32", "42")),
    returns("arithmetic", value("f64", "nan:canonical")),
    returns("signalling", value("f32", "nan:arithmetic")),
    returns("canonical", value("f32", "0")),
    returns("minus", value("f32", "0")),
    returns("lanes", lanes("i32", "1", "2", "4", "2143289344")),
    returns("lanes", lanes("f32", "nan:arithmetic", "2", "3", "nan:canonical")),
    returns("echo", value("externref", "8"), args=[HOST]),
    returns("echo", value("refnull", "null"), args=[value("externref", "0")]),
    returns("echo", {"type": "externref"}, args=[value("externref", "null")]),
    returns("none", {"type": "funcref"}),
    returns("answer", {"type": "either", "values": [value("i32", "1"), value("i64", "42")]}),
    {"type": "assert_return", "action": {"type": "get", "field": "glob"},
     "expected": [value("i32", "8")]},
    {"type": "action", "action": invoke("stop")},
    traps("assert_trap", "answer"),
    traps("assert_exhaustion", "stop", "call stack exhausted"),
    traps("assert_exhaustion", "answer", "call stack exhausted"),
    traps("assert_exception", "stop"),
    traps("assert_exception", "answer"),
    about("assert_invalid", "library.wasm"),
    about("assert_malformed", "library.wasm"),
    about("assert_unlinkable", "linkable.wasm"),
    about("assert_unlinkable", "traps.wasm"),
    about("assert_uninstantiable", "unlinkable.wasm"),
    about("assert_uninstantiable", "library.wasm"),
    {"type": "assert_return", "action": dict(invoke("answer"), module="$nobody"),
     "expected": [value("i32", "42")]},
    {"type": "register", "as": "lib", "name": "$nobody"},
    {"type": "module_definition", "filename": "malformed.wasm"},
    {"type": "wait", "thread": "$nobody"},
    {"type": "assert_unheard_of"},
]
WRONG_AND_LAST = [
    {"type": "module", "filename": "unlinkable.wasm"},
    returns("answer", value("i32", "42")),  # there is no current instance any more
]
SKIPPED = [
    about("assert_malformed", "text.wat", "text"),
    dict(returns("answer", value("i32", "43")), obsolete="multiple memories"),
]


def at_line(line, command):
    """The command, and those in it, with their line."""
    placed = dict(command, line=line)
    if "commands" in command:
        placed["commands"] = [at_line(line, nested) for nested in command["commands"]]
    return placed


def write_script(path, commands):
    lines = [json.dumps(at_line(line, command)) for line, command in enumerate(commands, 1)]
    text = '{"source_filename": "planted",\n "commands": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- running ----------------------------------------------------------------------------------------

class Run:
    """One run of spectest and what it printed."""

    def __init__(self, spectest, arguments):
        done = subprocess.run([spectest, *arguments], capture_output=True, text=True, check=False)
        self.status = done.returncode
        self.output = done.stdout
        self.errors = done.stderr
        lines = done.stdout.splitlines() or [""]
        summary = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1])
        if not summary:
            sys.exit(f"spectest printed no summary (status {self.status})\n{self.output}{self.errors}")
        self.passed, self.failed, self.skipped = map(int, summary.groups())
        self.failures = [line for line in lines if line.startswith("FAIL ")]


class Checker:
    def __init__(self):
        self.failed = 0

    def expect(self, holds, what, run=None):
        if holds:
            return
        self.failed += 1
        print(f"FAIL {what}")
        if run is not None:
            print(run.output + run.errors)

    def finish(self):
        sys.exit(1 if self.failed else 0)


def compare_skips(expected, actual):
    """Complaints about scripts that skip more than expected."""
    return [f"{script}: {count} commands skipped, expected {expected.get(script, 0)}"
            for script, count in sorted(actual.items()) if count > expected.get(script, 0)]


def check_planted(options):
    check = Checker()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for filename, content in FILES.items():
            (folder / filename).write_bytes(content)

        right = write_script(folder / "right.json", [LOAD, *RIGHT, *SKIPPED])
        run = Run(options.spectest, [*options.engine, right])
        check.expect((run.status, run.passed, run.failed, run.skipped) ==
                     (0, 1 + len(RIGHT) + IN_THREADS, 0, len(SKIPPED)), "right expectations pass", run)

        wrong_commands = [LOAD, *WRONG, *WRONG_AND_LAST]
        wrong = write_script(folder / "wrong.json", wrong_commands)
        run = Run(options.spectest, [*options.engine, wrong])
        check.expect((run.status, run.passed, run.skipped) == (1, 1, 0),
                     "wrong expectations fail", run)
        for line, command in list(enumerate(wrong_commands, 1))[1:]:
            pattern = rf"FAIL {re.escape(wrong)}:{line}: {command['type']}: ."
            check.expect(any(re.match(pattern, failure) for failure in run.failures),
                         f"no failure reported for {json.dumps(command)}")

        thread = write_script(folder / "thread.json", [
            {"type": "thread", "name": "$t", "shared": [],
             "commands": [LOAD, returns("answer", value("i32", "43"))]},
            {"type": "wait", "thread": "$t"}])
        run = Run(options.spectest, [*options.engine, thread])
        check.expect((run.status, run.failed) == (1, 1) and
                     any(f"{thread}:2: wait: " in f for f in run.failures),
                     "a failure in a thread is one of the wait for it", run)

        spin = write_script(folder / "spin.json", [
            {"type": "module", "filename": "endless.wasm"},
            {"type": "action", "action": invoke("spin")}])
        run = Run(options.spectest, [*options.engine, "--timeout=2", spin, right])
        check.expect((run.passed, run.failed) == (2 + len(RIGHT) + IN_THREADS, 1) and
                     any(f"{spin}:2: script: timed out" in f for f in run.failures),
                     "a script that hangs is ended and counted", run)

        (folder / "broken.json").write_text('{"commands": [')
        run = Run(options.spectest, [str(folder / "broken.json"), str(folder / "absent.json")])
        check.expect((run.status, run.failed) == (1, 2), "unreadable scripts fail", run)

        listed = folder / "skip.tsv"
        listed.write_text(f"file\tcommand_index\tline\ttype\treason\n{folder.name}/right\t1\t2\tx\ty\n")
        run = Run(options.spectest, [*options.engine, f"--skip-list={listed}", right])
        check.expect((run.passed, run.skipped) == (len(RIGHT) + IN_THREADS, 1 + len(SKIPPED)),
                     "listed commands are skipped", run)

        run = Run(options.spectest, [*options.engine, "--features=-simd", right])
        check.expect(run.failed > 0, "a disabled feature is refused", run)

    check.expect(compare_skips({"a": 2}, {"a": 3}) and compare_skips({}, {"a": 1}) and
                 not compare_skips({"a": 2, "b": 1}, {"a": 2}), "a growing skip count is found")
    check.finish()


def spec_folder(options):
    candidates = [options.spec, os.environ.get("TENON_SPEC_DIR"), HERE.parents[2] / "shared" / "spec"]
    for candidate in candidates:
        if candidate and (pathlib.Path(candidate) / "core2").is_dir():
            return pathlib.Path(candidate)
    print("no spec scripts found; see --help")
    sys.exit(SKIPPED_STATUS)


def scripts(options, groups):
    folder = spec_folder(options)
    return [str(path) for group in groups for path in sorted((folder / group).glob("*.json"))]


def run_suite(options):
    with tempfile.TemporaryDirectory() as folder:
        counts = pathlib.Path(folder) / "counts.tsv"
        run = Run(options.spectest,
                  [*options.engine, f"--counts={counts}", *scripts(options, options.groups)])
        rows = [line.split("\t") for line in counts.read_text().splitlines()]
    return run, {row[0]: int(row[3]) for row in rows}


def read_expected_skips():
    rows = [line.split() for line in EXPECTED_SKIPS.read_text().splitlines()
            if line and not line.startswith("#")]
    return {script: int(count) for script, count in rows}


def check_suite(options):
    run, actual = run_suite(options)
    complaints = compare_skips(read_expected_skips(), actual)
    print(run.output, end="")
    print("".join(f"FAIL {complaint}\n" for complaint in complaints), end="")
    sys.exit(1 if run.failed or run.status or complaints else 0)


def check_memory64(options):
    folder = spec_folder(options) / "core3"
    paths = [folder / f"{script}.json" for script in MEMORY64]
    expected = sum(command.get("module_type") == "text"
                   for path in paths for command in json.loads(path.read_text())["commands"])
    expected += sum(row.startswith("core3/") for row in MEMORY64_SKIPS.read_text().splitlines())
    run = Run(options.spectest, [*options.engine, "--features=+memory64",
                                 f"--skip-list={MEMORY64_SKIPS}", *map(str, paths)])
    print(run.output, end="")
    if run.skipped != expected:
        print(f"FAIL {run.skipped} commands skipped, expected {expected}")
    sys.exit(1 if run.failed or run.status or run.skipped != expected else 0)


def check_threads(options):
    paths = scripts(options, ["threads", "threads-upstream"])
    commands = [command for path in paths
                for command in json.loads(pathlib.Path(path).read_text())["commands"]]
    expected = sum(command.get("module_type") == "text" or "obsolete" in command
                   for command in commands)
    run = Run(options.spectest, [*options.engine, "--features=+threads", "--skip-list=", *paths])
    print(run.output, end="")
    if run.skipped != expected:
        print(f"FAIL {run.skipped} commands skipped, expected {expected}")
    missing = not commands
    if missing:
        print("FAIL no scripts")
    sys.exit(1 if run.failed or run.status or run.skipped != expected or missing else 0)


def update_skips(options):
    _, actual = run_suite(options)
    rows = "".join(f"{script} {count}\n" for script, count in sorted(actual.items()) if count)
    EXPECTED_SKIPS.write_text(
        "# SPDX-License-Identifier: Apache-2.0\n"
        "# Commands that spectest skips in each script: texts, for which there is no parser, and what\n"
        "# an engine for WebAssembly 2.0 cannot pass. More than these fail `check_spectest.py suite`.\n"
        + rows)


def check_opcodes(options):
    with tempfile.TemporaryDirectory() as folder:
        coverage = pathlib.Path(folder) / "opcodes.tsv"
        atomic = spec_folder(options) / "threads-upstream" / "atomic.json"
        run = Run(options.spectest, [*options.engine, f"--opcode-coverage={coverage}",
                                     "--features=+threads", *scripts(options, ["core2"]),
                                     str(atomic)])
        rows = [line.split("\t") for line in coverage.read_text().splitlines()]
    missing = [text for _, text, executed in rows if executed != "1"]
    print(run.output, end="")
    print(f"{len(rows) - len(missing)} of {len(rows)} instructions executed")
    if missing:
        print("FAIL no script executes: " + ", ".join(missing))
    sys.exit(1 if missing or run.failed or not rows else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {"planted": check_planted, "suite": check_suite, "memory64": check_memory64,
                "threads": check_threads, "opcodes": check_opcodes, "update-skips": update_skips}
    parser.add_argument("command", choices=commands)
    parser.add_argument("spectest", help="the spectest executable")
    parser.add_argument("--spec", help="folder with core2/, core3/, threads/ and threads-upstream/")
    parser.add_argument("--engine", help="as spectest's")
    parser.add_argument("--explicit-checks", action="store_true", help="as spectest's")
    parser.add_argument("--cpu", help="as spectest's")
    parser.add_argument("--groups", default=",".join(GROUPS), help="of the suite; default: %(default)s")
    options = parser.parse_args()
    options.groups = options.groups.split(",")
    options.engine = [f"--engine={options.engine}"] if options.engine else []
    options.engine += ["--explicit-checks"] if options.explicit_checks else []
    options.engine += [f"--cpu={options.cpu}"] if options.cpu else []
    commands[options.command](options)


if __name__ == "__main__":
    main()

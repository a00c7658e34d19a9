#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a faulty program is refused well: with the right text, once, in few lines.

usage: check_compile_fail.py COMPILER FILE FLAGS...
       check_compile_fail.py --self-test COMPILER FLAGS...

FILE holds a line `// expect: TEXT`, and a fault under `#if TENON_MUST_NOT_COMPILE` with a passing
twin under `#else`. The fault must give exactly one error, whose line contains TEXT, in at most 15
lines of output; the twin must compile. FLAGS are usually one -I option.
"""

import os
import re
import subprocess
import sys
import tempfile

MAX_LINES = 15
ERROR = re.compile(r"\b(?:fatal )?error: ")


def run(compiler, flags, path, must_not_compile):
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-fsyntax-only",
               "-fdiagnostics-color=never", f"-DTENON_MUST_NOT_COMPILE={int(must_not_compile)}",
               *flags, path]
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment)


def has_pfr(compiler):
    text = "#if !__has_include(<boost/pfr/core.hpp>)\n#error\n#endif\n"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-x", "c++", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True).returncode == 0


def check(compiler, path, flags):
    """The list of what is wrong with the case; prints the compiler's output if anything is."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    expected = re.search(r"^// expect: (.+)$", text, re.MULTILINE)
    if not expected:
        return ["the file has no line `// expect: TEXT`"]
    expected = expected.group(1).strip()
    wrong = []
    refused = run(compiler, flags, path, True)
    lines = refused.stdout.splitlines()
    errors = [line for line in lines if ERROR.search(line)]
    if refused.returncode == 0:
        wrong.append("the fault compiles")
    else:
        if len(errors) != 1:
            wrong.append(f"{len(errors)} errors instead of one")
        if not errors or expected not in ERROR.split(errors[0], maxsplit=1)[1]:
            wrong.append(f"the first error does not say: {expected}")
        if len(lines) > MAX_LINES:
            wrong.append(f"{len(lines)} lines of output, more than {MAX_LINES}")
    if wrong:
        print(refused.stdout)
    twin = run(compiler, flags, path, False)
    if twin.returncode != 0 or twin.stdout:
        wrong.append("the twin does not compile cleanly")
        print(twin.stdout)
    return wrong


SELF_TEST = {
    # A sound case, and the reasons for which a case can be wrong.
    "sound": ("// expect: sound\n#if TENON_MUST_NOT_COMPILE\nstatic_assert(false, \"sound\");\n"
              "#else\nstatic_assert(true, \"sound\");\n#endif\n", None),
    "compiles": ("// expect: x\nint value;\n", "the fault compiles"),
    "other text": ("// expect: this\n#if TENON_MUST_NOT_COMPILE\nstatic_assert(false, \"that\");\n#endif\n",
                   "the first error does not say"),
    "two errors": ("// expect: x\n#if TENON_MUST_NOT_COMPILE\nstatic_assert(false, \"x\");\n"
                   "static_assert(false, \"x\");\n#endif\n", "2 errors"),
    "bad twin": ("// expect: x\nstatic_assert(false, \"x\");\n", "the twin does not compile"),
    "long": ("// expect: Longer\n#if TENON_MUST_NOT_COMPILE\n" +
             "".join(f"void Longer({'int, ' * n}char*);\n" for n in range(9)) +
             "int main() { Longer(1.0); }\n#endif\n", "lines of output"),
    "no text": ("int value;\n", "no line"),
}


def self_test(compiler, flags):
    failed = False
    for name, (text, expected) in SELF_TEST.items():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "case.cpp")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            wrong = check(compiler, path, flags)
        if expected is None:
            good = not wrong
        else:
            good = any(expected in reason for reason in wrong)
        print(f"{'ok' if good else 'FAILED'}: {name}: {wrong}")
        failed = failed or not good
    return 1 if failed else 0


def main():
    arguments = sys.argv[1:]
    if len(arguments) >= 2 and arguments[0] == "--self-test":
        return self_test(arguments[1], arguments[2:])
    if len(arguments) < 2:
        print(__doc__)
        return 2
    with open(arguments[1], encoding="utf-8") as file:
        if "<tenon/aggregate.hpp>" in file.read() and not has_pfr(arguments[0]):
            print("skipped: Boost.PFR is missing")
            return 77
    wrong = check(arguments[0], arguments[1], arguments[2:])
    for reason in wrong:
        print(f"{arguments[1]}: {reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the example wasi_run as a user would, with programs compiled by clang and wasi-libc where they
are installed, and with the ready-made guest of another example.

usage: check_wasi_run.py WASI_RUN HELLO_WASM
"""

import os
import pathlib
import pty
import re
import socket
import subprocess
import sys
import tempfile
import time

FILES = r"""
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
int main(int argc, char** argv) {
  if (argc < 2) return 9;
  char line[100];
  FILE* in = fopen("/in/input.txt", "r");
  if (!in || !fgets(line, sizeof line, in)) return 1;
  fclose(in);
  FILE* denied = fopen("/in/new.txt", "w");
  printf("read-only: %s\n", denied ? "written" : strerror(errno));
  mkdir("/out/made", 0777);
  FILE* out = fopen("/out/made/copy.txt", "w");
  if (!out) return 2;
  fprintf(out, "%s and %s", line, argv[1]);
  fclose(out);
  struct stat stat_of_copy;
  if (stat("/out/made/copy.txt", &stat_of_copy) != 0) return 3;
  printf("%lld bytes\n", (long long)stat_of_copy.st_size);
  FILE* escape = fopen("/out/../secret.txt", "r");
  printf("outside: %s\n", escape ? "read" : "not there");
  DIR* dir = opendir("/out");
  for (struct dirent* entry; dir && (entry = readdir(dir));) {
    if (entry->d_name[0] != '.') printf("entry %s\n", entry->d_name);
  }
  printf("%s\n", getenv("GREETING") ? getenv("GREETING") : "none");
  return 42;
}
"""

SLEEP = r"""
#include <stdio.h>
#include <time.h>
int main(void) {
  puts("sleeping");
  fflush(stdout);
  struct timespec wait = {60, 0};
  nanosleep(&wait, 0);
  return 0;
}
"""

LOOP = "int main(void) { for (volatile unsigned i = 0;; ++i) {} }"

WRITER = r"""
#include <stdio.h>
int main(void) { while (puts("a line that nobody reads") >= 0) {} return 1; }
"""

SERVER = r"""
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
  int connection = accept(3, 0, 0);
  if (connection < 0) return 1;
  char text[100];
  ssize_t count = recv(connection, text, sizeof text, 0);
  if (count <= 0) return 2;
  for (ssize_t i = 0; i < count; ++i) if (text[i] >= 'a' && text[i] <= 'z') text[i] -= 32;
  if (send(connection, text, count, 0) != count) return 3;
  shutdown(connection, SHUT_RDWR);
  close(connection);
  return 0;
}
"""

REACTOR = r"""
static int base;
__attribute__((constructor)) static void Begin(void) { base = 100; }
__attribute__((export_name("add"))) int Add(int a, int b) { return base + a + b; }
__attribute__((export_name("half"))) double Half(double a) { return a / 2; }
"""

# A module whose start function never ends.
ENDLESS_START = bytes.fromhex("0061736d01000000 010401600000 03020100 080100"
                              "0a09010700 0340 0c00 0b 0b")

failures = []


def check(what, found, expected):
    if found != expected:
        failures.append(f"{what}: {found!r} instead of {expected!r}")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def compile_guest(folder, name, source, *flags):
    (folder / f"{name}.c").write_text(source)
    result = run("clang-19", "--target=wasm32-wasi", "-O1", str(folder / f"{name}.c"), "-o",
                 str(folder / f"{name}.wasm"), *flags)
    return str(folder / f"{name}.wasm") if result.returncode == 0 else None


def check_messages(wasi_run, hello, folder):
    """What somebody is told who uses it for the first time."""
    text = folder / "text"
    text.write_text("some text")
    library = folder / "library.wasm"  # exports add, of two i32
    library.write_bytes(bytes.fromhex("0061736d 01000000 01070160027f7f017f 03020100"
                                      "07070103616464 0000 0a09010700 20002001 6a0b"))
    stranger = folder / "stranger.wasm"  # imports host.function
    stranger.write_bytes(bytes.fromhex("0061736d 01000000 010401600000"
                                       "02110104686f73740866756e6374696f6e0000"))
    exits = folder / "exits.wasm"  # calls proc_exit(256)
    exits.write_bytes(bytes.fromhex("0061736d 01000000 01080260017f00600000") +
                      b"\x02\x24\x01\x16wasi_snapshot_preview1\x09proc_exit\0\0" +
                      bytes.fromhex("03020101 0503010001 0713 02 06 5f7374617274 0001"
                                    "06 6d656d6f7279 0200 0a09010700 418002 1000 0b"))
    aborts = folder / "aborts.wasm"  # calls AssemblyScript's abort(0, 0, 12, 3)
    aborts.write_bytes(bytes.fromhex("0061736d 01000000 010b02 6004 7f7f7f7f 00 600000") +
                       b"\x02\x0d\x01\x03env\x05abort\0\0" +
                       bytes.fromhex("03020101 0503010001 0713 02 06 5f7374617274 0001"
                                     "06 6d656d6f7279 0200 0a0e010c00 4100 4100 410c 4103 1000 0b"))
    result = run(wasi_run, str(aborts))
    check("AssemblyScript's abort", (result.returncode, result.stderr),
          (255, "abort at unknown:12:3\n"))
    both = folder / "both.wasm"  # imports sched_yield from either version, and calls both
    both.write_bytes(bytes.fromhex("0061736d 01000000 010802 6000017f 600000 024202") +
                     b"\x16wasi_snapshot_preview1\x0bsched_yield\0\0" +
                     b"\x0dwasi_unstable\x0bsched_yield\0\0" +
                     bytes.fromhex("03020101 0503010001 0713 02 06 5f7374617274 0002"
                                   "06 6d656d6f7279 0200 0a0a010800 1000 1a 1001 1a 0b"))
    result = run(wasi_run, str(both))
    check("a program of both versions", (result.returncode, result.stderr), (0, ""))
    for arguments, code, message in (
            ((), 2, "no program to run"),
            (("--wrong", hello), 2, "there is no option --wrong"),
            (("--wrong",), 2, "there is no option --wrong"),
            (("-x",), 2, "there is no option -x"),
            (("--dir=:/x", hello), 2, '--dir needs HOST[:GUEST][:ro], not ":/x"'),
            (("--dir=.::ro", hello), 2, '--dir needs HOST[:GUEST][:ro], not ".::ro"'),
            (("--dir=.:/x:rw", hello), 2, '--dir needs HOST[:GUEST][:ro], not ".:/x:rw"'),
            (("--cache=", hello), 2, "--cache needs a directory"),
            (("--invoke=", hello), 2, "--invoke needs the name of a function"),
            (("--trace=yes", hello), 2, "--trace takes no value"),
            (("--engine=fast", hello), 2, '--engine is interpreter, jit or auto, not "fast"'),
            (("--timeout=soon", hello), 2, '--timeout needs a number of seconds, not "soon"'),
            (("--listen=localhost:99999", hello), 2,
             '--listen needs HOST:PORT, not "localhost:99999"'),
            (("--env=NAME", hello), 2, '--env needs NAME=VALUE, not "NAME"'),
            (("--dir=/nowhere", hello), 1,
             'cannot open directory "/nowhere": No such file or directory'),
            ((f"--dir={text}:/x", hello), 1, f'cannot open directory "{text}": Not a directory'),
            ((f"--cache={text}/x", hello), 1,
             f'cannot make directory "{text}/x": Not a directory'),
            (("/nowhere.wasm",), 1, 'cannot read file "/nowhere.wasm": No such file or directory'),
            ((str(folder),), 1, f'cannot read file "{folder}": Is a directory'),
            ((str(text),), 1, f'cannot run "{text}": not a WebAssembly module: '
                              "the first 4 bytes are not 00 61 73 6d"),
            ((str(library),), 2, "the program exports no _start; "
                                 "--invoke calls one of its functions: add"),
            (("--invoke=sub", str(library)), 2,
             "the program exports no function sub; those that it exports: add"),
            (("--invoke=add", str(library), "1"), 2, "add takes 2 arguments, not 1"),
            (("--invoke=add", str(library), "1", "x"), 2, '"x" is no number'),
            (("--invoke=add", str(library), "1", "4294967296"), 2,
             "4294967296 does not fit in an i32"),
    ):
        result = run(wasi_run, *arguments)
        check(f"exit code of {arguments}", result.returncode, code)
        more = " (--help tells more)" if code == 2 else ""
        check(f"message of {arguments}", result.stderr, f"wasi_run: {message}{more}\n")
    check("numbers of either sign",
          run(wasi_run, "--invoke=add", str(library), "-1", "4294967295").stdout, "-2\n")
    result = run(wasi_run, str(stranger))
    check("an import that there is not", (result.returncode, "host" in result.stderr), (1, True))
    check("an exit code beyond a byte", run(wasi_run, str(exits)).returncode, 255)


def check_options(wasi_run, hello):
    check("no program", run(wasi_run).returncode, 2)
    check("unknown option", run(wasi_run, "--wrong=1", hello).returncode, 2)
    check("missing value", run(wasi_run, "--dir").returncode, 2)
    for option in ("--help", "-h"):
        check(option, run(wasi_run, option).stdout.split("\n")[0],
              "usage: wasi_run [OPTION...] FILE [ARGUMENT...]")
    check("missing file", run(wasi_run, "/nowhere.wasm").returncode, 1)
    check("missing directory", run(wasi_run, "--dir=/nowhere", hello).returncode, 1)
    with tempfile.TemporaryDirectory() as folder:
        check_messages(wasi_run, hello, pathlib.Path(folder))
    for engine in ("interpreter", "auto"):
        result = run(wasi_run, f"--engine={engine}", "--env=MOOD=good", hello, "you", "3")
        check(f"exit code ({engine})", result.returncode, 3)
        check(f"output ({engine})", result.stdout.split("\n")[0], "hello, you")
    with tempfile.TemporaryDirectory() as cache:
        for time_of_use in ("first", "second"):
            result = run(wasi_run, f"--cache={cache}/code", hello, "you", "3")
            check(f"exit code with a cache ({time_of_use})", result.returncode, 3)
    trace = run(wasi_run, "--trace", hello, "you", "3").stderr
    for line in ("--> wasi_snapshot_preview1.args_sizes_get()", "<-- nwritten=7,error=ESUCCESS",
                 "--> wasi_snapshot_preview1.proc_exit(rval=3)", "<-- error: module closed with"):
        check(f"a trace has a line {line}", line in trace, True)
    check("a trace names parameters", "fd_write(fd=1,iovs=" in trace, True)


def leb(number):
    """An unsigned number as modules have it."""
    encoded = bytearray()
    while number >= 128:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes(encoded) + bytes([number])


def large_module(functions):
    """A program of functions of about 10 KiB, which does nothing."""
    # local.get 0, local.get 1, i32.mul, local.get 0, i32.add, local.set 1, and again
    body = b"\x00" + bytes.fromhex("20002001 6c 2000 6a 2101") * 1000 + b"\x0b"
    contents = {
        1: b"\x02\x60\x02\x7f\x7f\x00\x60\x00\x00",
        3: leb(functions + 1) + bytes(functions) + b"\x01",
        5: b"\x01\x00\x01",
        7: b"\x01\x06_start\x00" + leb(functions),
        10: leb(functions + 1) + (leb(len(body)) + body) * functions + b"\x02\x00\x0b",
    }
    return b"\0asm\1\0\0\0" + b"".join(
        bytes([number]) + leb(len(content)) + content for number, content in contents.items())


def run_on_terminal(*command):
    """The exit code, and what went to a terminal for the error stream."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=end)
    os.close(end)
    output = b""
    try:
        while chunk := os.read(terminal, 4096):
            output += chunk
    except OSError:  # nobody has the other end any more
        pass
    os.close(terminal)
    return process.wait(120), output.decode()


def on_screen(output):
    """What remains of a line that is written over."""
    line = ""
    for part in output.split("\r"):
        line = part[3:] if part.startswith("\033[K") else part + line[len(part):]
    return line


def check_progress(wasi_run, folder):
    large = folder / "large.wasm"
    functions = 300
    while True:
        large.write_bytes(large_module(functions))
        begin = time.monotonic()
        quiet = run(wasi_run, "--engine=jit", str(large))
        if "cannot run here" in quiet.stderr:
            print("skipped: progress, as there is no compiler")
            return
        if time.monotonic() - begin > 2 or functions > 10000:
            break
        functions *= 2
    check("compiling a large module", (quiet.returncode, quiet.stderr), (0, ""))
    hasty = run(wasi_run, "--engine=jit", "--timeout=1", str(large))
    check("a program's time begins when it is compiled", (hasty.returncode, hasty.stderr), (0, ""))
    code, output = run_on_terminal(wasi_run, "--engine=jit", str(large))
    check("compiling it on a terminal", code, 0)
    shown = [int(number) for number in re.findall(r"\rcompiling: (\d+) %", output)]
    check("progress is shown", (len(shown) > 2, shown == sorted(shown)), (True, True))
    check("and taken back", on_screen(output), "")


def check_start(wasi_run, folder):
    guest = folder / "start.wasm"
    guest.write_bytes(ENDLESS_START)
    for engine in ("interpreter", "auto"):
        result = run(wasi_run, f"--engine={engine}", "--timeout=0.3", str(guest))
        check(f"a start section is ended ({engine})", result.returncode, 124)


def check_guests(wasi_run, folder):
    files = compile_guest(folder, "files", FILES)
    if files is None:
        print("skipped: programs compiled by clang-19 with wasi-libc")
        return
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "in" / "input.txt").write_text("text")
    (folder / "secret.txt").write_text("SECRET")
    result = run(wasi_run, f"--dir={folder}/in:/in:ro", "--dir", f"{folder}/out:/out",
                 "--env-inherit", files, "more", env={**os.environ, "GREETING": "good morning"})
    check("exit code of files", result.returncode, 42)
    check("output of files", result.stdout.splitlines(),
          ["read-only: Read-only file system", "13 bytes", "outside: not there", "entry made",
           "good morning"])
    check("what was written", (folder / "out/made/copy.txt").read_text(), "text and more")
    check("what was not", sorted(os.listdir(folder / "in")), ["input.txt"])

    for name, source in (("sleep", SLEEP), ("loop", LOOP)):
        guest = compile_guest(folder, name, source)
        begin = time.monotonic()
        result = run(wasi_run, "--timeout=0.3", guest)
        check(f"{name} is ended", result.returncode, 124)
        check(f"{name} is ended in time", time.monotonic() - begin < 30, True)

    writer = compile_guest(folder, "writer", WRITER)
    process = subprocess.Popen([wasi_run, "--timeout=0.5", writer], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    check("a program is ended whose output nobody reads", process.wait(30), 124)
    process.stdout.close()

    reactor = compile_guest(folder, "reactor", REACTOR, "-mexec-model=reactor")
    check("an invoked function", run(wasi_run, "--invoke=add", reactor, "20", "3").stdout, "123\n")
    check("floating point", run(wasi_run, "--invoke=half", reactor, "5").stdout, "2.5\n")
    check("wrong arguments", run(wasi_run, "--invoke=add", reactor, "1").returncode, 2)
    check("wrong function", run(wasi_run, "--invoke=none", reactor).returncode, 2)

    server = compile_guest(folder, "server", SERVER)
    if server is None:
        failures.append("the server does not compile")
        return
    process = subprocess.Popen([wasi_run, "--listen=127.0.0.1:0", "--timeout=60", server],
                               stderr=subprocess.PIPE, text=True)
    port = int(process.stderr.readline().rsplit(" ", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"shout")
        check("the server's answer", connection.recv(100), b"SHOUT")
    check("the server's exit code", process.wait(60), 0)


def main():
    wasi_run, hello = sys.argv[1:3]
    check_options(wasi_run, hello)
    with tempfile.TemporaryDirectory() as folder:
        check_start(wasi_run, pathlib.Path(folder))
        check_progress(wasi_run, pathlib.Path(folder))
        check_guests(wasi_run, pathlib.Path(folder))
    print("\n".join(failures) or "passed")
    sys.exit(1 if failures else 0)


main()

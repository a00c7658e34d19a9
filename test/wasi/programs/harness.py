# SPDX-License-Identifier: Apache-2.0
"""What the tests of programs share. Packages are installed once, in a folder among the machine's
temporary ones."""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
STORE = pathlib.Path(tempfile.gettempdir()) / "tenon_wasi_programs"
GUESTS = pathlib.Path(__file__).parent / "guests"
ENGINES = ("interpreter", "auto")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r} instead of {wanted!r}")


def need(*programs):
    """Skips the test where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            skip(f"{program} is missing")


def npm_install(name, *packages):
    """The folder `node_modules` with packages, each with its version, under a name in the store."""
    need("npm", "node")
    folder = STORE / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            result = subprocess.run(
                ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
                 "--fetch-retries=1", "--prefix", str(folder), *packages],
                capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if result.returncode != 0:
                skip(f"npm cannot install {' and '.join(packages)}")
            (folder / "complete").touch()
    return folder / "node_modules"


def compile_guest(*command, **options):
    """Runs a compiler, which is there and so has to work."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, **options)
    if result.returncode != 0:
        sys.exit(f"{command[0]} fails:\n{result.stderr}")


def run(wasi_run, *arguments, **options):
    result = subprocess.run([wasi_run, *map(str, arguments)], capture_output=True, text=True,
                            timeout=300, **options)
    sys.stderr.write(result.stderr)
    return result


class Workspace:
    """A directory for a program to work in, beside a file that is none of its business."""

    def __init__(self, folder):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.data = self.root / "data"
        self.data.mkdir()
        self.write("input.txt", "a text of the host\n")
        (self.root / "secret.txt").write_text("SECRET")

    def write(self, name, text):
        (self.data / name).write_text(text)

    def read(self, name):
        return (self.data / name).read_text()

    def names(self):
        return sorted(str(path.relative_to(self.data)) for path in self.data.rglob("*"))

    def mount(self, suffix=""):
        return f"--dir={self.data}:/data{suffix}"

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom: a room includes rooms to its left only, and xbyak stays in the JIT.

usage: check_rooms.py INCLUDE_DIR
"""

import pathlib
import re
import sys

# From left to right. "public" stands for the headers that lie directly in include/tenon.
ROOMS = ["abi", "bind", "wasm", "typed", "vm", "interp", "jit", "cache", "public", "wasi"]

# Public headers that rooms may include too, and why. They declare values, interfaces and one-pointer
# handles, so they may include nothing but abi/, bind/ and each other (checked below); the bodies of
# handles are in .ipp files, to the right of the rooms as everything public.
_VALUE = "a plain value"
_CONFIG = "settings that the rooms read"
_INTERFACE = "an interface that users implement and the rooms call"
_HANDLE = "a handle that host functions receive from the rooms"
SHARED = {
    "budget.hpp": _HANDLE,
    "cache.hpp": _CONFIG,
    "cache_options.hpp": _CONFIG,
    "cache_store.hpp": _INTERFACE,
    "call_context.hpp": _HANDLE,
    "call_result.hpp": _VALUE,
    "code_map_kind.hpp": _VALUE,
    "code_origin.hpp": _VALUE,
    "core_features.hpp": _VALUE,
    "cpu_features.hpp": _VALUE,
    "definition.hpp": _VALUE,
    "error.hpp": _VALUE,
    "fixed_text.hpp": _VALUE,
    "fs_config.hpp": _CONFIG,
    "function.hpp": _HANDLE,
    "fwd.hpp": "forward declarations",
    "global.hpp": _HANDLE,
    "guest_atomic.hpp": _HANDLE,
    "host_descriptor.hpp": _HANDLE,
    "instance_handle.hpp": _HANDLE,
    "link_policy.hpp": _CONFIG,
    "listener.hpp": _INTERFACE,
    "memory.hpp": _HANDLE,
    "memory_allocator.hpp": _INTERFACE,
    "module.hpp": _HANDLE,
    "module_config.hpp": _CONFIG,
    "ref.hpp": _HANDLE,
    "reference.hpp": _VALUE,
    "result.hpp": _VALUE,
    "runtime_config.hpp": _CONFIG,
    "signal_handlers.hpp": _VALUE,
    "system.hpp": _INTERFACE,
    "table.hpp": _HANDLE,
    "typed_function.hpp": _HANDLE,
    "typed_value.hpp": _VALUE,
    "value.hpp": _VALUE,
}

# The other way round: headers of rooms that the shared ones include. The same restriction holds.
SEAMS = {
    "cache/statistics.hpp": "the figures that a cache hands out, " + _VALUE,
    "vm/float_modes.hpp": "the processor's float modes, which a call from the host compares",
    "vm/entry.hpp": "declarations of the one way by which handles enter functions",
}

# Lists of includes for users, and the entrance to a room that users enter by name.
UMBRELLAS = {"tenon.hpp", "bind.hpp", "wasi.hpp", "wasi.ipp", "tenon.cpp"}

XBYAK_ROOM = "jit"

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    """The room of a path relative to include/tenon."""
    parts = path.split("/")
    return "public" if len(parts) == 1 else parts[0]


def complaint(source, included):
    """Why `source` may not include `included` (both as written after `#include`), or None."""
    name = source.removeprefix("tenon/")
    if included.startswith("xbyak/") or included == "xbyak.h":
        return None if room_of(name) == XBYAK_ROOM else "xbyak belongs to jit/ alone"
    if not included.startswith("tenon/"):
        return None
    target = included.removeprefix("tenon/")
    if room_of(target) not in ROOMS:
        return f"unknown room '{room_of(target)}'"
    if name in SHARED or name in SEAMS:
        own_bodies = name.removesuffix(".hpp") + ".ipp"
        if target in SHARED or target in SEAMS or target == own_bodies:
            return None
        if room_of(target) in ("abi", "bind"):
            return None
        return "a header that rooms share includes only abi/, bind/ and other shared headers"
    if name in UMBRELLAS or target in SHARED:
        return None
    if ROOMS.index(room_of(target)) <= ROOMS.index(room_of(name)):
        return None
    return f"{room_of(target)} is to the right of {room_of(name)}"


def main():
    include_dir = pathlib.Path(sys.argv[1])
    files = sorted(
        path
        for path in (include_dir / "tenon").rglob("*")
        if path.suffix in (".hpp", ".ipp", ".cpp")
    )
    failures = []
    edges = 0
    for path in files:
        source = path.relative_to(include_dir).as_posix()
        room = room_of(source.removeprefix("tenon/"))
        if room not in ROOMS:
            failures.append(f"{source}: unknown room '{room}'")
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            edges += 1
            included = match.group(1)
            why = complaint(source, included)
            if included.startswith("tenon/") and not (include_dir / included).is_file():
                why = "no such file"
            if why:
                line = text.count("\n", 0, match.start(1)) + 1
                failures.append(f"{source}:{line}: includes <{included}>: {why}")
    print("\n".join(failures))
    print(f"{len(files)} files, {edges} includes, {len(failures)} against the rules")
    if not files:
        sys.exit("no headers found")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

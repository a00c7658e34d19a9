# SPDX-License-Identifier: Apache-2.0
"""Pieces of WebAssembly modules, for scripts that write them byte by byte."""


def leb(number):
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def vector(items):
    return leb(len(items)) + b"".join(items)


def section(number, content):
    return bytes([number]) + leb(len(content)) + content


def name(text):
    encoded = text.encode()
    return leb(len(encoded)) + encoded

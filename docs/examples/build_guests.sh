#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes guest.wasm of each example from the guest.c beside it. The results are in the repository, so
# this is needed only after a change. Needs the Debian packages clang-19 and lld-19, and wasi-libc
# and libclang-rt-19-dev-wasm32 for the examples of WASI.
#
# usage: docs/examples/build_guests.sh [EXAMPLE...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ $# -eq 0 ]]; then
  for source in */guest.c; do set -- "$@" "${source%/guest.c}"; done
fi

freestanding=(--target=wasm32 -nostdlib -Wl,--no-entry -Wl,-z,stack-size=4096)

for example in "$@"; do
  options=("${freestanding[@]}")
  case "$example" in
    # A struct returned by value becomes several results.
    multiple_results) options+=(-mmultivalue -Xclang -target-abi -Xclang experimental-mv) ;;
    typed_handles) options+=(-mreference-types) ;;
    wasi_*) options=(--target=wasm32-wasi) ;;
  esac
  # Function names stay: they are what a backtrace shows.
  clang-19 "${options[@]}" -std=c11 -O2 -Wall -Wextra -Werror -Wl,--strip-debug -Wl,-soname,guest \
    -o "$example/guest.wasm" "$example/guest.c"
  echo "$example/guest.wasm: $(stat -c %s "$example/guest.wasm") bytes"
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes guest.wasm of each example from the guest.c beside it. The results are in the repository, so
# this is needed only after a change. Needs the Debian packages clang-19 and lld-19, and wasi-libc
# and libclang-rt-19-dev-wasm32 for the examples of WASI; npm for guests in AssemblyScript. Guests in
# Rust are made where rustc has a target for WebAssembly, and are not in the repository.
#
# usage: docs/examples/build_guests.sh [EXAMPLE...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ $# -eq 0 ]]; then
  for source in */guest.c; do set -- "$@" "${source%/guest.c}"; done
fi

# Put where it is needed, and nothing of it into the repository.
assemblyscript_version=0.28.20
assemblyscript() {  # SOURCE RESULT
  local folder="${TMPDIR:-/tmp}/tenon_assemblyscript_$assemblyscript_version"
  [[ -x "$folder/node_modules/.bin/asc" ]] ||
    npm install --silent --prefix "$folder" "assemblyscript@$assemblyscript_version"
  "$folder/node_modules/.bin/asc" "$1" -O --exportRuntime --exportTable -o "$2"
}

rust() {  # SOURCE RESULT
  local library
  library="$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" || library=
  if [[ ! -d "$library" ]]; then
    echo "$2: skipped, rustc has no target wasm32-unknown-unknown here"
    return
  fi
  rustc --edition 2021 --target wasm32-unknown-unknown --crate-type cdylib -O -C strip=debuginfo \
    -C link-arg=--export-table -o "$2" "$1"
}

freestanding=(--target=wasm32 -nostdlib -Wl,--no-entry -Wl,-z,stack-size=4096)

for example in "$@"; do
  options=("${freestanding[@]}")
  case "$example" in
    # A struct returned by value becomes several results.
    multiple_results) options+=(-mmultivalue -Xclang -target-abi -Xclang experimental-mv) ;;
    three_languages) options+=(-fno-builtin -Wl,--export-table) ;;
    typed_handles) options+=(-mreference-types) ;;
    wasi_*) options=(--target=wasm32-wasi) ;;
  esac
  # Function names stay: they are what a backtrace shows.
  clang-19 "${options[@]}" -std=c11 -O2 -Wall -Wextra -Werror -Wl,--strip-debug -Wl,-soname,guest \
    -o "$example/guest.wasm" "$example/guest.c"
  if [[ -f "$example/guest.ts" ]]; then
    assemblyscript "$example/guest.ts" "$example/guest_assemblyscript.wasm"
  fi
  if [[ -f "$example/guest.rs" ]]; then rust "$example/guest.rs" "$example/guest_rust.wasm"; fi
  for guest in "$example"/*.wasm; do echo "$guest: $(stat -c %s "$guest") bytes"; done
done

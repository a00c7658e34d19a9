#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing; never removes or replaces one.
#
# usage: .ci/install.sh quickstart|tests|ci
set -euo pipefail

quickstart=(g++ meson ninja-build pkg-config libxbyak-dev)
tests=("${quickstart[@]}" catch2 libboost1.81-dev)
ci=("${tests[@]}" clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev lld-19 wasi-libc
  libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 rustc
  libstd-rust-dev-wasm32 lld-14 emscripten cmake git binaryen libhiredis-dev redis-server)

case "${1:-}" in
  quickstart) wanted=("${quickstart[@]}") ;;
  tests) wanted=("${tests[@]}") ;;
  ci) wanted=("${ci[@]}") ;;
  *)
    echo "usage: $0 quickstart|tests|ci" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "Not a Debian system; these are needed, by their Debian names: ${wanted[*]}"
  exit 0
fi

installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# The development packages of two Boost versions exclude each other. One that is there stays there;
# if it is too old for PFR, meson takes PFR from subprojects/pfr.wrap.
other_boost() {
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' 'libboost1.*-dev' 2>/dev/null |
    grep -E '^installed libboost1\.[0-9]+-dev$' | grep -qv ' libboost1\.81-dev$'
}

missing=()
for package in "${wanted[@]}"; do
  installed "$package" && continue
  [[ "$package" == libboost1.81-dev ]] && other_boost && continue
  missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ "$(id -u)" -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages, and no sudo. As root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" apt-get install -qq --yes --no-install-recommends --no-remove "${missing[@]}" </dev/null

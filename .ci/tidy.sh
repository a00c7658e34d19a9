#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks sources with clang-tidy-19: the engine, and a few units that between them use all of the
# public interface. Ends with one line `N passed, N failed, N skipped`, counted in files.
#
# usage: .ci/tidy.sh [FILE...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Only for its list of commands: clang's, and without the precompiled headers of a compiler.
build=build-tidy
[[ -f "$build/build.ninja" ]] ||
  meson setup "$build" --native-file .ci/setups/clang.ini -Db_pch=false >/dev/null || exit 1

files=("$@")
if [[ ${#files[@]} -eq 0 ]]; then
  files=(
    include/tenon/tenon.cpp
    bench/run_wasm.cpp
    docs/examples/quickstart/main.cpp
    test/bind/callable_test.cpp
    test/fuzz/mutation_test.cpp
    test/runtime/listener_test.cpp
    test/runtime/typed_guest_test.cpp
    test/spec/script_runner.cpp
    test/wasm/validator_test.cpp
  )
fi

passed=0 failed=0
for file in "${files[@]}"; do
  if clang-tidy-19 -p "$build" --quiet --warnings-as-errors='*' "$file" 2>/dev/null; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$file: clang-tidy-19 complains" >&2
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[[ "$failed" -eq 0 ]]

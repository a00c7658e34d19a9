#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that every tracked C++ file is formatted as .clang-format says; with --fix, formats them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--dry-run -Werror)
[[ "${1:-}" == --fix ]] && mode=(-i)

mapfile -t files < <(git ls-files '*.hpp' '*.ipp' '*.cpp' '*.h')
failed=0
for file in "${files[@]}"; do
  clang-format-19 "${mode[@]}" "$file" || failed=$((failed + 1))
done
echo "$((${#files[@]} - failed)) passed, $failed failed, 0 skipped"
[[ "$failed" -eq 0 ]]

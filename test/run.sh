#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds tenon and runs its tests; ends with one line `N passed, N failed, N skipped`.
#
# usage: test/run.sh [BUILD_DIR [MESON_SETUP_ARGUMENTS...] [-- MESON_TEST_ARGUMENTS...]]
#
# Without arguments: everything, in build/. Another set-up, for example:
#   test/run.sh build-asan --native-file .ci/setups/asan.ini -- --suite vm
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${1:-build}
shift $(($# > 0 ? 1 : 0))
setup_arguments=()
while [[ $# -gt 0 ]]; do
  argument=$1
  shift
  [[ "$argument" == -- ]] && break
  setup_arguments+=("$argument")
done

.ci/install.sh tests

if [[ ! -f "$build/build.ninja" ]]; then
  meson setup "$build" "${setup_arguments[@]}"
elif [[ ${#setup_arguments[@]} -gt 0 ]]; then
  meson setup --reconfigure "$build" "${setup_arguments[@]}" >/dev/null
fi
ninja -C "$build"

status=0
meson test -C "$build" --no-rebuild --print-errorlogs "$@" || status=$?
python3 test/tools/summarise.py "$build/meson-logs/testlog.json" || status=1
exit "$status"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the quickstart example and runs it on the guest that is kept beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

.ci/install.sh quickstart

if [[ ! -f build/build.ninja ]]; then
  echo "Configuring build/ ..."
  mkdir -p build
  meson setup build >build/quickstart.log 2>&1 || { cat build/quickstart.log; exit 1; }
fi

echo "Building ..."
ninja -C build docs/examples/quickstart

echo
exec build/docs/examples/quickstart docs/examples/quickstart/guest.wasm

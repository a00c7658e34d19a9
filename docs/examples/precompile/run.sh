#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the guest, runs what came of it, and shows that a signature is asked for.
#
# usage: docs/examples/precompile/run.sh PRECOMPILE guest.wasm
set -euo pipefail
precompile=$1 guest=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$precompile" compile "$guest" "$folder/guest.tenon"
"$precompile" run "$folder/guest.tenon" 10000
"$precompile" compile "$guest" "$folder/signed.tenon" "a secret"
"$precompile" run "$folder/signed.tenon" 1000 "a secret"
"$precompile" run "$folder/guest.tenon" 10000 "a secret" || true

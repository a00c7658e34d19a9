// SPDX-License-Identifier: Apache-2.0
/// @file
/// The `main` that every test executable links.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// SPDX-License-Identifier: Apache-2.0
/// @file
/// Precompiled for every test: Catch2 alone takes longer than most tests that use it. Without a
/// guard, because compilers warn of one in the header that they precompile.
#include <catch2/catch.hpp>

// SPDX-License-Identifier: Apache-2.0
/// @file
/// Precompiled for the tests that run guests: Catch2 and all of tenon, which every one of them
/// reads. Without a guard, because compilers warn of one in the header that they precompile.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

// SPDX-License-Identifier: Apache-2.0
/// @file
/// Counts what operator new gives out, so that a test can show that a path allocates nothing.
#pragma once

#include <cstdint>

namespace tenon_test {

/// Allocations of the calling thread so far; always 0 under sanitizers. Defined by the
/// executable's count_allocations.cpp.
std::uint64_t Allocations() noexcept;

}  // namespace tenon_test

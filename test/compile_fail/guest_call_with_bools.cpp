// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a view whose elements cannot be shared with a guest
/// @file
/// A guest that is given an array of bool.
#include <cstdint>
#include <span>

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(int, std::span<const bool>)>("f", allocator);
#else
  module.ExportedFunction<void(int, std::span<const std::uint8_t>)>("f", allocator);
#endif
}

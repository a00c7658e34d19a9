// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a span of fixed extent
/// @file
/// A guest that is given a span of fixed extent.
#include <span>

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(std::span<int, 4>)>("f", allocator);
#else
  module.ExportedFunction<void(std::span<int>)>("f", allocator);
#endif
}

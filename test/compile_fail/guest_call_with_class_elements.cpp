// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 points to a type without layout in guest memory
/// @file
/// A guest that is given an array of a class.
#include <span>

#include <tenon/guest_function.hpp>

struct Point {
  float x, y;
};

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(int, std::span<const Point>)>("f", allocator);
#else
  module.ExportedFunction<void(int, std::span<const float>)>("f", allocator);
#endif
}

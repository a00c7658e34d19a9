// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 points to a type without layout in guest memory
/// @file
/// Flat has a name everywhere, and a body in the header that knows fields.
#if !TENON_MUST_NOT_COMPILE
#include <tenon/aggregate.hpp>
#endif
#include <tenon/guest_function.hpp>

struct Point {
  float x, y;
};

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(int, tenon::Flat<Point>)>("f", allocator);
#else
  module.ExportedFunction<void(int, tenon::Flat<Point>)>("f", allocator);
#endif
}

// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result has a type without a WebAssembly value
/// @file
/// A struct as result that does not say how it crosses.
#include <tenon/aggregate.hpp>
#include <tenon/guest_function.hpp>

struct Point {
  float x, y;
};

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<Point()>("f", allocator);
#else
  module.ExportedFunction<tenon::Indirect<Point>()>("f", allocator);
#endif
}

// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the type of a function to call is no signature
/// @file
/// A function with an allocator, of a type that is no function type.

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<int>("f", allocator);
#else
  module.ExportedFunction<int()>("f", allocator);
#endif
}

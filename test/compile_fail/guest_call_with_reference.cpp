// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a reference: take it by value
/// @file
/// A view by reference.
#include <string_view>

#include <tenon/guest_function.hpp>


void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(const std::string_view&)>("f", allocator);
#else
  module.ExportedFunction<void(std::string_view)>("f", allocator);
#endif
}

// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call is a view, a string or a container
/// @file
/// A function with an allocator that returns a view.
#include <string>
#include <string_view>

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<std::string_view()>("f", allocator);
#else
  module.ExportedFunction<std::string()>("f", allocator);
#endif
}

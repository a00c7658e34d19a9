// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a container that owns its elements: take std::string_view
/// @file
/// A guest that is given a string object.
#include <string>
#include <string_view>

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(const std::string&)>("f", allocator);
#else
  module.ExportedFunction<void(std::string_view)>("f", allocator);
#endif
}

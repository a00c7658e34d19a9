// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is an Out or InOut of something const
/// @file
/// Nothing could be copied back.
#include <span>

#include <tenon/guest_function.hpp>


void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(int, tenon::Out<std::span<const int>>)>("f", allocator);
#else
  module.ExportedFunction<void(int, tenon::In<std::span<const int>>)>("f", allocator);
#endif
}

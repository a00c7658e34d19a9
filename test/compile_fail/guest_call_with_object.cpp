// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of a function to call owns memory of the guest
/// @file
/// The owner of guest memory in place of a pointer to it.
#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(const tenon::GuestObject<int>&)>("f", allocator);
#else
  module.ExportedFunction<void(tenon::GuestPtr<int>)>("f", allocator);
#endif
}

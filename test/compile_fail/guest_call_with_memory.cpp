// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of a function to call is Module, Memory or CallContext
/// @file
/// A guest that is given its memory.

#include <tenon/guest_function.hpp>

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(tenon::Memory&, int)>("f", allocator);
#else
  module.ExportedFunction<void(int)>("f", allocator);
#endif
}

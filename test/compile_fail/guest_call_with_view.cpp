// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of a function to call is of a kind that only guests pass (View, WasmOperands, std::optional)
/// @file
/// A view of a guest's memory, which the host has none of yet.
#include <span>

#include <tenon/guest_function.hpp>
#include <tenon/guest_view.hpp>


void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<void(tenon::View<int>)>("f", allocator);
#else
  module.ExportedFunction<void(std::span<int>)>("f", allocator);
#endif
}

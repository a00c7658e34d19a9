// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer
/// @file
/// A result that has an address of the host in it.
#include <tenon/aggregate.hpp>
#include <tenon/guest_function.hpp>

struct Node {
  int value;
  Node* next;
};
struct Item {
  int value;
  tenon::GuestPtr<Item> next;
};

void Look(const tenon::Module& module, const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  module.ExportedFunction<tenon::GuestObject<Node>()>("f", allocator);
#else
  module.ExportedFunction<tenon::GuestObject<Item>()>("f", allocator);
#endif
}

// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer
/// @file
/// A guest that is given an address of the host in a struct.
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
  module.ExportedFunction<void(int, tenon::InOut<Node>)>("f", allocator);
#else
  module.ExportedFunction<void(int, tenon::InOut<Item>)>("f", allocator);
#endif
}

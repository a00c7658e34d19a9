// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer
/// @file
/// A copy in a guest's memory that would show it an address of the host.
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
  static_cast<void>(module);
#if TENON_MUST_NOT_COMPILE
  static_cast<void>(allocator.CopyObject(Node{}));
#else
  static_cast<void>(allocator.CopyObject(Item{}));
#endif
}

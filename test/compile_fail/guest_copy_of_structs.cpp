// SPDX-License-Identifier: Apache-2.0
// expect: tenon: these elements cannot be shared with a guest
/// @file
/// A copy of elements that are laid out otherwise in a guest.
#include <cstdint>
#include <span>

#include <tenon/guest_buffer.hpp>

struct Node {
  Node* next;
};

tenon::GuestBuffer Copy(const tenon::GuestAllocator& allocator) {
#if TENON_MUST_NOT_COMPILE
  static Node nodes[2];
#else
  static std::uint32_t nodes[2];
#endif
  return allocator.Copy(std::span{nodes});
}

// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of group.hpp.
#pragma once

#include <sys/mman.h>

#include <tenon/vm/group.hpp>

namespace tenon::inline TENON_ABI::vm {

TENON_DECL ValueStack::~ValueStack() {
  if (begin_ != nullptr) {
    munmap(begin_, static_cast<std::size_t>(end_ - begin_) * sizeof(abi::Slot));
  }
}

TENON_DECL bool ValueStack::Reserve(std::uint64_t bytes) noexcept {
  void* memory = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  begin_ = static_cast<abi::Slot*>(memory);
  end_ = begin_ + bytes / sizeof(abi::Slot);
  return true;
}

}  // namespace tenon::inline TENON_ABI::vm

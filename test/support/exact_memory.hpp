// SPDX-License-Identifier: Apache-2.0
/// @file
/// An allocator of memories that move whenever they grow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include <tenon/memory_allocator.hpp>

namespace tenon_test {

/// Storage without slack, so that the address sanitizer knows its end, and elsewhere after growth.
class ExactMemory : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t, std::uint64_t) noexcept override {
    return std::make_unique<Storage>();
  }

 private:
  struct Storage : tenon::LinearMemory {
    std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
      std::unique_ptr<std::uint8_t[]> moved{new std::uint8_t[size]()};
      std::copy_n(bytes_.get(), size_, moved.get());
      bytes_ = std::move(moved);
      size_ = size;
      return bytes_.get();
    }
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint64_t size_ = 0;
  };
};

}  // namespace tenon_test

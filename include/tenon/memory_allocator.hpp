// SPDX-License-Identifier: Apache-2.0
/// @file
/// Hook for the storage of linear memories.
#pragma once

#include <cstdint>
#include <memory>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Storage of one linear memory. Destroyed when the memory is closed.
class LinearMemory {
 public:
  virtual ~LinearMemory() = default;
  /// Makes `size` bytes (a multiple of 64 KiB, never less than before) accessible, new ones zero,
  /// and returns their start, which may have moved with the contents kept; null if it cannot, in
  /// which case nothing changed. Must not throw.
  virtual std::uint8_t* Reallocate(std::uint64_t size) noexcept = 0;
};

/// Makes the storage of memories. Called from any thread that instantiates.
class MemoryAllocator {
 public:
  virtual ~MemoryAllocator() = default;
  /// Storage for a memory that starts with `capacity` bytes and never exceeds `maximum`; null if
  /// there is none. Must not throw.
  virtual std::unique_ptr<LinearMemory> Allocate(std::uint64_t capacity,
                                                 std::uint64_t maximum) noexcept = 0;
};

}  // namespace tenon::inline TENON_ABI

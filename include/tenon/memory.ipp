// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of memory.hpp.
#pragma once

#include <tenon/memory.hpp>
#include <tenon/vm/memory_instance.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {

TENON_DECL void Retain(MemoryInstance& memory) noexcept { memory.Retain(); }
TENON_DECL void Release(MemoryInstance& memory) noexcept { memory.Release(); }
TENON_DECL const abi::MemoryRecord& Record(const MemoryInstance& memory) noexcept {
  return memory.Record();
}

}  // namespace vm

TENON_DECL std::optional<std::uint64_t> Memory::Grow(std::uint64_t delta) noexcept {
  if (memory_ == nullptr) return std::nullopt;
  return memory_->Grow(delta);
}

TENON_DECL MemoryDefinition Memory::Definition() const {
  MemoryDefinition definition;
  if (memory_ == nullptr) return definition;
  const wasm::Limits& limits = memory_->Type().limits;
  definition.minimum = limits.minimum;
  if (limits.has_maximum) definition.maximum = limits.maximum;
  return definition;
}

}  // namespace tenon::inline TENON_ABI

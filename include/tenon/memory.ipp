// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of memory.hpp.
#pragma once

#include <tenon/memory.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/vm/memory_instance.hpp>
#include <tenon/vm/wait_queue.hpp>

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

TENON_DECL std::optional<std::uint32_t> Memory::Notify(std::uint64_t offset,
                                                       std::uint32_t count) noexcept {
  if (offset % 4 != 0 || !Contains(offset, 4)) return std::nullopt;
  vm::WaitQueue* const waiters = memory_->Waiters();
  return waiters == nullptr ? 0 : waiters->Notify(Base() + offset, count);
}

TENON_DECL MemoryDefinition Memory::Definition() const {
  if (memory_ == nullptr || memory_->Code() == nullptr) return {};
  return vm::DefineMemory(*memory_->Code(), memory_->ModuleName(), memory_->Index());
}

}  // namespace tenon::inline TENON_ABI

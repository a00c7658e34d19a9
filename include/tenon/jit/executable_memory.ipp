// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of executable_memory.hpp.
#pragma once

#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/mman.h>

#include <tenon/jit/executable_memory.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

inline std::string RefusalOf(const char* call) {
  return std::string{"the system refuses executable memory ("} + call + ": " +
         std::generic_category().message(errno) + ")";
}

}  // namespace detail

[[gnu::cold]] TENON_DECL ExecutableMemory ExecutableMemory::Map(std::size_t size,
                                                                std::string& reason) {
  void* place = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) {
    reason = detail::RefusalOf("mmap");
    return {};
  }
  return ExecutableMemory{static_cast<std::uint8_t*>(place), size};
}

[[gnu::cold]] TENON_DECL ExecutableMemory ExecutableMemory::Map(std::span<const std::uint8_t> bytes,
                                                                std::size_t code_offset,
                                                                std::string& reason) {
  ExecutableMemory memory = Map(bytes.size(), reason);
  if (!memory) return memory;
  std::memcpy(memory.begin_, bytes.data(), bytes.size());
  if (!memory.Seal(code_offset, reason)) return {};
  return memory;
}

[[gnu::cold]] TENON_DECL ExecutableMemory
ExecutableMemory::Adopt(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> owner,
                        std::size_t code_offset, std::string& reason) {
  ExecutableMemory memory{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  memory.owner_ = std::move(owner);
  if (!memory.Seal(code_offset, reason)) return Map(bytes, code_offset, reason);
  return memory;
}

[[gnu::cold]] TENON_DECL bool ExecutableMemory::Seal(std::size_t code_offset, std::string& reason) {
  if ((code_offset != 0 && mprotect(begin_, code_offset, PROT_READ) != 0) ||
      mprotect(begin_ + code_offset, size_ - code_offset, PROT_READ | PROT_EXEC) != 0) {
    reason = detail::RefusalOf("mprotect");
    return false;
  }
  return true;
}

TENON_DECL ExecutableMemory::~ExecutableMemory() {
  if (begin_ != nullptr && owner_ == nullptr) munmap(begin_, size_);
}

[[gnu::cold]] TENON_DECL const std::string& ExecutableMemoryRefusal() {
  static const std::string refusal = [] {
    // Sanitizers read the bytes before a function that is called by its address.
    constexpr std::size_t kEntry = 64;
    std::uint8_t code[kEntry + 1] = {};
    code[kEntry] = 0xC3;  // ret
    std::string reason;
    const ExecutableMemory probe = ExecutableMemory::Map(code, 0, reason);
    if (probe) {
      reinterpret_cast<void (*)()>(const_cast<std::uint8_t*>(probe.Bytes().data() + kEntry))();
    }
    return reason;
  }();
  return refusal;
}

}  // namespace tenon::inline TENON_ABI::jit

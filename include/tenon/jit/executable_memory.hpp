// SPDX-License-Identifier: Apache-2.0
/// @file
/// Memory that holds code: written first, then made executable, never both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A mapping that begins with readable bytes and ends with executable ones.
class ExecutableMemory {
 public:
  ExecutableMemory() = default;
  /// Maps `size` bytes, at least one, that are zero and can be written until Seal. Empty if the
  /// machine refuses; `reason` says why then.
  TENON_DECL static ExecutableMemory Map(std::size_t size, std::string& reason);
  /// The same with a copy of `bytes`, sealed.
  TENON_DECL static ExecutableMemory Map(std::span<const std::uint8_t> bytes,
                                         std::size_t code_offset, std::string& reason);
  /// `bytes` where they lie: on private pages, from a page's beginning to the end of their mapping,
  /// which `owner` keeps. Where the system refuses to make them executable, as for files of a file
  /// system without programs, a copy.
  TENON_DECL static ExecutableMemory Adopt(std::span<const std::uint8_t> bytes,
                                           std::shared_ptr<const void> owner,
                                           std::size_t code_offset, std::string& reason);
  ExecutableMemory(ExecutableMemory&& other) noexcept
      : begin_{std::exchange(other.begin_, nullptr)},
        size_{std::exchange(other.size_, 0)},
        owner_{std::move(other.owner_)} {}
  ExecutableMemory& operator=(ExecutableMemory&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  TENON_DECL ~ExecutableMemory();

  explicit operator bool() const noexcept { return begin_ != nullptr; }
  std::span<const std::uint8_t> Bytes() const noexcept { return {begin_, size_}; }
  /// Only before Seal.
  std::span<std::uint8_t> WritableBytes() noexcept { return {begin_, size_}; }
  /// Makes the bytes from `code_offset` on, a multiple of 4096, executable and the others readable;
  /// none can be written any more. False if the machine refuses; `reason` says why then.
  TENON_DECL bool Seal(std::size_t code_offset, std::string& reason);

 private:
  ExecutableMemory(std::uint8_t* begin, std::size_t size) : begin_{begin}, size_{size} {}

  std::uint8_t* begin_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<const void> owner_;  ///< of the mapping; null: it is this object's
};

/// Why this process cannot run code of its own making; "" if it can. Asked once.
TENON_DECL const std::string& ExecutableMemoryRefusal();

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/executable_memory.ipp>
#endif

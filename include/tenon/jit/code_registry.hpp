// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds code by address, also in a signal handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit {

class MappedCode;

/// All code of the process, by address. Any thread; Find neither locks nor allocates.
class CodeRegistry {
 public:
  CodeRegistry() = default;
  CodeRegistry(const CodeRegistry&) = delete;
  CodeRegistry& operator=(const CodeRegistry&) = delete;
  TENON_DECL ~CodeRegistry();

  /// The process's registry. Never destroyed.
  TENON_DECL static CodeRegistry& Global() noexcept;

  /// Enters code that occupies [begin, end). Throws std::bad_alloc.
  TENON_DECL void Add(std::uintptr_t begin, std::uintptr_t end, const MappedCode& code);
  /// Takes it out again. No thread may be executing it.
  TENON_DECL void Remove(std::uintptr_t begin) noexcept;

  /// The code that holds `address`; null if none does.
  TENON_DECL const MappedCode* Find(std::uintptr_t address) const noexcept;

 private:
  struct Range {
    std::uintptr_t begin;
    std::uintptr_t end;
    const MappedCode* code;
  };
  using Ranges = FlatArray<Range>;  ///< sorted; immutable once published

  void Publish(std::unique_ptr<const Ranges> next);

  mutable std::atomic<std::uint64_t> readers_{0};
  std::atomic<const Ranges*> current_{nullptr};
  std::mutex mutex_;
  /// Replaced while somebody may have been reading them.
  std::vector<std::unique_ptr<const Ranges>> retired_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/code_registry.ipp>
#endif

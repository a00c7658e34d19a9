// SPDX-License-Identifier: Apache-2.0
/// @file
/// What `perf` reads to name compiled functions.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include <sys/types.h>

#include <tenon/abi/config.hpp>
#include <tenon/jit/code_symbols.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Adds code that begins at `begin` to /tmp/perf-PID.map, behind what other compilers of the
/// process wrote. Any thread. False if that is not possible; a file of somebody else's is left
/// alone.
TENON_DECL bool AppendToPerfMap(std::uintptr_t begin, std::span<const CodeSymbol> symbols) noexcept;

/// The process's jit-PID.dump, for `perf inject --jit`. Any thread.
class JitDump {
 public:
  /// Never destroyed.
  TENON_DECL static JitDump& Global() noexcept;

  /// Adds code; the first call, and the first in a child process, begins a file. False if that is
  /// not possible.
  TENON_DECL bool Append(std::span<const std::uint8_t> code,
                         std::span<const CodeSymbol> symbols) noexcept;

 private:
  JitDump() = default;
  bool Begin(pid_t process);

  std::mutex mutex_;
  pid_t process_ = 0;  ///< whose file it is
  int file_ = -1;
  std::uint64_t next_index_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/perf_map.ipp>
#endif

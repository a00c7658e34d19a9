// SPDX-License-Identifier: Apache-2.0
/// @file
/// GDB's JIT compilation interface (GDB manual, chapter "JIT Compilation Interface").
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/code_symbols.hpp>

namespace tenon::inline TENON_ABI::jit {

/// An object file in memory that names ranges of `code`.
TENON_DECL std::vector<std::uint8_t> BuildSymbolFile(std::span<const std::uint8_t> code,
                                                     std::span<const CodeSymbol> symbols);

namespace detail {

/// A node of the list that debuggers read; the layout is theirs.
struct GdbCodeEntry {
  GdbCodeEntry* next = nullptr;
  GdbCodeEntry* previous = nullptr;
  const std::uint8_t* file = nullptr;
  std::uint64_t file_size = 0;
};

/// The list's head; the layout is theirs.
struct GdbDescriptor {
  std::uint32_t version;
  std::uint32_t action;
  GdbCodeEntry* relevant;
  GdbCodeEntry* first;
};

}  // namespace detail

/// Code that debuggers know, until this is destroyed. The list is the process's, shared with other
/// compilers that define it; those of this library lock it.
class GdbRegistration {
 public:
  TENON_DECL GdbRegistration(std::span<const std::uint8_t> code,
                             std::span<const CodeSymbol> symbols);
  TENON_DECL ~GdbRegistration();
  GdbRegistration(const GdbRegistration&) = delete;
  GdbRegistration& operator=(const GdbRegistration&) = delete;

 private:
  std::vector<std::uint8_t> file_;
  detail::GdbCodeEntry entry_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/gdb_interface.ipp>
#endif
